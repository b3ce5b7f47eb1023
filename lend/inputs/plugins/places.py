"""Where people's own code is: naming and looking are apart from running. Nothing here imports or executes a source."""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path


def names_code(text: str) -> bool:
    """Return whether a text names own code: a file that ends in .py or a module, a colon, and a name in it.

    Nothing is looked for. ``human:worse`` reads like a module as well: who has names of that form asks for those first.
    """
    place, _, name = text.rpartition(":")
    module = all(part.isidentifier() for part in place.split("."))
    return name.isidentifier() and (is_file(place) or module)


def short_name(text: str) -> str:
    """Return the text without the folder of its file."""
    place, _, name = text.rpartition(":")
    return f"{place.replace(chr(92), '/').rpartition('/')[2]}:{name}" if is_file(place) else text


def source_digest(text: str) -> str:
    """Return the SHA-256 of the file in which own code is written; nothing is imported or executed.

    What that file imports is not looked at.

    Args:
        text: ``file.py:name``, relative to the working directory, or ``package.module:name``, of a module where Python
            looks for modules, or else in the working directory.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the text is no place of code, or there is no such module, or it has no source.
    """
    return hashlib.sha256(read_source(text)[1]).hexdigest()


def is_file(place: str) -> bool:
    return place.endswith(".py")


def read_source(text: str) -> tuple[Path, bytes]:
    """The file in which own code is written, and its content."""
    place, _, name = text.rpartition(":")
    if not names_code(text):
        raise ValueError(f"{text}: own code is written as file.py:NAME or package.module:NAME")
    if is_file(place):
        path = Path(os.path.abspath(os.path.expanduser(place)))
    else:
        spec = _spec(place)
        if spec is None:
            raise ValueError(f"{text}: there is no module {place!r}; a file is written as path/to/file.py:{name}")
        path = Path(spec.origin if spec.has_location and spec.origin else place)
        if not path.is_file():
            raise ValueError(f"{text}: module {place!r} has no source file")
    if not path.is_file():
        raise FileNotFoundError(f"{text}: there is no file {path}")
    return path, path.read_bytes()


def _spec(module: str) -> ModuleSpec | None:
    """Where a module is, found part by part: importlib's own search would import the packages around it."""
    importlib.invalidate_caches()  # a file that was just written, as a notebook does
    first, *parts = module.split(".")
    with importing_from(os.getcwd(), last=True):
        found = (finder.find_spec(first, None) for finder in sys.meta_path if hasattr(finder, "find_spec"))
        spec = next((spec for spec in found if spec is not None), None)
        name = first
        for part in parts:
            name = f"{name}.{part}"
            spec = None if spec is None else _inside(name, list(spec.submodule_search_locations or ()))
    return spec


def _inside(name: str, folders: list[str]) -> ModuleSpec | None:
    """A module in the folders of its package; a package without a file may lie in several."""
    namespace = ModuleSpec(name, None, is_package=True)
    for folder in folders:
        finder = pkgutil.get_importer(folder)
        spec = None if finder is None else finder.find_spec(name, None)
        if spec is not None and spec.loader is not None:
            return spec
        if spec is not None:
            namespace.submodule_search_locations += spec.submodule_search_locations  # type: ignore[operator]  # lists
    return namespace if namespace.submodule_search_locations else None


@contextmanager
def importing_from(folder: str, last: bool = False) -> Iterator[None]:
    """Let modules of a folder be imported inside: before all others, as by a script, or after them."""
    needed = not last or folder not in sys.path
    if needed:
        sys.path.insert(len(sys.path) if last else 0, folder)
    try:
        yield
    finally:
        if needed and folder in sys.path:  # what own code adds to it stays
            sys.path.remove(folder)
