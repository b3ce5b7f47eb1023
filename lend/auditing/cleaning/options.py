"""What :func:`lend.apply` may be told beside corrections, data and place: checked once, then handed to the formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lend.inputs import require, require_name

LABELS = ("label", "labels", "fine_label", "class", "target")  # columns of labels, as lend.embed finds them


@dataclass(frozen=True)
class Options:
    """Options of one call, as :func:`lend.apply` describes them."""

    column: str | None = None
    id_column: str | None = None
    split: str | None = None
    link: bool = False
    new_classes: bool = False

    def refuse(self, place: str, *names: str) -> None:
        """Raise a ValueError if one of these options is given: the data in this place has no use for it."""
        for name in names:
            require(not getattr(self, name), name, f"left out: {place} is no data that it is for", getattr(self, name))

    def columns(self, names: Sequence[str], place: str, own_ids: str | None = None) -> tuple[str, str | None]:
        """Return the column of the labels, and that of the ids, or None where they are the numbers of the rows.

        Args:
            names: All columns.
            place: What the table is called in errors.
            own_ids: Column of the ids where none is named, if the table says that it has one.
        """
        ids = self.id_column or own_ids
        others = [name for name in names if name != ids]
        usual = next((name for name in LABELS if name in others), LABELS[0])
        label = self.column or (others[0] if len(others) == 1 else usual)
        for argument, name in (("column", label), ("id_column", ids)):
            if name is not None:
                require_name(name, names, f"{argument} of {place}")
        before = before_name(label)
        free = f"without a column {before!r}, which is to hold the labels as they were: rename it, or drop it"
        require(before not in names, place, free, list(names))
        return label, ids


def before_name(label: str) -> str:
    """The column that keeps the labels as they were."""
    return f"{label}_before"
