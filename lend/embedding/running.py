"""The loop: images are decoded in the background while the network embeds those before them."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from lend.embedding.images import read_image
from lend.embedding.model import Model
from lend.embedding.parts import ROWS, Part, Parts
from lend.embedding.source import IMAGES, Content, Source, Unreadable
from lend.embedding.texts import read_text

TOGETHER = 4  # images that one thread prepares at a time: to hand over small ones costs as much as to decode them


class Prepared(NamedTuple):
    """What a batch is made of: a prepared image or text, or why there is none; and notes about the image."""

    item: Any
    notes: list[str]


def embed_parts(source: Source, model: Model, parts: Parts, precision: str, batch_size: int, progress: bool) -> None:
    """Embed what is not among the finished parts, and append it to them.

    Raises:
        ValueError: If the model returns anything but finite numbers of one length, or they do not fit the precision.
    """
    from PIL import Image

    n, done = len(source), min(len(parts) * ROWS, len(source))
    with (
        warnings.catch_warnings(),
        tqdm(total=n, initial=done, desc="embed", unit=f" {source.kind}", disable=not progress, smoothing=0.1) as bar,
    ):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        prepared = _prefetch(source.contents(done), _preparing(source.kind, model), 2 * batch_size)
        try:
            for start in range(done, n, ROWS):
                rows = islice(prepared, min(ROWS, n - start))
                parts.append(_part(start, rows, model, precision, batch_size, bar.update))
        finally:
            prepared.close()


def _preparing(kind: str, model: Model) -> Callable[[Content], Prepared]:
    """What becomes of one image or text in a thread; it never raises."""

    def prepare(content: Content) -> Prepared:
        try:
            if kind == IMAGES:
                pixels, notes = read_image(content, model.size)
                return Prepared(model.prepare(pixels), notes)
            return Prepared(model.prepare(read_text(content)), [])
        except Exception as error:  # decoders raise many kinds
            return Prepared(Unreadable(" ".join(str(error).split()) or type(error).__name__), [])

    return prepare


def _prefetch(
    contents: Iterator[Content], prepare: Callable[[Content], Prepared], ahead: int
) -> Generator[Prepared, None, None]:
    """Prepare contents in threads, so many ahead of the one that is asked for; in their order."""
    workers = min(8, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[list[Prepared]]] = deque()
    try:
        while some := list(islice(contents, TOGETHER)):
            waiting.append(pool.submit(lambda these: [prepare(content) for content in these], some))
            if len(waiting) * TOGETHER > ahead and len(waiting) > workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _part(
    start: int,
    rows: Iterator[Prepared],
    model: Model,
    precision: str,
    batch_size: int,
    advance: Callable[[int], object],
) -> Part:
    positions: list[int] = []
    embeddings: list[np.ndarray] = []
    left_out: dict[int, str] = {}
    notes: dict[str, list[int]] = {}
    position = start
    while batch := list(islice(rows, batch_size)):
        whole = [(position + i, row) for i, row in enumerate(batch)]
        for i, row in whole:
            if isinstance(row.item, Unreadable):
                left_out[i] = row.item.reason
            for note in row.notes:
                notes.setdefault(note, []).append(i)
        kept = [(i, row.item) for i, row in whole if i not in left_out]
        if kept:
            positions += [i for i, _ in kept]
            embeddings.append(_encode(model, [item for _, item in kept], precision))
        position += len(batch)
        advance(len(batch))
    found = np.concatenate(embeddings) if embeddings else np.zeros((0, 0), precision)
    return Part(np.array(positions, np.int64), found, left_out, notes)


def _encode(model: Model, items: Sequence[Any], precision: str) -> np.ndarray:
    name = model.about["name"]
    try:
        found = np.asarray(model.encode(items))
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # networks raise many kinds
        said = " ".join(str(error).split())[:300]
        raise ValueError(f"{name}: cannot embed a batch of {len(items)}: {type(error).__name__}: {said}") from error
    if found.ndim != 2 or len(found) != len(items) or found.dtype.kind != "f":
        raise ValueError(f"{name}: must return numbers ({len(items)}, d), got {found.dtype} of shape {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{name}: its embeddings must be finite, got NaN or infinite numbers")
    with np.errstate(over="ignore"):
        rounded = found.astype(precision)
    if not np.isfinite(rounded).all():
        raise ValueError(f"precision must be float32 for embeddings up to {np.abs(found).max():.3g}, got {precision!r}")
    return rounded
