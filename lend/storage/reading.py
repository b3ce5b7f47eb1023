"""Reading of a file that somebody else may have made: a regular file, of a size within limits, or one error."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lend.storage.errors import DamagedFileError

LEAST = 64 << 20  # bytes that a compressed file may always unpack to
RATIO = 100  # and beyond that, how many times its own size
# Windows knows O_BINARY, and none of the others
FLAGS = os.O_RDONLY
for flag in ("O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW", "O_BINARY"):
    FLAGS |= getattr(os, flag, 0)
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@contextmanager
def open_file(path: Path, most: int | None = None) -> Iterator[BinaryIO]:
    """Open a regular file to read it; nothing waits for the other end of a pipe, and no symbolic link is followed.

    Args:
        path: The file. The folders on its way may be links.
        most: Bytes that it may have; any number if not given.

    Raises:
        DamagedFileError: If it is missing, something else than a file, or longer; the message names it.
        OSError: If the system does not let us read it.
    """
    try:
        descriptor = os.open(path, FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        raise DamagedFileError(f"{path} is missing") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DamagedFileError(
                f"{path} is damaged: it is a symbolic link; replace it by the file, as cp -L does"
            ) from None
        if error.errno in (errno.ENXIO, errno.ENODEV):
            raise DamagedFileError(f"{path} is damaged: it is a socket or a device, not a file") from None
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise DamagedFileError(f"{path} is damaged: it is {kind}, not a file")
    with open(descriptor, "rb") as file:
        if most is not None and status.st_size > most:
            raise DamagedFileError(f"{path} is damaged: it has {status.st_size:,} bytes, at most {most:,} are read")
        yield file


def require_within(path: Path, unpacked: int, size: int) -> None:
    """Raise DamagedFileError if a compressed file would unpack to far more than any that is written.

    Args:
        path: The file.
        unpacked: Bytes that its content takes in memory.
        size: Bytes of the file.
    """
    most = LEAST + RATIO * size
    if unpacked > most:
        raise DamagedFileError(
            f"{path} is damaged: its {size:,} bytes would unpack to {unpacked:,}, at most {most:,} are read"
        )


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def check_file(path: Path, digest: str, size: int | None = None) -> None:
    """Raise DamagedFileError unless the file holds what was written.

    Args:
        path: The file.
        digest: Its SHA-256.
        size: Its bytes, where they are known: a file of another size is not read.
    """
    with open_file(path) as file:
        there = os.fstat(file.fileno()).st_size
        if size is not None and there != size:
            raise DamagedFileError(f"{path} is damaged: {there:,} bytes of {size:,}")
        if hashlib.file_digest(file, "sha256").hexdigest() != digest:  # type: ignore[arg-type]
            raise DamagedFileError(f"{path} is damaged: its content is not what was saved")
