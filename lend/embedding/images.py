"""Images of any size and kind as colours of 8 bits: one resized for a network, or some of a source to show."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lend.data import decode
from lend.embedding.source import IMAGES, Content, Unreadable
from lend.embedding.sources import open_source
from lend.embedding.sources.choosing import Columns
from lend.inputs import require

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


def read_images(
    data: Any,  # noqa: ANN401 (as lend.embed takes it)
    ids: Iterable[Any],
    *,
    size: int = 128,
    image_column: str | None = None,
    id_column: str | None = None,
) -> list[np.ndarray | None]:
    """Return the pixels of some images of a source, to show them: such as the worst labels of an audit.

    Args:
        data: As :func:`lend.embed` takes it; the source is gone through once, and only these are decoded.
        ids: Which ones.
        size: Pixels of the shorter side that are enough: a large JPEG is decoded at a part of its size.
        image_column: As :func:`lend.embed` takes it.
        id_column: Likewise.

    Returns:
        One array (height, width, 3), uint8, for each id; None where the image cannot be read.

    Raises:
        ValueError: If there are no such images; names the first id.
    """
    source = open_source(data, columns=Columns(image=image_column, id=id_column))
    require(source.kind == IMAGES, "data", "images", source.kind)
    places = {name: place for place, name in enumerate(source.ids)}
    wanted = list(ids)
    unknown = [name for name in wanted if name not in places]
    require(not unknown, "ids", f"of {source.place}", unknown[:1])
    needed = {places[name] for name in wanted}
    found: dict[int, np.ndarray | None] = {}
    for place, content in zip(range(1 + max(needed, default=-1)), source.contents(0), strict=False):
        if place in needed:
            try:
                found[place] = read_image(content, size)[0]
            except Exception:  # decoders raise many kinds; the embedding has told of it
                found[place] = None
    return [found[places[name]] for name in wanted]


def whole_square(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize a whole image to a square, (size, size, 3), bilinear: nothing is cut off, and proportions may change."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR))
