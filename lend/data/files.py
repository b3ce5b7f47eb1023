"""Small parts of the readers: a file that must exist, a path from the root, an error in one line."""

import os
from pathlib import Path


def existing_file(path: str | Path, get: str) -> Path:
    """The path of a file; FileNotFoundError where there is none, with how to ``get`` it."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; {get}")
    return path


def full_path(path: str | Path) -> Path:
    """A path of a user from the root, so that also "." and "~" have a name; a link keeps its own."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def one_line(error: BaseException) -> str:
    """The message of an error in one line."""
    return " ".join(str(error).split()) or type(error).__name__
