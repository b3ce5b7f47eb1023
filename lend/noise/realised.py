"""The noise that two label sets realise: its rate and its matrix."""

from typing import Any

import numpy as np

from lend.inputs import as_count
from lend.noise.checks import MOST_CLASSES, check_both


def realised_rate(clean: Any, noisy: Any) -> float:  # noqa: ANN401
    """Share of the labels that differ from the clean ones.

    Args:
        clean: True labels (n,), integers, complete; an array of any library, a list or a tensor.
        noisy: Given labels (n,), likewise.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: If the two are no integers (n,) of the same length, n >= 1, or one is missing.
    """
    clean, noisy = check_both(clean, noisy, None)
    return float(np.mean(clean != noisy))


def empirical_matrix(clean: Any, noisy: Any, c: int) -> np.ndarray:  # noqa: ANN401
    """The transition matrix that two label sets realise: T[i, j] = share of j among the examples of true class i.

    Args:
        clean: True labels (n,), integers in 0..c-1.
        noisy: Given labels (n,), integers in 0..c-1.
        c: Number of classes.

    Returns:
        Matrix (c, c), float64. Rows sum to one; the row of a class without examples is zero.

    Raises:
        ValueError: If the two are no integers (n,) of the same length inside 0..c-1, or one is missing.
    """
    c = as_count(c, "c", most=MOST_CLASSES)
    clean, noisy = check_both(clean, noisy, c)
    counts = np.bincount(clean * c + noisy, minlength=c * c).reshape(c, c)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
