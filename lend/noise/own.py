"""The given labels of a noise of one's own: what its function returned."""

from typing import Any

import numpy as np

from lend.inputs import require, to_numpy
from lend.noise.checks import check_labels, check_matrix
from lend.noise.drawing import corrupt


def as_noisy(result: Any, labels: np.ndarray, c: int, seed: int) -> np.ndarray:  # noqa: ANN401
    """Return the given labels that own code made: it returns them, or the transition matrix to draw them from.

    Args:
        result: Labels (n,), integers 0..c-1, or a transition matrix (c, c) whose row i is of true class i, of any
            library.
        labels: Labels before the noise, (n,), int64.
        c: Number of classes.
        seed: Seed of the draw from a matrix, 0 to 2**32 - 1.

    Returns:
        Given labels (n,), int64, NumPy.

    Raises:
        ValueError: If it is neither.
    """
    array = to_numpy(result, "noise")
    n = len(labels)
    if array.shape == (c, c):
        return corrupt(labels, check_matrix(array), seed)
    allowed = f"labels of shape ({n},) or a transition matrix of shape ({c}, {c})"
    require(array.shape == (n,), "noise", allowed, f"{array.dtype} of shape {array.shape}")
    return check_labels("noise", array, c)
