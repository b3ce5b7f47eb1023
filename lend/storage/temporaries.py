"""Hidden temporary files and folders, ``.NAME.PID.tmp`` beside NAME: made by a writer, removed by it or by the next.

A writer that is killed leaves its own behind. Whoever writes the same name later removes those whose process is gone,
and never one of a living process.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OLD = 24 * 3600  # seconds after which even one of a living process is left over: the system gives numbers anew
_NAME = re.compile(r"\.(?P<target>.+)\.(?P<pid>\d+)\.tmp", re.DOTALL)


def is_temporary(name: str) -> bool:
    """Whether a name is that of a temporary file or folder of ours."""
    return _NAME.fullmatch(name) is not None


def temporary_for(path: Path) -> Path:
    """Return the temporary file in which this process writes a file, after removing those that dead ones left."""
    remove_abandoned(path)
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Make an empty hidden folder beside a path, to build its content in; removed at the end with all that is left.

    An error of it, or of a file in it, names the path instead.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    hidden = f".{path.name}."
    try:
        with tempfile.TemporaryDirectory(
            dir=path.parent, prefix=hidden, suffix=f".{os.getpid()}.tmp", ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)
    except OSError as error:  # of making the folder as well
        named = None if error.filename is None else Path(str(error.filename))  # a write without room names no file
        if error.errno is None or not (named is None or any(part.startswith(hidden) for part in named.parts)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def remove_abandoned(path: Path) -> None:
    """Remove the temporary files and folders of this path whose process is gone."""
    start = f".{path.name}."
    with os.scandir(path.parent) as entries:
        found = [Path(entry.path) for entry in entries if entry.name.startswith(start) and _abandoned(entry)]
    for left in found:
        with suppress(OSError):  # another writer has removed it, or it is not ours to remove: it does no harm
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def _abandoned(entry: os.DirEntry[str]) -> bool:
    name = _NAME.fullmatch(entry.name)
    if name is None:
        return False
    with suppress(FileNotFoundError):
        return not _alive(int(name["pid"])) or time.time() - entry.stat(follow_symlinks=False).st_mtime > OLD
    return False


def _alive(pid: int) -> bool:
    if os.name == "nt":  # there os.kill would end the process: age alone tells
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        return True
    return True
