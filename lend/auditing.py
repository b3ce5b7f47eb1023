"""Which labels are wrong, from embeddings and labels alone.

Every number rests on what the *other* examples say about one (:mod:`lend.leaveoneout`): nobody votes for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int

from lend import storage
from lend.config import Dilution, require
from lend.dilution import Graph, one_hot, prior_weights
from lend.graphs import KnnGraph, as_graph, require_one
from lend.graphs import knn_graph as find_neighbors
from lend.leaveoneout import cross_fitted, leave_one_out
from lend.transition import FOLDS, Estimate, Transition, count_transitions, estimate_errors, unmix, with_own_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT = 1  # of the folder that Audit.save writes
TABLES = ("issues", "transition_matrix", "classes")
SHOWN = 30  # images of the worst labels in Audit.plot
NEIGHBORS = 16
SCORE = 0.7  # below, a label that the others do not suggest is an issue


@dataclass(frozen=True, repr=False, eq=False)
class Audit:
    """What :func:`audit` found.

    Args:
        issues: One row per example, index ``sample_id``: ``given_label``; ``predicted_label``, the likeliest;
            ``label_score`` in [0, 1], high where the given label looks right; ``is_label_issue``, the others contradict
            it; and ``neighbor_agreement``, the share of the k neighbours with the same given label.
        distributions: (n, c) what the others say, rows sum to one; out of sample, as cleanlab wants ``pred_probs``.
        estimate: How many labels are wrong, with an interval.
        transition_matrix: (c, c) P(given label | true class), row = true class.
        classes: One row per class: ``given``, its labels; ``true``, the estimated number of its examples;
            ``wrong``, the estimated share of wrong ones among its labels; ``mean_score``; ``issues``; and
            ``confused_with``, the class that the others say most of its issues to be, missing without issues.
        settings: Of :func:`audit`.
        images: As given to :func:`audit`; not saved.
    """

    issues: pd.DataFrame
    distributions: Float[np.ndarray, "n c"]
    estimate: Estimate
    transition_matrix: pd.DataFrame
    classes: pd.DataFrame
    settings: Mapping[str, Any] = field(default_factory=dict)
    images: Any = None

    def __repr__(self) -> str:
        flagged = int(self.issues["is_label_issue"].sum())
        return f"Audit({len(self.issues):,} labels of {len(self.classes)} classes: {flagged:,} issues; {self.estimate})"

    @property
    def class_names(self) -> list[Any]:
        """The labels, sorted: the order of the distributions' columns."""
        return list(self.classes.index)

    @property
    def worst(self) -> pd.DataFrame:
        """The label issues, lowest score first."""
        from lend.plots.audit import worst

        return worst(self.issues, len(self.issues))

    def plot(self, images: Any = None, count: int = SHOWN, title: str = "") -> Figure:  # noqa: ANN401
        """Scores, given against suggested labels and, with images, the worst labels; show or save the figure.

        Args:
            images: (n, ...) one per example, for instance uint8 of shape (n, channels, height, width); those of the
                audit if not given.
            count: Images to show, at most.
            title: Above all panels.
        """
        from lend.plots.audit import audit_figure

        images = self.images if images is None else _check_images(images, len(self.issues))
        shown = None if images is None else [images[int(place)] for place in self._places(count)]
        return audit_figure(self.issues, self.class_names, shown, title)

    def _places(self, count: int) -> Int[np.ndarray, " m"]:
        """Positions of the worst examples."""
        return self.issues.index.get_indexer(self.worst.index[:count])

    def patch(self, path: str | Path) -> Path:
        """Write the suggested corrections as CSV, worst first: sample_id, given_label, suggested_label, label_score.

        An issue without a better suggestion than its given label is left out.
        """
        table = self.worst.query("given_label != predicted_label")[["given_label", "predicted_label", "label_score"]]
        table = table.rename(columns={"predicted_label": "suggested_label"})
        return _write_csv(table, path)

    def save(self, folder: str | Path) -> Path:
        """Write the audit as Parquet and JSON, without its images; the folder back.

        The record audit.json is written last, with the SHA-256 of the tables: without it there is no audit.
        """
        folder = Path(folder)
        frames = {name: getattr(self, name) for name in TABLES}
        frames["distributions"] = pd.DataFrame(self.distributions, columns=[str(name) for name in self.class_names])
        frames["transition_matrix"] = frames["transition_matrix"].set_axis(frames["distributions"].columns, axis=1)
        files = {f"{name}.parquet": _write_parquet(folder / f"{name}.parquet", frame) for name, frame in frames.items()}
        record = {"format": FORMAT, "files": files, "settings": dict(self.settings), "estimate": asdict(self.estimate)}
        storage.write_json(folder / "audit.json", record)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Audit:
        """Read what :meth:`save` wrote; no code is executed.

        Raises:
            DamagedFileError: If a file is missing, truncated or altered; the message names it.
            ValueError: If a newer version wrote it.
        """
        folder = Path(folder)
        record = storage.read_json(folder / "audit.json")
        require(record.get("format") == FORMAT, "folder", f"an audit of format {FORMAT}", record.get("format"))
        for name, digest in record["files"].items():
            storage.check_file(folder / name, digest)
        tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in (*TABLES, "distributions")}
        distributions = tables.pop("distributions").to_numpy()
        tables["transition_matrix"].columns = tables["classes"].index.rename("given_label")
        return cls(
            **tables, distributions=distributions, estimate=Estimate(**record["estimate"]), settings=record["settings"]
        )


# --- The audit --------------------------------------------------------------------------------------------------------


def audit(
    embeddings: Any,  # noqa: ANN401
    labels: Any,  # noqa: ANN401
    *,
    knn_graph: Any = None,  # noqa: ANN401
    sample_ids: Any = None,  # noqa: ANN401
    k: int | None = None,
    gamma: float = 3.0,
    alpha: float = 0.99,
    steps: int | str = 2,
    affinity: str = "sum",
    reserve: str = "previous",
    class_prior: str | Sequence[float] | np.ndarray | None = "estimated",
    images: Any = None,  # noqa: ANN401
    confidence: float = 0.9,
    seed: int = 0,
    progress: bool = True,
) -> Audit:
    """Find the labels that the neighbours contradict, and estimate how many labels are wrong.

    Labels are diluted among neighbours, Eq. (1) to (4), leaving each example's own label out of its row. Then:

    - ``class_prior="estimated"``: the noise is estimated (:mod:`lend.transition`) and taken out of the rows, so that a
      class which lost labels to another is not outvoted by it. An issue is a label that the others contradict, with a
      score below 0.7. Score and predicted label weigh the given label itself as half a piece of evidence: where the
      others are unsure, an issue may have its given label as the likeliest one, a doubt without a better suggestion.
    - otherwise: votes are weighed by the true over the given share of their class, as in :func:`lend.dilute`; the score
      is the share of the given label, and an issue is a label that the others contradict. None is the paper's
      letter; "balanced" is right where the true classes are equally frequent, and wrong where they are not.

    Use embeddings that have not learnt the wrong labels by heart: of a network trained on other data, or on these for
    a few epochs. Otherwise the neighbours repeat the errors, and their number is underestimated. A class of one example
    has nobody to confirm it: its score is near 0. An example without neighbours (a zero embedding) keeps its label; if
    all embeddings are equal, any neighbours are as near as others, and the rows tell little.

    Args:
        embeddings: (n, d) finite floats: NumPy, in memory or mapped from a file, or torch. Or several, as a list or a
            mapping, such as epochs or networks: what their neighbours say is averaged. None with ``knn_graph``.
        labels: (n,) given labels, integers or strings, of two classes at least.
        knn_graph: In place of the embeddings, a `lend.graphs.KnnGraph` or a SciPy CSR matrix of cosine distances.
        sample_ids: (n,) names of the examples, all different; positions if not given.
        k: Neighbours, 1 to n-1; 16 if not given, or those of ``knn_graph`` where it has fewer.
        gamma: Exponent of Eq. (1).
        alpha: Share taken from the neighbours in each step, inside (0, 1).
        steps: Iterations of Eq. (3), a number.
        affinity: "sum" (A + Aᵀ), which was better here than the paper's "product" (AᵀA).
        reserve: "previous" or "initial", Eq. (3).
        class_prior: "estimated", None, "balanced", or the true share of each class in the order of the sorted labels.
        images: (n, ...) for :meth:`Audit.plot`; kept as they are.
        confidence: Of the interval of the number of errors, inside (0, 1).
        seed: Of the folds and the bootstrap behind the estimate.
        progress: Show a progress bar while neighbours are found.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.

    Example:
        >>> true = np.arange(90) % 3
        >>> embeddings = np.eye(3)[true] + 0.1 * np.random.default_rng(0).normal(size=(90, 3))
        >>> labels = np.array(["ant", "bee", "cat"])[true]
        >>> labels[0] = "cat"
        >>> found = audit(embeddings, labels, k=8, progress=False)
        >>> found.issues.query("is_label_issue")[["given_label", "predicted_label"]].to_numpy().tolist()
        [['cat', 'ant']]
    """
    require(0 < confidence < 1, "confidence", "inside (0, 1)", confidence)
    require(steps != "converged", "steps", "a number of at least 1", steps)
    given, names = encode(labels)
    n, c = len(given), len(names)
    index = _check_ids(sample_ids, n)
    images = None if images is None else _check_images(images, n)
    graphs = neighbor_graphs(embeddings, knn_graph, n, k, progress)
    settings = Dilution(graphs[0].k, gamma, alpha, steps, affinity, reserve)
    weights = _weights(class_prior, given, c)
    votes, crossed, folds = _votes(graphs, given, c, settings, seed)
    surest, every = count_transitions(crossed, given, folds)
    judged = _judge(votes, given, weights, every)
    asked = None if class_prior is None or isinstance(class_prior, str) else [float(share) for share in class_prior]
    return Audit(
        issues=_issues(judged, given, np.array(names, dtype=object), index, _agreement(graphs, given)),
        distributions=judged.distributions,
        estimate=estimate_errors(surest, every, n, confidence, seed),
        transition_matrix=_matrix_frame(surest, names),
        classes=_classes(judged, given, names, surest),
        settings=asdict(settings) | {"class_prior": class_prior if asked is None else asked, "seed": seed},
        images=images,
    )


def neighbor_graphs(
    embeddings: Any,  # noqa: ANN401
    given_graph: Any,  # noqa: ANN401
    n: int,
    k: int | None,
    progress: bool,
) -> list[KnnGraph]:
    """The graph of each set of embeddings, or the given one, with k neighbours of each of n examples."""
    require_one(embeddings, given_graph)
    if embeddings is None:
        graph = as_graph(given_graph)
        require(graph.n == n, "knn_graph", f"of {n} examples, one per label", graph.n)
        return [graph.first(min(NEIGHBORS, graph.k) if k is None else k)]
    parts = embeddings.values() if isinstance(embeddings, Mapping) else embeddings
    several = isinstance(embeddings, list | tuple | Mapping)
    require(not several or len(parts) > 0, "embeddings", "at least one array", "none")
    return [_graph(part, n, NEIGHBORS if k is None else k, progress) for part in (parts if several else [parts])]


def _graph(embeddings: Any, n: int, k: int, progress: bool) -> KnnGraph:  # noqa: ANN401
    shape = tuple(getattr(embeddings, "shape", ()))
    require(len(shape) == 2, "embeddings", "an array of shape (n, d), or a list of such arrays", shape or embeddings)
    require(shape[0] == n, "embeddings", f"of {n} rows, one per label", shape[0])
    return find_neighbors(embeddings, k, progress=progress)


def _weights(class_prior: Any, given: Int[np.ndarray, " n"], c: int) -> Float[np.ndarray, " c"] | None:  # noqa: ANN401
    """What a vote of each class counts; None where the noise is to be estimated."""
    if isinstance(class_prior, str):
        known = class_prior in ("estimated", "balanced")
        require(known, "class_prior", "'estimated', None, 'balanced' or one share per class", class_prior)
        if class_prior == "estimated":
            return None
    if class_prior is not None and not isinstance(class_prior, str):
        class_prior = np.asarray(class_prior, dtype=np.float64)
    return prior_weights(class_prior, one_hot(torch.from_numpy(given), c, torch.float64)).numpy()


def _votes(
    graphs: Sequence[KnnGraph], given: Int[np.ndarray, " n"], c: int, settings: Dilution, seed: int
) -> tuple[Float[np.ndarray, "n c"], Float[np.ndarray, "n c"], Int[np.ndarray, " n"]]:
    """Shares of given labels around each example, of all others and of the other folds; the mean over the graphs."""
    onehot = one_hot(torch.from_numpy(given), c, torch.float64)
    folds = np.random.default_rng(seed).permutation(len(given)) % FOLDS
    others, crossed = torch.zeros_like(onehot), torch.zeros_like(onehot)
    for knn in graphs:
        edges = torch.from_numpy(knn.indices), torch.from_numpy(knn.cosines).double()
        graph = Graph.build(*edges, settings.gamma, settings.affinity)
        others += _shares(leave_one_out(graph, onehot, settings)) / len(graphs)
        crossed += _shares(cross_fitted(graph, onehot, settings, torch.from_numpy(folds))) / len(graphs)
    return others.numpy(), crossed.numpy(), folds


def _shares(Z: Float[torch.Tensor, "n c"]) -> Float[torch.Tensor, "n c"]:
    """Rows that sum to one; zero for an example on which nobody has a say."""
    total = Z.sum(dim=1, keepdim=True)
    return Z / torch.where(total > 0, total, 1.0)


@dataclass(frozen=True)
class _Judged:
    """What is said of each label: shares of the others, the likeliest class, the score, and whether it is an issue."""

    distributions: Float[np.ndarray, "n c"]
    predicted: Int[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    flagged: Bool[np.ndarray, " n"]


def _judge(
    votes: Float[np.ndarray, "n c"],
    given: Int[np.ndarray, " n"],
    weights: Float[np.ndarray, " c"] | None,
    transition: Transition,
) -> _Judged:
    """Take the noise out of the votes, or weigh them, and compare with the given labels."""
    silent = votes.sum(axis=1) == 0
    votes = np.where(silent[:, None], transition.shares, votes)
    if weights is None:
        true = unmix(votes, transition)
        likely = with_own_labels(true, given, transition)
    else:
        true = votes * weights
        total = true.sum(axis=1, keepdims=True)
        true = np.where(total > 0, true, votes) / np.where(total > 0, total, 1)
        likely = true
    scores = likely[np.arange(len(given)), given]
    predicted = np.where(silent, given, likely.argmax(axis=1))
    contradicted = ~silent & (true.argmax(axis=1) != given)
    flagged = contradicted & ((scores < SCORE) | (weights is not None))
    return _Judged(true, predicted, scores.clip(0, 1), flagged)


def _agreement(graphs: Sequence[KnnGraph], given: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Share of the neighbours with the same given label; NaN for an example without neighbours."""
    agree = np.zeros((2, len(given)))
    for knn in graphs:
        near = knn.cosines > 0
        agree += (near & (given[knn.indices] == given[:, None])).sum(axis=1), near.sum(axis=1)
    return np.where(agree[1] > 0, agree[0] / np.maximum(agree[1], 1), np.nan)


# --- Tables -----------------------------------------------------------------------------------------------------------


def _issues(
    judged: _Judged, given: Int[np.ndarray, " n"], names: np.ndarray, index: pd.Index, agreement: np.ndarray
) -> pd.DataFrame:
    columns = {
        "given_label": names[given].tolist(),
        "predicted_label": names[judged.predicted].tolist(),
        "label_score": judged.scores,
        "is_label_issue": judged.flagged,
        "neighbor_agreement": agreement,
    }
    return pd.DataFrame(columns, index=index)


def _matrix_frame(transition: Transition, names: list[Any]) -> pd.DataFrame:
    true, given = (pd.Index(names, name=name) for name in ("true_label", "given_label"))
    return pd.DataFrame(transition.matrix, index=true, columns=given)


def _classes(judged: _Judged, given: Int[np.ndarray, " n"], names: list[Any], transition: Transition) -> pd.DataFrame:
    counts = np.bincount(given, minlength=len(names))
    right = transition.prior * transition.matrix.diagonal() * len(given)  # labels of each class that are right
    flagged = np.bincount(given[judged.flagged], minlength=len(names))
    columns = {
        "given": counts,
        "true": transition.prior * len(given),
        "wrong": np.clip(1 - right / counts, 0, 1),
        "mean_score": np.bincount(given, judged.scores, len(names)) / counts,
        "issues": flagged,
        "confused_with": _confused_with(judged, given, names),
    }
    return pd.DataFrame(columns, index=pd.Index(names, name="class"))


def _confused_with(judged: _Judged, given: Int[np.ndarray, " n"], names: list[Any]) -> pd.Series:
    """The class that the others say most issues of each class to be; missing without issues."""
    said = judged.distributions.argmax(axis=1)
    suggested = [said[judged.flagged & (given == code)] for code in range(len(names))]
    found = [names[np.bincount(codes).argmax()] if len(codes) else None for codes in suggested]
    return pd.Series(found, index=pd.Index(names), dtype="string" if isinstance(names[0], str) else "Int64")


# --- Labels, ids and files --------------------------------------------------------------------------------------------


def encode(labels: Any) -> tuple[Int[np.ndarray, " n"], list[Any]]:  # noqa: ANN401
    """Labels as codes 0..c-1 and the sorted list of what they stand for, Python integers or strings.

    Args:
        labels: (n,) integers or strings: an array, a tensor, a Series or a list.

    Raises:
        ValueError: If they are of another kind or shape, one is missing, or there are fewer than two classes.
    """
    labels = labels.detach().cpu() if hasattr(labels, "detach") else labels
    # NumPy would turn the numbers of a mixed list into text
    array = np.asarray(labels) if hasattr(labels, "dtype") else np.array(list(labels), dtype=object)
    require(array.ndim == 1 and len(array) > 0, "labels", "of shape (n,)", array.shape)
    text = array.dtype.kind in "OTU" and all(isinstance(label, str) for label in array)
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "O" and all(_is_whole(label) for label in array))
    require(text or whole, "labels", "all integers or all strings", _kinds(array))
    names, codes = np.unique(array.astype(object if text else np.int64), return_inverse=True)
    require(len(names) > 1, "labels", "of at least 2 classes", list(names))
    return codes.astype(np.int64), names.tolist()


def _is_whole(label: Any) -> bool:  # noqa: ANN401
    return isinstance(label, int | np.integer) and not isinstance(label, bool)


def _kinds(array: np.ndarray) -> str:
    """What came, for the message of an error."""
    if array.dtype.kind != "O":
        return str(array.dtype)
    return " and ".join(sorted({type(label).__name__ for label in array}))


def _check_ids(sample_ids: Any, n: int) -> pd.Index:  # noqa: ANN401
    """The index of the issues: the given ids, or positions."""
    ids = np.arange(n) if sample_ids is None else sample_ids
    index = pd.Index(np.asarray(ids.detach().cpu() if hasattr(ids, "detach") else ids), name="sample_id")
    require(len(index) == n, "sample_ids", f"of length {n}, one per label", len(index))
    repeated = index[index.duplicated()].unique()
    require(not len(repeated), "sample_ids", "all different", f"{list(repeated[:5])} more than once")
    return index


def _check_images(images: Any, n: int) -> Any:  # noqa: ANN401
    require(len(images) == n, "images", f"of length {n}, one per label", len(images))
    return images


def audit_files(
    embeddings_path: str | Path,
    labels_path: str | Path,
    out: str | Path,
    *,
    column: str | None = None,
    id_column: str | None = None,
    **options: Any,  # noqa: ANN401
) -> Audit:
    """Audit files: embeddings.npy and labels.npy or .csv in, the table of issues as CSV out. Prints nothing on its own.

    Args:
        embeddings_path: .npy (n, d), read from the disk in parts.
        labels_path: .npy (n,), or .csv with a header.
        out: CSV to write: one row per example, in their order, by ``sample_id``.
        column: Of the labels in the .csv; not needed where it has one column beside the ids, or one named "label".
        id_column: Of the sample ids in the .csv; positions if not given.
        options: As for :func:`audit`.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is not what was expected; nothing in it is executed.
    """
    labels, ids = _read_labels(Path(labels_path), column, id_column)
    embeddings = _read_array(Path(embeddings_path), "embeddings", mapped=True)
    found = audit(embeddings, labels, **({"sample_ids": ids} | options))
    _write_csv(found.issues, out)
    return found


def _read_array(path: Path, argument: str, mapped: bool) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError(f"{argument}: {path}: no such file") from None
        raise ValueError(f"{argument}: {path}: expected an array saved with np.save; {error}") from error
    require(isinstance(array, np.ndarray), argument, "one array in an .npy file", str(path))
    return array


def _read_labels(path: Path, column: str | None, id_column: str | None) -> tuple[Any, Any]:
    """Labels, and sample ids or None."""
    if path.suffix.lower() != ".csv":
        require(column is None and id_column is None, "column", "given for a .csv only", column or id_column)
        return _read_array(path, "labels", mapped=False), None
    if not path.is_file():
        raise FileNotFoundError(f"labels: {path}: no such file")
    table = pd.read_csv(path)
    names = [str(name) for name in table.columns if name != id_column]
    column = column or (names[0] if len(names) == 1 else "label")
    for name in (column, id_column):
        require(name is None or name in table.columns, "column", f"one of {', '.join(table.columns)}", name)
    return table[column], None if id_column is None else table[id_column]


def _write_csv(table: pd.DataFrame, path: str | Path) -> Path:
    path = Path(path)
    storage.write_atomically(path, lambda file: file.write(table.to_csv().encode()))
    return path


def _write_parquet(path: Path, table: pd.DataFrame) -> str:
    return storage.write_atomically(path, table.to_parquet)
