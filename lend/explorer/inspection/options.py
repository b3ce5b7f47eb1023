"""The named arguments of :func:`lend.explore`, and which of them go with what is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from lend.inputs import require


class Columns(TypedDict, total=False):
    """Which columns of a table hold what; the arguments of `Inspection.of_frame` that only a table takes."""

    x: str
    y: str
    epoch: str | None
    class_names: Sequence[str] | None


class MapOptions(TypedDict, total=False):
    """How embeddings are mapped, or the map that they have."""

    map: Any
    points: int | None
    folder: str | Path | None
    seed: int
    progress: bool


class Options(Columns, MapOptions, total=False):
    """All of them."""

    true_labels: Any
    predicted: Any
    sample_ids: Any
    columns: Any
    embeddings: Any
    answers: str | Path
    review: Any


OF_COLUMNS = tuple(Columns.__annotations__)
OF_MAPS = tuple(MapOptions.__annotations__)
OF_AUDITS = ("embeddings", "answers", "review", *OF_MAPS)
OF_ARRAYS = ("class_names", "true_labels", "predicted", "sample_ids", "columns", *OF_MAPS)


def require_options(options: Mapping[str, Any], allowed: Sequence[str], what: str) -> None:
    """Raise a ValueError that names those options that are not for what is looked at.

    Args:
        options: Those given.
        allowed: Those that go with it.
        what: What it is, in words.
    """
    strange = [name for name in options if name not in allowed]
    require(
        not strange, "options", f"{', '.join(allowed)} or none for {what}" if allowed else f"none for {what}", strange
    )


def map_options(options: Mapping[str, Any]) -> MapOptions:
    """Return those that say how embeddings are mapped."""
    return {name: options[name] for name in OF_MAPS if name in options}  # type: ignore[return-value]  # all are its
