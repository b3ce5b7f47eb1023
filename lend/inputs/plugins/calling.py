"""Calls of people's own code: what it takes by name, and what it raises as one line."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any


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
    return ValueError(f"{text}: {in_one_line(error, file)}")


def takes(function: Any, name: str) -> bool:  # noqa: ANN401
    """Return whether :func:`call` would give a function the argument of this name."""
    parameter = inspect.signature(function).parameters.get(name)
    return parameter is not None and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


def in_one_line(error: BaseException, file: str | None) -> str:
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
