"""What an explorer shows, and what it lets one do, without any widget: epochs, labels, a selection, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from lend import storage
from lend.config import Dilution, nearest_name, require
from lend.explorer.inspection import pixels
from lend.explorer.inspection.chronicle import FILTERS, Chronicle, History
from lend.explorer.inspection.corrections import Corrections, write_patch
from lend.explorer.inspection.mapped import UNKNOWN, MappedFrame, MappedRun, NoMapsError
from lend.explorer.inspection.pixels import Images, Pixels
from lend.explorer.inspection.places import Places
from lend.explorer.inspection.redilution import Redilution
from lend.run import Run

if TYPE_CHECKING:
    from lend.explorer.inspection.rediluting import Rediluter

__all__ = ["FILTERS", "History", "Inspection", "NoMapsError", "Redilution"]

ORDER = ("true", "predicted", "noisy", "diluted", "kept", "wrong", "agreement", "score", "rediluted", "corrected")
CLASS_KINDS = ("true", "noisy", "predicted", "diluted", "rediluted", "corrected")
SHARES = ("agreement", "score")  # in per cent where they are told


class Inspection:
    """The maps of a run or a table, epoch by epoch, and what one does with them: select, re-dilute, relabel.

    Make one with :meth:`of_run` or :meth:`of_frame`. Points are named by sample ids outside, by positions 0..m-1 where
    arrays of all points are meant. Labels are codes, positions in ``class_names``; -1 where unknown.

    Attributes:
        title: What tells this run or table from others.
        epochs: Those that can be shown.
        map_epochs: Those with a map of their own.
        sample_ids: (m,) of the points, in order.
        class_names: One per class.
        limits: Of x and y over all maps, a square with a margin.
        epoch: The one shown.
        selection: Sample ids, in the order of the points.
    """

    def __init__(self, points: MappedRun | MappedFrame, images: Pixels) -> None:
        self._points, self._images = points, images
        self.title, self.epochs, self.map_epochs = points.title, points.epochs, points.map_epochs
        self.sample_ids, self.class_names = points.sample_ids, tuple(points.class_names)
        self._index = pd.Index(self.sample_ids)
        self._places = Places(self.map_epochs, np.stack([points.places(epoch) for epoch in self.map_epochs]))
        self._chronicle = Chronicle(points.fixed, self.epochs, points.labels)
        self.limits = self._places.limits
        self._rediluter: Rediluter | None = None
        self._rediluted: Redilution | None = None
        self._corrections = None if "noisy" not in points.fixed else Corrections(points.fixed["noisy"])
        if self._corrections is not None and points.corrected is not None:
            self._corrections.start(points.corrected)
        self.epoch = self.map_epochs[0]
        self._selected = np.zeros(0, np.int64)

    @classmethod
    def of_run(cls, run: Run, *, images: Images = None) -> Inspection:
        """What a saved run shows. Snapshots are read when something asks for them.

        Args:
            run: With maps; see :func:`lend.maps.make_maps`.
            images: As in :meth:`of_frame`; those of the run's data set if not given, read at the first look at one.

        Raises:
            NoMapsError: If there are no maps; it says how to make them and how long that takes.
            KeyError: If there are no snapshots to make maps of.
        """
        points = MappedRun(run)
        found = (
            pixels.of_run(run, points.sample_ids) if images is None else pixels.of_examples(images, points.sample_ids)
        )
        return cls(points, found)

    @classmethod
    def of_frame(
        cls,
        frame: Any,  # noqa: ANN401
        *,
        x: str = "x",
        y: str = "y",
        epoch: str | None = None,
        class_names: Sequence[str] | None = None,
        images: Images = None,
    ) -> Inspection:
        """What a table shows: one row per sample, or one per sample and epoch.

        Args:
            frame: A pandas DataFrame: columns of coordinates and any of true, noisy, predicted, diluted and corrected
                (class names, or integers; missing values and -1 are unknown), kept (bool) and others: bool columns,
                numbers (shown by their place in their range; as they are, if all lie in [0, 1]) and class names colour
                points, too. Other columns do not show. Sample ids are a column "sample_id", or the index.
            x: Column of the first coordinate.
            y: Column of the second.
            epoch: Column of the epochs; "epoch", where there is one, if not given. Every epoch has the same samples.
            class_names: In the order of the colours; integers are positions in it. The categories of a categorical
                column, or the sorted labels, if not given.
            images: An array with one image per sample, or indexed by sample id; or a function of the sample id that
                gives an array or None. An image is (h, w), (1 or 3, h, w) or (h, w, 1, 3 or 4).

        Raises:
            ValueError: Naming the column, what is allowed and what came.
        """
        points = MappedFrame(frame, x, y, epoch, class_names)
        return cls(points, pixels.of_examples(images, points.sample_ids))

    def __repr__(self) -> str:
        shown = f"{len(self.sample_ids):,} points, maps of epochs {list(self.map_epochs)}"
        return f"Inspection({self.title}: {shown}; epoch {self.epoch}, {len(self._selected)} selected)"

    # --- Epochs and colours -------------------------------------------------------------------------------------------

    def show(self, epoch: int) -> None:
        """Go to an epoch.

        Raises:
            ValueError: If there is no such epoch; the message says which there are.
        """
        self.epoch = self._known(epoch)

    def _known(self, epoch: int | None) -> int:
        if epoch is None:
            return self.epoch
        first, last = self.epochs[0], self.epochs[-1]
        whole = self.epochs == tuple(range(first, last + 1))
        require(epoch in self.epochs, "epoch", f"from {first} to {last}" if whole else f"one of {self.epochs}", epoch)
        return int(epoch)

    def map_epoch(self, epoch: int | None = None) -> int:
        """The epoch of the last map up to this epoch; the first map before it."""
        return self._places.last_map(self._known(epoch))

    def coordinates(self, epoch: int) -> Float[np.ndarray, "m 2"]:
        """Where the points are, float32: in between two maps on the straight line, outside of them at the nearest."""
        return self._places.at(self._known(epoch))

    def position_note(self, epoch: int | None = None) -> str:
        """In words, which maps the places of the points come from."""
        return self._places.note(self._known(epoch))

    @property
    def colorings(self) -> tuple[str, ...]:
        """What points can be coloured by now."""
        fixed = self._points.fixed
        there = {*fixed, *self._points.by_epoch, *self._points.ranges}
        there |= {"wrong"} if {"true", "noisy"} <= set(fixed) else set()
        there |= {"rediluted"} if self._rediluted else set()
        there |= {"corrected"} if self._corrections is not None and len(self._corrections.positions) else set()
        others = [name for name in (*self._points.by_epoch, *self._points.ranges) if name not in ORDER]
        return (*(name for name in ORDER if name in there), *others)

    def kind(self, coloring: str) -> str:
        """ "class" (codes), "flag" (bool) or "share" (from 0 to 1)."""
        if coloring not in self.colorings:
            raise ValueError(f"unknown coloring {coloring!r}; {nearest_name(coloring, self.colorings)}")
        if coloring in CLASS_KINDS:
            return "class"
        if coloring in self._points.ranges:
            return "share"
        own = self._tells_wrong(coloring) or self._chronicle.at(self.epochs[0])[coloring].dtype == bool
        return "flag" if own else "class"

    def _tells_wrong(self, coloring: str) -> bool:
        """Whether this is the flag that true and noisy labels give, and no column of a table."""
        return coloring == "wrong" and {"true", "noisy"} <= set(self._points.fixed)

    def value_range(self, coloring: str) -> tuple[float, float]:
        """The numbers that the shares 0 and 1 stand for: those, or the least and the largest of a table's column."""
        require(self.kind(coloring) == "share", "coloring", "one of shares", coloring)
        return self._points.ranges[coloring]

    def values(self, coloring: str, epoch: int | None = None) -> Shaped[np.ndarray, " m"]:
        """Codes int16 (-1 unknown), flags bool or shares float32 of all points.

        Predicted, diluted and kept are those of the epoch's training passes. Agreement, the share of the 10 nearest
        neighbours with the same noisy label, and score, the share of the noisy label in the saved diluted distribution,
        are those of :meth:`map_epoch`; so are re-diluted labels, -1 at other maps than the one that was re-diluted.

        Raises:
            ValueError: If the coloring or the epoch is unknown; the message says which there are.
        """
        epoch, kind = self._known(epoch), self.kind(coloring)
        if self._tells_wrong(coloring):
            return self._chronicle.wrong
        if coloring == "corrected" and self._corrections is not None:
            return self._corrections.labels.copy()
        if coloring == "rediluted" and self._rediluted is not None:
            shown = self._rediluted.epoch == self.map_epoch(epoch)
            return self._rediluted.labels if shown else np.full(len(self.sample_ids), UNKNOWN, np.int16)
        if kind == "share":
            return self._points.share(coloring, epoch, self.map_epoch(epoch))
        return self._points.fixed[coloring] if coloring in self._points.fixed else self._chronicle.at(epoch)[coloring]

    def label_accuracy(self, epoch: int | None = None) -> dict[str, float]:
        """Fractions of the points: labels equal to the true ones, kept, and of the kept those with a right label.

        Returns:
            predicted, diluted, noisy, kept and kept_precision; NaN where unknown.
        """
        return self._chronicle.accuracies(self._known(epoch))

    # --- Selection ----------------------------------------------------------------------------------------------------

    @property
    def selection(self) -> Shaped[np.ndarray, " s"]:
        return self.sample_ids[self._selected]

    def select(self, ids: Any = ()) -> None:  # noqa: ANN401
        """Select these samples, in place of those before; nothing clears the selection.

        Raises:
            ValueError: If one is unknown.
        """
        self._selected = np.unique(self.positions_of(ids))

    def positions_of(self, ids: Any) -> Int[np.ndarray, " s"]:  # noqa: ANN401
        """Positions of these samples among the points.

        Raises:
            ValueError: If one is unknown; the message names some.
        """
        wanted = np.asarray(ids if hasattr(ids, "dtype") or isinstance(ids, list | tuple) else list(ids)).reshape(-1)
        if not len(wanted):
            return np.zeros(0, np.int64)
        positions = self._index.get_indexer(wanted)
        strange = wanted[positions < 0]
        example = f"such as {self.sample_ids[0]}"
        require(
            not len(strange), "sample ids", f"among the {len(self._index)} mapped ones, {example}", strange[:5].tolist()
        )
        return positions.astype(np.int64)

    def filtered(self, name: str, label: int | str | None = None) -> Shaped[np.ndarray, " s"]:
        """Sample ids that a filter finds at the epoch shown.

        Args:
            name: Of FILTERS.
            label: Only of this class, by noisy label; any, if not given.

        Raises:
            ValueError: If the filter is unknown, or wants labels that are not there.
        """
        require(name != "class" or label is not None, "label", f"one of {', '.join(self.class_names[:20])}", label)
        code = None if label is None else self.code(label)
        return self.sample_ids[self._chronicle.found(name, self.epoch, code)]

    def code(self, label: int | str) -> int:
        """The code of a class, by name or code.

        Raises:
            ValueError: If there is no such class.
        """
        if isinstance(label, str):
            if label not in self.class_names:
                raise ValueError(f"unknown class {label!r}; {nearest_name(label, self.class_names)}")
            return self.class_names.index(label)
        c = len(self.class_names)
        require(0 <= label < c, "label", f"a class name, or an integer from 0 to {c - 1}", label)
        return int(label)

    def history(self, ids: Any = None) -> History:  # noqa: ANN401
        """Labels of the selection, or of these samples, over all epochs. Reads each epoch once."""
        chosen = self._selected if ids is None else self.positions_of(ids)
        return self._chronicle.history(self.sample_ids[chosen], chosen)

    # --- Dilution and corrections -------------------------------------------------------------------------------------

    def redilute(
        self,
        *,
        k: int = 8,
        alpha: float = 0.99,
        steps: int | str = 2,
        gamma: float = 3.0,
        affinity: str = "product",
        reserve: str = "previous",
        class_prior: Any = None,  # noqa: ANN401
    ) -> Redilution:
        """Dilute the noisy labels again, at the snapshot of the map shown, with other settings.

        Among at most 10,000 of the points, chosen by class. The first call at a snapshot searches neighbours; others
        only spread the labels. Arguments as in :func:`lend.dilute`; k up to 32, steps a number.

        Raises:
            ValueError: If a setting is wrong, or there are no embeddings or noisy labels.
        """
        settings = Dilution(k, gamma, alpha, steps, affinity, reserve, class_prior)
        self._rediluted = self._prepared().dilute(self.map_epoch(), settings)
        return self._rediluted

    def prepare_redilution(self) -> None:
        """Search the neighbours that :meth:`redilute` wants at the map shown, before it is called."""
        self._prepared().search(self.map_epoch())

    def _prepared(self) -> Rediluter:
        if self._rediluter is None:
            from lend.explorer.inspection.rediluting import Rediluter

            points = self._points
            if not isinstance(points, MappedRun):
                raise ValueError(f"re-dilution must be of a run: a table has no embeddings, got {self.title!r}")
            noisy = points.fixed["noisy"]
            true = points.fixed.get("true", np.full(len(noisy), UNKNOWN, np.int16))
            self._rediluter = Rediluter(noisy, true, len(self.class_names), points.embeddings)
        return self._rediluter

    def relabel(self, label: int | str, ids: Any = None) -> int:  # noqa: ANN401
        """Correct the label of the selection, or of these samples; how many changed.

        Raises:
            ValueError: If the class or a sample is unknown, or there are no noisy labels to correct.
        """
        chosen = self._selected if ids is None else np.unique(self.positions_of(ids))
        return self._need_corrections().relabel(self.code(label), chosen)

    def undo(self) -> int:
        """Take back the last :meth:`relabel`; how many labels, 0 if there is nothing to take back."""
        return 0 if self._corrections is None else self._corrections.undo()

    def _need_corrections(self) -> Corrections:
        if self._corrections is None:
            raise ValueError("relabelling needs noisy labels, and there are none")
        return self._corrections

    @property
    def corrections(self) -> pd.DataFrame:
        """Names of the given and the corrected label of each relabelled sample, by sample id."""
        none = np.zeros(0, np.int64)
        made = Corrections(none) if self._corrections is None else self._corrections
        changed = made.positions
        given, corrected = (self._names(labels[changed]) for labels in (made.given, made.labels))
        index = pd.Index(self.sample_ids[changed], name="sample_id")
        return pd.DataFrame({"given_label": given, "corrected_label": corrected}, index=index)

    def patch(self, path: str | Path) -> Path:
        """Write the corrections as CSV, lowest score first: sample_id, given_label, suggested_label, label_score.

        The columns are those of `lend.Audit.patch`; the score is that of the given label at the map shown,
        empty where unknown.
        """
        table = self.corrections
        scores = np.full(len(table), np.nan)
        if "score" in self.colorings:
            scores = self.values("score")[self.positions_of(table.index)].astype(np.float64)
        return write_patch(table, scores, path)

    # --- One point ----------------------------------------------------------------------------------------------------

    def describe(self, position: int, epoch: int | None = None) -> dict[str, str]:
        """A point in words: its sample id and all that it can be coloured by."""
        epoch = self._known(epoch)
        words = {"sample id": str(self.sample_ids[position])}
        for name in self.colorings:
            value = self.values(name, epoch)[position]
            if name == "kept":
                words[name] = "kept" if value else "dropped"
            elif name != "wrong":
                words[name] = self._word(name, value)
        return words

    def _word(self, coloring: str, value: Any) -> str:  # noqa: ANN401
        kind = self.kind(coloring)
        if kind == "class":
            return self._names(np.array([value]))[0]
        if kind == "flag":
            return "yes" if value else "no"
        low, high = self.value_range(coloring)
        if not np.isfinite(value):
            return "unknown"
        return f"{100 * value:.0f} %" if coloring in SHARES else f"{low + float(value) * (high - low):.3g}"

    def _names(self, codes: Int[np.ndarray, " s"]) -> list[str]:
        return [self.class_names[code] if code >= 0 else "unknown" for code in codes]

    def neighbors(self, position: int, epoch: int | None = None) -> Int[np.ndarray, " k"]:
        """Positions of the nearest neighbours in embedding space, the nearest first; none where unknown."""
        found = self._points.neighbors(self.map_epoch(epoch))
        return np.zeros(0, np.int64) if found is None else found[position].astype(np.int64)

    def image(self, position: int) -> Any:  # noqa: ANN401
        """The image of a point, uint8 (h, w, 3), or None; then :attr:`images_note` may say why."""
        return self._images[int(position)]

    @property
    def images_note(self) -> str:
        """Why there are no images; empty while there are."""
        return self._images.note

    # --- Out ----------------------------------------------------------------------------------------------------------

    def frame(self, epoch: int | None = None) -> pd.DataFrame:
        """All points at an epoch, one row each: epoch, sample_id, x, y and what they can be coloured by.

        Labels are categorical, of class names; unknown ones are missing.
        """
        epoch = self._known(epoch)
        x, y = self.coordinates(epoch).T
        columns: dict[str, Any] = {"epoch": np.int32(epoch), "sample_id": self.sample_ids, "x": x, "y": y}
        for name in self.colorings:
            values = self.values(name, epoch)
            columns[name] = self._column(name, values)
        return pd.DataFrame(columns)

    def _column(self, coloring: str, values: np.ndarray) -> Any:  # noqa: ANN401
        kind = self.kind(coloring)
        if kind == "class":
            return pd.Categorical.from_codes(values, list(self.class_names))
        if kind == "flag":
            return values
        low, high = self.value_range(coloring)
        return (low + values * (high - low)).astype(np.float32)

    def save_parquet(self, path: str | Path) -> Path:
        """Write :meth:`frame` of all maps, one below the other; :meth:`of_frame` and other viewers read it."""
        path = Path(path)
        whole = pd.concat([self.frame(epoch) for epoch in self.map_epochs], ignore_index=True)
        storage.write_atomically(path, lambda file: whole.to_parquet(file, index=False))
        return path
