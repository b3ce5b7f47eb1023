"""One image of any size and kind as colours of 8 bits, resized for a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lend.data import decode
from lend.embedding.source import Content, Unreadable

ENOUGH = 2  # a JPEG may be decoded smaller, but to no less than so many times the size that is asked for


def read_image(content: Content, size: int) -> tuple[np.ndarray, list[str]]:
    """Return the pixels of one image (height, width, 3), uint8, and what a user should know about it.

    Args:
        content: Of a :class:`lend.embedding.Source` of images.
        size: Pixels of the shorter side that the network will see.

    Raises:
        Exception: Of many kinds, if it cannot be decoded.
    """
    if isinstance(content, Unreadable):
        raise ValueError(content.reason)
    notes: list[str] = []
    if isinstance(content, np.ndarray):
        pixels = content
    else:
        if isinstance(content, Path) and not content.is_file():
            raise FileNotFoundError("no such file")
        assert not isinstance(content, str)  # a text: of the other kind of source
        pixels, notes = decode(content, least=ENOUGH * size)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels, notes


def whole_square(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize a whole image to a square, (size, size, 3), bilinear: nothing is cut off, and proportions may change."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR))
