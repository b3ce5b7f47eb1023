"""Small images as text that a page shows: PNG in a data URI, made when one is looked at."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from lend.explorer.inspection.recent import Recent
from lend.inputs import require
from lend.plots import as_rgb

SIDE = 96  # pixels of the longer side
KEPT = 2000  # about 10 MB
GAP = 2  # white pixels between the images of a strip


def enlarged(image: object, side: int = SIDE) -> UInt8[np.ndarray, "height width 3"]:
    """Return an image whose longer side is about ``side`` pixels.

    A small one is enlarged by a whole number, so that each of its pixels stays a sharp square; a large one is scaled
    down smoothly.

    Args:
        image: As :func:`lend.plots.as_rgb` takes it, grey or RGB.
        side: Pixels, at least 1.

    Raises:
        ValueError: If the image is of another shape, or the side is below 1.
    """
    require(side >= 1, "side", "at least 1", side)
    array = as_rgb(image)
    longer = max(array.shape[:2])
    if longer > side:
        height, width = (max(1, round(length * side / longer)) for length in array.shape[:2])
        return np.asarray(Image.fromarray(array).resize((width, height), Image.Resampling.LANCZOS))
    factor = max(1, side // longer)
    return array.repeat(factor, axis=0).repeat(factor, axis=1)


def png(image: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """Return an image as PNG, in 8 bits a pixel where it is grey."""
    grey = bool((image == image[:, :, :1]).all())
    file = BytesIO()
    Image.fromarray(image[:, :, 0] if grey else image).save(file, "PNG")
    return file.getvalue()


def data_uri(content: bytes) -> str:
    """Return a PNG as the source of an <img>."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def strip(images: Sequence[object], side: int = SIDE // 2) -> bytes:
    """Return several images in a row as one PNG, each in the middle of a white square.

    Args:
        images: One at least, as :func:`enlarged` takes them; None leaves a place empty.
        side: Pixels of a square.

    Raises:
        ValueError: If there is no image.
    """
    require(len(images) > 0, "images", "at least one", len(images))
    row = np.full((side, len(images) * (side + GAP) - GAP, 3), 255, np.uint8)
    for place, image in enumerate(images):
        if image is not None:
            small = enlarged(image, side)
            top, left = ((side - length) // 2 for length in small.shape[:2])
            left += place * (side + GAP)
            row[top : top + small.shape[0], left : left + small.shape[1]] = small
    return png(row)


class Thumbnails:
    """Thumbnails of the points by position, made at the first look; the 2,000 seen last are kept.

    Args:
        image: Gives the image at a position, or None.
        side: Pixels of the longer side.
    """

    def __init__(self, image: Callable[[int], object], side: int = SIDE) -> None:
        self.image, self.side = image, side
        self._made: Recent[str] = Recent(KEPT)

    def uri(self, position: int) -> str | None:
        """Return the data URI of the thumbnail, None where there is no image."""
        return self._made.get(position, lambda: self._make(position)) or None

    def _make(self, position: int) -> str:
        image = self.image(position)
        return "" if image is None else data_uri(png(enlarged(image, self.side)))
