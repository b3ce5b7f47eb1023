"""Estimates of the noise: the transition matrix and the number of wrong labels, from the votes of the neighbours.

In T[i, j] = P(given label j | true class i) rows are true classes. Where the neighbours are sure that an example is of
class i, its own label is a draw from row i of T, because it took no part in their votes
(:mod:`lend.dilution.leaveoneout`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from tqdm.auto import tqdm

from lend.auditing.unmixing import ITERATIONS, unmix_dense, unmix_sparse
from lend.inputs import require

FOLDS = 5
CAUTION = 0.2  # weight of "no noise" in unmixing; without it, one of two classes with similar rows of T takes all
SUREST = 0.4  # share of the examples of each predicted class from which T is counted
LEAST = 5  # fewest examples to count of a predicted class in a fold, if it has as many
BOOTSTRAPS = 200
CELLS = 1 << 20  # of examples and classes, unmixed at a time
CELLS_DRAWN = 1 << 16  # of T, most to draw one by one in a bootstrap


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
            f"at least {self.low:,.0f} wrong ({shares[1]:.1f} %), about {self.errors:,.0f} ({shares[0]:.1f} %), "
            f"{100 * self.confidence:g} % interval {self.low:,.0f} to {self.high:,.0f} "
            f"({shares[1]:.1f} to {shares[2]:.1f} %)"
        )


@dataclass(frozen=True)
class Transition:
    """Counts of given labels by predicted class, and the noise that follows from them.

    Args:
        counts: (c, c) number of given labels, row = class that the neighbours predict; an array or a sparse one.
        shares: (c,) share of each class among all given labels.
    """

    counts: Any
    shares: Float[np.ndarray, " c"]

    @cached_property
    def total(self) -> Float[np.ndarray, " c"]:
        """Number of examples counted of each predicted class."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.float64)

    @cached_property
    def nonzero(self) -> Any:  # noqa: ANN401 (an array of few classes, a CSR array of many)
        """T without its zeros, rows sum to one; the row of a class that was never predicted is that of the identity."""
        if isinstance(self.counts, np.ndarray):  # of few classes, where SciPy would cost more than it saves
            return self.counts / np.maximum(self.total, 1)[:, None] + np.diag((self.total == 0) * 1.0)
        counts = sparse.csr_array(self.counts)
        shares = counts.data / np.repeat(self.total, np.diff(counts.indptr))
        T = sparse.csr_array((shares, counts.indices, counts.indptr), shape=counts.shape)
        never = self.total == 0
        return (T + sparse.diags_array(never * 1.0)).tocsr() if never.any() else T

    @property
    def matrix(self) -> Float[np.ndarray, "c c"]:
        """T as an array."""
        return self.nonzero if isinstance(self.nonzero, np.ndarray) else self.nonzero.toarray()

    @property
    def smoothed(self) -> Float[np.ndarray, "c c"]:
        """T with one label added to each row, spread evenly: an exchange that was not seen may still occur."""
        return (sparse.csr_array(self.counts).toarray() + 1 / len(self.total)) / (self.total[:, None] + 1)

    @cached_property
    def prior(self) -> Float[np.ndarray, " c"]:
        """Share of each true class."""
        return true_shares(self.nonzero, self.shares)

    @property
    def rate(self) -> float:
        """Share of labels that are not the true class: 1 - Σ_i prior_i T_ii."""
        return max(0.0, float(1 - self.prior @ self.nonzero.diagonal()))


def true_shares(matrix: Any, shares: Float[np.ndarray, " c"]) -> Float[np.ndarray, " c"]:  # noqa: ANN401 (or sparse)
    """Return the shares of the true classes: solve given = Tᵀ true by a few steps of EM from the given shares.

    Where two classes exchange nearly half of their labels, the exact solution depends on the sampling noise of T. A few
    steps leave the shares of such classes near those of their labels, and find the others.

    Args:
        matrix: (c, c) T, an array or a sparse one.
        shares: Share of each class among the given labels.
    """
    true, transposed = shares, matrix.T
    for _ in range(ITERATIONS):
        true = true * (matrix @ (shares / np.maximum(transposed @ true, 1e-12)))
        true = true / max(true.sum(), 1e-300)
    return true


def unmix(votes: Any, transition: Transition) -> Float[np.ndarray, "n c"]:  # noqa: ANN401 (an array or a CSR array)
    """Take the noise out of votes: solve votes = q T by a few steps of EM from the shares of the true classes.

    Args:
        votes: (n, c) shares of given labels, an array or a SciPy CSR array; rows sum to one.
        transition: The noise.

    Returns:
        q, shares of the true classes; rows sum to one.
    """
    return np.concatenate([true for _, true in unmixed(votes, transition)])


def unmixed(
    votes: Any,  # noqa: ANN401 (likewise)
    transition: Transition,
    progress: bool = False,
) -> Iterator[tuple[slice, Float[np.ndarray, "m c"]]]:
    """Yield the rows of :func:`unmix` by blocks, and where they belong.

    Args:
        votes: (n, c) shares of given labels, an array or a SciPy CSR array; rows sum to one.
        transition: The noise.
        progress: Show a progress bar.
    """
    c, keep, prior = len(transition.shares), 1 - CAUTION, transition.prior
    if isinstance(votes, np.ndarray):
        T = keep * transition.smoothed + CAUTION * np.eye(c)
        for rows in blocks(votes.shape, progress):
            yield rows, unmix_dense(votes[rows], T, prior)
        return
    unseen = keep / (transition.total + 1)
    seen = (sparse.diags_array(unseen) @ transition.counts + CAUTION * sparse.eye_array(c)).tocsr()
    for rows in blocks(votes.shape, progress):
        yield rows, unmix_sparse(votes[rows], seen, unseen / c, prior)


def blocks(shape: tuple[int, int], progress: bool = False) -> Iterator[slice]:
    """Yield slices of rows of a matrix of this shape, each of about ``CELLS`` cells.

    Args:
        shape: Rows and columns.
        progress: Show a progress bar.
    """
    n, step = shape[0], max(1, CELLS // shape[1])
    for start in tqdm(range(0, n, step), "labels", unit="block", disable=not progress, delay=1):
        yield slice(start, min(start + step, n))


def count_transitions(
    votes: Any,  # noqa: ANN401 (an array or a CSR array)
    given: Int[np.ndarray, " n"],
    folds: Int[np.ndarray, " n"],
    progress: bool = False,
) -> tuple[Transition, Transition]:
    """Estimate T in two rounds: from the votes as they are, then from votes without the noise of the first round.

    Args:
        votes: (n, c) shares of given labels among the neighbours in other folds, an array or a SciPy CSR array; rows
            sum to one, or to zero where nobody votes: these examples are not counted.
        given: Given labels, 0 to c-1.
        folds: Number of the fold of each example.
        progress: Show a progress bar.

    Returns:
        T from the surest examples, and T from all examples, in which the overlap of classes counts as noise.

    Raises:
        ValueError: If nobody votes for any example.
    """
    c = votes.shape[1]
    shares = np.bincount(given, minlength=c) / len(given)
    heard = np.flatnonzero(votes.sum(axis=1))
    require(len(heard) > 0, "embeddings", "rows of which some are similar, with a cosine above 0", "none")
    votes, given, folds = votes[heard], given[heard], folds[heard]
    first = _leads((rows, as_dense(votes[rows])) for rows in blocks(votes.shape))
    noise = Transition(_count(*first, given, folds, c, SUREST), shares)
    second = _leads(unmixed(votes, noise, progress))
    surest, every = (Transition(_count(*second, given, folds, c, share), shares) for share in (SUREST, 1.0))
    return surest, every


def as_dense(votes: Any) -> Float[np.ndarray, "m c"]:  # noqa: ANN401 (likewise)
    """Return an array of votes, which may be a CSR array."""
    return votes if isinstance(votes, np.ndarray) else votes.toarray()


def _leads(parts: Iterable[tuple[slice, np.ndarray]]) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return the class with the largest share of each row, and its lead over the second."""
    predicted, lead = [], []
    for _, shares in parts:
        rows, first = np.arange(len(shares)), shares.argmax(axis=1)
        others = shares.copy()
        others[rows, first] = -np.inf
        predicted.append(first)
        lead.append(shares[rows, first] - others.max(axis=1))
    return np.concatenate(predicted), np.concatenate(lead)


def _count(
    predicted: Int[np.ndarray, " n"],
    lead: Float[np.ndarray, " n"],
    given: Int[np.ndarray, " n"],
    folds: Int[np.ndarray, " n"],
    c: int,
    share: float,
) -> sparse.csr_array:
    """Count the given labels of the surest examples of each predicted class and fold."""
    _, group, size = np.unique(predicted * (folds.max() + 1) + folds, return_inverse=True, return_counts=True)
    order = np.lexsort((-lead, group))
    rank = np.arange(len(group)) - np.repeat(np.cumsum(size) - size, size)
    chosen = order[rank < np.repeat(np.maximum(LEAST, np.ceil(share * size)), size)]
    return sparse.coo_array((np.ones(len(chosen)), (predicted[chosen], given[chosen])), shape=(c, c)).tocsr()


def estimate_errors(
    surest: Transition, every: Transition, n: int, confidence: float, seed: int, progress: bool = False
) -> Estimate:
    """Estimate the number of wrong labels, with an interval for sampling and for the choice of the surest examples.

    The rate from all examples lies above that from the surest. Where classes overlap, or embeddings have begun to learn
    the errors, the truth lies below or between them; where errors gather on hard examples, it may lie above both. So
    the interval reaches as far below the surest as the two lie apart, and as far above all. This is a choice, not a
    theorem: it was measured with known noise of ten kinds, and with errors of people, rules and networks (see the
    results in the documentation). Errors that neighbours share, such as those of rules, cannot be seen in labels alone:
    then the upper end is too low, and the lower end still a bound.

    Args:
        surest: T from the surest examples.
        every: T from all examples.
        n: Number of labels.
        confidence: Confidence of the sampling part, from a bootstrap over the examples that T was counted from.
        seed: Seed of the bootstrap.
        progress: Show a progress bar.
    """
    rise = abs(every.rate - surest.rate)
    sampling = NormalDist().inv_cdf(0.5 + confidence / 2) * float(np.std(_resampled_rates(surest, n, seed, progress)))
    low = max(0.0, min(surest.rate, every.rate) - rise - sampling)
    high = min(1.0, max(surest.rate, every.rate) + rise + sampling)
    return Estimate(n * surest.rate, n * low, n * high, confidence, n)


def _resampled_rates(transition: Transition, n: int, seed: int, progress: bool) -> list[float]:
    """Return the rates of wrong labels in bootstrap samples of the counted examples and of all given labels.

    They are drawn from the smoothed T, so that the interval has a width even where no error was seen.
    """
    generator, rates = np.random.default_rng(seed), []
    draw = _resampled_cells if len(transition.shares) ** 2 <= CELLS_DRAWN else _resampled_labels
    for counts in tqdm(draw(transition, generator), "interval", BOOTSTRAPS, disable=not progress, delay=1):
        shares = generator.multinomial(n, transition.shares) / n
        rates.append(Transition(counts, shares).rate)
    return rates


def _resampled_cells(transition: Transition, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield counts drawn cell by cell of the smoothed T: quick for few classes and any number of labels."""
    totals, smoothed = transition.total.astype(np.int64), transition.smoothed
    for _ in range(BOOTSTRAPS):
        yield generator.multinomial(totals, smoothed)


def _resampled_labels(transition: Transition, generator: np.random.Generator) -> Iterator[sparse.csr_array]:
    """Yield counts drawn label by label, of the same distribution: (c, c) cells of many classes would take minutes.

    Each label of a row is one of the labels counted there, or the one that the smoothing adds, of any class.
    """
    counts = sparse.csr_array(transition.counts)
    c, totals = counts.shape[0], transition.total.astype(np.int64)
    labels = np.repeat(counts.indices, counts.data.astype(np.int64))
    rows = np.repeat(np.arange(c), totals)
    start, size = (np.cumsum(totals) - totals)[rows], totals[rows]
    for _ in range(BOOTSTRAPS):
        place = generator.integers(0, size + 1)
        added = place == size
        drawn = labels[np.where(added, start, start + place)]
        drawn = np.where(added, generator.integers(0, c, len(drawn)), drawn)
        yield sparse.coo_array((np.ones(len(drawn)), (rows, drawn)), shape=(c, c)).tocsr()
