"""Nearest neighbours of anyone's embeddings, of any size.

:func:`nearest` compares all pairs; :func:`lend.knn_graph` picks a search by size (exact, clusters, faiss) and measures
its recall; :func:`lend.sharded_graph` works on shards that no process could hold together. Cosine everywhere.
"""

from lend.neighbors.exact import nearest, unit_rows
from lend.neighbors.graph import EXACT, KnnGraph, as_graph, knn_graph, require_one
from lend.neighbors.rows import Rows
from lend.neighbors.shards import read_shard, sharded_graph
from lend.neighbors.sparse import unit_rows_of_sparse
from lend.neighbors.threads import torch_threads

__all__ = [
    "EXACT",
    "KnnGraph",
    "Rows",
    "as_graph",
    "knn_graph",
    "nearest",
    "read_shard",
    "require_one",
    "sharded_graph",
    "torch_threads",
    "unit_rows",
    "unit_rows_of_sparse",
]
