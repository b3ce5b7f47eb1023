from . import plugins
from .aligned import align, align_rows, as_ids, as_shares, index_of
from .arrays import as_matrix, as_tensor, check_finite, is_sparse, is_tensor, to_numpy
from .batches import Checks, read_index, read_mask, read_rows
from .cells import plain_cell, plain_cells, plain_table, printable, safe_cell, safe_table
from .errors import nearest_name, require, require_encodable, require_known, require_name
from .extras import EXTRAS, MissingExtraError, extra, require_extra
from .labels import Labels, as_codes, as_labels, sort_names
from .numbers import as_count, is_real, is_whole
from .tables import Layout, read_layout, read_npy, read_table, text_or_numbers

__all__ = [
    "Checks",
    "EXTRAS",
    "Labels",
    "Layout",
    "MissingExtraError",
    "align",
    "align_rows",
    "as_codes",
    "as_count",
    "as_ids",
    "as_labels",
    "as_matrix",
    "as_shares",
    "as_tensor",
    "check_finite",
    "extra",
    "index_of",
    "is_real",
    "is_sparse",
    "is_tensor",
    "is_whole",
    "nearest_name",
    "plain_cell",
    "plain_cells",
    "plain_table",
    "plugins",
    "printable",
    "read_layout",
    "read_npy",
    "read_table",
    "read_index",
    "read_mask",
    "read_rows",
    "require",
    "require_encodable",
    "require_extra",
    "require_known",
    "require_name",
    "safe_cell",
    "safe_table",
    "sort_names",
    "text_or_numbers",
    "to_numpy",
]
