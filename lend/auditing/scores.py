"""Label scores and label issues, from what neighbours and a classifier say and the given labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from lend.auditing.transition import Transition, as_dense, blocks, unmixed
from lend.dilution import prior_weights

SCORE = 0.7  # below it, a label that the others contradict is an issue
TINY = 1e-12  # least share of a class to divide by


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
    true: Float[np.ndarray, "n c"],
    given: Int[np.ndarray, " n"],
    silent: Bool[np.ndarray, " n"],
    evidence: Float[np.ndarray, "c c"] | None,
    progress: bool = False,
) -> Judged:
    """Judge the given labels by what the others say.

    Args:
        true: Shares of the true classes, from the labels of the other examples; rows sum to one.
        given: Given labels, 0 to c-1; -1 where unlabelled.
        silent: Whether no other example says anything of this one: it keeps its label.
        evidence: What the given label says of the true class, as :func:`with_own_labels` takes it; None where it says
            nothing, and every label that is contradicted is an issue.
        progress: Show a progress bar.
    """
    voted, predicted, scores = given.copy(), given.copy(), np.empty(len(given))
    for rows in blocks(true.shape, progress):
        part = true[rows]
        voted[rows] = part.argmax(axis=1)
        likely = part if evidence is None else with_own_labels(part, given[rows], evidence)
        scores[rows] = likely[np.arange(len(part)), given[rows]]
        predicted[rows] = likely.argmax(axis=1)
    predicted = np.where(silent, given, predicted)
    scores[given < 0] = np.nan
    contradicted = ~silent & (given >= 0) & (voted != given)
    flagged = contradicted & ((scores < SCORE) | (evidence is None))
    return Judged(true, voted, predicted, scores.clip(0, 1), flagged)


def true_votes(
    votes: Any,  # noqa: ANN401 (an array or a CSR array)
    weights: Float[np.ndarray, " c"] | None,
    transition: Transition,
    progress: bool = False,
) -> tuple[Float[np.ndarray, "n c"], Bool[np.ndarray, " n"]]:
    """Return votes from which the noise is taken out, or which are weighed, and which rows had none.

    Those rows get the shares of the classes among all examples.

    Args:
        votes: (n, c) shares of given labels around each example, an array or a SciPy CSR array; a row is zero where no
            other example has a vote.
        weights: Weight of a vote for each class; None takes out the noise instead.
        transition: The noise.
        progress: Show a progress bar.
    """
    silent, true = np.asarray(votes.sum(axis=1)) == 0, np.empty(votes.shape)
    for rows, part in _cleaned(votes, weights, transition, progress):
        true[rows] = part
    if silent.any():
        true[silent] = next(_cleaned(transition.shares[None], weights, transition, False))[1]
    return true, silent


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


def joined(
    first: Float[np.ndarray, "n c"], second: Float[np.ndarray, "n c"], prior: Float[np.ndarray, " c"]
) -> Float[np.ndarray, "n c"]:
    """Return the shares that follow from two witnesses, who both know how frequent each class is.

        q_ij = first_ij second_ij / π_j, rows scaled to sum to one

    It is the rule of Bayes for witnesses who err independently given the true class. These two see the same labels, so
    the result is too sure, but its order was the best of those that were tried.

    Args:
        first: Shares of the true classes by one witness; rows sum to one.
        second: By the other.
        prior: π, the share of each true class.
    """
    shares = first * second / np.maximum(prior, TINY)
    total = shares.sum(axis=1, keepdims=True)
    return np.where(total > 0, shares / np.where(total > 0, total, 1), first)


def own_evidence(transition: Transition, weight: float) -> Float[np.ndarray, "c c"]:
    """Return what a given label says of the true class: the transition matrix to the power of its weight, transposed.

    T is that of all examples: an underestimated noise, from embeddings that have begun to learn it, would make every
    given label look right.

    Args:
        transition: The noise.
        weight: Of this piece of evidence. Beside the neighbours alone it is half: with all of it, an overestimated
            noise would outweigh the votes. Beside two witnesses it is one.
    """
    return np.ascontiguousarray(np.power(transition.smoothed, weight).T)


def with_own_labels(
    true: Float[np.ndarray, "m c"], given: Int[np.ndarray, " m"], evidence: Float[np.ndarray, "c c"]
) -> Float[np.ndarray, "m c"]:
    """Return probabilities of the true classes from what the others say and the given label.

        p_ij = q_ij E_gj / Σ_y q_iy E_gy,   g the given label of i

    Args:
        true: q, shares of the true classes; rows sum to one.
        given: Given labels, 0 to c-1; -1 where unlabelled: no evidence.
        evidence: E of :func:`own_evidence`, row = given label.
    """
    weighed = true * evidence[given]
    weighed[given < 0] = true[given < 0]
    return weighed / np.maximum(weighed.sum(axis=1, keepdims=True), 1e-300)
