"""People's own code is run here alone: a file or module becomes the class or function that its text names, and back."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from lend.inputs.plugins.calling import in_one_line
from lend.inputs.plugins.places import importing_from, is_file, read_source, source_digest

PRIVATE = "lend_plugin_"  # how the modules of files are called, so that two files of one name do not mix
_places: dict[str, str] = {}  # private module -> the file as it was named
_seen: dict[str, tuple[Any, str]] = {}  # module -> its spec, of which a reload makes a new one, and its digest
_loading: set[str] = set()


def load(text: str, digest: str | None = None) -> Any:  # noqa: ANN401
    """Import own code, and return the class or function.

    A file runs as a module of its own, once for each content; modules beside it can be imported while it loads, as by a
    script.

    Args:
        text: As :func:`source_digest` takes it.
        digest: What the source must have; any if not given.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the source has another digest, raises when it is imported, or has no such name.
    """
    path, content = read_source(text)
    found = hashlib.sha256(content).hexdigest()
    if digest is not None and found != digest:
        raise ValueError(f"{text}: {path.name} is not the file that this was set up with; it has changed since")
    place, _, name = text.rpartition(":")
    module = _file_module(place, path, content, found) if is_file(place) else _module(place, path, found)
    if not hasattr(module, name):
        every = {one: value for one, value in vars(module).items() if callable(value) and not one.startswith("_")}
        there = [one for one, value in every.items() if getattr(value, "__module__", "") == module.__name__]
        raise ValueError(
            f"{text}: {path.name} has no {name!r}; it has {', '.join(there or every) or 'no class or function'}"
        )
    return getattr(module, name)


def spelled(code: Callable[..., Any]) -> str:
    """Return the text that names a class or function: the module it is imported from, or the script that defines it.

    Raises:
        ValueError: If it can be found again in no file: one of a notebook, or inside another function.
    """
    name, home = getattr(code, "__qualname__", None), getattr(code, "__module__", None)
    if not isinstance(name, str) or not isinstance(home, str):
        raise ValueError(f"own code must be a class or a function, got {code!r}")
    if not name.isidentifier():
        raise ValueError(f"{name} cannot be found by its name: define it at the top level of a file")
    module = sys.modules.get(home)
    if home in _places:
        return f"{_places[home]}:{name}"
    if home not in ("__main__", "__mp_main__"):
        if module is None or getattr(module, name, None) is not code:
            raise ValueError(f"{home} has no {name!r} that is this object: give its name, as in 'file.py:{name}'")
        _imported(module, source_digest(f"{home}:{name}"))
        return f"{home}:{name}"
    if getattr(module, "__spec__", None) is not None:  # python -m package.module
        return f"{module.__spec__.name}:{name}"  # type: ignore[union-attr]
    file = getattr(module, "__file__", None)
    code_of = getattr(code, "__code__", None)  # of a function typed into a console that has run a script
    written = file if code_of is None else code_of.co_filename
    if not all(isinstance(path, str) and os.path.isfile(path) for path in (file, written)):
        raise ValueError(
            f"{name} is defined in a notebook or console, where no later process finds it: write it into a file "
            f"(%%writefile mine.py above its cell), and name it 'mine.py:{name}'"
        )
    if getattr(module, name, None) is not code:
        raise ValueError(f"{name} cannot be found by its name: define it at the top level of a file")
    path, here = Path(str(file)).absolute(), Path.cwd()
    return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{name}"


def _file_module(place: str, path: Path, content: bytes, digest: str) -> ModuleType:
    """The module of a file: run from the content that was read, so that it is what its digest says."""
    name = f"{PRIVATE}{path.stem}_{hashlib.sha256(f'{path}{digest}'.encode()).hexdigest()[:12]}"
    if name in _loading:
        raise ValueError(
            f"{place} asks for itself while it is loaded: what it runs belongs under if __name__ == '__main__'"
        )
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # the name ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look for it
    _places[name] = place
    _loading.add(name)
    try:
        with importing_from(str(path.parent)):
            exec(compile(content, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # own code may raise anything
        del sys.modules[name]
        raise ValueError(f"{place}: {in_one_line(error, str(path))}") from error
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        _loading.discard(name)
    return module


def _module(place: str, path: Path, digest: str) -> ModuleType:
    try:
        with importing_from(os.getcwd(), last=True):
            module = importlib.import_module(place)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{place}: {in_one_line(error, str(path))}") from error
    if _imported(module, digest) != digest:
        raise ValueError(
            f"{place}: {path.name} has changed since it was imported here; start Python again, or reload it"
        )
    return module


def _imported(module: ModuleType, digest: str) -> str:
    """The digest that the source of an imported module had when it was first asked for; a reload begins anew."""
    spec, seen = _seen.get(module.__name__, (None, ""))
    if spec is not module.__spec__ or spec is None:
        seen = digest
        _seen[module.__name__] = (module.__spec__, digest)
    return seen
