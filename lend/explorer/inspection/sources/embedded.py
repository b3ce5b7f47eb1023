"""Embeddings beside a table of what is known of their examples: what tables, data sets and arrays become."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.media import Media
from lend.explorer.inspection.options import map_options


def inspect_embeddings(
    table: pd.DataFrame, by_epoch: Mapping[int, Any], epoch: str | None, media: Media, options: Mapping[str, Any]
) -> Inspection:
    """Inspect the maps of embeddings, which are made unless they are given.

    Args:
        table: As `Inspection.of_frame` takes it, but without coordinates.
        by_epoch: Embeddings (n, d) of each epoch of the table, 0 where it has none, in the order of its sample ids.
        epoch: Column of the epochs, or None.
        media: Images and texts, one for each of the n examples.
        options: Those of :func:`lend.explore`.
    """
    from lend.explorer.inspection.mapped_embeddings import MappedEmbeddings  # brings torch, which a table does without

    points = MappedEmbeddings(table, by_epoch, epoch, options.get("class_names"), **map_options(options))
    if points.notes:
        warnings.warn("; ".join(points.notes), stacklevel=2)
    return Inspection(points, *media.of(points.sample_ids, points.rows, points.n))
