"""The images behind a table of embeddings, decoded one by one when somebody looks at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np

from lend.embedding.images import read_image
from lend.embedding.source import IMAGES, Source
from lend.embedding.sources import open_source
from lend.embedding.sources.choosing import Columns

SIDE = 256  # pixels of the shorter side that are looked at, at least


class Originals(Sequence[np.ndarray]):
    """Images of a source in the order of some ids: (height, width, 3), uint8.

    Args:
        source: Images.
        ids: Ids of the source.
    """

    def __init__(self, source: Source, ids: Sequence[Any]) -> None:
        self._source, self._ids = source, ids
        self._places: Mapping[Any, int] = {name: place for place, name in enumerate(source.ids)}

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, place: int | slice) -> np.ndarray | Sequence[np.ndarray]:
        """Decode the image at a place; a slice decodes nothing yet."""
        if isinstance(place, slice):
            return Originals(self._source, self._ids[place])
        return read_image(next(self._source.contents(self._places[self._ids[place]])), SIDE)[0]


def originals(
    data: Any,  # noqa: ANN401 (a path, or what embed_files has opened)
    ids: Sequence[Any],
    columns: Mapping[str, str | None] | None = None,
) -> Sequence[Any] | None:
    """Return the images of a path in the order of some ids; None where it holds texts.

    Each is decoded when it is asked for: (height, width, 3), uint8, a large JPEG at a part of its size.

    Args:
        data: A path, as :func:`lend.embed` takes it; or ``source`` of what :func:`lend.embedding.embed_files` returned.
        ids: Of the table of embeddings.
        columns: Names of the columns of a path by their use: image, text, label, id.
    """
    source = data if isinstance(data, Source) else open_source(data, columns=Columns(**(columns or {})))
    return Originals(source, ids) if source.kind == IMAGES else None
