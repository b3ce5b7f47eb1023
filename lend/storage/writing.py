"""Writing of a file: whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from lend.storage.reading import sha256
from lend.storage.temporaries import temporary_for


def write_atomically(path: Path, write: Callable[[BinaryIO], object], *, follow: bool = True) -> str:
    """Write a temporary file in the same folder, flush it to the disk, move it into place; its SHA-256 back.

    A writer killed at any moment leaves the old file, or the new one, and at worst a hidden temporary file, which the
    next writer of the same file removes.

    Args:
        path: File to write. A device or a pipe is written to as it is.
        write: Writes the content to an open file.
        follow: Where the path is a symbolic link, write the file that it points to; False puts a file in its place, as
            in folders whose links somebody else may have made.

    Raises:
        OSError: If it cannot be written, for instance on a full disk; the message names the path, not the temporary.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if follow and path.exists() and not path.is_file() and not path.is_dir():
        return _write_through(path, write)
    target = Path(os.path.realpath(path)) if follow and path.is_symlink() else path
    temporary, raw = None, None
    try:
        temporary = temporary_for(target)
        raw = _RememberingFile(temporary, "wb")
        with io.BufferedWriter(raw) as file:
            write(cast(BinaryIO, file))
            file.flush()
            os.fsync(file.fileno())
        digest = sha256(temporary)
        os.replace(temporary, target)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        cause = error if raw is None or raw.error is None else raw.error
        if isinstance(error, Exception) and isinstance(cause, OSError) and cause.errno is not None:
            raise OSError(cause.errno, cause.strerror, str(path)) from error
        raise
    return digest


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file as :func:`write_atomically` does; the path back."""
    write_atomically(path, lambda file: file.write(content))
    return path


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8, a lone surrogate as it is, as :func:`write_atomically` does; the path back."""
    return write_bytes(path, text.encode("utf-8", "surrogatepass"))


class _RememberingFile(io.FileIO):
    """A file that keeps the error of a write: libraries that write to it may raise another in its place, as torch."""

    error: OSError | None = None

    def write(self, data) -> int:  # noqa: ANN001 (any buffer)
        try:
            return super().write(data)
        except OSError as error:
            self.error = self.error or error
            raise


def _write_through(path: Path, write: Callable[[BinaryIO], object]) -> str:
    """Write to a device or a pipe, which nothing can take the place of."""
    content = io.BytesIO()
    write(content)
    with open(path, "wb") as file:
        file.write(content.getbuffer())
    return hashlib.sha256(content.getbuffer()).hexdigest()
