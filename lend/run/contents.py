"""What the arrays of a run may be: kinds, lengths and ranges, checked when a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lend.run.layout import EPOCH_ARRAYS, SEEN
from lend.storage import DamagedFileError

if TYPE_CHECKING:
    import xarray as xr

Arrays = Mapping[str, np.ndarray]


def require_given(path: Path, arrays: Arrays, classes: int, recorded: bool = False) -> None:
    """Raise DamagedFileError unless these are given labels: true, noisy and sample_id, of one length.

    In a recorded run an example may be unlabelled, -1, and ids may be text.
    """
    ids = _part(path, arrays, "sample_id", "iuU" if recorded else "iu", None)
    _labels(path, arrays, "noisy", len(ids), -1 if recorded else 0, classes)
    _labels(path, arrays, "true", len(ids), -1, classes)


def require_labels(path: Path, arrays: Arrays, n: int, classes: int, recorded: bool = False) -> None:
    """Raise DamagedFileError unless these are labels of an epoch of n examples; recorded ones may be missing, -1."""
    for name in EPOCH_ARRAYS[:-1]:
        _labels(path, arrays, name, n, -1 if recorded else 0, classes)
    _part(path, arrays, EPOCH_ARRAYS[-1], "b", (n,))
    if SEEN in arrays:
        _part(path, arrays, SEEN, "b", (n,))


def require_positions(path: Path, arrays: Arrays, n: int) -> None:
    """Raise DamagedFileError unless these are ascending positions among n examples."""
    positions = _part(path, arrays, "positions", "iu", None)
    if not len(positions) or positions[0] < 0 or positions[-1] >= n or (positions[1:] <= positions[:-1]).any():
        raise DamagedFileError(f"{path} is damaged: its positions are not ascending ones among {n:,} examples")


def require_map(path: Path, arrays: Arrays, m: int) -> None:
    """Raise DamagedFileError unless this is a map of m points."""
    if not np.isfinite(_part(path, arrays, "coordinates", "f", (m, 2))).all():
        raise DamagedFileError(f"{path} is damaged: its coordinates are not finite")
    neighbors = _part(path, arrays, "neighbors", "iu", None, 2)
    if len(neighbors) != m or neighbors.size and not (0 <= neighbors.min() and neighbors.max() < m):
        raise DamagedFileError(f"{path} is damaged: its neighbors are not those of {m:,} points")


def require_snapshot(path: Path, snapshot: xr.Dataset, m: int, classes: int) -> None:
    """Raise DamagedFileError unless this is a snapshot of m samples."""
    dims = {"embeddings": ("sample", "feature"), "logits": ("sample", "class"), "diluted": ("sample", "class")}
    there = {str(name): array.dims for name, array in snapshot.variables.items()}
    sizes = snapshot.sizes
    if there != dims or sizes["sample"] != m or sizes["class"] != classes:
        raise DamagedFileError(
            f"{path} is damaged: it is no snapshot of {m:,} samples and {classes} classes, it holds {there} "
            f"of {dict(sizes)}"
        )


def _labels(path: Path, arrays: Arrays, name: str, n: int, least: int, classes: int) -> None:
    values = _part(path, arrays, name, "iu", (n,))
    if len(values) and not (least <= values.min() and values.max() < classes):
        raise DamagedFileError(
            f"{path} is damaged: {name} holds {values.min()} to {values.max()}, of {classes} classes"
        )


def _part(
    path: Path, arrays: Arrays, name: str, kinds: str, shape: tuple[int, ...] | None, ndim: int = 1
) -> np.ndarray:
    """Return one array, after its kind and shape are checked; any shape with ndim axes, if none is given."""
    values = arrays.get(name)
    if values is None:
        raise DamagedFileError(f"{path} is damaged: it has no array {name!r}")
    if values.dtype.kind not in kinds or (values.ndim != ndim if shape is None else values.shape != shape):
        wanted = f"of the shape {shape}" if shape is not None else f"with {ndim} axes"
        raise DamagedFileError(
            f"{path} is damaged: {name} must be {wanted}, it is {values.dtype} of the shape {values.shape}"
        )
    return values
