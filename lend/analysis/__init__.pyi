from . import maps, memorisation
from .copies import changes
from .curves import CURVES, accuracy_summary, label_accuracy
from .maps import Map, Sample, affinities, aligned_tsne, kind_of, make_maps, map, maps_of, principal_plane, rows_to_map
from .matrices import asked_matrix, matrix_table, noise_matrices
from .plane import TOY_STEPS, toy, toy_edges, toy_embeddings, toy_shares
from .shares import share_of
from .snapshots import neighbor_purity, snapshot_numbers, snapshot_points, snapshot_table
from .steps import STEPS, components, limit_labels, rediluted_labels, step_accuracy
from .words import dataset_name, describe

__all__ = [
    "CURVES",
    "Map",
    "STEPS",
    "Sample",
    "TOY_STEPS",
    "accuracy_summary",
    "affinities",
    "aligned_tsne",
    "asked_matrix",
    "changes",
    "components",
    "dataset_name",
    "describe",
    "kind_of",
    "label_accuracy",
    "limit_labels",
    "make_maps",
    "map",
    "maps",
    "maps_of",
    "matrix_table",
    "memorisation",
    "neighbor_purity",
    "noise_matrices",
    "principal_plane",
    "rediluted_labels",
    "rows_to_map",
    "share_of",
    "snapshot_numbers",
    "snapshot_points",
    "snapshot_table",
    "step_accuracy",
    "toy",
    "toy_edges",
    "toy_embeddings",
    "toy_shares",
]
