"""A file that one process holds."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lend.storage.errors import InUseError

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def lock(path: Path, use: str | None = None) -> Iterator[None]:
    """Hold this file for one process; the system lets go of it when the process ends, however it ends.

    Args:
        path: The file; its folder is made if it is missing.
        use: What another process that holds it does, such as "runs/a is being recorded"; "FOLDER is in use" if not
            given.

    Raises:
        InUseError: If another process holds it.
        OSError: If it cannot be held: it is a folder, or the file system knows no locks; the message names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(path).acquire(blocking=False)
    except Timeout:
        raise InUseError(f"{use or f'{path.parent} is in use'} by another process") from None
    except NotImplementedError as error:  # filelock's word for a file system without locks
        raise _without_locks(path, errno.ENOSYS, "Locks are not supported") from error
    except OSError as error:
        if error.errno in NO_LOCKS:
            raise _without_locks(path, error.errno, os.strerror(error.errno)) from error
        raise OSError(error.errno, error.strerror, str(path)) from error
    with held:
        yield


def _without_locks(path: Path, number: int, text: str) -> OSError:
    advice = "the file system of this folder cannot lock files (flock): keep runs on one that can, such as a local disk"
    return OSError(number, f"{text}; {advice}", str(path))
