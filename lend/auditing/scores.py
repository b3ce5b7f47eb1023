"""Label scores and label issues: the votes, freed of the noise or weighed, against the given labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from lend.auditing.transition import Transition, unmix, with_own_labels
from lend.config import require
from lend.dilution import one_hot, prior_weights

SCORE = 0.7  # below, a label that the others do not suggest is an issue


def class_weights(class_prior: Any, given: Int[np.ndarray, " n"], c: int) -> Float[np.ndarray, " c"] | None:  # noqa: ANN401
    """What a vote of each class counts; None where the noise is to be estimated."""
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
    """What is said of each label: shares of the others, the likeliest class, the score, and whether it is an issue."""

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
    return Judged(true, predicted, scores.clip(0, 1), flagged)
