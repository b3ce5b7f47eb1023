"""Data sets of arrays as one zarr group in one zip file."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import numpy as np

from lend.storage.errors import DamagedFileError, damage_of
from lend.storage.reading import require_within
from lend.storage.temporaries import temporary_folder
from lend.storage.writing import write_atomically
from lend.storage.zips import open_zip

if TYPE_CHECKING:
    import xarray as xr
    import zarr

CHUNK_BYTES = 4 << 20
ABOUT_BYTES = 1 << 20  # most bytes of the description of an array
CODECS = {"bytes", "zstd"}
ZSTD = b"\x28\xb5\x2f\xfd"


def write_zarr(path: Path, dataset: xr.Dataset) -> str:
    """Write a data set as one zarr group in one zip file; its SHA-256 back, the same for the same content.

    One file: it appears at once, carries a checksum of each chunk, and moves between machines in one piece.
    """

    def pack(file: BinaryIO) -> None:
        with temporary_folder(path) as folder:
            dataset.to_zarr(folder, mode="w", consolidated=False, zarr_format=3, encoding=_chunks(dataset))
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for member in sorted(folder.rglob("*")):
                    if member.is_file():
                        # named by text: a ZipInfo of its own carries no time
                        archive.writestr(zipfile.ZipInfo(member.relative_to(folder).as_posix()), member.read_bytes())

    return write_atomically(path, pack, follow=False)


def _chunks(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    encoding: dict[str, dict[str, Any]] = {}
    for name, array in dataset.variables.items():
        if array.ndim:
            row = array.dtype.itemsize * int(np.prod(array.shape[1:]))
            rows = min(len(array), max(1, CHUNK_BYTES // row))
            # a chunk of nothing but zeros is written as well: a chunk that is missing is damage
            encoding[str(name)] = {"chunks": (rows, *array.shape[1:]), "write_empty_chunks": True}
    return encoding


def open_zarr(path: Path) -> xr.Dataset:
    """Open a group written by :func:`write_zarr`, lazily: an array is read when it is used.

    Raises:
        DamagedFileError: If the file is missing, damaged, or says that it would unpack to far more than its size; the
            arrays raise it, too, when a part of them is read.
    """
    import xarray as xr
    import zarr
    from zarr.storage import ZipStore

    with open_zip(path) as archive, damage_of(path):
        members = {member.filename: member for member in archive.infolist()}
        _require_small(members)
        group = zarr.open_group(ZipStore(path, mode="r", read_only=True), mode="r", zarr_format=3)
        names = sorted(name.removesuffix("/zarr.json") for name in members if name.endswith("/zarr.json"))
        arrays: dict[str, zarr.Array] = {}
        for name in names:
            array = group[name]
            if not isinstance(array, zarr.Array):
                raise DamagedFileError(f"{path} is damaged: {name} is no array")
            _check_array(path, archive, members, name, array)
            arrays[name] = array
        for member in members:  # the chunk of a name that was altered would be taken for one left out
            if member != "zarr.json" and not any(
                member.startswith((f"{name}/zarr.json", f"{name}/c")) for name in arrays
            ):
                raise ValueError(f"{member!r} is no part of it")
        whole = sum(array.size * array.dtype.itemsize for array in arrays.values())
        require_within(path, whole, path.stat().st_size)
        return xr.Dataset({name: _variable(path, array) for name, array in arrays.items()})


def _require_small(members: dict[str, zipfile.ZipInfo]) -> None:
    for name, member in members.items():
        if name.endswith("zarr.json") and member.file_size > ABOUT_BYTES:
            raise ValueError(f"{name} has {member.file_size:,} bytes, at most {ABOUT_BYTES:,} are read")
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed once more")


def _check_array(
    path: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, array: zarr.Array
) -> None:
    """Raise ValueError unless every chunk is there, and unpacks to what the description of the array says."""
    about: dict[str, Any] = array.metadata.to_dict()
    codecs = {codec["name"] for codec in about["codecs"]}
    dims, chunks = about.get("dimension_names"), array.chunks
    if not codecs <= CODECS:
        raise ValueError(f"{name} is packed by {', '.join(sorted(codecs))}; {' and '.join(sorted(CODECS))} are read")
    if array.dtype.kind not in "fiu" or not dims or len(dims) != array.ndim or len(set(dims)) < array.ndim:
        raise ValueError(f"{name} is {array.dtype} with the dimensions {dims}")
    if any(not 1 <= chunk <= max(1, length) for chunk, length in zip(chunks, array.shape, strict=True)):
        raise ValueError(f"{name} has the shape {array.shape} in chunks of {chunks}")
    counts = [math.ceil(length / chunk) for length, chunk in zip(array.shape, chunks, strict=True)]
    there = [member for key, member in members.items() if key.startswith(f"{name}/c")]
    # whole numbers that were all zero were once left out, and only they
    left_out = array.dtype.kind != "f" and not there and array.fill_value == 0
    size = array.dtype.itemsize * math.prod(chunks)
    if left_out:
        require_within(path, math.prod(counts) * size, 0)
        return
    if math.prod(counts) != len(there):
        raise ValueError(f"{name} has {len(there)} chunks of {math.prod(counts)}")
    for index in np.ndindex(*counts):
        key = "/".join([f"{name}/c", *map(str, index)])
        if key not in members:
            raise ValueError(f"{key} is missing")
    if "zstd" in codecs:
        for member in there:
            with archive.open(member) as stream:
                unpacked = _zstd_size(stream.read(18))
            if unpacked != size:
                raise ValueError(f"{member.filename} would unpack to {unpacked} bytes, a chunk has {size:,}")


def _zstd_size(head: bytes) -> int | None:
    """Bytes that a zstd frame unpacks to, from its header (RFC 8878, 3.1.1.1); None where it does not say."""
    if len(head) < 6 or head[:4] != ZSTD:
        return None
    flag, single, dictionary = head[4] >> 6, head[4] >> 5 & 1, head[4] & 3
    length = (single, 2, 4, 8)[flag]
    start = 5 + (not single) + (0, 1, 2, 4)[dictionary]
    if not length:
        return None
    return int.from_bytes(head[start : start + length], "little") + 256 * (length == 2)


def _variable(path: Path, array: zarr.Array) -> xr.Variable:
    """Return an array of the file as a variable that reads it when it is used; chunked where Dask is installed."""
    import importlib.util

    import xarray as xr
    from xarray.backends import BackendArray
    from xarray.core import indexing

    scale: Any = array.attrs.get("scale_factor", 1)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not math.isfinite(scale) or scale <= 0:
        raise ValueError(f"{array.name} has the scale_factor {scale!r}")

    class Checked(BackendArray):
        """Its parts; whatever is wrong with one is a DamagedFileError that names the file."""

        shape = array.shape
        dtype = array.dtype if scale == 1 else np.dtype(np.float32)

        def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:  # noqa: ANN401 (as xarray says)
            return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

        def _read(self, key: tuple[int | slice, ...]) -> np.ndarray:
            with damage_of(path):
                values = np.asarray(array[key])
            return values if scale == 1 else np.multiply(values, scale, dtype=np.float32)

    variable = xr.Variable(array.metadata.dimension_names, indexing.LazilyIndexedArray(Checked()))  # type: ignore[union-attr]
    if not importlib.util.find_spec("dask"):
        return variable
    name = f"{array.basename}-{uuid4().hex}"  # else Dask would pickle all of it at every opening, to name it by content
    return variable.chunk(dict(zip(variable.dims, array.chunks, strict=True)), name=name)
