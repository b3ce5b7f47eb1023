"""The share of hits among known examples."""

from __future__ import annotations

import numpy as np


def share_of(hits: np.ndarray, known: np.ndarray) -> float:
    """Return the share of the known entries that are hits; NaN if none is known.

    Args:
        hits: Booleans of any shape.
        known: Mask of the same shape: the entries that count.
    """
    return float(hits[known].mean()) if known.any() else float("nan")
