"""The result of an audit: tables to look at, to draw, to save and to turn into a patch."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lend import storage
from lend.auditing.answers import read_answers, require_unanswered
from lend.auditing.checking import Checked, with_answers
from lend.auditing.duplicates import COLUMNS as DUPLICATES
from lend.auditing.inputs import check_shown
from lend.auditing.transition import Estimate
from lend.inputs import require, safe_table
from lend.neighbors import KnnGraph

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    import lend

FORMAT = 2  # version of the folder that Audit.save writes
READ = (1, 2)  # versions that Audit.load takes: the first has neither duplicates nor answers of people
TABLES = ("issues", "transition_matrix", "classes")
CHECKED = "checked"  # table that an audit has once answers are added
ANSWERS = ("true_label", "is_wrong")
ISSUES = ("given_label", "predicted_label", "label_score", "is_label_issue", "neighbor_agreement")
CLASSES = ("given", "true", "wrong", "mean_score", "issues", "confused_with")
RLE = 10  # distributions over many classes are zero nearly everywhere, which Parquet packs closer than a zip
SHOWN = 30  # most images in Audit.plot, if not given


@dataclass(frozen=True, repr=False, eq=False)
class Audit:
    """Result of an audit: the score of every label, the label issues, and an estimate of the noise.

    Args:
        issues: One row per example, index ``sample_id``. ``given_label``; ``predicted_label``, the suggested label;
            ``label_score``, in [0, 1], high where the given label looks right; ``is_label_issue``, whether the
            others contradict it; ``neighbor_agreement``, the share of the labelled neighbours with its given label;
            ``is_unlabelled``, whether it has no label: then the suggested label is all that is known of it;
            ``outlier_score``, in [0, 1], and ``is_outlier``: :mod:`lend.auditing.outliers`. With ``method="joined"``
            also ``neighbors_score`` and ``classifier_score``, what each of the two would say alone.
        distributions: (n, c) probability of each class from the labels of the other examples; rows sum to one. They are
            out of sample, as ``pred_probs`` of cleanlab must be.
        estimate: Number of wrong labels among those that are given, with an interval.
        transition_matrix: (c, c) P(given label | true class), row = true class.
        classes: One row per class. ``given``, the number of its labels; ``true``, the estimated number of its examples;
            ``wrong``, the estimated share of its labels that are wrong; ``mean_score``, of its labels; ``issues``, the
            number of them; ``confused_with``, the class that most of its issues probably belong to, missing where there
            are none.
        settings: Settings of the audit; ``neighbors`` says how these were found, and how many of the true ones.
        duplicates: One row per example that has a duplicate (:mod:`lend.auditing.duplicates`), index ``sample_id``:
            ``group``; ``given_label``; ``cosine``, the largest with one of its group; ``labels_differ``, whether two of
            its group have different labels: these groups come first.
        checked: What people have said of some labels, and what follows for all: see :meth:`check`. None at first.
        images: Images given to :func:`audit`; these and what follows are not saved.
        texts: Texts given to :func:`audit`.
        embeddings: Embeddings given to :func:`audit`, frames in the order of the labels.
        graphs: The neighbours in each set of them; another audit of the same takes them as ``knn_graph``.
    """

    issues: pd.DataFrame
    distributions: Float[np.ndarray, "n c"]
    estimate: Estimate
    transition_matrix: pd.DataFrame
    classes: pd.DataFrame
    settings: Mapping[str, Any] = field(default_factory=dict)
    duplicates: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(DUPLICATES)))
    checked: Checked | None = None
    images: Any = None
    texts: Any = None
    embeddings: Any = None
    graphs: Sequence[KnnGraph] = ()

    def __repr__(self) -> str:
        flagged = int(self.issues["is_label_issue"].sum())
        gaps = len(self.issues) - len(self.labelled)
        without = f", {gaps:,} examples without" if gaps else ""
        return (
            f"Audit({len(self.labelled):,} labels of {len(self.classes)} classes{without}: {flagged:,} issues; "
            f"{self.estimate}{'' if self.checked is None else f'; {self.checked}'})"
        )

    @property
    def class_names(self) -> list[Any]:
        """The classes, sorted: the order of the columns of ``distributions``."""
        return list(self.classes.index)

    @property
    def labelled(self) -> pd.DataFrame:
        """The rows of ``issues`` of examples that have a label."""
        unlabelled = self.issues.get("is_unlabelled")  # audits saved before there was one have labels for all
        return self.issues if unlabelled is None else self.issues[~unlabelled]

    @property
    def outliers(self) -> pd.DataFrame:
        """The rows of ``issues`` of the outliers, the farthest first; none if it was saved before there was a score."""
        if "is_outlier" not in self.issues:
            return self.issues[:0]
        return self.issues[self.issues["is_outlier"]].sort_values("outlier_score", ascending=False, kind="stable")

    @property
    def worst(self) -> pd.DataFrame:
        """The label issues, lowest score first."""
        from lend.plots import worst

        return worst(self.issues, len(self.issues))

    @property
    def corrections(self) -> pd.DataFrame:
        """The label issues whose suggested label is another than the given one, lowest score first.

        Where people have answered (:meth:`add_checked`) their word stands in place of the suggestion: the class that
        they named; no correction where the label is right, none of the classes is, or they were unsure.
        """
        suggested = self.worst.query("given_label != predicted_label")
        if self.checked is None:
            return suggested
        named = self.checked.answers.query("is_wrong.fillna(False)").dropna(subset="true_label")["true_label"]
        told = self.issues.loc[named.index].assign(predicted_label=named)
        rest = suggested.drop(self.checked.answers.index, errors="ignore")
        return pd.concat([rest, told]).sort_values("label_score", kind="stable")

    def plot(self, images: Any = None, count: int = SHOWN, title: str = "") -> Figure:  # noqa: ANN401 (any library)
        """Draw the scores, given against suggested labels and, with images, the worst labels.

        Args:
            images: (n, ...) one image per example, for instance uint8 (n, channels, height, width); those given to
                :func:`audit` if not given here.
            count: Most images to show.
            title: Title above all panels.

        Returns:
            A figure, to show or to save.

        Raises:
            ValueError: If there is not one image per example, or an image is of another shape than
                :func:`lend.plots.as_rgb` takes.
        """
        from lend.plots import audit_figure

        images = self.images if images is None else check_shown(images, len(self.issues))
        shown = None if images is None else [images[int(place)] for place in self._places(count)]
        return audit_figure(self.labelled, self.class_names, shown, title)

    def save_plot(self, path: str | Path) -> Path:
        """Write what :meth:`plot` draws, whole or not at all, in the format that the ending names; the path back."""
        path, picture = Path(path).expanduser(), io.BytesIO()  # in memory first: a full disk leaves no half of it
        self.plot().savefig(picture, format=path.suffix[1:].lower())
        return storage.write_bytes(path, picture.getvalue())

    def report(
        self,
        path: str | Path,
        *,
        map: Any = None,  # noqa: ANN401 (an array of any library)
        title: str = "",
        images: Any = None,  # noqa: ANN401
        texts: Any = None,  # noqa: ANN401
        examples: int = 10,
        progress: bool = True,
    ) -> Path:
        """Write the audit as one HTML file, to read and to print; it needs no script, no network and no other file.

        It shows how many labels are probably wrong, which classes are exchanged, the worst labels of each pair of
        classes, the health of the classes, a map, and suggestions for examples without a label. Names, ids and texts
        are escaped and shortened: a report on the data of strangers is safe to open.

        Args:
            path: File to write, ending in .html.
            map: (n, 2) coordinates of the examples, not finite where one is left out; False draws none. If not given,
                a t-SNE of a few steps places 2,000 of them by the embeddings; without embeddings, as in an audit that
                was loaded, there is no map.
            title: What was audited, in a few words.
            images: One per example, as :func:`lend.plots.as_rgb` takes them; those given to :func:`audit` if not given.
            texts: One per example; those given to :func:`audit` if not given.
            examples: Most examples of a pair of classes.
            progress: Show the progress of the map.

        Returns:
            The file.

        Raises:
            ValueError: Naming the argument, what is allowed and what came.
        """
        from lend.auditing.reporting import write_report

        n, ids = len(self.issues), self.issues.index
        images = self.images if images is None else check_shown(images, n, ids)
        texts = self.texts if texts is None else check_shown(texts, n, ids, "texts")
        return write_report(self, path, map, self.embeddings, title, images, texts, examples, progress)

    def export(self, tool: str, path: str | Path, **options: Any) -> Path:  # noqa: ANN401 (those of the tool)
        """Write the audit for another tool; :func:`lend.auditing.read_answers` reads what people answered there.

        - "cleanlab": CSV with the columns of ``Datalab.get_issues("label")``; with ``kind="cleanlearning"``, those of
          ``CleanLearning.get_label_issues()``.
        - "fiftyone": a folder with two files of labels, given.json and suggested.json, for images whose ids are their
          paths.
        - "label-studio": JSON of tasks with predictions, and the labeling configuration beside it with the ending .xml.
          ``address="https://example.org/photos/{id}"`` for images; else the texts of the audit, or ``texts``.
        - "argilla": JSON of records with suggestions; ``texts`` if the audit has none.

        The last two hold the issues, worst first, and the examples without a label; with ``everything=True`` all.

        Args:
            tool: One of these.
            path: File, or folder, to write.
            options: Those of the tool.

        Returns:
            What was written.

        Raises:
            ValueError: If the tool is unknown, or an option is missing or wrong.
        """
        from lend.auditing.report import export

        if self.texts is not None and tool in ("argilla", "label-studio") and "address" not in options:
            options = {"texts": self.texts} | options
        return export(self, tool, path, **options)

    def _places(self, count: int) -> Int[np.ndarray, " m"]:
        """Return the positions of the worst labels."""
        return self.issues.index.get_indexer(self.worst.index[:count])

    def patch(self, path: str | Path) -> Path:
        """Write the suggested corrections as CSV, worst label first.

        Columns are sample_id, given_label, suggested_label and label_score. An issue whose suggested label is the
        given one has no correction and is left out. Where the file is there with other corrections, which somebody may
        have edited, it gets a number behind its name, and a warning says so.

        Args:
            path: File to write.

        Returns:
            The file.
        """
        path = Path(path).expanduser()
        kept = storage.moved_aside(path) if path.exists() else None
        table = self.corrections.rename(columns={"predicted_label": "suggested_label"})
        storage.write_patch(safe_table(table), path)
        if kept is not None and kept.read_bytes() == path.read_bytes():
            kept.unlink()
        elif kept is not None:
            warnings.warn(f"{path} held other corrections: they are in {kept.name} now", stacklevel=2)
        return path

    def check(self, n: int = 100, path: str | Path | None = None) -> pd.DataFrame:
        """Draw the next n examples for people to look at, and write them as a table to fill in.

        They are a stratified random sample, in which doubtful labels are drawn more often, and every label with a known
        probability above 0 (:mod:`lend.auditing.drawing`). The same audit draws the same ones, from the seed of its
        settings, until answers are added: then come those after them. Answer from the top; whoever stops early has a
        smaller sample, which is as valid.

        Args:
            n: How many; at least some of each stratum in the first round, about 16. All that are left where these are
                fewer.
            path: CSV to write, too; texts that a spreadsheet would run as formulas are guarded.

        Returns:
            Index ``sample_id``; ``given_label``, ``predicted_label``, ``label_score``; ``inclusion_probability``, of
            each to be among all that are drawn by now; ``text``, if the audit has texts; and ``true_label``, empty:
            for the right label, "other" where it is none of the classes, or "unsure".

        Raises:
            ValueError: If n is too small, or all labels are checked.
            FileExistsError: If the file holds answers.
        """
        table = self._checked.next(n)
        if self.texts is not None:
            places = self.issues.index.get_indexer(table.index)
            table.insert(table.shape[1] - 1, "text", [self.texts[int(place)] for place in places])
        if path is not None:
            path = Path(path).expanduser()
            require_unanswered(path)
            storage.write_csv(path, safe_table(table))
        return table

    def add_checked(self, ids: Any, labels: Any = None) -> Audit:  # noqa: ANN401 (a table, a file or two lists)
        """Take in what people say of the examples that :meth:`check` drew; ``checked`` of the new audit tells the rest.

        Args:
            ids: The table that :meth:`check` returned, filled in, or the path of one (.csv, .tsv, .txt or .parquet);
                with labels the sample ids.
            labels: True labels of these: classes, "other" if none of them is right, "unsure" if nobody can tell; empty
                or missing is no answer yet.

        Returns:
            This audit with these answers beside those added before, which they replace if an example has two.

        Raises:
            ValueError: If an id is unknown, a label is no class, or an example that was drawn before others has no
                answer: an example that is left out because it is difficult would make all estimates too good.
        """
        answers = read_answers(ids, labels, self.labelled, self.class_names)
        return replace(self, checked=with_answers(self._checked, answers))

    @property
    def _checked(self) -> Checked:
        if self.checked is not None:
            return self.checked
        seed = self.settings.get("seed", 0)
        return Checked(self.labelled, pd.DataFrame(), seed, self.estimate.confidence)

    def save(self, folder: str | Path) -> Path:
        """Write the audit as Parquet and JSON, without its images, texts and embeddings.

        audit.json, with the SHA-256 of each table, is written last: a folder without it is an unfinished save.

        Args:
            folder: Folder to write to; made if it is missing.

        Returns:
            The folder.

        Raises:
            FileExistsError: If the folder holds answers of people that this audit does not have.
        """
        folder = Path(folder)
        self._require_no_others(folder / f"{CHECKED}.parquet")
        frames = {name: getattr(self, name) for name in TABLES}
        frames["distributions"] = pd.DataFrame(self.distributions, columns=[str(name) for name in self.class_names])
        frames["transition_matrix"] = frames["transition_matrix"].set_axis(frames["distributions"].columns, axis=1)
        frames["duplicates"] = self.duplicates
        if self.checked is not None:
            frames[CHECKED] = self.checked.answers
        files = {
            f"{name}.parquet": storage.write_parquet(folder / f"{name}.parquet", frame)
            for name, frame in frames.items()
        }
        record = {"format": FORMAT, "files": files, "settings": dict(self.settings), "estimate": asdict(self.estimate)}
        storage.write_json(folder / "audit.json", record)
        return folder

    def _require_no_others(self, path: Path) -> None:
        if not path.exists():
            return
        there, ours = _read_parquet(path).index, [] if self.checked is None else self.checked.answers.index
        others = len(there.difference(ours))
        if others:
            raise FileExistsError(f"{path} holds {others:,} answers that this audit lacks; save to another folder")

    @classmethod
    def load(cls, folder: str | Path) -> Audit:
        """Read an audit that :meth:`save` wrote; nothing in its files is executed.

        Args:
            folder: Folder of the audit.

        Raises:
            DamagedFileError: If a file is missing, truncated or altered; the message names it.
            ValueError: If a newer version wrote it.
        """
        folder = Path(folder)
        record = storage.read_json(folder / "audit.json")
        require(record.get("format") in READ, "folder", f"an audit of format {FORMAT} or before", record.get("format"))
        path = folder / "audit.json"
        files, names = record.get("files"), [*TABLES, "distributions"]
        if record["format"] > 1:
            names.append("duplicates")
        if isinstance(files, Mapping) and f"{CHECKED}.parquet" in files:
            names.append(CHECKED)
        if not isinstance(files, Mapping) or set(files) != {f"{name}.parquet" for name in names}:
            raise storage.DamagedFileError(f"{path} is damaged: it does not name the files of an audit")
        tables = {name: _read_parquet(folder / f"{name}.parquet") for name in names}
        for name, digest in files.items():
            storage.check_file(folder / name, digest)
        with storage.damage_of(path):
            estimate, settings = Estimate(**record["estimate"]), dict(record["settings"])
        with storage.damage_of(folder / "distributions.parquet"):
            distributions = tables.pop("distributions").to_numpy(np.float64)
        n, c = distributions.shape
        wanted = {"issues": (n, ISSUES), "classes": (c, CLASSES), "transition_matrix": (c, None)}
        if "duplicates" in tables:
            wanted["duplicates"] = (len(tables["duplicates"]), DUPLICATES)
        for name, (length, columns) in wanted.items():
            there = list(tables[name].columns)
            if len(tables[name]) != length or (len(there) != c if columns is None else not set(columns) <= set(there)):
                raise storage.DamagedFileError(
                    f"{folder / f'{name}.parquet'} is damaged: {len(tables[name])} rows of {length}, columns {there}"
                )
        tables["transition_matrix"].columns = tables["classes"].index.rename("given_label")
        answers = tables.pop(CHECKED, None)
        found = cls(**tables, distributions=distributions, estimate=estimate, settings=settings)
        if answers is None:
            return found
        with storage.damage_of(folder / f"{CHECKED}.parquet"):
            return replace(found, checked=with_answers(found._checked, answers[list(ANSWERS)]))

    def explore(self, **options: Any) -> lend.Explorer:  # noqa: ANN401 (those of lend.explore)
        """Look at the audit as linked maps in a notebook, and review its issues by keyboard; see :func:`lend.explore`.

        Args:
            options: As of :func:`lend.explore`, for instance ``answers``, the file that keeps the answers, and
                ``embeddings`` or ``map``, ``images`` and ``texts`` where the audit was loaded.
        """
        import lend  # by the face of the whole, as a user would: the explorer's room is above this one

        return lend.explore(self, **options)


def _read_parquet(path: Path) -> pd.DataFrame:
    """Read a table, after its own numbers say that it does not unpack to far more than its size."""
    import pyarrow.parquet as pq

    with storage.open_file(path) as file, storage.damage_of(path):
        about = pq.read_metadata(file)
        cells = 8 * about.num_rows * about.num_columns
        storage.require_within(path, cells, RLE * file.seek(0, 2))
        file.seek(0)
        return pd.read_parquet(file)
