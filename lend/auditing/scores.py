"""Label scores and label issues, from the votes of the neighbours and the given labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from lend.auditing.transition import Transition, unmix, with_own_labels
from lend.dilution import one_hot, prior_weights
from lend.inputs import require

SCORE = 0.7  # below it, a label that the neighbours contradict is an issue


def class_weights(
    class_prior: str | Sequence[float] | np.ndarray | None, given: Int[np.ndarray, " n"], c: int
) -> Float[np.ndarray, " c"] | None:
    """Return the weight of a vote for each class; None where the noise is to be estimated.

    Args:
        class_prior: "estimated", "balanced", None, or the true share of each class.
        given: Given labels, 0 to c-1.
        c: Number of classes.

    Raises:
        ValueError: If class_prior is of another kind, or not c shares that sum to one.
    """
    if isinstance(class_prior, str):
        known = class_prior in ("estimated", "balanced")
        require(known, "class_prior", "'estimated', None, 'balanced' or one share per class", class_prior)
        if class_prior == "estimated":
            return None
    if class_prior is not None and not isinstance(class_prior, str):
        class_prior = np.asarray(class_prior, dtype=np.float64)
    return prior_weights(class_prior, one_hot(torch.from_numpy(given), c, torch.float64)).numpy()


@dataclass(frozen=True)
class Judged:
    """The judgement of every label.

    Args:
        distributions: Probability of each class from the labels of the other examples; rows sum to one.
        predicted: Likeliest class.
        scores: Label score of the given label, in [0, 1].
        flagged: Whether the label is an issue.
    """

    distributions: Float[np.ndarray, "n c"]
    predicted: Int[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    flagged: Bool[np.ndarray, " n"]


def judge(
    votes: Float[np.ndarray, "n c"],
    given: Int[np.ndarray, " n"],
    weights: Float[np.ndarray, " c"] | None,
    transition: Transition,
) -> Judged:
    """Judge the given labels by votes from which the noise is taken out, or which are weighed.

    Args:
        votes: Shares of given labels around each example; a row is zero where no other example has a vote.
        given: Given labels, 0 to c-1.
        weights: Weight of a vote for each class; None takes out the noise instead.
        transition: The noise.
    """
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
    return Judged(true, predicted, scores.clip(0, 1), flagged)
