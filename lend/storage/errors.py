"""The errors of files: each names the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class DamagedFileError(ValueError):
    """A file of a saved run is truncated, altered or missing; the message names it."""


class InUseError(OSError):
    """Another process trains this run."""


@contextmanager
def damage_of(path: Path) -> Iterator[None]:
    """Raise DamagedFileError, which names this file, for whatever the reader of a format raises on what is in it.

    Such readers (zipfile, NumPy, zarr, Parquet) promise no kind of error for bytes that are not of their format. Too
    little memory is no damage, and passes.
    """
    try:
        yield
    except (DamagedFileError, MemoryError):
        raise
    except Exception as error:
        text = " ".join(f"{error}".split()) or type(error).__name__
        raise DamagedFileError(f"{path} is damaged: {text[:300]}") from error


def damages(checks: Iterable[Callable[[], object]]) -> list[str]:
    """Run checks that raise DamagedFileError; return the messages of those that did."""
    found = []
    for check in checks:
        try:
            check()
        except DamagedFileError as error:
            found.append(str(error))
    return found
