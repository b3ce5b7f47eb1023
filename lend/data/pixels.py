"""One encoded image as 8 bits a channel, grey or coloured, whatever Pillow's mode of it is."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image, ImageFile

FRAMES = "hold several frames, of which the first is taken"
EXIF = "have an EXIF header that cannot be read, and are taken as they are stored"

_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # tags of TIFF


@cache
def image_formats() -> tuple[str, ...]:
    """Pillow's formats of images that it decodes by itself.

    Without videos, containers of measurements that it only recognises, and PostScript, which another program would
    have to execute.
    """
    from PIL import Image, ImageFile

    Image.preinit()  # the common formats, which are so tried first
    Image.init()

    def decodes(name: str) -> bool:
        reader = Image.OPEN[name][0]
        stub = isinstance(reader, type) and issubclass(reader, ImageFile.StubImageFile)
        return Image.MIME.get(name, "image/").startswith("image/") and not stub

    return tuple(name for name in Image.ID if decodes(name))


def decode(blob: bytes | Path, upright: bool = True, least: int | None = None) -> tuple[np.ndarray, list[str]]:
    """Decode one image.

    Args:
        blob: The content of an image file, or its path.
        upright: Turn the image as its EXIF header says.
        least: Pixels of the shorter side that are enough: a JPEG of more is decoded at a half, a quarter or an eighth,
            many times as fast. Whole if not given.

    Returns:
        Image (height, width, 1 or 3), uint8, and what a user should know about it: of `FRAMES` and `EXIF`.

    Raises:
        Exception: Of many kinds, if it cannot be decoded or has no natural 8 bits a channel.
    """
    from PIL import Image, ImageOps

    notes: list[str] = []
    with Image.open(io.BytesIO(blob) if isinstance(blob, bytes) else blob, formats=image_formats()) as image:
        if least is not None:
            image.draft(None, (least, least))  # the mode stays
        image.load()
        if upright:
            try:
                ImageOps.exif_transpose(image, in_place=True)
            except Exception:  # a damaged header may raise anything; the pixels were decoded before
                notes.append(EXIF)
        array = _deep_grey(image) if image.mode.startswith("I") else _shallow(image)
        if getattr(image, "is_animated", False):
            notes.append(FRAMES)
    return array.reshape(*array.shape[:2], -1), notes


def _shallow(image: Image.Image) -> np.ndarray:
    """Pixels of at most 8 bits a channel: grey (height, width) or colours (height, width, 3)."""
    if image.mode == "F":
        raise ValueError("its pixels are floats, and nothing says which is black and which white")
    if image.mode == "La":
        image = image.convert("LA")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    mode = "L" if image.mode in ("L", "1", "LA") else "RGB"
    return np.array(image if image.mode == mode else image.convert(mode))


def _deep_grey(image: ImageFile.ImageFile) -> np.ndarray:
    """Grey of 12 or 16 bits (height, width): its upper 8 bits, which Pillow itself takes of 16-bit colours."""
    # Elsewhere what Pillow calls I is of 32 bits, or signed.
    if not (image.format in ("PNG", "PPM", "JPEG2000") or (image.format == "TIFF" and image.mode != "I")):
        raise ValueError(f"its pixels are numbers of {image.format}, and nothing says which is black and which white")
    tags = getattr(image, "tag_v2", {})
    array = np.asarray(image).astype(np.int64) >> (tags.get(_BITS, (16,))[0] - 8)
    return (255 - array if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else array).astype(np.uint8)
