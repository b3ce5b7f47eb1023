"""Arrays: embeddings with their labels, of one epoch or of several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from lend.explorer.inspection.columns import LABELS
from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.media import Media
from lend.explorer.inspection.sources.embedded import inspect_embeddings
from lend.explorer.inspection.sources.labelled import Given, label_columns
from lend.inputs import align_rows, as_ids, as_matrix, index_of, require, to_numpy

EPOCH = "epoch"
CLASSED = (*LABELS, "given_label", "predicted_label")  # columns of classes; the last two are those of an audit
TAKEN = ("x", "y", EPOCH, "sample_id", "embeddings")  # names that no further column may have


def of_arrays(
    embeddings: Any,  # noqa: ANN401 (arrays of any library here and below)
    labels: Any = None,  # noqa: ANN401
    *,
    true_labels: Any = None,  # noqa: ANN401
    predicted: Any = None,  # noqa: ANN401
    sample_ids: Any = None,  # noqa: ANN401
    columns: Any = None,  # noqa: ANN401
    media: Media,
    map: Any = None,  # noqa: ANN401
    **options: Any,  # noqa: ANN401
) -> Inspection:
    """Inspect embeddings with their labels; arguments and errors are those of :func:`lend.explore`."""
    several = isinstance(embeddings, Mapping)
    by_epoch = embeddings if several else {0: embeddings}
    fits = len(by_epoch) > 0 and all(isinstance(epoch, Integral) for epoch in by_epoch)
    require(fits, "embeddings", "an array, or a mapping of epochs, integers, to arrays", list(by_epoch)[:5])
    n = as_matrix(by_epoch[min(by_epoch)]).shape[0]
    carried = next((index_of(values) for values in (labels, true_labels, predicted) if values is not None), None)
    ids = as_ids(sample_ids, n, carried)
    order = ids if sample_ids is not None and (carried is None or not carried.is_unique) else carried
    given = Given(sorted(by_epoch), n, order)
    known = {"noisy": ("labels", labels), "true": ("true_labels", true_labels), "predicted": ("predicted", predicted)}
    arguments = {column: pair for column, pair in known.items() if pair[1] is not None}
    for column, (name, values) in list(arguments.items())[:1]:  # the labels that all others are put in the order of
        arguments[column] = (name, _in_place(values, n, order))
    table = _table(given, ids, arguments, _further(columns, arguments), options.get("class_names"), several)
    options["map"] = _Aligned(map, order, "map") if isinstance(map, Mapping) else align_rows(map, order, "map")
    rows = _Aligned(by_epoch, order, "embeddings")
    return inspect_embeddings(table, rows, EPOCH if several else None, media.aligned(n, order), options)


def _further(columns: Any, arguments: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:  # noqa: ANN401
    """Return the further columns: how errors name them, and their values."""
    if columns is None:
        return {}
    fits = isinstance(columns, pd.DataFrame | Mapping)
    require(fits, "columns", "a frame, or a mapping of names to values", type(columns).__name__)
    taken = [name for name in columns if name in (*TAKEN, *arguments)]
    require(not taken, "columns", f"of other names than {', '.join((*TAKEN, *arguments))}", taken)
    return {name: (f"columns[{name!r}]", columns[name]) for name in columns}


def _in_place(values: Any, n: int, order: pd.Index | None) -> Any:  # noqa: ANN401
    """Return the values as they are; an index of their own that tells no examples apart does not count."""
    series = isinstance(values, pd.Series) and len(values) == n
    return values.set_axis(pd.RangeIndex(n) if order is None else order) if series else values


def _table(
    given: Given,
    ids: pd.Index,
    arguments: Mapping[str, tuple[str, Any]],
    further: Mapping[str, tuple[str, Any]],
    class_names: Sequence[str] | None,
    several: bool,
) -> pd.DataFrame:
    """The rows of each epoch, one below the other; labels are of the same classes."""
    classed = {**arguments, **{name: pair for name, pair in further.items() if name in CLASSED}}
    columns: dict[str, dict[int, Any]] = {**label_columns(classed, given, class_names)}
    columns |= {name: given.of(pair[1], pair[0], _series) for name, pair in further.items() if name not in CLASSED}
    parts = [
        pd.DataFrame({name: values[epoch] for name, values in columns.items()}).set_axis(ids) for epoch in given.epochs
    ]
    return pd.concat(parts, keys=given.epochs, names=[EPOCH, "sample_id"]).reset_index(EPOCH) if several else parts[0]


def _series(values: Any, name: str) -> pd.Series:  # noqa: ANN401
    if isinstance(values, pd.Series):
        return values.reset_index(drop=True)
    values = values if isinstance(values, list | tuple) else to_numpy(values, name)
    require(isinstance(values, list | tuple) or values.ndim == 1, name, "of shape (n,)", np.shape(values))
    return pd.Series(values)


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
