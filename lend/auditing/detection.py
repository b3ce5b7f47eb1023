"""The audit itself: it finds label errors and counts them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from lend.auditing.duplicates import duplicates_table
from lend.auditing.inputs import check_shown, matrices, neighbor_graphs
from lend.auditing.outliers import outlier_scores
from lend.auditing.result import Audit
from lend.auditing.scores import class_weights, judge
from lend.auditing.tables import classes_table, issues_table, matrix_table
from lend.auditing.transition import count_transitions, estimate_errors
from lend.auditing.votes import leave_out_votes, neighbor_agreement
from lend.auditing.witnesses import choose_method, hear
from lend.inputs import (
    Dilution,
    align_rows,
    as_count,
    as_ids,
    as_labels,
    as_shares,
    index_of,
    is_real,
    require,
    require_encodable,
)


def audit(
    embeddings: Any,  # noqa: ANN401 (arrays of any library here and below)
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
    class_prior: Any = "estimated",  # noqa: ANN401
    method: str = "auto",
    images: Any = None,  # noqa: ANN401
    texts: Any = None,  # noqa: ANN401
    confidence: float = 0.9,
    seed: int = 0,
    progress: bool = True,
) -> Audit:
    """Find the labels that the other examples contradict, and estimate how many labels are wrong.

    Three witnesses speak on every example, none of which was told its label by it (:mod:`lend.auditing.witnesses`):

    - Its neighbours. Labels are diluted among them, Eq. (1) to (4), without each example's own label in its row.
    - A linear classifier of the embeddings that learned the diluted labels of the other folds
      (:mod:`lend.auditing.classifier`).
    - The given label itself, weighed by the noise.

    The noise is estimated (:mod:`lend.auditing.transition`) and taken out of the votes, so that a class which lost
    labels to another is not outvoted by it. A label is an issue if neighbours and classifier together contradict it and
    its score is below 0.7. So where they are unsure, the suggested label of an issue may be the given one: the label is
    doubtful, but no other is likelier.

    With another ``class_prior`` than "estimated" only the neighbours speak. Votes are weighed by the true over the
    given share of their class, as in :func:`lend.dilute`; the score is the share of the given label, and a label is an
    issue if the neighbours contradict it. None weighs no votes, as printed in the paper; "balanced" is right only where
    the true classes are equally frequent.

    Use embeddings that have not memorised the wrong labels: from a network trained on other data, or on these for a few
    epochs. Otherwise the neighbours repeat the errors, and too few are found. A class of k examples or fewer brings a
    warning: its examples have few others to confirm their labels (:mod:`lend.auditing.votes` says what is done about
    it). The only example of a class has none, so its score is near 0. An example without neighbours (a zero embedding)
    keeps its label. If all embeddings are equal, the choice of neighbours is arbitrary, and the result tells little.

    Args:
        embeddings: (n, d) finite numbers: NumPy, in memory or mapped from a file, torch, a frame, or SciPy sparse. Or
            several such arrays, as a list or a mapping, for instance by epoch or by network: the votes of their
            neighbours are averaged. None where ``knn_graph`` stands for them.
        labels: (n,) given labels, integers, booleans or strings, of at least two classes, as
            :func:`lend.inputs.as_labels` takes them. Where one is missing (None, NaN, NA, or -1 among integers from 0)
            the example is unlabelled: it has no vote and no score, and a label is suggested for it.
        knn_graph: In place of the embeddings, or beside them where their neighbours are known: a `lend.KnnGraph` or a
            SciPy CSR matrix of cosine distances; a list of them beside several embeddings. ``graphs`` of the result.
            Beside embeddings its cosines must be theirs; those of 100 rows are compared.
        sample_ids: (n,) ids of the examples, all different and of one kind. If not given: the index of the labels, if
            they are a Series with one that tells them apart, else positions. Arguments with an index (images in a
            Series or dict, embeddings in a frame) are put in the order of the labels by it; see
            :func:`lend.inputs.align`.
        k: Neighbours, 1 to n-1; 16 if not given, or those of ``knn_graph`` where it has fewer.
        gamma: Exponent of Eq. (1).
        alpha: Share taken from the neighbours in each step, inside (0, 1).
        steps: Iterations of Eq. (3), a number.
        affinity: "sum" (A + Aᵀ), which gave better audits than the paper's "product" (AᵀA) in our measurements.
        reserve: The reserved term of Eq. (3): "previous" (as printed) or "initial".
        class_prior: "estimated", None, "balanced", or the true share of each class: in the order of the sorted labels,
            or by name in a dict or Series.
        method: Whose word counts beside the given label: "joined", neighbours and classifier; "neighbors" alone; or
            "auto": joined, but "neighbors" where there are no embeddings, more than 256 classes, of
            which a classifier learns too little, or another ``class_prior``. The settings of the result say which.
        images: (n, ...) images of the examples, to look at.
        texts: (n,) texts of the examples, to look at.
        confidence: Confidence of the interval of the number of errors, inside (0, 1).
        seed: Seed of the folds and the bootstrap behind the estimate.
        progress: Show progress bars, of the search for neighbours and of what takes more than a second.

    Returns:
        Scores and issues of all labels, the estimated number of errors, and the transition matrix.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.

    Example:
        >>> import numpy as np
        >>> true = np.arange(90) % 3
        >>> embeddings = np.eye(3)[true] + 0.1 * np.random.default_rng(0).normal(size=(90, 3))
        >>> labels = np.array(["ant", "bee", "cat"])[true]
        >>> labels[0] = "cat"
        >>> found = audit(embeddings, labels, k=8, progress=False)
        >>> found.issues.query("is_label_issue")[["given_label", "predicted_label"]].to_numpy().tolist()
        [['cat', 'ant']]
    """
    require(is_real(confidence) and 0 < confidence < 1, "confidence", "inside (0, 1)", confidence)
    require(steps != "converged", "steps", "a number of at least 1", steps)
    settings = Dilution(gamma=gamma, alpha=alpha, steps=steps, affinity=affinity, reserve=reserve)
    seed = as_count(seed, "seed", 0)
    encoded = as_labels(labels)
    given, names = encoded.codes, encoded.names
    require(len(names) > 1, "labels", "of at least 2 classes", names)
    require_encodable(names, "labels")
    n, c, known = len(given), len(names), given >= 0
    several = f"{c} different ones for {known.sum()} examples"
    require(c < known.sum(), "labels", "of classes with several examples", several)
    carried = index_of(labels)
    index = as_ids(sample_ids, n, carried)
    order = index if sample_ids is not None and (carried is None or not carried.is_unique) else carried
    images = None if images is None else check_shown(images, n, order)
    texts = None if texts is None else check_shown(texts, n, order, "texts")
    class_prior = as_shares(class_prior, names, words=("estimated", "balanced"))
    weights = class_weights(class_prior, given[known], c)
    parts = matrices(embeddings, knn_graph, n, order)
    method = choose_method(method, parts, c, weights is None)
    graphs = neighbor_graphs(parts, knn_graph, n, k, progress)
    settings = replace(settings, k=graphs[0].k)
    votes, crossed, folds = leave_out_votes(graphs, given, c, settings, seed, progress)
    surest, every = count_transitions(crossed[known], given[known], folds[known], progress)
    heard = hear(parts if method == "joined" else [], votes, given, folds, every, weights, seed, progress)
    judged = judge(heard.shares, given, heard.silent, heard.evidence, progress)
    outliers = outlier_scores(graphs)
    asked = class_prior.tolist() if isinstance(class_prior, np.ndarray) else class_prior
    found = "; ".join(graph.search for graph in graphs)
    told = {"class_prior": asked, "method": method, "seed": seed, "neighbors": found}
    return Audit(
        issues=issues_table(judged, given, names, index, neighbor_agreement(graphs, given), heard.scores, outliers),
        distributions=judged.distributions,
        estimate=estimate_errors(surest, every, int(known.sum()), confidence, seed, progress),
        transition_matrix=matrix_table(surest, names),
        classes=classes_table(judged.take(known), given[known], names, surest),
        settings=asdict(settings) | told,
        duplicates=duplicates_table(graphs, parts, given, names, index),
        images=images,
        texts=texts,
        embeddings=align_rows(embeddings, order),
        graphs=graphs,
    )
