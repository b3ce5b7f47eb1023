"""Which files of a folder are images: those that Pillow decodes. What is left out is counted and told."""

import os
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lend.data.pixels import image_formats


@cache
def image_endings() -> frozenset[str]:
    """Endings of the files that Pillow decodes, in lower case."""
    from PIL import Image

    formats = image_formats()
    return frozenset(ending for ending, name in Image.registered_extensions().items() if name in formats)


def is_hidden(path: Path) -> bool:
    """Whether a file or folder belongs to the system that packed it, and not to the data."""
    return path.name.startswith(".") or path.name == "__MACOSX"


def image_files(folder: Path, left_out: Counter[str]) -> list[Path]:
    """The image files of a folder and of the folders in it, sorted by path, since a listing has the system's order.

    Args:
        folder: Where to look; a folder that does not exist has none.
        left_out: Everything else is counted here, by its ending.
    """
    files = []
    for entry in _walk(folder, left_out) if folder.is_dir() else ():
        if not entry.is_file() and entry.exists():  # to open a pipe would wait for ever
            left_out[f"pipe or device {entry.name}"] += 1
        elif not is_hidden(entry) and entry.suffix.lower() in image_endings():
            files.append(entry)
        else:
            left_out[kind_of(entry)] += 1
    return sorted(files)


def _walk(folder: Path, left_out: Counter[str]) -> Iterator[Path]:
    """All files below a folder, through links but not in circles, without hidden folders."""
    for root, folders, files in os.walk(folder, followlinks=True):
        here = os.path.realpath(root)
        for name in list(folders):
            entry = Path(root, name)
            circle = Path(here).is_relative_to(os.path.realpath(entry))
            if circle or is_hidden(entry):
                folders.remove(name)
                left_out[f"folder {name}" + (" (a link to where it lies)" if circle else "")] += 1
        yield from (Path(root, name) for name in files)


def kind_of(file: Path) -> str:
    """What a file that is left out is counted as: its ending, or its name where it has none."""
    kind = file.suffix.lower() or (file.name if is_hidden(file) else "without an ending")
    return f"hidden {kind}" if is_hidden(file) and file.suffix else kind


def tell_left_out(place: Path, left_out: Counter[str]) -> None:
    """One warning of all that was left out."""
    if left_out:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(left_out.items()))
        warnings.warn(f"{place}: left out what is no image of a class: {counts}", stacklevel=2)
