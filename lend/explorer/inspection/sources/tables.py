"""Tables: with coordinates, or with a column of embeddings whose map is made."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.media import Media
from lend.explorer.inspection.options import OF_COLUMNS, OF_MAPS, require_options
from lend.explorer.inspection.rows import finite_places, require_columns, rows_by_epoch, with_index_levels
from lend.explorer.inspection.sources.embedded import inspect_embeddings
from lend.inputs import as_matrix, read_table

EMBEDDINGS = "embeddings"  # the column whose cells are lists of numbers
UNNAMED = "__index_level_0__"  # what pandas calls an index without a name in a parquet file


def is_table_file(data: object) -> bool:
    """Whether this is the path of a parquet file."""
    named = isinstance(data, str | PathLike) and Path(data).suffix.lower() == ".parquet"
    return named and not Path(data).expanduser().is_dir()  # type: ignore[arg-type]


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Read a table; its index as it was written."""
    frame = read_table(path, name="data")
    return frame.set_index(UNNAMED).rename_axis(None) if UNNAMED in frame else frame


def of_table(frame: pd.DataFrame, media: Media, options: Mapping[str, Any]) -> Inspection:
    """Inspect a table: by its coordinates, by its embeddings, or by both; options are those of :func:`lend.explore`."""
    table = with_index_levels(frame)
    if EMBEDDINGS not in table:
        require_options(options, OF_COLUMNS, "a table without embeddings")
        return Inspection.of_frame(frame, images=media.images, texts=media.texts, **options)
    require_options(options, (*OF_COLUMNS, *OF_MAPS), "a table with embeddings")
    x, y, epoch = options.get("x", "x"), options.get("y", "y"), options.get("epoch")
    epoch = "epoch" if epoch is None and "epoch" in table else epoch
    settings = dict(options)
    matrix = as_matrix(table[EMBEDDINGS].tolist(), f"column {EMBEDDINGS!r}")
    table = table.drop(columns=EMBEDDINGS)
    located = bool({x, y} & set(table.columns)) or bool({"x", "y"} & set(options))
    if located:
        require_columns(table, x, y, epoch)
    _, rows = rows_by_epoch(table, epoch)
    if located and settings.get("map") is None:
        places = finite_places(table, x, y)
        settings["map"] = {number: places[part] for number, part in rows.items()}
        table = table.drop(columns=[x, y])
    by_epoch = {number: matrix[part] for number, part in rows.items()}
    return inspect_embeddings(table, by_epoch, epoch, media, settings)
