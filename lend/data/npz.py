"""NumPy archives of images and labels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lend.data.assembling import assemble, choose_class_names
from lend.data.dataset import Dataset
from lend.data.files import basename, existing_file, one_line


def read_npz(path: Path) -> Dataset:
    """One .npz file with our names of the arrays, or those of Keras."""
    file = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
    existing_file(file, "save train_images, train_labels, test_images and test_labels with np.savez_compressed")
    try:
        # Opened here, because np.load leaves a file that it refuses open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # a damaged zip may raise anything
        raise ValueError(
            f"{file}: expected number arrays saved by np.savez; save it again, without Python objects "
            f"({one_line(error)})"
        ) from error
    keras = {"x_train": "train_images", "y_train": "train_labels", "x_test": "test_images", "y_test": "test_labels"}
    arrays = {keras.get(name, name): array for name, array in arrays.items()}
    for name in keras.values():
        if name not in arrays:
            raise ValueError(f"{file}: expected arrays {', '.join(keras.values())}, got {', '.join(arrays)}")
    train, test = (
        (_channels_first(file, f"{part}_images", arrays), _labels(file, f"{part}_labels", arrays))
        for part in ("train", "test")
    )
    ids = _labels(file, "sample_ids", arrays) if "sample_ids" in arrays else None
    names = tuple(str(name) for name in arrays["class_names"]) if "class_names" in arrays else None
    name = basename(file).removesuffix(".npz")
    names = choose_class_names(name, (train[1], test[1]), names)
    return assemble(name, train, test, names, sample_ids=ids, source=file)


def _channels_first(file: Path, name: str, arrays: Mapping[str, np.ndarray]) -> Tensor:
    """Images as (n, channels, height, width); an axis of length 1 or 3 is the channels, the first one where two are."""
    images = arrays[name]
    if images.dtype == np.uint8 and images.ndim == 3:
        images = images[:, None]
    elif images.dtype == np.uint8 and images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not images.size:
        raise ValueError(
            f"{file}: {name}: expected uint8 of shape (n, height, width), (n, height, width, channels) or "
            f"(n, channels, height, width) with 1 or 3 channels, got {arrays[name].dtype} of shape {arrays[name].shape}"
        )
    return torch.from_numpy(np.ascontiguousarray(images))


def _labels(file: Path, name: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Integers as int64 (n,); Keras writes (n, 1)."""
    labels = arrays[name]
    flat = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1 or flat.dtype.kind not in "iu" or not len(flat):
        raise ValueError(f"{file}: {name}: expected integers of shape (n,), got {labels.dtype} of shape {labels.shape}")
    return flat.astype(np.int64)
