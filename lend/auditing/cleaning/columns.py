"""A column of labels of Arrow: as texts, and with some of them changed; of its type before and after."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lend.auditing.cleaning.corrections import Correction
from lend.auditing.cleaning.options import before_name
from lend.auditing.cleaning.rows import like_known
from lend.inputs import require


class Labels:
    """The labels of a table of Arrow.

    Args:
        schema: Schema of the table.
        name: Their column: of texts, whole numbers, also as floats, or booleans, or a dictionary of such.
        corrections: What is to be done. Where all their words are class names that Hugging Face's library keeps in the
            schema, labels are these names; otherwise what stands in the column.
        place: What the table is called in errors.

    Raises:
        ValueError: If the column is of another type.
    """

    def __init__(self, schema: Any, name: str, corrections: Sequence[Correction], place: str) -> None:  # noqa: ANN401
        import pyarrow as pa

        self.name, self.type = name, schema.field(name).type
        inner = self.type.value_type if pa.types.is_dictionary(self.type) else self.type
        of = pa.types
        texts = (of.is_string, of.is_large_string, of.is_string_view)
        kinds = (*texts, of.is_integer, of.is_floating, of.is_boolean, of.is_null)
        allowed = f"a column of texts, whole numbers or booleans in {place}"
        require(any(kind(inner) for kind in kinds), f"column {name!r}", allowed, str(self.type))
        words = {word for each in corrections for word in (each.before, each.after) if word is not None}
        names = class_names(schema.metadata, name)
        self.names = names if names is not None and words <= set(names) else None

    def text(self, value: Any) -> str | None:  # noqa: ANN401 (a cell)
        """Return a label as the corrections write it; None without one."""
        if isinstance(value, float):  # pandas keeps whole numbers so where one is missing
            value = None if value != value else int(value) if value.is_integer() else value
        if value is None or self.names is None:
            return None if value is None else str(value)
        return self.names[value] if 0 <= value < len(self.names) else str(value)

    def known(self, values: Iterable[Any]) -> dict[str | None, Any]:
        """Return the value of each class: those that occur, and all that the schema names."""
        named = {} if self.names is None else dict(zip(self.names, range(len(self.names)), strict=True))
        there: dict[str | None, Any] = {text: value for value in values if (text := self.text(value)) is not None}
        return there | named

    def changed(self, column: Any, new: Mapping[int, str], known: Mapping[str | None, Any]) -> Any:  # noqa: ANN401
        """Return the column, of its type, with new labels in some rows.

        Args:
            column: The column, or a part of it.
            new: The class of each row that changes.
            known: Of :meth:`known`.
        """
        import pyarrow as pa

        values = {row: like_known(text, known) for row, text in new.items()}
        if not pa.types.is_dictionary(self.type):
            entries = column.to_pylist()
            for row, value in values.items():
                entries[row] = value
            return pa.array(entries, self.type)
        whole = _one_chunk(column)
        entries, codes = whole.dictionary.to_pylist(), whole.indices.to_pylist()
        for row, value in values.items():
            entries += [] if value in entries else [value]
            codes[row] = entries.index(value)
        return pa.DictionaryArray.from_arrays(
            pa.array(codes, self.type.index_type), pa.array(entries, self.type.value_type), ordered=self.type.ordered
        )


def _one_chunk(column: Any) -> Any:  # noqa: ANN401
    """Return a column as one array of one dictionary."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    whole = column.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def class_names(metadata: Mapping[bytes, bytes] | None, name: str) -> list[str] | None:
    """Return the class names that Hugging Face's library keeps in a schema; None where there are none."""
    try:
        names = json.loads((metadata or {})[b"huggingface"])["info"]["features"][name]["names"]
        return [str(each) for each in names]
    except (KeyError, TypeError, ValueError):
        return None


def with_before(schema: Any, name: str) -> Any:  # noqa: ANN401
    """Return the schema with a column for the labels before after that of the labels, also in its metadata."""
    place, before = schema.get_field_index(name), before_name(name)
    wider = schema.insert(place + 1, schema.field(name).with_name(before))
    metadata = dict(schema.metadata or {})
    for key, change in ((b"huggingface", _hugging_face), (b"pandas", _pandas)):
        if key in metadata:
            metadata[key] = json.dumps(change(json.loads(metadata[key]), name, before)).encode()
    return wider.with_metadata(metadata or None)


def with_feature(features: dict[str, Any], name: str, before: str) -> dict[str, Any]:
    """Return features of Hugging Face's library with one more, after the one that it is like."""
    return {
        key: value
        for feature, about in features.items()
        for key, value in ([(feature, about), (before, about)] if feature == name else [(feature, about)])
    }


def _hugging_face(about: dict[str, Any], name: str, before: str) -> dict[str, Any]:
    features = about.get("info", {}).get("features")
    return (
        about if not features else about | {"info": about["info"] | {"features": with_feature(features, name, before)}}
    )


def _pandas(about: dict[str, Any], name: str, before: str) -> dict[str, Any]:
    columns = []
    for column in about.get("columns", []):
        columns.append(column)
        if column.get("field_name") == name:
            columns.append(column | {"name": before, "field_name": before})
    return about | {"columns": columns}
