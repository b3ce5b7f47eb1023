"""Conversion of images of any layout and number type to RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import UInt8

from lend.inputs import require


def as_rgb(image: Any) -> UInt8[np.ndarray, "h w 3"]:  # noqa: ANN401 (an image of any library)
    """Convert an image to uint8 (h, w, 3); a grey one gets three equal channels, a fourth channel is dropped.

    Args:
        image: (h, w), (1 or 3, h, w) or (h, w, 1, 3 or 4), NumPy, torch or Pillow. uint8 is taken as it is, floats
            from 0 to 1 are scaled; all other values are stretched from their smallest to their largest.

    Raises:
        ValueError: If it is of another shape.
    """
    array = np.asarray(image.detach().cpu() if hasattr(image, "detach") else image)
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim == 2:
        array = array[:, :, None]
    fits = array.ndim == 3 and array.shape[2] in (1, 3, 4) and array.size > 0
    require(fits, "images", "of shape (h, w), (1 or 3, h, w) or (h, w, 1, 3 or 4) each", array.shape)
    array = array[:, :, :3] if array.shape[2] > 1 else np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(_as_bytes(array))


def _as_bytes(array: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    if array.dtype == np.uint8:
        return array
    values = array.astype(np.float64)
    low, high = (0.0, 1.0) if array.dtype.kind in "fb" and values.min() >= 0 and values.max() <= 1 else _ends(values)
    return np.rint(255 * (values - low) / max(high - low, 1e-12)).astype(np.uint8)


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())
