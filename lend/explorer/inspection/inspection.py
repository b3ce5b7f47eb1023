"""The state of an explorer, without any widget: the epoch shown, colorings, a selection, re-dilution, corrections."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped, UInt8

from lend import storage
from lend.explorer.inspection import filters, pixels
from lend.explorer.inspection.chronicle import SOURCES, Chronicle, History
from lend.explorer.inspection.colorings import Colorings
from lend.explorer.inspection.corrections import Corrections
from lend.explorer.inspection.filters import FILTERS
from lend.explorer.inspection.mapped import Kind, Mapped
from lend.explorer.inspection.mapped_frame import MappedFrame
from lend.explorer.inspection.mapped_run import MappedRun
from lend.explorer.inspection.media import Media, Texts, Writings
from lend.explorer.inspection.names import Names
from lend.explorer.inspection.newest_redilution import NewestRedilution
from lend.explorer.inspection.pixels import Images, Pixels
from lend.explorer.inspection.places import Places
from lend.explorer.inspection.redilution import Redilution
from lend.explorer.inspection.review import Review
from lend.explorer.inspection.suspects import Suspects
from lend.inputs import Dilution, require, require_name
from lend.run import Run


class Inspection:
    """The maps of a run or a table, epoch by epoch, and what one does with them: select, re-dilute, relabel.

    Make one with :meth:`of_run` or :meth:`of_frame`. The m points are named by sample ids; arrays of all points are in
    their order, and a position is an index 0..m-1 into those. Labels are codes, positions in ``class_names``, -1 where
    unknown. Methods take the epoch shown where none is given. An unknown epoch, coloring, class or sample id is a
    ValueError that names those that there are.

    Attributes:
        title: What tells this run or table from others.
        epochs: Those that can be shown.
        map_epochs: Those with a map of their own.
        sample_ids: (m,) of the points, in order.
        class_names: One per class.
        limits: Limits of x and y over all maps, a square with a margin.
        epoch: The one shown.
        review: Review of the doubtful labels of an audit; None of anything else.
    """

    def __init__(self, points: Mapped, images: Pixels, texts: Writings | None = None) -> None:
        self._points, self._images, self._texts = points, images, texts or Writings()
        self.title, self.epochs, self.map_epochs = points.title, points.epochs, points.map_epochs
        self.sample_ids, self.class_names = points.sample_ids, points.class_names
        self.epoch = self.map_epochs[0]
        self._names = Names(self.sample_ids, self.class_names)
        self._places = Places(self.map_epochs, np.stack([points.places(epoch) for epoch in self.map_epochs]))
        self.limits = self._places.limits
        after = points.after
        self._chronicle = Chronicle(
            points.fixed,
            self.epochs,
            points.labels,
            None if after is None else lambda epoch: after(self._places.last_map(epoch)),
        )
        self._rediluted = NewestRedilution(points)
        self._corrections = Corrections(points.fixed.get("noisy"), points.corrected)
        self._colorings = Colorings(points, self._chronicle, self._places, self._rediluted, self._corrections)
        self._selected = np.zeros(0, np.int64)
        self.review: Review | None = None

    @classmethod
    def of_run(cls, run: Run, *, images: Images = None, texts: Texts = None) -> Inspection:
        """Inspect a saved run. Snapshots are read when something asks for them.

        Args:
            run: A run with maps; see :func:`lend.analysis.make_maps`.
            images: As in :meth:`of_frame`; those of the run's data set if not given, read at the first look at one.
            texts: As in :meth:`of_frame`.

        Raises:
            NoMapsError: If there are no maps; it says how to make them and how long that takes.
            KeyError: If there are no snapshots to make maps of.
        """
        points = MappedRun(run)
        shown, written = Media(images, texts).of(points.sample_ids)
        return cls(points, pixels.of_run(run, points.sample_ids) if images is None else shown, written)

    @classmethod
    def of_frame(
        cls,
        frame: object,
        *,
        x: str = "x",
        y: str = "y",
        epoch: str | None = None,
        class_names: Sequence[str] | None = None,
        images: Images = None,
        texts: Texts = None,
    ) -> Inspection:
        """Inspect a table with one row per example, or one row per example and epoch.

        Args:
            frame: A pandas DataFrame: columns of coordinates and any of true, noisy, predicted, diluted and corrected
                (class names, or integers; missing values and -1 are unknown), kept (bool) and others: bool columns,
                numbers (shown by their place in their range; as they are, if all lie in [0, 1]; missing and infinite
                ones are unknown) and class names colour points, too. A warning names the columns that cannot. Sample
                ids are a column "sample_id", or the index.
            x: Column of the first coordinate.
            y: Column of the second.
            epoch: Column of the epochs; "epoch", where there is one, if not given. Every epoch has the same examples.
            class_names: In the order of the colours; integers are positions in it. The categories of a categorical
                column, or the sorted labels, if not given.
            images: An array with one image per example, or indexed by sample id; or a function of the sample id that
                gives an array or None. An image is (h, w), (1 or 3, h, w) or (h, w, 1, 3 or 4).
            texts: Likewise, with a text in place of each image; a missing one is None.

        Raises:
            ValueError: Naming the column, what is allowed and what came.
        """
        points = MappedFrame(frame, x, y, epoch, class_names)
        if points.notes:
            warnings.warn("; ".join(points.notes), stacklevel=2)
        return cls(points, *Media(images, texts).of(points.sample_ids))

    def begin_review(self, suspects: Suspects, path: str | Path) -> None:
        """Let the labels be reviewed that an audit doubts; answers are kept in the file at this path, and read from it.

        Raises:
            ValueError: If the file holds answers to other labels, or is damaged.
        """
        self.review = Review(suspects, self._corrections, self._names, lambda: self._selected, path)

    def __repr__(self) -> str:
        shown = f"{len(self.sample_ids):,} points, maps of epochs {list(self.map_epochs)}"
        return f"Inspection({self.title}: {shown}; epoch {self.epoch}, {len(self._selected)} selected)"

    # --- Epochs and places --------------------------------------------------------------------------------------------

    def show(self, epoch: int) -> None:
        """Go to an epoch."""
        self.epoch = self._known(epoch)

    def _known(self, epoch: int | None) -> int:
        return self.epoch if epoch is None else self._chronicle.require_epoch(epoch)

    def map_epoch(self, epoch: int | None = None) -> int:
        """Return the epoch of the last map up to this epoch; that of the first map before it."""
        return self._places.last_map(self._known(epoch))

    def coordinates(self, epoch: int) -> Float[np.ndarray, "m 2"]:
        """Return where the points are: on straight lines between two maps, in the nearest map before and after all."""
        return self._places.at(self._known(epoch))

    def position_note(self, epoch: int | None = None) -> str:
        """Say in words which maps the places of the points come from."""
        return self._places.note(self._known(epoch))

    @property
    def labels_of(self) -> str:
        """Whose predicted and diluted labels are shown, where there is a choice: of a run; "" elsewhere. May be set.

        "snapshot": those after the epoch of the map, in evaluation mode, diluted in one graph, as in the paper's Fig. 1
        and 9 to 12; "training": those of the epoch's training passes, diluted batch by batch, as in Fig. 4. Histories
        are those of the training passes in either case.

        Raises:
            ValueError: If it is set to anything else, or there is no choice.
        """
        return self._chronicle.source

    @labels_of.setter
    def labels_of(self, source: str) -> None:
        require(self.labels_of != "", "labels_of", "left alone: these labels are of one kind", source)
        require_name(source, SOURCES, "labels_of")
        self._chronicle.source = source

    def labels_note(self, epoch: int | None = None) -> str:
        """Say in words whose predicted and diluted labels are shown; empty where there is no choice."""
        if not self.labels_of:
            return ""
        of_epoch = f" of epoch {self.map_epoch(epoch)}" if self.labels_of == "snapshot" else ""
        return f"labels of: {SOURCES[self.labels_of]}{of_epoch}"

    # --- Colorings ----------------------------------------------------------------------------------------------------

    @property
    def colorings(self) -> tuple[str, ...]:
        """Names of what points can be coloured by now."""
        return tuple(self._colorings.all())

    def kind(self, coloring: str) -> Kind:
        """Return the kind of a coloring: "class" (codes), "flag" (bool) or "share" (from 0 to 1)."""
        return self._colorings[coloring].kind

    def value_range(self, coloring: str) -> tuple[float, float]:
        """Return the numbers that the shares 0 and 1 stand for: those, or the ends of a table's column.

        Raises:
            ValueError: If the coloring is not one of shares.
        """
        found = self._colorings[coloring]
        require(found.kind == "share", "coloring", "one of shares", coloring)
        return found.ends

    def values(self, coloring: str, epoch: int | None = None) -> Shaped[np.ndarray, " m"]:
        """Return the codes (-1 unknown), flags bool or shares float32 of all points.

        Codes are int16, or int32 where there are too many classes for it.

        Predicted and diluted labels are those of :attr:`labels_of`, kept is that of the training passes. Agreement, the
        share of the 10 nearest neighbours with the same noisy label, and score, the share of the noisy label in the
        saved diluted distribution, are those of :meth:`map_epoch`; so are re-diluted labels, -1 at other maps than the
        one that was re-diluted.
        """
        return self._colorings[coloring].values(self._known(epoch))

    def label_accuracy(self, epoch: int | None = None) -> dict[str, float]:
        """Return the label accuracy of predicted, diluted and noisy labels, the share kept, and kept_precision.

        All are fractions of the points, NaN where unknown; kept_precision is the label accuracy of the kept points.
        Which labels count is the choice of :attr:`labels_of`.
        """
        return self._chronicle.accuracies(self._known(epoch))

    def describe(self, position: int, epoch: int | None = None) -> dict[str, str]:
        """Say in words what a point is: its sample id and all that it can be coloured by."""
        return {"sample id": str(self.sample_ids[position])} | self._colorings.texts(position, self._known(epoch))

    def neighbors(self, position: int, epoch: int | None = None) -> Int[np.ndarray, " k"]:
        """Return positions of a point's nearest neighbours in embedding space, the nearest first; none if unknown."""
        found = self._points.neighbors(self.map_epoch(epoch))
        return np.zeros(0, np.int64) if found is None else found[position].astype(np.int64)

    def image(self, position: int) -> UInt8[np.ndarray, "h w 3"] | None:
        """Return the image of a point, or None; then :attr:`images_note` may say why."""
        return self._images[int(position)]

    def text(self, position: int) -> str | None:
        """Return the text of a point, or None."""
        return self._texts[int(position)]

    @property
    def has_texts(self) -> bool:
        """Whether texts were given."""
        return bool(self._texts)

    @property
    def images_note(self) -> str:
        """Why there are no images; empty while there are."""
        return self._images.note

    def image_fault(self, position: int) -> str:
        """Say why :meth:`image` had none to show for a point while there are others; empty where it had one."""
        return self._images.faults.get(int(position), "")

    def frame(self, epoch: int | None = None) -> pd.DataFrame:
        """Return all points at an epoch, one row each: epoch, sample_id, x, y and what they can be coloured by.

        Labels are categorical, of class names; unknown ones are missing.
        """
        epoch = self._known(epoch)
        x, y = self.coordinates(epoch).T
        columns = {
            "epoch": np.int32(epoch) if abs(epoch) < 2**31 else np.int64(epoch),
            "sample_id": self.sample_ids,
            "x": x,
            "y": y,
        }
        return pd.DataFrame(columns | self._colorings.columns(epoch))

    def save_parquet(self, path: str | Path) -> Path:
        """Write :meth:`frame` of all maps, one below the other; :meth:`of_frame` and other viewers read it."""
        path = Path(path)
        whole = pd.concat([self.frame(epoch) for epoch in self.map_epochs], ignore_index=True)
        storage.write_parquet(path, whole, index=False)
        return path

    # --- Selection ----------------------------------------------------------------------------------------------------

    @property
    def selection(self) -> Shaped[np.ndarray, " s"]:
        """Sample ids of the selected points, in the order of the points."""
        return self.sample_ids[self._selected]

    def select(self, ids: Iterable[Any] = ()) -> None:
        """Select the examples with these sample ids, in place of those before; none clears the selection."""
        self._selected = np.unique(self.positions_of(ids))

    def positions_of(self, ids: Iterable[Any]) -> Int[np.ndarray, " s"]:
        """Return the positions of these sample ids among the points."""
        return self._names.positions(ids)

    def code(self, label: int | str) -> int:
        """Return the code of a class, given by name or code."""
        return self._names.code(label)

    def filtered(self, name: str, label: int | str | None = None) -> Shaped[np.ndarray, " s"]:
        """Return the sample ids that a filter finds at the epoch shown.

        Args:
            name: A name in FILTERS.
            label: Only of this class, by noisy label; any, if not given.

        Raises:
            ValueError: If the filter is unknown, or needs labels that are not there.
        """
        require_name(name, FILTERS, "filter")
        require(name != "class" or label is not None, "label", f"one of {', '.join(self.class_names[:20])}", label)
        code, epoch = None if label is None else self.code(label), self.epoch
        found = filters.find(name, self._chronicle.at(epoch), lambda: self._chronicle.learned(epoch), code)
        return self.sample_ids[found]

    def history(self, ids: Iterable[Any] | None = None) -> History:
        """Return the labels of the selection, or of these sample ids, over all epochs. Reads each epoch once."""
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
        class_prior: str | list[float] | None = None,
    ) -> Redilution:
        """Dilute the noisy labels again, at the snapshot of the map shown, with other settings.

        At most 10,000 of the points take part, chosen by class. The first call at a snapshot searches neighbours; later
        ones only spread the labels. Arguments as in :func:`lend.dilute`; k up to 32, steps a number.

        Raises:
            ValueError: If a setting is wrong, or there are no embeddings or noisy labels.
        """
        settings = Dilution(k, gamma, alpha, steps, affinity, reserve, class_prior)
        return self._rediluted.dilute(self.map_epoch(), settings)

    def prepare_redilution(self) -> None:
        """Search the neighbours that :meth:`redilute` needs at the map shown, before it is called."""
        self._rediluted.search(self.map_epoch())

    def relabel(self, label: int | str, ids: Iterable[Any] | None = None) -> int:
        """Correct the label of the selection, or of these sample ids, and return how many changed.

        Raises:
            ValueError: If there are no noisy labels to correct.
        """
        chosen = self._selected if ids is None else np.unique(self.positions_of(ids))
        changed = self._corrections.relabel(self.code(label), chosen)
        if self.review:
            self.review.save()
        return changed

    def undo(self) -> int:
        """Take back the last :meth:`relabel`, and return how many labels changed; 0 if there is nothing to undo."""
        return self.review.undo() if self.review else len(self._corrections.undo())

    @property
    def corrections(self) -> pd.DataFrame:
        """The given and the corrected label of each relabelled example, as class names, by sample id."""
        return self._corrections.table(self._names)

    def patch(self, path: str | Path) -> Path:
        """Write the corrections as CSV, lowest score first, in the columns of `lend.Audit.patch`.

        label_score is the score of the given label at the map shown, empty where unknown.
        """
        if self.review:
            scores = self.review.suspects.scores
        else:
            scores = self.values("score") if "score" in self.colorings else np.full(len(self.sample_ids), np.nan)
        return self._corrections.write(self._names, scores.astype(np.float64), path)
