"""A fixed, stratified subset of examples."""

from __future__ import annotations

import numpy as np


def map_subset(labels: np.ndarray, size: int = 10_000, seed: int = 0) -> np.ndarray:
    """Choose a fixed, stratified subset of the examples to draw.

    Every class keeps its share to within one example, so the subset is not biased by the draw.

    Args:
        labels: Integer labels of shape (n,).
        size: Number of examples to keep; all, if n <= size.
        seed: Seed of the draw.

    Returns:
        Sorted int64 indices of shape (min(n, size),).

    Raises:
        ValueError: If labels are not one-dimensional or size < 1.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"labels must have shape (n,), got {labels.shape}")
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    n = len(labels)
    if n <= size:
        return np.arange(n, dtype=np.int64)
    shuffled = np.random.default_rng(seed).permutation(n)
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    # Evenly spaced places in the list sorted by class give each class its share.
    return np.sort(by_class[np.arange(size) * n // size]).astype(np.int64)
