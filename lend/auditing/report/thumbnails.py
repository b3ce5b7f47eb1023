"""Small pictures inside of the page, as data URIs."""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image

from lend.plots import as_rgb

SIDE = 160  # pixels of the longer side: twice those of the page, for sharp screens and paper
SMALL = 64  # up to this side a picture is kept as it is, and its pixels are drawn as squares


def thumbnail(image: object, name: str) -> tuple[str, bool]:
    """Return a picture as the source of an <img>, and whether its pixels are to be drawn as squares.

    Args:
        image: As :func:`lend.plots.as_rgb` takes it.
        name: What an error calls it.

    Raises:
        ValueError: If it is no image.
    """
    picture, file = Image.fromarray(as_rgb(image, name)), BytesIO()
    if max(picture.size) <= SMALL:
        picture.save(file, "PNG", optimize=True)
        return _uri("png", file), True
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    picture.save(file, "JPEG", quality=82)
    return _uri("jpeg", file), False


def _uri(kind: str, file: BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
