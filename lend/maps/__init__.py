"""Embeddings as maps in the plane: t-SNE in which points keep their place from epoch to epoch."""

from lend.maps.making import kind_of, make_maps
from lend.maps.tsne import affinities, aligned_tsne, principal_plane

__all__ = [
    "affinities",
    "aligned_tsne",
    "kind_of",
    "make_maps",
    "principal_plane",
]
