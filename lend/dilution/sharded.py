"""Dilution of embeddings that no single process can hold, on a Dask cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lend.dilution.dilution import dilute
from lend.inputs import Dilution
from lend.neighbors import read_shard, sharded_graph

if TYPE_CHECKING:
    from distributed import Client


def sharded_dilute(
    sources: Sequence[str | Path],
    labels: np.ndarray | Sequence[str | Path],
    client: Client,
    *,
    k: int = 8,
    name: str = "embeddings",
    label_name: str = "labels",
    progress: bool = True,
    **options: Any,  # noqa: ANN401
) -> np.ndarray:
    """Dilute the labels of all shards: what :func:`lend.dilute` gives for the embeddings in one piece.

    This process holds the graph, n times k neighbours, and the distributions, n times c; embeddings stay with the
    workers, two shards at a time. An audit goes the same way: ``lend.audit(None, labels, knn_graph=graph)`` of the
    graph from :func:`sharded_graph`.

    Args:
        sources: Shards of embeddings, as in :func:`sharded_graph`.
        labels: (n,) noisy labels, integers 0..c-1, or shards of them, in the order of the embeddings.
        client: Client of the Dask cluster.
        k: Neighbours of each example.
        name: Column or array of the embeddings in each shard.
        label_name: Column or array of the labels in each shard of them.
        progress: Show a progress bar.
        options: Further arguments of :func:`lend.dilute`.

    Returns:
        (n, c) label distributions, float32.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.
    """
    settings = {name: value for name, value in options.items() if name in Dilution.__dataclass_fields__}
    Dilution(k, **settings)  # before the long work
    graph = sharded_graph(sources, k, client, name=name, progress=progress)
    return dilute(None, _labels(labels, label_name), k=k, knn_graph=graph, **options)


def _labels(labels: np.ndarray | Sequence[str | Path], name: str) -> np.ndarray:
    if isinstance(labels, np.ndarray):
        return labels
    return np.concatenate([read_shard(source, name) for source in labels])
