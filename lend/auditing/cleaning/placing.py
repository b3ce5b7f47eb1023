"""Files of a copy: put where nothing is, found again where the same is, never written over another."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from lend import storage


def put(path: Path, write: Callable[[BinaryIO], object]) -> bool:
    """Write a file, whole or not at all; nothing happens where one of the same content is there.

    Args:
        path: Where to.
        write: Writes the content, always the same bytes.

    Returns:
        Whether it was written.

    Raises:
        FileExistsError: If a file of another content is there.
    """
    with storage.temporary_folder(path) as folder:
        made = folder / path.name
        digest = storage.write_atomically(made, write)
        if not os.path.lexists(path):
            os.replace(made, path)
            return True
        if path.is_symlink() or not path.is_file() or storage.sha256(path) != digest:
            raise _other(path)
        return False


def put_copy(source: Path, path: Path, staging: Path, link: bool) -> bool:
    """Copy a file with its times, or link it, as :func:`put` writes one.

    Args:
        source: The file.
        path: Where to.
        staging: Folder on the same disk, in which the copy is made.
        link: Make a hard link instead of a copy.
    """
    if os.path.lexists(path):
        if path.is_symlink() or not path.is_file() or not filecmp.cmp(source, path):
            raise _other(path)
        return False
    made = staging / "file"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.unlink(missing_ok=True)
        if link:
            os.link(source.resolve(), made)
        else:
            shutil.copy2(source, made)
        os.replace(made, path)
    except OSError as error:  # it would name the source, or the file in the staging folder
        raise OSError(error.errno, error.strerror, str(path)) from error
    return True


def require_outside(source: Path, out: Path) -> None:
    """Raise a ValueError if the copy would lie in the data, or the data in the copy."""
    inner, outer = Path(os.path.realpath(out)), Path(os.path.realpath(source))
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise ValueError(f"out must be a place outside of {source}: data is never changed in place, got {str(out)!r}")


def _other(path: Path) -> FileExistsError:
    return FileExistsError(f"{path}: is there, and is not what these corrections make; remove it, or name another out")
