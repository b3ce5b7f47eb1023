"""Images and texts in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lend.embedding.source import IMAGES, TEXTS, Content, Source, Unreadable, make_source
from lend.embedding.sources.tables import texts_of
from lend.inputs import align_rows, as_ids, index_of, is_tensor, require, to_numpy

FORMS = "texts, image files, encoded images, arrays of pixels or images of Pillow"


def open_memory(data: Any, labels: Any, ids: Any) -> Source:  # noqa: ANN401 (arrays and lists of any library)
    """Images or texts in memory, one for each label.

    Args:
        data: An array of images, uint8, (n, height, width), (n, height, width, channels) or (n, channels, height,
            width) of 1 or 3 channels; or a list of images or a list of texts. An image is a Path, the bytes of a file,
            an array of pixels or an image of Pillow.
        labels: (n,) labels, or None; a Series in the order of the data's own index, where both name the same examples.
        ids: (n,) ids, or None: the index of a Series, else positions.

    Raises:
        ValueError: If it is none of these.
    """
    index = index_of(data)
    labels = align_rows(labels, index, "labels")
    if ids is None and index is not None and index.is_unique:
        ids = as_ids(None, len(data), index)
    if is_tensor(data) or (isinstance(data, np.ndarray) and data.dtype != object and data.dtype.kind not in "US"):
        items: Any = _channels_last(to_numpy(data, "data"))
        told: Any = [items.shape, hashlib.sha256(np.ascontiguousarray(items).data).hexdigest()]
    else:
        sized = hasattr(data, "__len__") and hasattr(data, "__iter__") and not isinstance(data, str | bytes | dict)
        require(sized, "data", f"a path, or a list or an array of {FORMS}", type(data).__name__)
        items = list(data)
        told = [hashlib.sha256(b"".join(map(_sign, items))).hexdigest()]
    first = next((item for item in items if item is not None), None)
    if isinstance(first, str):
        return make_source(TEXTS, "data", texts_of(items), len(items), told, labels=labels, ids=ids)
    require(_is_image(first), "data", f"a list of {FORMS}", type(first).__name__)

    def contents(start: int) -> Iterator[Content]:
        return map(_as_image, items[start:])

    return make_source(IMAGES, "data", contents, len(items), told, labels=labels, ids=ids)


def _is_image(item: object) -> bool:
    return isinstance(item, bytes | Path | np.ndarray) or is_tensor(item) or hasattr(item, "convert")


def _as_image(item: Any) -> Content:  # noqa: ANN401
    if isinstance(item, bytes | Path):
        return item
    if hasattr(item, "convert"):
        return np.asarray(item.convert("RGB"))
    try:
        return _channels_last(to_numpy(item, "image")[None])[0]
    except ValueError as error:
        return Unreadable(str(error))


def _sign(item: Any) -> bytes:  # noqa: ANN401
    """The digest of one item."""
    if isinstance(item, str | Path):
        content = str(item).encode("utf-8", "surrogatepass")
    elif isinstance(item, bytes):
        content = item
    elif hasattr(item, "tobytes") and not is_tensor(item):
        content = item.tobytes()
    else:
        content = repr(item).encode()
    return hashlib.sha256(type(item).__name__.encode() + content).digest()


def _channels_last(array: np.ndarray) -> np.ndarray:
    """Images as (n, height, width, channels); an axis of length 1 or 3 is the channels, the last one where two are."""
    if array.dtype == np.uint8 and array.ndim == 3:
        array = array[..., None]
    elif array.ndim == 4 and array.shape[3] not in (1, 3) and array.shape[1] in (1, 3):
        array = array.transpose(0, 2, 3, 1)
    fits = array.dtype == np.uint8 and array.ndim == 4 and array.shape[3] in (1, 3) and array.size > 0
    allowed = "images of uint8, (n, height, width), (n, height, width, channels) or (n, channels, height, width)"
    require(fits, "data", f"{allowed} with 1 or 3 channels", f"{array.dtype} of shape {array.shape}")
    return array
