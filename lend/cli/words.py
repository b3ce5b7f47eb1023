"""What the command line says: errors on one line that name the option as typed, on any console."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable

TYPES = {"int": "an integer", "float": "a finite number", "bool": "true or false", "dict": "name-value pairs"}


def speak_everywhere() -> None:
    """Let characters that a console cannot show be replaced, not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def hyphens(text: str) -> str:
    """Show --noise-rate where jsonargparse knows --noise_rate."""
    return re.sub(r"--[a-z_.]+", lambda option: option[0].replace("_", "-"), text)


def one_line(error: Exception, argv: Iterable[str], known: Iterable[str]) -> str:
    """Return the message of an error on one line.

    Args:
        error: Of the library or of the parser.
        argv: What was typed: an argument that the message begins with is named as it was typed.
        known: The options of the verb, the nearest of which stands for an unknown one.
    """
    text = " ".join(str(error.args[0] if isinstance(error, KeyError) and error.args else error).split())
    text = re.sub(r'^Parser key "([\w.]+)": Expected a <class \'(\w+)\'>\. Got value: (.*)$', _wrong_type, text)
    text = re.sub(r'^Parser key "([\w.]+)": ', r"\1: ", text)
    unknown = re.search(r"[Uu]nrecognized arguments: (--[\w.-]+)", text)
    if unknown:
        close = difflib.get_close_matches(unknown[1], sorted(known), n=1)
        text += f"; did you mean {close[0]}?" if close else ""
    return hyphens(re.sub(r"^(unknown )?([\w.]+)(?=[ :])", lambda found: _as_typed(found, argv), text))


def _wrong_type(found: re.Match[str]) -> str:
    return f"{found[1]} must be {TYPES.get(found[2], found[2])}, got {found[3]!r}"


def _as_typed(found: re.Match[str], argv: Iterable[str]) -> str:
    """The option of this name, where it was typed; options of a group have its name before theirs."""
    for word in argv:
        option = word.partition("=")[0]
        name = option.removeprefix("--").replace("-", "_")
        if option.startswith("--") and found[2] in (name, name.rpartition(".")[2]):
            return f"{found[1] or ''}{option}"
    return found[0]
