"""Tables as CSV and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lend.storage.writing import write_atomically, write_text

if TYPE_CHECKING:
    import pandas as pd

PATCH_COLUMNS = ["given_label", "suggested_label", "label_score"]


def write_csv(path: str | Path, table: pd.DataFrame) -> Path:
    """Write a table with its index as UTF-8 CSV; the path back.

    Texts of people go through :func:`lend.inputs.safe_table` before. A lone surrogate is written as it is: read with
    encoding_errors="surrogatepass".
    """
    return write_text(Path(path), table.to_csv())


def write_parquet(path: str | Path, table: pd.DataFrame, index: bool | None = None) -> str:
    """Write a table as Parquet, whole or not at all; its SHA-256 back.

    Args:
        path: File to write.
        table: Whatever pandas writes as Parquet.
        index: Write the index; if not given, as pandas does where there is more to it than positions.

    Raises:
        ValueError: If a text has a lone surrogate, which no Parquet file can hold; names the column.
    """
    try:
        return write_atomically(Path(path), lambda file: table.to_parquet(file, index=index))
    except UnicodeEncodeError as error:
        columns = [(table.index.name, table.index), *table.items()]
        column = next((name for name, values in columns if error.object in (name, *values)), None)
        allowed = "of texts that UTF-8 can encode, without lone surrogates"
        raise ValueError(f"{path}: column {column!r} must be {allowed}, got {error.object!r}") from None


def write_patch(table: pd.DataFrame, path: str | Path) -> Path:
    """Write corrections as CSV, lowest score first: sample_id, given_label, suggested_label, label_score.

    Args:
        table: Index sample_id; the columns as in the file. An unknown score is NaN, which leaves it empty, and last.
        path: File to write.
    """
    return write_csv(path, table[PATCH_COLUMNS].sort_values("label_score", kind="stable"))
