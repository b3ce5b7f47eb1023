"""What is to be embedded: ids and labels in memory, images or texts read one after another when they are needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lend.inputs import as_ids, as_labels, require, require_encodable

IMAGES, TEXTS = "images", "texts"


@dataclass(frozen=True)
class Unreadable:
    """In place of an image or a text that cannot be had: why."""

    reason: str


# An encoded image or its file, decoded pixels (height, width, 1 or 3) of uint8, a text, or none of these.
Content = bytes | Path | np.ndarray | str | Unreadable


@dataclass(frozen=True, eq=False)
class Source:
    """Images or texts of a data set, with what is known of them.

    Args:
        kind: "images" or "texts".
        place: Where they come from, for messages.
        ids: (n,) ids, all different.
        labels: (n,) integers, booleans or texts, None where unknown; None if none is known.
        contents: The images or texts from a position on, in order, one for each id.
        digest: Of all that tells this source from another.
        paths: (n,) places of the images inside the source, where they have any.
    """

    kind: str
    place: str
    ids: Sequence[Any]
    labels: list[Any] | None
    contents: Callable[[int], Iterator[Content]]
    digest: str
    paths: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.ids)


def make_source(
    kind: str,
    place: str,
    contents: Callable[[int], Iterator[Content]],
    n: int,
    told: Iterable[object],
    *,
    labels: Any = None,  # noqa: ANN401 (labels of any kind)
    ids: Any = None,  # noqa: ANN401
    paths: Sequence[str] | None = None,
) -> Source:
    """Return a source after its ids and labels have been checked.

    Args:
        kind: "images" or "texts".
        place: Where they come from, for errors.
        contents: As in :class:`Source`.
        n: Number of images or texts.
        told: What tells the contents from others, such as names, sizes and times of files.
        labels: As :func:`lend.inputs.as_labels` takes them; None where none is known.
        ids: As :func:`lend.inputs.as_ids` takes them; positions if None.
        paths: As in :class:`Source`.

    Raises:
        ValueError: If there is nothing to embed, or ids or labels are not as described.
    """
    require(n > 0, place, f"{kind}, at least one", "none")
    index = as_ids(ids, n, name=f"{place}: ids")
    known = _known_labels(labels, n, place)
    if index.dtype == object or index.dtype.kind not in "iu":
        require_encodable(index, f"{place}: ids")
    digest = hashlib.sha256(json.dumps([kind, list(map(str, told))]).encode())
    for part in (index.tolist(), known):
        digest.update(json.dumps(part).encode())
    return Source(kind, place, index.tolist(), known, contents, digest.hexdigest(), paths)


def _known_labels(labels: Any, n: int, place: str) -> list[Any] | None:  # noqa: ANN401
    """The labels as plain Python values, None where missing; None where all are."""
    if labels is None:
        return None
    require(len(labels) == n, f"{place}: labels", f"of length {n}, one per example", len(labels))
    if isinstance(labels, list) and all(label is None for label in labels):
        return None
    encoded = as_labels(labels, f"{place}: labels")
    require_encodable(encoded.names, f"{place}: labels")
    names = [*encoded.names, None]
    return [names[code] for code in encoded.codes.tolist()]


def file_signs(files: Iterable[Path]) -> Iterator[str]:
    """What tells files from others without reading them: name, bytes, and time of the last change."""
    for file in files:
        try:
            status = file.stat()
        except OSError:  # such as a link to nothing: left out when it is read
            yield f"{file.name} unreadable"
        else:
            yield f"{file.name} {status.st_size} {status.st_mtime_ns}"
