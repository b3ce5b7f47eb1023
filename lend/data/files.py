"""Small parts of the readers: a file that must exist, the last name of a path, an error in one line."""

import os
from pathlib import Path


def existing_file(path: str | Path, get: str) -> Path:
    """The path of a file; FileNotFoundError where there is none, with how to ``get`` it."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; {get}")
    return path


def basename(path: Path) -> str:
    """The last part of a path, also of one that ends in "." or ".."; a link keeps its own name."""
    return os.path.basename(os.path.abspath(path))


def one_line(error: BaseException) -> str:
    """The message of an error in one line."""
    return " ".join(str(error).split()) or type(error).__name__
