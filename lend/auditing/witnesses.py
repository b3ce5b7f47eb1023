"""What speaks for and against each label: the neighbours, a classifier, and the given label itself.

Beside the neighbours' own score, four ways of joining them with a classifier were measured (CIFAR-10 with three kinds
of human labels, pretrained embeddings; three sets of texts): the product of both scores, the geometric mean, and the
rule of Bayes with half and with all of the given label's evidence. The last was best in all but one of them, also in
its suggested labels, and the classifier that learned diluted labels *with* the given one in them better than one that
learned without it, or the given labels themselves. Nothing has to choose between the witnesses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from lend.auditing.classifier import held_out_shares
from lend.auditing.scores import joined, own_evidence, true_votes, with_own_labels
from lend.auditing.transition import Transition
from lend.inputs import require, require_name

METHODS = ("auto", "joined", "neighbors")
MANY = 256  # classes; of more a classifier learns too little, and takes long
ALONE, TOGETHER = 0.5, 1.0  # weight of the given label beside the neighbours, and beside both


@dataclass(frozen=True)
class Heard:
    """What the witnesses say.

    Args:
        shares: Shares of the true classes, from the labels of the other examples; rows sum to one.
        silent: Whether no other example has a vote.
        evidence: What a given label says of the true class; None where it is no evidence.
        scores: By column of ``Audit.issues``: what each witness, with the given label, says of it; NaN without a label.
    """

    shares: Float[np.ndarray, "n c"]
    silent: Bool[np.ndarray, " n"]
    evidence: Float[np.ndarray, "c c"] | None
    scores: Mapping[str, Float[np.ndarray, " n"]]


def choose_method(method: str, parts: Sequence[Any], c: int, estimated: bool) -> str:
    """Return "joined" or "neighbors".

    Args:
        method: Also "auto".
        parts: Embeddings; none where a graph stands for them.
        c: Number of classes.
        estimated: Whether the noise is estimated, which both witnesses need to be joined.

    Raises:
        ValueError: If it is none of these, or a classifier is asked for where there can be none.
    """
    require_name(method, METHODS, "method")
    possible = len(parts) > 0 and c <= MANY and estimated
    allowed = f"'neighbors' or 'auto' with knn_graph, more than {MANY} classes, or a class_prior that is told"
    require(possible or method != "joined", "method", allowed, method)
    return ("joined" if possible else "neighbors") if method == "auto" else method


def hear(
    parts: Sequence[Any],
    votes: Any,  # noqa: ANN401 (an array or a CSR array)
    given: Int[np.ndarray, " n"],
    folds: Int[np.ndarray, " n"],
    transition: Transition,
    weights: Float[np.ndarray, " c"] | None,
    seed: int,
    progress: bool = False,
) -> Heard:
    """Hear the neighbours and, where there are embeddings, a classifier.

    Args:
        parts: Sets of embeddings (n, d) to learn from; none to hear the neighbours alone.
        votes: (n, c) shares of given labels around each example, without its own.
        given: Given labels, 0 to c-1; -1 where unlabelled.
        folds: Number of the fold of each example.
        transition: The noise.
        weights: Weight of a vote for each class; None takes the noise out of the votes.
        seed: Seed of what the classifier draws.
        progress: Show progress bars.
    """
    near, silent = true_votes(votes, weights, transition, progress)
    alone = None if weights is not None else own_evidence(transition, ALONE)
    if alone is None or not parts:
        return Heard(near, silent, alone, {})
    diluted, together = with_own_labels(near, given, alone), own_evidence(transition, TOGETHER)
    learned = held_out_shares(parts, diluted, np.flatnonzero(given >= 0), folds, seed, progress)
    shares = np.where(silent[:, None], near, joined(near, learned, transition.prior))
    said = {"neighbors_score": diluted, "classifier_score": with_own_labels(learned, given, together)}
    rows = np.arange(len(given))
    scores = {name: np.where(given < 0, np.nan, likely[rows, given]) for name, likely in said.items()}
    return Heard(shares, silent, together, scores)
