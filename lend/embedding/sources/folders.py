"""Folders of image files: in class folders, with parts for training and test or without, or side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lend.data import class_files, image_endings, image_files, is_hidden, tell_left_out
from lend.embedding.source import IMAGES, Content, Source, file_signs, make_source

PARTS = ("train", "training", "val", "valid", "validation", "dev", "test")  # in this order, whichever are there


def open_folder(path: Path) -> Source:
    """Images of a folder; a class is the name of a class folder, an id the path inside the folder.

    Raises:
        FileNotFoundError: If there is no image in it.
    """
    left_out: Counter[str] = Counter()
    found = _by_class(path, left_out)
    if found is None:
        left_out = Counter()
        found = [(file, None) for file in image_files(path, left_out)]
    if not found:
        endings = ", ".join(sorted(image_endings()))
        raise FileNotFoundError(f"{path}: no images; expected {path}/CLASS/*.png, or another of the endings {endings}")
    tell_left_out(path, left_out)
    files = [file for file, _ in found]
    ids = [file.relative_to(path).as_posix() for file in files]

    def contents(start: int) -> Iterator[Content]:
        return iter(files[start:])

    labels = [label for _, label in found]
    return make_source(IMAGES, str(path), contents, len(files), file_signs(files), labels=labels, ids=ids, paths=ids)


def _by_class(path: Path, left_out: Counter[str]) -> list[tuple[Path, str | None]] | None:
    """The files with their classes; None where there are no class folders."""
    folders = [entry for entry in path.iterdir() if entry.is_dir() and not is_hidden(entry)]
    parts = sorted((PARTS.index(entry.name.lower()), entry) for entry in folders if entry.name.lower() in PARTS)
    only_parts = bool(parts) and len(parts) == len(folders)
    try:
        places = [entry for _, entry in parts] if only_parts else [path]
        return [
            (file, name) for place in places for name, files in class_files(place, left_out).items() for file in files
        ]
    except FileNotFoundError:  # no class folder, or none with an image in it
        return None
