"""Embeddings as maps in the plane: t-SNE in which points keep their place from epoch to epoch."""

from lend.maps.arrays import map_embeddings as map
from lend.maps.arrays import maps_of
from lend.maps.making import kind_of, make_maps
from lend.maps.sample import Sample
from lend.maps.settings import rows_to_map
from lend.maps.starts import principal_plane
from lend.maps.tsne import affinities, aligned_tsne

__all__ = [
    "Sample",
    "affinities",
    "aligned_tsne",
    "kind_of",
    "make_maps",
    "map",
    "maps_of",
    "principal_plane",
    "rows_to_map",
]
