"""NumPy archives of images and labels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lend.data.assembling import assemble
from lend.data.dataset import Dataset
from lend.data.files import existing_file, one_line
from lend.data.labels import read_labels, settle_classes
from lend.inputs import as_ids, require

KERAS = {"train_images": "x_train", "train_labels": "y_train", "test_images": "x_test", "test_labels": "y_test"}


def read_npz(path: Path) -> Dataset:
    """One .npz file with our names of the arrays, or those of Keras."""
    file = path if path.suffix.lower() == ".npz" else path.parent / f"{path.name}.npz"
    existing_file(file, "save train_images, train_labels, test_images and test_labels with np.savez_compressed")
    return from_arrays(_read_arrays(file), file.stem, file)


def from_arrays(arrays: Mapping[str, np.ndarray], name: str, source: Path) -> Dataset:
    """A data set from arrays by our names: the file's, or those that own code returned.

    Args:
        arrays: train_images, train_labels, test_images and test_labels; class_names and sample_ids where known.
        name: Of the data set.
        source: Where the arrays come from, for errors.

    Raises:
        ValueError: If an array is not what was expected.
    """
    parts = ("train", "test")
    images = [_channels_first(f"{source}: {part}_images", arrays[f"{part}_images"]) for part in parts]
    train, test = (read_labels(arrays[f"{part}_labels"], f"{source}: {part}_labels") for part in parts)
    names = _class_names(f"{source}: class_names", arrays["class_names"]) if "class_names" in arrays else None
    classes = settle_classes(name, str(source), train, test, names)
    ids = _ids(f"{source}: sample_ids", arrays["sample_ids"]) if "sample_ids" in arrays else None
    return assemble(
        name, (images[0], classes.train), (images[1], classes.test), classes.names, sample_ids=ids, source=source
    )


def _read_arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a data set by our names; others in the file are not read."""
    asks = "save it again with np.savez, without Python objects"
    reading, arrays = "the archive", {}
    try:
        # Opened here, because np.load leaves a file that it refuses open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            stored = {own: [name for name in (own, keras) if name in archive] for own, keras in KERAS.items()}
            stored |= {own: [own] for own in ("class_names", "sample_ids") if own in archive}
            found = list(archive.files)
            for own, names in stored.items():
                if names:
                    reading = names[0]
                    arrays[own] = archive[reading]
    except Exception as error:  # a damaged zip may raise anything
        raise ValueError(
            f"{file}: {reading}: expected number arrays saved by np.savez; {asks} ({one_line(error)})"
        ) from error
    for own, names in stored.items():
        if not names:
            raise ValueError(f"{file}: expected arrays {', '.join(KERAS)}, got {', '.join(found)}")
        require(len(names) == 1, f"{file}: {own}", "one array", " and ".join(names))
    return arrays


def _channels_first(place: str, given: np.ndarray) -> Tensor:
    """Images as (n, channels, height, width); an axis of length 1 or 3 is the channels, the first one where two are."""
    images = given
    if images.dtype == np.uint8 and images.ndim == 3:
        images = images[:, None]
    elif images.dtype == np.uint8 and images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not images.size:
        raise ValueError(
            f"{place}: expected uint8 of shape (n, height, width), (n, height, width, channels) or "
            f"(n, channels, height, width) with 1 or 3 channels, got {given.dtype} of shape {given.shape}"
        )
    return torch.from_numpy(np.ascontiguousarray(images))


def _class_names(place: str, given: np.ndarray) -> tuple[str, ...]:
    """Names of text, bytes or integers of shape (c,), (c, 1) or (1, c)."""
    fits = given.dtype.kind in "USiu" and given.size > 0 and max(given.shape, default=0) == given.size
    require(fits, place, "text of shape (c,)", f"{given.dtype} of shape {given.shape}")
    return tuple(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in given.ravel().tolist()
    )


def _ids(place: str, given: np.ndarray) -> np.ndarray:
    """Sample ids of integers (n,) or (n, 1), all different."""
    flat = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    fits = flat.ndim == 1 and flat.dtype.kind in "iu"
    require(fits, place, "integers of shape (n,)", f"{given.dtype} of shape {given.shape}")
    return as_ids(flat, len(flat), name=place).to_numpy(np.int64).copy()  # torch wants to write
