"""People's own code, named by its place: ``file.py:name`` or ``package.module:name``.

Naming and looking are apart from running: :func:`source_digest` reads a source and never imports or executes it, nor
the packages around it; :func:`load` alone does.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

PRIVATE = "lend_plugin_"  # how the modules of files are called, so that two files of one name do not mix
_places: dict[str, str] = {}  # private module -> the file as it was named
_seen: dict[str, tuple[Any, str]] = {}  # module -> its spec, of which a reload makes a new one, and its digest
_loading: set[str] = set()


def names_code(text: str) -> bool:
    """Return whether a text names own code: a file that ends in .py or a module, a colon, and a name in it.

    Nothing is looked for. ``human:worse`` reads like a module as well: who has names of that form asks for those first.
    """
    place, _, name = text.rpartition(":")
    module = all(part.isidentifier() for part in place.split("."))
    return name.isidentifier() and (_is_file(place) or module)


def short_name(text: str) -> str:
    """Return the text without the folder of its file."""
    place, _, name = text.rpartition(":")
    return f"{place.replace(chr(92), '/').rpartition('/')[2]}:{name}" if _is_file(place) else text


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
    return hashlib.sha256(_source(text)[1]).hexdigest()


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
    path, content = _source(text)
    found = hashlib.sha256(content).hexdigest()
    if digest is not None and found != digest:
        raise ValueError(f"{text}: {path.name} is not the file that this was set up with; it has changed since")
    place, _, name = text.rpartition(":")
    module = _file_module(place, path, content, found) if _is_file(place) else _module(place, path, found)
    if not hasattr(module, name):
        every = {one: value for one, value in vars(module).items() if callable(value) and not one.startswith("_")}
        there = [one for one, value in every.items() if getattr(value, "__module__", "") == module.__name__]
        raise ValueError(
            f"{text}: {path.name} has no {name!r}; it has {', '.join(there or every) or 'no class or function'}"
        )
    return getattr(module, name)


def call(
    text: str,
    function: Any,  # noqa: ANN401 (what own code holds)
    offered: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
) -> Any:  # noqa: ANN401
    """Call own code with those of the offered arguments that it takes by their name.

    Args:
        text: Where the code is, for errors.
        function: A function or a class.
        offered: Arguments that it may take; one in ``**further`` is not given.
        options: Arguments that it must take.

    Raises:
        ValueError: If an option is unknown, a parameter is left without a value, or the call raises: the message has
            the line.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise ValueError(f"{text}: must be a function or a class, got {function!r}") from None
    options = options or {}
    named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    unknown = [] if any(p.kind is p.VAR_KEYWORD for p in parameters) else [o for o in options if o not in named]
    if unknown:
        raise ValueError(f"{text}: unknown option {unknown[0]!r}; it takes {', '.join(sorted(named)) or 'none'}")
    given = {name: value for name, value in offered.items() if name in named} | dict(options)
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    lacking = [p.name for p in parameters if p.default is p.empty and p.kind not in optional and p.name not in given]
    if lacking:
        raise ValueError(f"{text}: asks for {lacking[0]!r}; it can have {', '.join(offered)} and its options")
    try:
        return function(**given)
    except (Exception, SystemExit) as error:  # own code may raise anything
        raise told(text, error, function) from error


def told(text: str, error: BaseException, code: Any) -> ValueError:  # noqa: ANN401 (a class or function)
    """Return what own code has raised as an error of one line, with its place, its line and its type.

    Args:
        text: Where the code is.
        error: What was raised.
        code: The function or class that was called: the line is one of its file.
    """
    file = getattr(sys.modules.get(code.__module__), "__file__", None)
    return ValueError(f"{text}: {_in_one_line(error, file)}")


def takes(function: Any, name: str) -> bool:  # noqa: ANN401
    """Return whether :func:`call` would give a function the argument of this name."""
    parameter = inspect.signature(function).parameters.get(name)
    return parameter is not None and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


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


def _is_file(place: str) -> bool:
    return place.endswith(".py")


def _source(text: str) -> tuple[Path, bytes]:
    """The file in which own code is written, and its content."""
    place, _, name = text.rpartition(":")
    if not names_code(text):
        raise ValueError(f"{text}: own code is written as file.py:NAME or package.module:NAME")
    if _is_file(place):
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
    with _importing_from(os.getcwd(), last=True):
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
        with _importing_from(str(path.parent)):
            exec(compile(content, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # own code may raise anything
        del sys.modules[name]
        raise ValueError(f"{place}: {_in_one_line(error, str(path))}") from error
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        _loading.discard(name)
    return module


def _module(place: str, path: Path, digest: str) -> ModuleType:
    try:
        with _importing_from(os.getcwd(), last=True):
            module = importlib.import_module(place)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{place}: {_in_one_line(error, str(path))}") from error
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


@contextmanager
def _importing_from(folder: str, last: bool = False) -> Iterator[None]:
    """Let modules of a folder be imported inside: before all others, as by a script, or after them."""
    needed = not last or folder not in sys.path
    if needed:
        sys.path.insert(len(sys.path) if last else 0, folder)
    try:
        yield
    finally:
        if needed and folder in sys.path:  # what own code adds to it stays
            sys.path.remove(folder)


def _in_one_line(error: BaseException, file: str | None) -> str:
    """The line of the own file in which an error was raised, its type and its message."""
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == file:
            line = step.tb_lineno
        step = step.tb_next
    if isinstance(error, SyntaxError) and error.filename == file:
        line = error.lineno
    said = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return ("" if line is None else f"line {line}: ") + type(error).__name__ + (f": {said}" if said else "")
