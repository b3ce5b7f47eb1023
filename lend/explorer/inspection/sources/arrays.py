"""Arrays: embeddings with their labels, of one epoch or of several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from lend.explorer.inspection.columns import LABELS
from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.pixels import Images
from lend.explorer.inspection.sources.embedded import inspect_embeddings
from lend.explorer.inspection.sources.labelled import Given, label_columns
from lend.inputs import align, align_rows, as_ids, as_matrix, index_of, require, to_numpy

EPOCH = "epoch"
TAKEN = ("x", "y", EPOCH, "sample_id", "embeddings")  # names that no further column may have


def of_arrays(
    embeddings: Any,  # noqa: ANN401 (arrays of any library here and below)
    labels: Any = None,  # noqa: ANN401
    *,
    true_labels: Any = None,  # noqa: ANN401
    predicted: Any = None,  # noqa: ANN401
    sample_ids: Any = None,  # noqa: ANN401
    columns: Any = None,  # noqa: ANN401
    images: Images = None,
    map: Any = None,  # noqa: ANN401
    **options: Any,  # noqa: ANN401
) -> Inspection:
    """Inspect embeddings with their labels; arguments and errors are those of :func:`lend.explore`."""
    several = isinstance(embeddings, Mapping)
    by_epoch = embeddings if several else {0: embeddings}
    require(len(by_epoch) > 0, "embeddings", "an array, or a mapping of epochs to arrays", "an empty mapping")
    n = as_matrix(by_epoch[min(by_epoch)]).shape[0]
    arguments = {"labels": labels, "true_labels": true_labels, "predicted": predicted}
    carried = next((index_of(values) for values in arguments.values() if values is not None), None)
    ids = as_ids(sample_ids, n, carried)
    order = ids if carried is None and sample_ids is not None else carried
    given = Given(sorted(by_epoch), n, order)
    known = {"noisy": "labels", "true": "true_labels", "predicted": "predicted"}  # argument by column
    found = {column: (argument, arguments[argument]) for column, argument in known.items()}
    others = _further(align(columns, n, order, "columns"))
    twice = [name for name in others if name in found and found[name][1] is not None]
    require(not twice, "columns", "other than the labels that are given", twice)
    found |= {name: (f"columns[{name!r}]", values) for name, values in others.items() if name in LABELS}
    labelled = {name: pair for name, pair in found.items() if pair[1] is not None}
    parts: dict[str, dict[int, Any]] = {**label_columns(labelled, given, options.get("class_names"))}
    parts |= {
        name: given.of(values, f"columns[{name!r}]", _series) for name, values in others.items() if name not in LABELS
    }
    tables = [pd.DataFrame({name: values[epoch] for name, values in parts.items()}) for epoch in given.epochs]
    tables = [table.set_axis(ids) for table in tables]
    whole = pd.concat(tables, keys=given.epochs, names=[EPOCH]) if several else tables[0]
    images = align(images, n, order, "images")
    images = images.tolist() if isinstance(images, pd.Series) else images
    options["map"] = _Aligned(map, order, "map") if isinstance(map, Mapping) else align_rows(map, order, "map")
    rows = _Aligned(by_epoch, order, "embeddings")
    return inspect_embeddings(whole, rows, EPOCH if several else None, images, options)


def _further(columns: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the further columns by name."""
    if columns is None:
        return {}
    fits = isinstance(columns, pd.DataFrame | Mapping)
    require(fits, "columns", "a frame, or a mapping of names to values", type(columns).__name__)
    taken = [name for name in columns if name in TAKEN]
    require(not taken, "columns", f"of other names than {', '.join(TAKEN)}", taken)
    return {name: columns[name] for name in columns}


def _series(values: Any, name: str) -> pd.Series:  # noqa: ANN401
    return values.reset_index(drop=True) if isinstance(values, pd.Series) else pd.Series(to_numpy(values, name))


class _Aligned(Mapping[int, Any]):
    """Arrays of epochs, those with an index in the order of the labels; each is read when it is asked for."""

    def __init__(self, by_epoch: Mapping[int, Any], order: pd.Index | None, name: str) -> None:
        self.by_epoch, self.order, self.name = by_epoch, order, name

    def __len__(self) -> int:
        return len(self.by_epoch)

    def __iter__(self) -> Iterator[int]:
        return iter(self.by_epoch)

    def __getitem__(self, epoch: int) -> Any:  # noqa: ANN401
        return align_rows(self.by_epoch[epoch], self.order, self.name)
