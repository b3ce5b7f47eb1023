"""A data set of one's own: what its function returned."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lend.data.dataset import Dataset, stratified
from lend.data.labels import read_labels, written
from lend.data.npz import KERAS, from_arrays
from lend.inputs import require, to_numpy

TEST_SHARE = 5  # one example in so many, where there is no test set
_FORMS = (
    "a lend.data.Dataset, a mapping of train_images, train_labels, test_images and test_labels, "
    "((train images, labels), (test images, labels)) or (images, labels)"
)


def as_dataset(result: Any, place: str) -> Dataset:  # noqa: ANN401
    """Return the data set that own code made, in one of four forms.

    - a :class:`Dataset`;
    - a mapping with the names of the npz format, ours or those of Keras;
    - ``((train_images, train_labels), (test_images, test_labels))``;
    - ``(images, labels)``, of which a stratified fifth becomes the test set, which a warning says.

    Images are uint8, labels integers or text, as in an npz file; of any library.

    Args:
        result: What the function returned.
        place: Where the function is, for errors and warnings.

    Raises:
        ValueError: If it is none of these, or an array is not what was expected.
    """
    if isinstance(result, Dataset):
        return result
    if isinstance(result, Mapping):
        named = {own: result[name] for own, keras in KERAS.items() for name in (own, keras) if name in result}
        lacking = [name for name in KERAS if name not in named]
        require(not lacking, place, f"a mapping with {', '.join(KERAS)}", f"one with {', '.join(map(str, result))}")
        further = {name: result[name] for name in ("class_names", "sample_ids") if name in result}
    else:
        pair = isinstance(result, tuple | list) and len(result) == 2
        require(pair, place, _FORMS, type(result).__name__)
        halves = all(isinstance(part, tuple | list) and len(part) == 2 for part in result)
        named, further = _halves(result) if halves else _split(result[0], result[1], place)
    arrays = {name: to_numpy(values, f"{place}: {name}") for name, values in (named | further).items()}
    return from_arrays(arrays, place.rpartition(":")[2], Path(place))


def _halves(result: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401
    return dict(zip(KERAS, [values for part in result for values in part], strict=True)), {}


def _split(images: Any, labels: Any, place: str) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401
    """The arrays of both parts, and the positions of the training examples."""
    images, given = to_numpy(images, f"{place}: images"), read_labels(labels, f"{place}: labels")
    n = len(given)
    require(images.ndim > 0 and len(images) == n, f"{place}: labels", f"{len(images)}, one per image", n)
    test = stratified(given.codes, n // TEST_SHARE, seed=0)
    train = np.setdiff1d(np.arange(n), test)
    warnings.warn(f"{place}: it has no test set: a stratified fifth of its examples is, {len(test):,}", stacklevel=3)
    values = written(given)
    parts = (images[train], values[train], images[test], values[test])
    return dict(zip(KERAS, parts, strict=True)), {"sample_ids": train}
