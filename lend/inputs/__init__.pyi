from . import plugins
from .aligned import align, align_rows, as_ids, as_shares, index_of
from .arrays import as_matrix, as_tensor, check_finite, is_sparse, is_tensor, to_numpy
from .batches import Checks, read_index, read_mask, read_rows
from .cells import plain_cell, plain_cells, plain_table, printable, safe_cell, safe_table
from .errors import nearest_name, require, require_encodable, require_known, require_name
from .extras import EXTRAS, MissingExtraError, extra, require_extra
from .labels import Labels, as_codes, as_labels, sort_names
from .numbers import as_count, is_real, is_whole
from .settings import (
    MOST_STEPS,
    PAPER_EPOCHS,
    PAPER_SNAPSHOTS,
    Dilution,
    NamedConfig,
    RunConfig,
    own_code,
    saved_config,
)
from .tables import Layout, read_layout, read_npy, read_table, text_or_numbers

__all__ = [
    "Checks",
    "Dilution",
    "EXTRAS",
    "Labels",
    "Layout",
    "MOST_STEPS",
    "MissingExtraError",
    "NamedConfig",
    "PAPER_EPOCHS",
    "PAPER_SNAPSHOTS",
    "RunConfig",
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
    "own_code",
    "plain_cell",
    "plain_cells",
    "plain_table",
    "plugins",
    "printable",
    "read_index",
    "read_layout",
    "read_mask",
    "read_npy",
    "read_rows",
    "read_table",
    "require",
    "require_encodable",
    "require_extra",
    "require_known",
    "require_name",
    "safe_cell",
    "safe_table",
    "saved_config",
    "sort_names",
    "text_or_numbers",
    "to_numpy",
]
