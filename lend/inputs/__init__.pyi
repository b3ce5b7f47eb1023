from .aligned import align, align_rows, as_ids, index_of, shares_by_name
from .arrays import as_matrix, as_tensor, is_sparse, is_tensor, to_numpy
from .cells import plain_cell, plain_table, printable, safe_cell, safe_table
from .errors import nearest_name, require, require_name
from .labels import Labels, as_codes, as_count, as_labels, sort_names
from .tables import read_npy, read_table, text_or_numbers

__all__ = [
    "Labels",
    "align",
    "align_rows",
    "as_codes",
    "as_count",
    "as_ids",
    "as_labels",
    "as_matrix",
    "as_tensor",
    "index_of",
    "is_sparse",
    "is_tensor",
    "nearest_name",
    "plain_cell",
    "plain_table",
    "printable",
    "read_npy",
    "read_table",
    "require",
    "require_name",
    "safe_cell",
    "safe_table",
    "shares_by_name",
    "sort_names",
    "text_or_numbers",
    "to_numpy",
]
