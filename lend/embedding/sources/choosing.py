"""Which columns of a table are the images or texts, the labels and the ids: those named, or those that can be meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lend.embedding.source import IMAGES, TEXTS
from lend.inputs import nearest_name

if TYPE_CHECKING:
    import pyarrow as pa

IMAGE_NAMES = ("image", "img", "images", "jpg", "png")
TEXT_NAMES = ("text", "texts", "sentence", "content", "document", "review")
LABEL_NAMES = ("label", "labels", "fine_label", "class", "target")
ID_NAMES = ("sample_id", "id")


@dataclass(frozen=True)
class Columns:
    """Names of columns as a user gave them; None is to be found."""

    image: str | None = None
    text: str | None = None
    label: str | None = None
    id: str | None = None


def choose_content(place: str, schema: pa.Schema, columns: Columns) -> tuple[str, str]:
    """Return the kind and the column of the images or texts of typed columns.

    Raises:
        ValueError: If a named column is missing, or none or several can be meant.
    """
    import pyarrow as pa

    named = columns.image if columns.image is not None else columns.text
    if named is not None:
        _require_column(place, schema.names, named, "image" if columns.image is not None else "text")
        return (IMAGES if columns.image is not None else TEXTS), named
    taken = {columns.label, columns.id}

    def holds_image(kind: pa.DataType) -> bool:
        inner = kind.field("bytes").type if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 else kind
        return bool(pa.types.is_binary(inner) or pa.types.is_large_binary(inner))

    def holds_text(kind: pa.DataType) -> bool:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

    images = [field.name for field in schema if holds_image(field.type) and field.name not in taken]
    texts = [field.name for field in schema if holds_text(field.type) and field.name not in taken]
    first = [name for name in IMAGE_NAMES if name in images]
    if first or len(images) == 1:
        return IMAGES, (first or images)[0]
    return TEXTS, _one_of(place, schema.names, texts, TEXT_NAMES)


def choose_columns(
    place: str, names: Sequence[str], columns: Columns, content: str | None = None
) -> tuple[str, str | None, str | None]:
    """Return the columns of the contents, of the labels and of the ids; None where there is none.

    Args:
        place: Of the table, for errors.
        names: Of all columns.
        columns: As the user named them.
        content: Column of the contents, where it is known.

    Raises:
        ValueError: If a named column is missing, or the one of the texts cannot be told.
    """
    for option in ("text", "label", "id"):
        name = getattr(columns, option)
        if name is not None:
            _require_column(place, names, name, option)
    label = columns.label or next((name for name in LABEL_NAMES if name in names and name != content), None)
    ids = columns.id
    if content is None:
        others = [name for name in names if name not in (label, ids, *ID_NAMES)]
        content = columns.text or _one_of(place, names, others, TEXT_NAMES)
    return content, label, ids


def _one_of(place: str, names: Sequence[str], candidates: Sequence[str], usual: Sequence[str]) -> str:
    found = [name for name in usual if name in candidates] or list(candidates)
    if len(found) == 1 or (found and found[0] in usual):
        return found[0]
    raise ValueError(f"{place}: which column holds the texts? name it with text; the columns are {', '.join(names)}")


def _require_column(place: str, names: Sequence[str], name: str, option: str) -> None:
    if name not in names:
        raise ValueError(f"{option}: {place} has no column {name!r}; {nearest_name(name, names)}")
