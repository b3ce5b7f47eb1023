"""Embeddings as maps in the plane: t-SNE in which points keep their place from epoch to epoch."""

from lend.analysis.maps.arrays import map_embeddings as map
from lend.analysis.maps.arrays import maps_of
from lend.analysis.maps.kept import Map
from lend.analysis.maps.making import kind_of, make_maps
from lend.analysis.maps.sample import Sample
from lend.analysis.maps.settings import rows_to_map
from lend.analysis.maps.starts import principal_plane
from lend.analysis.maps.tsne import affinities, aligned_tsne

__all__ = [
    "Map",
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
