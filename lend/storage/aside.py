"""What somebody may have worked on is moved aside before something else takes its name."""

from __future__ import annotations

from itertools import count
from pathlib import Path


def moved_aside(path: Path) -> Path:
    """Put the first number that is free behind the name of a file or folder, and return where it is now."""
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(1))
    return path.rename(next(name for name in names if not name.exists()))
