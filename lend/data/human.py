"""The human labels of CIFAR-N, read without executing anything in their file."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lend.data.files import existing_file, one_line


def read_human_labels(path: str | Path, clean_labels: np.ndarray) -> dict[str, np.ndarray]:
    """Read the human labels of CIFAR-N (Wei et al., ICLR 2022, arXiv:2110.12088) for images in a known order.

    The file is what ``torch.save`` makes of a dict of NumPy arrays. It is a pickle, which could run code when read
    by torch or NumPy; this reader builds arrays of integers and nothing else.

    Args:
        path: CIFAR-10_human.pt or CIFAR-100_human.pt.
        clean_labels: True labels (n,) of the training set, in the order of the images.

    Returns:
        Labels (n,), int64, by their name in the file; without the clean ones and those of superclasses.

    Raises:
        ValueError: If the file is damaged, holds anything but integer arrays, or its ``clean_label`` are not the
            given ones, in this order.
        FileNotFoundError: If the file is missing.
    """
    get = "download it anew from github.com/UCSC-REAL/cifar-10-100n"
    path = existing_file(path, f"to use human labels, {get}")
    try:
        with zipfile.ZipFile(path) as archive:
            (inner,) = (name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl")
            content = _ArrayUnpickler(io.BytesIO(archive.read(inner))).load()
        arrays = {str(name): value.integers() for name, value in content.items()}
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(f"{path}: expected a torch file of integer arrays; {get} ({one_line(error)})") from error
    if "clean_label" not in arrays or not np.array_equal(arrays["clean_label"], clean_labels):
        raise ValueError(
            f"{path}: expected clean_label equal to the {len(clean_labels)} labels of the data set in its original "
            f"order, since labels of another order would belong to other images; {get}"
        )
    human = {name: labels for name, labels in arrays.items() if name != "clean_label" and "coarse" not in name}
    for name, labels in human.items():
        if labels.shape != clean_labels.shape:
            raise ValueError(f"{path}: {name}: expected {len(clean_labels)} labels, got shape {labels.shape}; {get}")
    return human


class _PickledDtype:
    """Stands for ``numpy.dtype`` in a pickle: keeps its code and byte order."""

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]


class _PickledArray:
    """Stands for ``numpy.ndarray`` in a pickle: keeps shape, type and bytes."""

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.dtype, self.fortran, self.raw = state

    def integers(self) -> np.ndarray:
        """The array, where it is one of integers of one axis, as int64 (n,)."""
        dtype = np.dtype(self.dtype.code)
        if dtype.kind not in "iu" or len(self.shape) != 1:
            raise ValueError(f"expected integers of shape (n,), got {self.dtype.code} of shape {self.shape}")
        order = self.dtype.order if self.dtype.order in "<>" else "="
        return np.frombuffer(self.raw, dtype.newbyteorder(order)).reshape(self.shape).astype(np.int64)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads containers, numbers, text and NumPy arrays; every array function is replaced by one that only records."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        """The stand-in for an allowed name; every other name is refused before anything is imported."""
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return lambda kind, shape, code: _PickledArray()
        allowed = {
            ("numpy", "ndarray"): _PickledArray,
            ("numpy", "dtype"): _PickledDtype,
            ("_codecs", "encode"): lambda text, encoding="latin1": text.encode("latin1"),
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which label arrays do not need")
        return allowed[module, name]
