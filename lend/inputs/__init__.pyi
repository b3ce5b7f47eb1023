from .cells import plain_cell, plain_table, printable, safe_cell, safe_table
from .errors import nearest_name, require, require_name

__all__ = [
    "nearest_name",
    "plain_cell",
    "plain_table",
    "printable",
    "require",
    "require_name",
    "safe_cell",
    "safe_table",
]
