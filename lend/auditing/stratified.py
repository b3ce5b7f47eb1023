"""Totals, and shares of totals, from a stratified random sample, with intervals that hold where few errors are seen.

Stratum h has N_h examples; of the n_h that were looked at, x_h are errors.

    total = Σ_h N_h x_h / n_h

is unbiased. Its interval joins exact limits l_h, u_h of the number of errors in each stratum (Clopper & Pearson, 1934,
of the hypergeometric distribution: Buonaccorsi, The American Statistician 1987):

    total − √Σ (N_h x_h/n_h − l_h)²   to   total + √Σ (u_h − N_h x_h/n_h)²

and that of a share A / (A + B) solves the same for A − ω B (MOVER: Zou & Donner, Statistics in Medicine 2008; Donner &
Zou, Statistical Methods in Medical Research 2012). Where no error is seen, u_h still has a width. Coverage and width
are measured by benchmarks/checking.py; with limits of Wilson or Jeffreys in place of exact ones, intervals of rare
errors held less often than they should.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import gammaln


@dataclass(frozen=True)
class Measured:
    """A number between 0 and 1 that was measured on a sample.

    Args:
        value: The estimate; NaN where the sample says nothing about it.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Total:
    """An estimated total, and how far down and up it may be, stratum by stratum.

    Args:
        value: The estimate.
        down: N_h x_h/n_h − l_h.
        up: u_h − N_h x_h/n_h.
        rate: x_h/n_h.
    """

    value: float
    down: Float[np.ndarray, " h"]
    up: Float[np.ndarray, " h"]
    rate: Float[np.ndarray, " h"]

    def interval(self, least: float, most: float) -> tuple[float, float]:
        """The interval in whole numbers, cut to what lies inside of what is certain."""
        low, high = self.value - np.linalg.norm(self.down), self.value + np.linalg.norm(self.up)
        return float(np.clip(np.floor(low), least, most)), float(np.clip(np.ceil(high), least, most))


@dataclass(frozen=True)
class Sample:
    """What is known of a stratified sample.

    Args:
        size: N_h, examples of each stratum.
        strata: Stratum of each example that was looked at; each has one at least.
        wrong: Whether its label is wrong.
        confidence: Of all intervals, inside (0, 1).
    """

    size: Int[np.ndarray, " h"]
    strata: Int[np.ndarray, " m"]
    wrong: Bool[np.ndarray, " m"]
    confidence: float

    def errors(self, part: Bool[np.ndarray, " m"] | None = None) -> Total:
        """The total of errors among all examples, or in a part of them that holds these of the sample."""
        counted = self.wrong if part is None else self.wrong & part
        seen = np.bincount(self.strata, minlength=len(self.size))
        found = np.bincount(self.strata[counted], minlength=len(self.size))
        each = self.size * found / seen
        stratum = zip(found.tolist(), seen.tolist(), self.size.tolist(), strict=True)
        low, high = np.array([limits(*counts, (1 - self.confidence) / 2) for counts in stratum]).T
        return Total(float(each.sum()), each - np.minimum(low, each), np.maximum(high, each) - each, found / seen)

    def share(self, part: Bool[np.ndarray, " m"]) -> Measured:
        """The share of all errors that lie in a part of the examples: NaN, from 0 to 1, if no error was seen."""
        inside, outside = self.errors(part), self.errors(~part)
        whole = inside.value + outside.value
        low = _least_share(inside.value, inside.down, inside.rate, outside.value, outside.up, outside.rate)
        high = _least_share(outside.value, outside.down, outside.rate, inside.value, inside.up, inside.rate)
        return Measured(inside.value / whole if whole else np.nan, low, 1 - high)


@lru_cache(maxsize=1 << 14)
def limits(found: int, seen: int, size: int, beyond: float) -> tuple[int, int]:
    """Return the fewest and the most errors in a stratum that what was seen allows, exactly.

    Args:
        found: Errors among those looked at.
        seen: How many were looked at.
        size: Examples of the stratum.
        beyond: Largest probability of as few errors as these, or fewer, above the most; likewise below the fewest.
    """
    return size - _most(seen - found, seen, size, beyond), _most(found, seen, size, beyond)


def _most(found: int, seen: int, size: int, beyond: float) -> int:
    """Return the largest number of errors of which as few as found are seen with more than this probability."""
    low, high = found, size - seen + found
    while low < high:
        errors = (low + high + 1) // 2
        few = np.arange(max(0, seen - size + errors), min(found, errors) + 1)
        ways = _log_choose(errors, few) + _log_choose(size - errors, seen - few) - _log_choose(size, seen)
        low, high = (errors, high) if np.exp(ways).sum() > beyond else (low, errors - 1)
    return low


def _log_choose(n: Any, k: Any) -> Any:  # noqa: ANN401 (numbers or arrays)
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _least_share(
    a: float,
    down: Float[np.ndarray, " h"],
    rate_a: Float[np.ndarray, " h"],
    b: float,
    up: Float[np.ndarray, " h"],
    rate_b: Float[np.ndarray, " h"],
) -> float:
    """Return the lower limit of A / (A + B), which is ω/(1 + ω) of the smallest ω for which A − ωB may be 0.

    (a − ωb)² = Σ down² + ω² Σ up² + 2ω Σ |ρ| down up; ρ < 0 is the correlation of both rates in one stratum.
    """
    ratio = rate_a * rate_b / np.maximum((1 - rate_a) * (1 - rate_b), 1e-300)
    both = a * b + float(np.sqrt(np.minimum(ratio, 1)) @ (down * up))
    above, below = a**2 - float(down @ down), b**2 - float(up @ up)
    if above <= 0:
        return 0.0
    return above / (above + both + float(np.sqrt(max(both**2 - above * below, 0))))
