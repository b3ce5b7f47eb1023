"""Noisy labels from a transition matrix and a seed."""

from typing import Any

import numpy as np

from lend.noise.checks import as_given, check_labels, check_matrix, random_stream


def corrupt(labels: Any, matrix: Any, seed: int) -> Any:  # noqa: ANN401
    """Draw a noisy label for every true one, independently, from its row of a transition matrix.

    The stream is that of Co-teaching's code and its successors: one ``RandomState(seed)``, one multinomial draw
    per example in their order. So seed 0 gives the very labels used in that line of papers.

    Args:
        labels: True labels (n,), integers in 0..c-1, complete; an array of any library, a list or a tensor.
        matrix: Transition matrix (c, c), row = true class.
        seed: Seed of the noise alone, 0 to 2**32 - 1.

    Returns:
        Noisy labels (n,), int64; NumPy, or torch on the same device where labels are torch.

    Raises:
        ValueError: If the matrix is not square, has a negative or non-finite entry or a row that does not sum to
            one within 1e-6; if labels are not integers of shape (n,) inside 0..c-1 or one is missing; if the seed is
            out of range.
    """
    rows = check_matrix(matrix)
    clean = check_labels("labels", labels, len(rows))
    stream = random_stream(seed)
    noisy = np.fromiter((stream.multinomial(1, rows[y]).argmax() for y in clean), np.int64, len(clean))
    return as_given(noisy, labels)
