"""Files that survive a crash: written whole or not at all, and checked when they are read.

Nothing here executes code from a file: JSON, NumPy without pickle, zarr, and torch with ``weights_only``.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from filelock import FileLock, Timeout

from lend.inputs import safe_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

CHUNK_BYTES = 4 << 20
PATCH_COLUMNS = ["given_label", "suggested_label", "label_score"]


class DamagedFileError(ValueError):
    """A file of a saved run is truncated, altered or missing; the message names it."""


class InUseError(OSError):
    """Another process trains this run."""


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold this file for one process; the system lets go of it when the process ends, however it ends.

    Raises:
        InUseError: If another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(path).acquire(blocking=False)
    except Timeout:
        raise InUseError(f"{path.parent} is being trained by another process") from None
    with held:
        yield


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> str:
    """Write a temporary file in the same folder, flush it to the disk, move it into place; its SHA-256 back.

    A writer killed at any moment leaves the old file, or the new one, and at worst a hidden temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        digest = sha256(temporary)
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            # a full disk does not say which one
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    return digest


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, digest: str) -> None:
    """Raise DamagedFileError unless the file holds what was written."""
    if not path.exists():
        raise DamagedFileError(f"{path} is missing")
    if sha256(path) != digest:
        raise DamagedFileError(f"{path} is damaged: its content is not what was saved")


def damages(checks: Iterable[Callable[[], None]]) -> list[str]:
    """Run checks that raise DamagedFileError; return the messages of those that did."""
    found = []
    for check in checks:
        try:
            check()
        except DamagedFileError as error:
            found.append(str(error))
    return found


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object sealed with the hash of its own content."""
    sealed = {**content, "seal": _seal(content)}
    write_atomically(path, lambda file: file.write(json.dumps(sealed, indent=1).encode()))


def read_json(path: Path) -> dict[str, Any]:
    """Read a sealed JSON object; DamagedFileError if one character of it has changed."""
    try:
        content = json.loads(path.read_bytes())
        seal = content.pop("seal")
    except FileNotFoundError:
        raise DamagedFileError(f"{path} is missing") from None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise DamagedFileError(f"{path} is damaged: no complete record in it ({error})") from None
    if seal != _seal(content):
        raise DamagedFileError(f"{path} is damaged: its seal does not match its content")
    return content


def _seal(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Write arrays as a compressed .npz; its SHA-256 back."""

    def write(file: BinaryIO) -> None:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its keyword allow_pickle hides the arrays

    return write_atomically(path, write)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an .npz without pickle; the zip's own checksums find damage."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        raise DamagedFileError(f"{path} is missing") from None
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DamagedFileError(f"{path} is damaged: {error}") from None


def write_csv(path: str | Path, table: pd.DataFrame) -> Path:
    """Write a table with its index as UTF-8 CSV; the path back.

    A text that a spreadsheet would run as a formula gets an apostrophe before it: :func:`lend.inputs.plain_table` takes
    it away again. A lone surrogate is written as it is: read with encoding_errors="surrogatepass".
    """
    path = Path(path)
    text = safe_table(table).to_csv()
    write_atomically(path, lambda file: file.write(text.encode("utf-8", "surrogatepass")))
    return path


def write_patch(table: pd.DataFrame, path: str | Path) -> Path:
    """Write corrections as CSV, lowest score first: sample_id, given_label, suggested_label, label_score.

    Args:
        table: Index sample_id; the columns as in the file. An unknown score is NaN, which leaves it empty, and last.
        path: File to write.
    """
    return write_csv(path, table[PATCH_COLUMNS].sort_values("label_score", kind="stable"))


def write_zarr(path: Path, dataset: xr.Dataset) -> str:
    """Write a data set as one zarr group in one zip file; its SHA-256 back.

    One file: it appears at once, carries a checksum of each chunk, and moves between machines in one piece.
    """

    def pack(file: BinaryIO) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".zarr") as folder:
            dataset.to_zarr(folder, mode="w", consolidated=False, zarr_format=3, encoding=_chunks(dataset))
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for member in sorted(Path(folder).rglob("*")):
                    if member.is_file():
                        archive.write(member, member.relative_to(folder).as_posix())

    return write_atomically(path, pack)


def _chunks(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    encoding: dict[str, dict[str, Any]] = {}
    for name, array in dataset.variables.items():
        if array.ndim:
            row = array.dtype.itemsize * int(np.prod(array.shape[1:]))
            rows = min(len(array), max(1, CHUNK_BYTES // row))
            encoding[str(name)] = {"chunks": (rows, *array.shape[1:])}
    return encoding


def open_zarr(path: Path) -> xr.Dataset:
    """Open a group written by :func:`write_zarr`, lazily: an array is read when it is used."""
    import xarray as xr
    from zarr.storage import ZipStore

    try:
        return xr.open_zarr(ZipStore(path, mode="r", read_only=True), consolidated=False)
    except FileNotFoundError:
        raise DamagedFileError(f"{path} is missing") from None
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedFileError(f"{path} is damaged: {error}") from None


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> str:
    """Write tensors and plain values; SHA-256 back."""
    import torch

    return write_atomically(path, lambda file: torch.save(dict(state), file))


def read_checkpoint(path: Path, digest: str) -> dict[str, Any]:
    """Read a checkpoint after checking it against its SHA-256; executes nothing."""
    import torch

    check_file(path, digest)
    return torch.load(path, map_location="cpu", weights_only=True)
