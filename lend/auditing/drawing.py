"""The order in which examples are drawn to be looked at by people: stratified by label score, and the same every time.

All labelled examples stand in one fixed order, whose first m are a stratified random sample for every m, so that a
second round goes on where the first ended, and both together are one sample. Strata are cut at equal sums of the spread
√(d (1 − d)), d the doubt 1 − score, flagged labels apart from others, and each is drawn from in proportion to that sum
(Särndal, Swensson & Wretman, Model Assisted Survey Sampling, 1992, section 12.4: equal aggregate σ). So doubtful labels
are drawn far more often, no label never. Within a stratum the order is that of a random permutation: permanent random
numbers (Ohlsson, 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

PIECES = 2  # equal sums of spread, each cut again at the flagged labels: more strata widen the interval of rare errors
DOUBT = 0.02  # least doubt of a label, and of the opposite: a score may be wrong about itself
LEAST = 5  # of each stratum come first


@dataclass(frozen=True)
class Drawing:
    """Strata of the labelled examples, and the order in which they are drawn.

    Args:
        strata: Number of the stratum of each example, 0 to h-1.
        order: Positions of the examples, the first to be drawn first.
    """

    strata: Int[np.ndarray, " n"]
    order: Int[np.ndarray, " n"]

    @property
    def size(self) -> Int[np.ndarray, " h"]:
        """Examples of each stratum."""
        return np.bincount(self.strata)

    @property
    def least(self) -> int:
        """How many to draw at least, so that some of each stratum are among them."""
        return int(np.minimum(self.size, LEAST).sum())

    def probabilities(self, count: int) -> Float[np.ndarray, " n"]:
        """Probability of each example to be among the first ``count`` that are drawn."""
        drawn = np.bincount(self.strata[self.order[:count]], minlength=len(self.size))
        return (drawn / self.size)[self.strata]


def draw(scores: Float[np.ndarray, " n"], flagged: Bool[np.ndarray, " n"], seed: int) -> Drawing:
    """Cut the strata and draw the order.

    Args:
        scores: Label score of each labelled example, in [0, 1].
        flagged: Whether its label is an issue.
        seed: Of the permutation.
    """
    doubt = (1 - scores).clip(DOUBT, 1 - DOUBT)
    spread = np.sqrt(doubt * (1 - doubt))
    strata = _strata(scores, flagged, spread)
    size, share = np.bincount(strata), np.bincount(strata, spread)
    shuffled = np.random.default_rng([seed, 2]).permutation(len(scores))
    by_stratum = shuffled[np.argsort(strata[shuffled], kind="stable")]
    rank = np.empty(len(scores), np.int64)
    rank[by_stratum] = np.arange(len(scores)) - np.repeat(np.cumsum(size) - size, size)
    # the m-th of a stratum has its turn as if strata were drawn from evenly, as in Webster's division of seats
    turn = np.where(rank < LEAST, rank - LEAST, (rank + 0.5) / share[strata])
    return Drawing(strata, shuffled[np.argsort(turn[shuffled], kind="stable")])


def _strata(
    scores: Float[np.ndarray, " n"], flagged: Bool[np.ndarray, " n"], spread: Float[np.ndarray, " n"]
) -> Int[np.ndarray, " n"]:
    order = np.lexsort((scores, ~flagged))
    before = np.cumsum(spread[order]) - spread[order]
    piece = np.floor(PIECES * before / spread.sum()).clip(max=PIECES - 1) + PIECES * ~flagged[order]
    strata = np.empty(len(scores), np.int64)
    strata[order] = np.unique(piece, return_inverse=True)[1]
    return strata
