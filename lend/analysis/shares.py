"""Shares of what is known."""

from __future__ import annotations

import numpy as np


def share_of(hits: np.ndarray, known: np.ndarray) -> float:
    """Share of the known ones that are hits; NaN if none is known."""
    return float(hits[known].mean()) if known.any() else float("nan")
