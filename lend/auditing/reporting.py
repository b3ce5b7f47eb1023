"""The report of an audit: a map where there is none, and the page, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lend import storage
from lend.auditing.inputs import parts_of
from lend.auditing.report import Audited, html_page
from lend.inputs import align_rows, as_count, as_matrix, require

POINTS, PERPLEXITY = 2000, 30  # of a map that is made for a report: a second
LEAST = 50  # fewer are no map
ENDINGS = (".html", ".htm")


def write_report(
    found: Audited,
    path: str | Path,
    map: Any,  # noqa: ANN401 (an array of any library)
    embeddings: Any,  # noqa: ANN401 (of which a map is made where there is none)
    title: str,
    images: Any,  # noqa: ANN401
    texts: Any,  # noqa: ANN401
    examples: int,
    progress: bool,
) -> Path:
    """Write an audit as one HTML file; arguments and errors are those of :meth:`lend.Audit.report`."""
    path = Path(path).expanduser()
    require(path.suffix.lower() in ENDINGS, "path", f"a file name ending in {' or '.join(ENDINGS)}", str(path))
    examples, why = as_count(examples, "examples"), ""
    if map is None:
        map, why = _map_of(embeddings, found.issues.index, progress)
    elif map is False:
        map = None
    page = html_page(found, title=title, images=images, texts=texts, map=map, why_no_map=why, examples=examples)
    return storage.write_text(path, page)


def _map_of(embeddings: Any, ids: pd.Index, progress: bool) -> tuple[Any, str]:  # noqa: ANN401
    """Return coordinates of the examples, or None and why there are none."""
    from lend.analysis import aligned_tsne, rows_to_map

    if embeddings is None:
        return None, ""
    n = len(ids)
    if n < LEAST:
        return None, f"{n} examples are too few for a map."
    rows, places = rows_to_map(np.zeros(n, np.int64), min(POINTS, n)), np.full((n, 2), np.nan, np.float32)
    some, perplexity = as_matrix(align_rows(parts_of(embeddings)[-1], ids))[rows], min(PERPLEXITY, (len(rows) - 1) / 3)
    try:
        places[rows] = next(aligned_tsne([some], perplexity=perplexity, quick=True, progress=progress))[0]
    except FloatingPointError:
        return None, "The embeddings are so alike that they make no map."
    return places, ""
