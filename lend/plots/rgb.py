"""Conversion of images of any layout and number type to RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from PIL import Image

from lend.inputs import is_tensor, require, to_numpy

CHANNELS = (1, 2, 3, 4)  # grey, grey and opacity, RGB, RGB and opacity
DARK = 16  # values of an image of bytes reach beyond this, or it would be all but black


def as_rgb(image: Any, name: str = "images") -> UInt8[np.ndarray, "h w 3"]:  # noqa: ANN401 (an image of any library)
    """Convert an image to uint8 (h, w, 3); a grey one gets three equal channels, a transparent one a white ground.

    Args:
        image: (h, w), (h, w, channels) or (channels, h, w) with 1 to 4 channels, NumPy, torch or Pillow. uint8 is taken
            as it is, bool is black and white, and floats from 0 to 1 are scaled. Other numbers from 0 to 255 that reach
            beyond 16 are bytes; all others, such as 16 bits or normalised ones, are stretched from the smallest to the
            largest of the image, and to grey where those are equal.
        name: What an error calls the image.

    Raises:
        ValueError: If it is of another shape, or one of two readings, such as (3, h, 3) in NumPy; if it is empty, or
            holds values that are no finite numbers.
    """
    array, first = _array(image, name)
    if array.ndim == 2:
        array = array[:, :, None]
    shape = f"{array.dtype} of shape {array.shape}"
    layouts = "of shape (h, w), (h, w, channels) or (channels, h, w) with 1 to 4 channels"
    require(array.ndim == 3 and array.size > 0, name, layouts, shape)
    leading, last = array.shape[0] in CHANNELS, array.shape[2] in CHANNELS
    require(leading or last, name, layouts, shape)
    if leading and last and np.ndim(image) == 3 and first is None:
        require(False, name, "with its channels on one side only: make it larger, or (h, w)", shape)
    if leading and (first or not last):
        array = np.moveaxis(array, 0, 2)
    require(array.dtype.kind in "biuf", name, "of numbers", shape)
    strange = array.size - int(np.isfinite(array).sum())
    require(not strange, name, "of finite numbers", f"{strange:,} others")
    return np.ascontiguousarray(_on_white(_as_bytes(array)))


def _array(image: Any, name: str) -> tuple[Shaped[np.ndarray, ...], bool | None]:  # noqa: ANN401
    """Return the numbers of an image, and whether channels come first where its library says so."""
    if isinstance(image, Image.Image):
        if image.mode.startswith(("I", "F")):  # 16 or 32 bits
            return np.asarray(image), False
        clear = "A" in image.mode or "a" in image.mode or "transparency" in image.info
        return np.asarray(image.convert("RGBA" if clear else "RGB")), False
    array = to_numpy(image, name)
    require(not np.ma.is_masked(array), name, "without masked entries", f"{int(np.ma.count_masked(array)):,} of them")
    return np.asarray(array), _first(array.shape) if is_tensor(image) else None


def _first(shape: tuple[int, ...]) -> bool:
    """Say whether channels of a tensor come first: they do wherever they can."""
    return len(shape) == 3 and shape[0] in CHANNELS


def _as_bytes(array: Shaped[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    if array.dtype == np.uint8:
        return array
    values = array.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if array.dtype.kind in "fb" and low >= 0 and high <= 1:
        return np.rint(255 * values).astype(np.uint8)
    if low >= 0 and DARK < high <= 255:
        return np.rint(values).astype(np.uint8)
    if low == high:
        return np.full(array.shape, 128, np.uint8)
    return np.rint(255 * ((values / 2 - low / 2) / (high / 2 - low / 2))).astype(np.uint8)  # halves do not overflow


def _on_white(array: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"]:
    colours = array[:, :, :3] if array.shape[2] > 2 else np.repeat(array[:, :, :1], 3, axis=2)
    if array.shape[2] in (1, 3):
        return colours
    opacity: Float[np.ndarray, "h w 1"] = array[:, :, -1:] / 255
    return np.rint(opacity * colours + (1 - opacity) * 255).astype(np.uint8)
