"""Estimates of the noise: the transition matrix and the number of wrong labels, from the votes of the neighbours.

In T[i, j] = P(given label j | true class i) rows are true classes. Where the neighbours are sure that an example is of
class i, its own label is a draw from row i of T, because it took no part in their votes
(:mod:`lend.dilution.leaveoneout`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int

FOLDS = 5
CAUTION = 0.2  # weight of "no noise" in unmixing; without it, one of two classes with similar rows of T takes all
ITERATIONS = 10  # steps of EM: more would fit the sampling noise
SUREST = 0.4  # share of the examples of each predicted class from which T is counted
LEAST = 5  # fewest examples to count of a predicted class in a fold, if it has as many
BOOTSTRAPS = 200
ROWS = 1 << 16  # votes unmixed at a time


@dataclass(frozen=True)
class Estimate:
    """Estimated number of wrong labels, with an interval.

    Args:
        errors: Estimated number.
        low: Lower end of the interval.
        high: Upper end of the interval.
        confidence: Confidence of the part of the interval that covers sampling.
        examples: Number of all labels.
    """

    errors: float
    low: float
    high: float
    confidence: float
    examples: int

    @property
    def share(self) -> float:
        """Estimated share of the labels that are wrong."""
        return self.errors / self.examples

    def __str__(self) -> str:
        shares = [100 * value / self.examples for value in (self.errors, self.low, self.high)]
        return (
            f"about {self.errors:,.0f} wrong ({shares[0]:.1f} %), "
            f"{100 * self.confidence:g} % interval {self.low:,.0f} to {self.high:,.0f} "
            f"({shares[1]:.1f} to {shares[2]:.1f} %)"
        )


@dataclass(frozen=True)
class Transition:
    """Counts of given labels by predicted class, and the noise that follows from them.

    Args:
        counts: (c, c) number of given labels, row = class that the neighbours predict.
        shares: (c,) share of each class among all given labels.
    """

    counts: Float[np.ndarray, "c c"]
    shares: Float[np.ndarray, " c"]

    @property
    def matrix(self) -> Float[np.ndarray, "c c"]:
        """T, rows sum to one; the row of a class that was never predicted is that of the identity."""
        total = self.counts.sum(axis=1, keepdims=True)
        return np.where(total > 0, self.counts / np.maximum(total, 1), np.eye(len(total)))

    @property
    def smoothed(self) -> Float[np.ndarray, "c c"]:
        """T with one label added to each row, spread evenly: an exchange that was not seen may still occur."""
        total = self.counts.sum(axis=1, keepdims=True)
        return (self.matrix * total + 1 / len(total)) / (total + 1)

    @property
    def prior(self) -> Float[np.ndarray, " c"]:
        """Share of each true class."""
        return true_shares(self.matrix, self.shares)

    @property
    def rate(self) -> float:
        """Share of labels that are not the true class: 1 - Σ_i prior_i T_ii."""
        return float(1 - self.prior @ self.matrix.diagonal())


def true_shares(matrix: Float[np.ndarray, "c c"], shares: Float[np.ndarray, " c"]) -> Float[np.ndarray, " c"]:
    """Return the shares of the true classes: solve given = Tᵀ true by a few steps of EM from the given shares.

    Where two classes exchange nearly half of their labels, the exact solution depends on the sampling noise of T. A few
    steps leave the shares of such classes near those of their labels, and find the others.

    Args:
        matrix: T.
        shares: Share of each class among the given labels.
    """
    true = shares
    for _ in range(ITERATIONS):
        true = true * (matrix @ (shares / np.maximum(true @ matrix, 1e-12)))
        true = true / true.sum()
    return true


def unmix(votes: Float[np.ndarray, "n c"], transition: Transition) -> Float[np.ndarray, "n c"]:
    """Take the noise out of votes: solve votes = q T by a few steps of EM from the shares of the true classes.

    Args:
        votes: Shares of given labels; rows sum to one.
        transition: The noise.

    Returns:
        q, shares of the true classes; rows sum to one.
    """
    T, prior = (1 - CAUTION) * transition.smoothed + CAUTION * np.eye(len(transition.shares)), transition.prior
    return np.concatenate([_unmix_rows(votes[i : i + ROWS], T, prior) for i in range(0, len(votes), ROWS)])


def _unmix_rows(
    votes: Float[np.ndarray, "m c"], T: Float[np.ndarray, "c c"], prior: Float[np.ndarray, " c"]
) -> Float[np.ndarray, "m c"]:
    true = np.tile(prior, (len(votes), 1))
    for _ in range(ITERATIONS):
        true *= (votes / np.maximum(true @ T, 1e-12)) @ T.T
        true /= np.maximum(true.sum(axis=1, keepdims=True), 1e-300)
    return true


def count_transitions(
    votes: Float[np.ndarray, "n c"], given: Int[np.ndarray, " n"], folds: Int[np.ndarray, " n"]
) -> tuple[Transition, Transition]:
    """Estimate T in two rounds: from the votes as they are, then from votes without the noise of the first round.

    Args:
        votes: Shares of given labels among the neighbours in other folds; rows sum to one.
        given: Given labels, 0 to c-1.
        folds: Number of the fold of each example.

    Returns:
        T from the surest examples, and T from all examples, in which the overlap of classes counts as noise.
    """
    shares = np.bincount(given, minlength=votes.shape[1]) / len(given)
    true = unmix(votes, Transition(_count(votes, given, folds, SUREST), shares))
    surest, every = (Transition(_count(true, given, folds, share), shares) for share in (SUREST, 1.0))
    return surest, every


def _count(
    true: Float[np.ndarray, "n c"], given: Int[np.ndarray, " n"], folds: Int[np.ndarray, " n"], share: float
) -> Float[np.ndarray, "c c"]:
    """Count the given labels of the surest examples of each predicted class and fold."""
    predicted, counts = true.argmax(axis=1), np.zeros((true.shape[1],) * 2)
    ordered = np.partition(true, -2, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    for members in _groups(predicted, folds):
        take = min(len(members), max(LEAST, int(np.ceil(share * len(members)))))
        surest = members[np.argsort(-lead[members], kind="stable")[:take]]
        np.add.at(counts[predicted[members[0]]], given[surest], 1)
    return counts


def _groups(predicted: Int[np.ndarray, " n"], folds: Int[np.ndarray, " n"]) -> Iterator[Int[np.ndarray, " m"]]:
    """Yield the positions of the examples of each predicted class in each fold, where there are any."""
    key = predicted * (folds.max() + 1) + folds
    order = np.argsort(key, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def estimate_errors(surest: Transition, every: Transition, n: int, confidence: float, seed: int) -> Estimate:
    """Estimate the number of wrong labels, with an interval for sampling and for the choice of the surest examples.

    The rate from all examples is above that from the surest for two reasons: overlapping classes count as noise, and
    embeddings that have begun to learn the errors hide them among the surest examples. So the interval reaches up to
    the rate from all examples, and as far down, which assumes that the surest examples contain no more overlap than the
    others add. This is a choice, not a theorem; a test checks it with known noise. Errors that the embeddings have
    memorised are outside of the interval.

    Args:
        surest: T from the surest examples.
        every: T from all examples.
        n: Number of labels.
        confidence: Confidence of the sampling part, from a bootstrap over the examples that T was counted from.
        seed: Seed of the bootstrap.
    """
    rise = abs(every.rate - surest.rate)
    sampling = NormalDist().inv_cdf(0.5 + confidence / 2) * float(np.std(_resampled_rates(surest, n, seed)))
    low, high = max(0.0, surest.rate - rise - sampling), min(1.0, surest.rate + rise + sampling)
    return Estimate(n * surest.rate, n * low, n * high, confidence, n)


def _resampled_rates(transition: Transition, n: int, seed: int) -> list[float]:
    """Return the rates of wrong labels in bootstrap samples of the counted examples and of all given labels.

    They are drawn from the smoothed T, so that the interval has a width even where no error was seen.
    """
    generator, rates = np.random.default_rng(seed), []
    totals = transition.counts.sum(axis=1).astype(np.int64)
    for _ in range(BOOTSTRAPS):
        counts = generator.multinomial(totals, transition.smoothed).astype(float)
        shares = generator.multinomial(n, transition.shares) / n
        rates.append(Transition(counts, shares).rate)
    return rates


def with_own_labels(
    true: Float[np.ndarray, "n c"], given: Int[np.ndarray, " n"], transition: Transition
) -> Float[np.ndarray, "n c"]:
    """Return probabilities of the true classes from the votes and, as half a piece of evidence, the given label.

        p_ij = q_ij T_jg^½ / Σ_y q_iy T_yg^½,   g the given label of i

    With T in place of its root, an overestimated noise would outweigh the votes. T should be that of all examples: an
    underestimated noise, from embeddings that have begun to learn it, would make every given label look right.

    Args:
        true: q, shares of the true classes; rows sum to one.
        given: Given labels, 0 to c-1.
        transition: The noise, from all examples.
    """
    weighed = true * np.sqrt(transition.smoothed[:, given]).T
    return weighed / np.maximum(weighed.sum(axis=1, keepdims=True), 1e-300)
