"""What all maps share: their settings, the examples that they show, and which of them are still to be made."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

import numpy as np
from jaxtyping import Int

from lend.inputs import as_count, is_real, is_whole, require
from lend.run import map_subset

LEAST = 4  # points of a map: at perplexity 1, the least, t-SNE takes three neighbours of each


def require_settings(points: object, perplexity: object, seed: object) -> None:
    """Raise a ValueError unless these are settings of a map.

    Args:
        points: Examples to show, at least 4; 0 for all.
        perplexity: Effective number of neighbours, at least 1.
        seed: An integer of at least 0.
    """
    allowed = is_whole(points) and (points == 0 or points >= LEAST)
    require(allowed, "points", f"0, for all, or at least {LEAST}", points)
    require(is_real(perplexity) and 1 <= perplexity < math.inf, "perplexity", "a number of at least 1", perplexity)
    as_count(seed, "seed", least=0)


def fitting(perplexity: float, n: int) -> float:
    """The perplexity for n points: as asked for, or the largest that so few allow."""
    return min(float(perplexity), (n - 1) / 3)


def rows_to_map(labels: Int[np.ndarray, " n"], points: int, seed: int = 0) -> Int[np.ndarray, " m"]:
    """Choose the rows that a map shows, ascending: a draw of this seed in which every class keeps its share.

    Args:
        labels: Integers, one for each of n examples, by which the draw is stratified.
        points: How many to show, at least 4; 0 for all.
        seed: Of the draw, at least 0.

    Raises:
        ValueError: If an argument is out of range, or there are fewer than 4 examples.
    """
    require_settings(points, 1, seed)
    require(len(labels) >= LEAST, "embeddings", f"of at least {LEAST} examples", len(labels))
    return map_subset(labels, int(points) or len(labels), int(seed))


def missing(wanted: Sequence[int], have: Container[int], aligned: bool) -> tuple[int, ...]:
    """The epochs whose maps must still be made: of an aligned chain all from the first gap on."""
    if not aligned:
        return tuple(epoch for epoch in wanted if epoch not in have)
    first = next((number for number, epoch in enumerate(wanted) if epoch not in have), len(wanted))
    return tuple(wanted[first:])
