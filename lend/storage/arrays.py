"""NumPy arrays in one compressed file, never with pickled objects."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lend.storage.errors import damage_of
from lend.storage.writing import write_atomically
from lend.storage.zips import open_zip


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Write arrays as a compressed .npz; its SHA-256 back."""

    def write(file: BinaryIO) -> None:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its keyword allow_pickle hides the arrays

    return write_atomically(path, write, follow=False)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an .npz without pickle; the zip's own checksums find damage.

    Raises:
        DamagedFileError: If it is missing or damaged, or would take far more memory than its size.
    """
    with open_zip(path) as archive, damage_of(path):
        return {member.filename.removesuffix(".npy"): _read(archive, member) for member in archive.infolist()}


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """Read one array, after its header says what the member holds: a false one would make NumPy ask for any memory."""
    with archive.open(member) as stream:
        major, _ = version = np.lib.format.read_magic(stream)
        read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}.get(major)
        if read is None:
            raise ValueError(f"array of an unknown format {version}")
        shape, _, dtype = read(stream)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects, and allow_pickle is False")
        needed, there = dtype.itemsize, member.file_size - stream.tell()
        for length in shape:
            needed *= length
        if min(shape, default=0) < 0 or needed != there:
            raise ValueError(f"{member.filename} says it has the shape {shape} and {needed:,} bytes, it has {there:,}")
    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)
