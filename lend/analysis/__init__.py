"""The numbers behind the figures: label accuracy by epoch, snapshots, the toy of the dilution, transition matrices.

Everything is read from a saved run or drawn from a seed; nothing is trained. Accuracies and purities are fractions, and
NaN where the true labels are unknown (-1).
"""

from lend.analysis import memorisation
from lend.analysis.copies import changes
from lend.analysis.curves import CURVES, accuracy_summary, label_accuracy
from lend.analysis.matrices import asked_matrix, matrix_table, noise_matrices
from lend.analysis.plane import TOY_STEPS, toy, toy_edges, toy_embeddings, toy_shares
from lend.analysis.shares import share_of
from lend.analysis.snapshots import neighbor_purity, snapshot_numbers, snapshot_points, snapshot_table
from lend.analysis.steps import STEPS, components, limit_labels, rediluted_labels, step_accuracy
from lend.analysis.words import dataset_name, describe

__all__ = [
    "CURVES",
    "STEPS",
    "TOY_STEPS",
    "accuracy_summary",
    "asked_matrix",
    "changes",
    "components",
    "dataset_name",
    "describe",
    "label_accuracy",
    "limit_labels",
    "matrix_table",
    "memorisation",
    "neighbor_purity",
    "noise_matrices",
    "rediluted_labels",
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
