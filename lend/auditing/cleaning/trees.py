"""Class folders, on a disk or in an archive: a correction is another path for a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from lend.auditing.cleaning.corrections import Correction, some
from lend.auditing.cleaning.planning import check_classes, check_labels, find_rows
from lend.inputs import require


def new_paths(
    paths: Sequence[str], corrections: Sequence[Correction], new_classes: bool, place: str, above: str = ""
) -> dict[str, str | None]:
    """Return where the file of each correction goes: to the folder of its new class, beside that of the old one.

    The class of a file is the first folder of its path that is named as the given label: ``cat/001.png``, and also
    ``train/cat/001.png``. It keeps its name if no file of the new class has that name, in the data or from a correction
    before it, capitals and small letters taken as the same; otherwise the old class is added, ``001-from-cat.png``, and
    then numbers, ``001-from-cat-2.png``. Corrections are taken in the order of their ids.

    Args:
        paths: All files, with forward slashes, from the folder that holds the class folders.
        corrections: What is to be done.
        new_classes: Whether a class may have no folder yet.
        place: Where the files are, for errors.
        above: A folder before each path that ids may leave out, such as the one folder in an archive.

    Returns:
        Path to path, None for a file that is left out.

    Raises:
        ValueError: If a file is not there, is not of its given class, or the class is no name of a folder.
    """
    listed = [path.removeprefix(above) for path in paths]
    rows = find_rows(corrections, listed, place)
    there = [_class_of(listed[row], each.before) for row, each in zip(rows, corrections, strict=True)]
    check_labels(corrections, [label for label, _ in there], place)
    beside = {
        str(PurePosixPath(*PurePosixPath(listed[row]).parts[:at])) for row, (_, at) in zip(rows, there, strict=True)
    }
    check_classes(corrections, _folders(listed, beside), new_classes)
    odd = [each.after for each in corrections if each.after is not None and not _is_name(each.after)]
    require(not odd, "corrections: suggested_label", "a name for a folder", some(odd))
    taken, moved = {path.casefold() for path in listed}, dict[str, str | None]()
    for each, row, (_, at) in sorted(zip(corrections, rows, there, strict=True), key=lambda item: item[0].sample_id):
        target = (
            None if each.after is None else _free(_with_class(listed[row], at, each.after), str(each.before), taken)
        )
        moved[paths[row]] = None if target is None else f"{above}{target}"
    return moved


def _class_of(path: str, given: str | None) -> tuple[str | None, int]:
    """The class folder of a file and where it stands in the path: the given one, or else the first."""
    folders = PurePosixPath(path).parts[:-1]
    at = folders.index(given) if given in folders else 0
    return (folders[at] if folders else None), at


def _folders(paths: Sequence[str], beside: set[str]) -> set[str]:
    """Names of the folders in these folders that hold a file."""
    names = set()
    for path in paths:
        parts = PurePosixPath(path).parts
        names |= {parts[depth] for depth in range(len(parts) - 1) if str(PurePosixPath(*parts[:depth])) in beside}
    return names


def _is_name(name: str) -> bool:
    return name not in ("", ".", "..") and not set(name) & set("/\\\0") and len(name.encode()) < 256


def _with_class(path: str, at: int, name: str) -> PurePosixPath:
    parts = PurePosixPath(path).parts
    return PurePosixPath(*parts[:at], name, *parts[at + 1 :])


def _free(path: PurePosixPath, before: str, taken: set[str]) -> str:
    """The path, or one like it that nothing has; it is taken from now on."""
    stem, number = f"{path.stem}-from-{before}", 1
    target = path
    while str(target).casefold() in taken:
        target = path.with_name(f"{stem}{f'-{number}' if number > 1 else ''}{path.suffix}")
        number += 1
    taken.add(str(target).casefold())
    return str(target)
