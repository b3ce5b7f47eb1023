"""How labels went wrong: the transition matrix and the number of errors, from what the neighbours say.

In T[i, j] = P(given label j | true class i) rows are true classes. Where the neighbours are sure that an example is of
class i, its own label is a draw from row i of T: it took no part in what they say (:mod:`lend.dilution.leaveoneout`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int

FOLDS = 5
CAUTION = 0.2  # towards no noise when votes are unmixed: else, of two classes with like rows of T, one takes all
ITERATIONS = 10  # of EM: few, since sampling noise would be taken for a signal
SUREST = 0.4  # share of each predicted class from which T is counted
LEAST = 5  # examples of a predicted class and fold, where there are as many
BOOTSTRAPS = 200
ROWS = 1 << 16  # unmixed at a time


@dataclass(frozen=True)
class Estimate:
    """How many labels are wrong.

    Args:
        errors: The estimate.
        low: Lower end of the interval.
        high: Upper end.
        confidence: Asked of the interval's sampling part.
        examples: Labels in all.
    """

    errors: float
    low: float
    high: float
    confidence: float
    examples: int

    @property
    def share(self) -> float:
        """Wrong labels of all labels."""
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
    """Counts of given labels among the surest examples of each predicted class, and what follows from them.

    Args:
        counts: (c, c) given labels, row = class that the neighbours are sure of.
        shares: (c,) of the given labels in the whole set.
    """

    counts: Float[np.ndarray, "c c"]
    shares: Float[np.ndarray, " c"]

    @property
    def matrix(self) -> Float[np.ndarray, "c c"]:
        """T, rows sum to one; that of the identity for a class that nobody was predicted to be."""
        total = self.counts.sum(axis=1, keepdims=True)
        return np.where(total > 0, self.counts / np.maximum(total, 1), np.eye(len(total)))

    @property
    def smoothed(self) -> Float[np.ndarray, "c c"]:
        """T with one further label a row, spread evenly: what was not seen is rare, not impossible."""
        total = self.counts.sum(axis=1, keepdims=True)
        return (self.matrix * total + 1 / len(total)) / (total + 1)

    @property
    def prior(self) -> Float[np.ndarray, " c"]:
        """Shares of the true classes."""
        return true_shares(self.matrix, self.shares)

    @property
    def rate(self) -> float:
        """Share of labels that are not the true class: 1 - Σ_i prior_i T_ii."""
        return float(1 - self.prior @ self.matrix.diagonal())


def true_shares(matrix: Float[np.ndarray, "c c"], shares: Float[np.ndarray, " c"]) -> Float[np.ndarray, " c"]:
    """Solve given = Tᵀ true among shares of at least 0, by a few steps of EM from the given shares.

    Where two classes exchange nearly half of their labels the solution hangs on the sampling noise of T; so few steps
    leave those classes as frequent as their labels, and find the others.

    Args:
        matrix: T.
        shares: Of the given labels.
    """
    true = shares
    for _ in range(ITERATIONS):
        true = true * (matrix @ (shares / np.maximum(true @ matrix, 1e-12)))
        true = true / true.sum()
    return true


def unmix(votes: Float[np.ndarray, "n c"], transition: Transition) -> Float[np.ndarray, "n c"]:
    """Shares of the true classes behind shares of given labels: votes = q T, a few steps of EM from the prior.

    Args:
        votes: Rows that sum to one.
        transition: The noise.
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
    """Estimate T in two rounds: from the votes as they are, and with that T taken out of them.

    Args:
        votes: Shares of given labels among the neighbours in other folds; rows sum to one.
        given: Labels, 0 to c-1.
        folds: Of each example.

    Returns:
        T from the surest examples, and from all: where classes overlap, that one takes overlap for noise.
    """
    shares = np.bincount(given, minlength=votes.shape[1]) / len(given)
    true = unmix(votes, Transition(_count(votes, given, folds, SUREST), shares))
    surest, every = (Transition(_count(true, given, folds, share), shares) for share in (SUREST, 1.0))
    return surest, every


def _count(
    true: Float[np.ndarray, "n c"], given: Int[np.ndarray, " n"], folds: Int[np.ndarray, " n"], share: float
) -> Float[np.ndarray, "c c"]:
    """Given labels of the surest examples of each predicted class and fold."""
    predicted, counts = true.argmax(axis=1), np.zeros((true.shape[1],) * 2)
    ordered = np.partition(true, -2, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    for members in _groups(predicted, folds):
        take = min(len(members), max(LEAST, int(np.ceil(share * len(members)))))
        surest = members[np.argsort(-lead[members], kind="stable")[:take]]
        np.add.at(counts[predicted[members[0]]], given[surest], 1)
    return counts


def _groups(predicted: Int[np.ndarray, " n"], folds: Int[np.ndarray, " n"]) -> Iterator[Int[np.ndarray, " m"]]:
    """Positions of the examples of each predicted class and fold that there is."""
    key = predicted * (folds.max() + 1) + folds
    order = np.argsort(key, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def estimate_errors(surest: Transition, every: Transition, n: int, confidence: float, seed: int) -> Estimate:
    """The number of wrong labels, with an interval of two parts: sampling, and how sure the neighbours are.

    From the surest examples to all, the rate rises by what overlapping classes add, and by what embeddings that have
    begun to learn the errors hide in the surest. So the interval reaches up to the rate of all, and as far down: the
    surest are taken to hold no more overlap than the rest adds. That step is a choice, not a theorem; a test holds it
    to known noise. The interval cannot tell what the embeddings have learnt by heart.

    Args:
        surest: T from the surest examples.
        every: T from all.
        n: Labels.
        confidence: Of the sampling part, by a bootstrap over the examples that T was counted from.
        seed: Of the bootstrap.
    """
    rise = abs(every.rate - surest.rate)
    sampling = NormalDist().inv_cdf(0.5 + confidence / 2) * float(np.std(_resampled_rates(surest, n, seed)))
    low, high = max(0.0, surest.rate - rise - sampling), min(1.0, surest.rate + rise + sampling)
    return Estimate(n * surest.rate, n * low, n * high, confidence, n)


def _resampled_rates(transition: Transition, n: int, seed: int) -> list[float]:
    """Rates of wrong labels of bootstrap samples: of the counted examples, and of all given labels.

    Drawn from the smoothed T: where no error was seen, there may be some.
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
    """Probabilities of the true classes, of what the others say and, as half a piece of evidence, the given label.

        p_ij = q_ij T_jg^½ / Σ_y q_iy T_yg^½,   g the given label of i

    With the whole of T in place of its root, an overestimated noise drowns what the neighbours say. Likewise T should
    be that of all examples: too small a noise, from embeddings that have begun to learn it, would excuse every label.

    Args:
        true: q, shares of the true classes, rows sum to one.
        given: Labels, 0 to c-1.
        transition: The noise.
    """
    weighed = true * np.sqrt(transition.smoothed[:, given]).T
    return weighed / np.maximum(weighed.sum(axis=1, keepdims=True), 1e-300)
