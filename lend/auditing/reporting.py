"""The report of an audit: a map where there is none, and the page, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lend import storage
from lend.auditing.inputs import check_shown, parts_of
from lend.inputs import align_rows, as_count, require

if TYPE_CHECKING:
    from lend.auditing.result import Audit

POINTS = 2000  # examples on a map that is made for a report: seconds
LEAST = 50  # fewer are no map
ENDINGS = (".html", ".htm")


def write_report(
    found: Audit,
    path: str | Path,
    map: Any,  # noqa: ANN401 (an array of any library)
    title: str,
    images: Any,  # noqa: ANN401
    texts: Any,  # noqa: ANN401
    examples: int,
    progress: bool,
) -> Path:
    """Write an audit as one HTML file; arguments and errors are those of :meth:`lend.Audit.report`."""
    from lend.report import html_page

    path, n = Path(path).expanduser(), len(found.issues)
    require(path.suffix.lower() in ENDINGS, "path", f"a file name ending in {' or '.join(ENDINGS)}", str(path))
    images = found.images if images is None else check_shown(images, n, found.issues.index)
    texts = found.texts if texts is None else check_shown(texts, n, found.issues.index, "texts")
    examples, why = as_count(examples, "examples"), ""
    if map is None:
        map, why = _map_of(found, progress)
    elif map is False:
        map = None
    page = html_page(found, title=title, images=images, texts=texts, map=map, why_no_map=why, examples=examples)
    return storage.write_text(path, page)


def _map_of(found: Audit, progress: bool) -> tuple[Any, str]:
    """Return coordinates of the examples, or None and why there are none."""
    from lend.maps import map as map_embeddings

    embeddings, n = found.embeddings, len(found.issues)
    if embeddings is None:
        return None, ""
    if n < LEAST:
        return None, f"{n} examples are too few for a map."
    last = align_rows(parts_of(embeddings)[-1], found.issues.index)
    try:
        places = map_embeddings(last, points=min(POINTS, n), progress=progress)
    except FloatingPointError:
        return None, "The embeddings are so alike that they make no map."
    return np.asarray(places), ""
