"""The integers that hold labels: as small as the number of classes allows, and never smaller."""

from __future__ import annotations

import numpy as np


def code_type(classes: int, unknown: bool = False) -> np.dtype:
    """Return the smallest integer type that holds the labels 0 to ``classes`` - 1.

    Every array of labels that is saved or shown gets its type here, so that no number of classes wraps around.

    Args:
        classes: Number of classes, at least 1.
        unknown: Whether -1 may stand for an unknown label; the type is then signed, and holds -``classes``.
    """
    return np.min_scalar_type(-classes if unknown else classes - 1)
