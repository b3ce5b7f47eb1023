"""Data sets of xarray, with the names of :attr:`lend.Run.dataset`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lend.explorer.inspection.columns import LABELS
from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.media import Media
from lend.explorer.inspection.options import OF_MAPS, require_options
from lend.explorer.inspection.sources.arrays import of_arrays
from lend.inputs import require

if TYPE_CHECKING:
    import xarray as xr

SAMPLE, EPOCH, CLASS = "sample", "epoch", "class"
LARGEST = {"diluted": "diluted", "predicted": "logits"}  # labels that are the largest of each row of a variable


def of_dataset(dataset: xr.Dataset, media: Media, options: Mapping[str, Any]) -> Inspection:
    """Inspect a data set.

    Args:
        dataset: Embeddings with dims sample, another and perhaps epoch. Variables with dims sample and perhaps epoch
            are columns, as of a table: true, noisy, predicted, ...; sample_id, or else the coordinate sample, are the
            sample ids, x and y the places. Of diluted and logits with a further dim class, the largest of each row is
            the diluted and the predicted label. Labels below 0 are unknown. Other variables are left out.
        media: Images and texts of all examples.
        options: Those of :func:`lend.explore`.

    Raises:
        ValueError: If there are no such embeddings, or labels are wrong.
    """
    require_options(options, ("class_names", *OF_MAPS), "a data set")
    have = [str(name) for name in dataset.variables]
    require("embeddings" in have, "data", "a data set with embeddings", f"one of {', '.join(have) or 'nothing'}")
    embeddings = dataset["embeddings"]
    fits = SAMPLE in embeddings.dims and len(set(embeddings.dims) - {SAMPLE, EPOCH}) == 1
    require(fits, "embeddings", "of dims (epoch,) sample, feature", embeddings.dims)
    settings: dict[str, Any] = dict(options)
    if settings.get("class_names") is None and CLASS in dataset.coords and dataset[CLASS].dtype.kind in "UOT":
        settings["class_names"] = dataset[CLASS].values.tolist()
    values = {name: _Epochs(array) if EPOCH in array.dims else _read(array) for name, array in _columns(dataset)}
    x, y = values.pop("x", None), values.pop("y", None)
    if x is not None and y is not None and settings.get("map") is None:
        settings["map"] = _places(x, y, embeddings)
    ids = values.pop("sample_id", dataset[SAMPLE].values if SAMPLE in dataset.coords else None)
    known = {name: values.pop(name, None) for name in ("noisy", "true", "predicted")}
    return of_arrays(
        _Epochs(embeddings) if EPOCH in embeddings.dims else _read(embeddings),
        known["noisy"],
        true_labels=known["true"],
        predicted=known["predicted"],
        sample_ids=ids,
        columns=values,
        media=media,
        **settings,
    )


def _columns(dataset: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """The variables with a value for every example, by name of the column that they are; without unknown labels."""
    varying = {EPOCH} & set(dataset["embeddings"].dims)
    found = {
        str(name): dataset[name]
        for name, variable in dataset.variables.items()
        if SAMPLE in variable.dims and set(variable.dims) <= {SAMPLE, *varying} and name != SAMPLE
    }
    for label, name in LARGEST.items():
        if (
            label not in found
            and name in dataset
            and {SAMPLE, CLASS} <= set(dataset[name].dims) <= {SAMPLE, CLASS, *varying}
        ):
            found[label] = dataset[name].argmax(CLASS)
    for name, array in found.items():
        if name not in LABELS:
            yield name, array
        elif array.dtype.kind not in "if" or bool((array >= 0).any()):
            yield name, array if array.dtype.kind not in "if" else array.where(array >= 0)


def _read(array: xr.DataArray) -> np.ndarray:
    return array.transpose(SAMPLE, ...).values


def _places(x: Any, y: Any, embeddings: xr.DataArray) -> Any:  # noqa: ANN401 (arrays, or mappings of epochs to them)
    if EPOCH not in embeddings.dims:
        return np.column_stack([x, y])
    return {
        epoch: np.column_stack([part[epoch] if isinstance(part, Mapping) else part for part in (x, y)])
        for epoch in _Epochs(embeddings)
    }


class _Epochs(Mapping[int, np.ndarray]):
    """The values of a variable at each epoch, read when they are asked for."""

    def __init__(self, array: xr.DataArray) -> None:
        self.array, self.epochs = array, array[EPOCH].values.tolist()

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[int]:
        return iter(self.epochs)

    def __getitem__(self, epoch: int) -> np.ndarray:
        return _read(self.array.isel({EPOCH: self.epochs.index(epoch)}))
