"""A table of embeddings as a zarr group, which somebody else may have made."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lend import storage

CODECS = {"bytes", "vlen-utf8", "zstd"}  # of lend embed; others may do anything, as pickle does in older formats


def open_group(path: Path) -> Any:  # noqa: ANN401 (a group of zarr)
    """Open a zarr group of regular files, in the format that lend embed writes.

    Raises:
        ValueError: If there is a link, a pipe or a device in the folder, or a folder that nothing describes.
    """
    import zarr

    size, folders = 0, {member.name for member in path.iterdir() if member.is_dir()}
    for member in path.rglob("*"):
        plain = not member.is_symlink() and (member.is_file() or member.is_dir())
        if not plain:
            raise ValueError(f"{member.relative_to(path)} is neither a file nor a folder")
        size += member.lstat().st_size
    group: Any = zarr.open_group(path, mode="r", zarr_format=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it leaves out, which is an error here
        undescribed = folders - {name for name, _ in group.members()}
    if undescribed:
        raise ValueError(f"{', '.join(sorted(undescribed))}: its zarr.json is missing or damaged")
    storage.require_within(path, sum(array.size * array.dtype.itemsize for _, array in group.arrays()), size)
    return group


def read_columns(group: Any) -> Mapping[str, np.ndarray]:  # noqa: ANN401
    """Read every array of a group.

    Raises:
        ValueError: If one is packed in another way than lend embed does or has lost a chunk, or they differ in length.
    """
    columns = {}
    for name, array in group.arrays():
        codecs = {codec["name"] for codec in array.metadata.to_dict()["codecs"]}
        if not codecs <= CODECS:
            raise ValueError(f"{name} is packed by {', '.join(sorted(codecs))}; {', '.join(sorted(CODECS))} are read")
        if array.nchunks_initialized != array.nchunks:  # zarr would take zeros for those that are missing
            raise ValueError(f"{name} has {array.nchunks_initialized} chunks of {array.nchunks}")
        columns[name] = np.asarray(array[:])
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"its columns must be of one length, got {lengths}")
    return columns
