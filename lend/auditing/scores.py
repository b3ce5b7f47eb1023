"""Label scores and label issues, from the votes of the neighbours and the given labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from lend.auditing.transition import Transition, as_dense, blocks, unmixed
from lend.dilution import prior_weights

SCORE = 0.7  # below it, a label that the neighbours contradict is an issue


def class_weights(
    class_prior: Float[np.ndarray, " c"] | str | None, given: Int[np.ndarray, " n"], c: int
) -> Float[np.ndarray, " c"] | None:
    """Return the weight of a vote for each class; None where the noise is to be estimated.

    Args:
        class_prior: "estimated", "balanced", None, or the true share of each class.
        given: Given labels, 0 to c-1.
        c: Number of classes.
    """
    if isinstance(class_prior, str) and class_prior == "estimated":
        return None
    shares = torch.from_numpy(np.bincount(given, minlength=c) / len(given))
    return prior_weights(class_prior, shares[None]).numpy()  # it asks for no more than the mean over the rows


@dataclass(frozen=True)
class Judged:
    """The judgement of every label.

    Args:
        distributions: Probability of each class from the labels of the other examples; rows sum to one.
        voted: Class that is likeliest by them.
        predicted: Likeliest class; -1 where neither a vote nor a given label says one.
        scores: Label score of the given label, in [0, 1]; NaN where unlabelled.
        flagged: Whether the label is an issue.
    """

    distributions: Float[np.ndarray, "n c"]
    voted: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    flagged: Bool[np.ndarray, " n"]

    def take(self, chosen: Bool[np.ndarray, " n"]) -> Judged:
        """The judgement of these labels alone."""
        if chosen.all():  # distributions over many classes are large
            return self
        arrays = (self.distributions, self.voted, self.predicted, self.scores, self.flagged)
        return Judged(*(array[chosen] for array in arrays))


def judge(
    votes: Any,  # noqa: ANN401 (an array or a CSR array)
    given: Int[np.ndarray, " n"],
    weights: Float[np.ndarray, " c"] | None,
    transition: Transition,
    progress: bool = False,
) -> Judged:
    """Judge the given labels by votes from which the noise is taken out, or which are weighed.

    Args:
        votes: (n, c) shares of given labels around each example, an array or a SciPy CSR array; a row is zero where no
            other example has a vote.
        given: Given labels, 0 to c-1; -1 where unlabelled.
        weights: Weight of a vote for each class; None takes out the noise instead.
        transition: The noise.
        progress: Show a progress bar.
    """
    silent = np.asarray(votes.sum(axis=1)) == 0
    true, voted, predicted, scores = np.empty(votes.shape), given.copy(), given.copy(), np.empty(len(given))
    evidence = None if weights is not None else np.ascontiguousarray(np.sqrt(transition.smoothed).T)
    for rows, part in _cleaned(votes, weights, transition, progress):
        if silent[rows].any():
            part[silent[rows]] = next(_cleaned(transition.shares[None], weights, transition, False))[1]
        true[rows], voted[rows] = part, part.argmax(axis=1)
        likely = part if evidence is None else with_own_labels(part, given[rows], evidence)
        scores[rows] = likely[np.arange(len(part)), given[rows]]
        predicted[rows] = likely.argmax(axis=1)
    predicted = np.where(silent, given, predicted)
    scores[given < 0] = np.nan
    contradicted = ~silent & (given >= 0) & (voted != given)
    flagged = contradicted & ((scores < SCORE) | (weights is not None))
    return Judged(true, voted, predicted, scores.clip(0, 1), flagged)


def _cleaned(
    votes: Any,  # noqa: ANN401 (likewise)
    weights: Float[np.ndarray, " c"] | None,
    transition: Transition,
    progress: bool,
) -> Iterator[tuple[slice, Float[np.ndarray, "m c"]]]:
    """Yield blocks of rows of the votes without the noise, or weighed, and where they belong."""
    if weights is None:
        yield from unmixed(votes, transition, progress)
        return
    for rows in blocks(votes.shape, progress):
        part = as_dense(votes[rows])
        true = part * weights
        total = true.sum(axis=1, keepdims=True)
        yield rows, np.where(total > 0, true, part) / np.where(total > 0, total, 1)


def with_own_labels(
    true: Float[np.ndarray, "m c"], given: Int[np.ndarray, " m"], evidence: Float[np.ndarray, "c c"]
) -> Float[np.ndarray, "m c"]:
    """Return probabilities of the true classes from the votes and, as half a piece of evidence, the given label.

        p_ij = q_ij T_jg^½ / Σ_y q_iy T_yg^½,   g the given label of i

    With T in place of its root, an overestimated noise would outweigh the votes. T should be that of all examples: an
    underestimated noise, from embeddings that have begun to learn it, would make every given label look right.

    Args:
        true: q, shares of the true classes; rows sum to one.
        given: Given labels, 0 to c-1; -1 where unlabelled: no evidence.
        evidence: T^½ of the smoothed T, transposed: row = given label.
    """
    weighed = true * evidence[given]
    weighed[given < 0] = true[given < 0]
    return weighed / np.maximum(weighed.sum(axis=1, keepdims=True), 1e-300)
