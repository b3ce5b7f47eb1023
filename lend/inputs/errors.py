"""The errors of bad input: they name the argument, what is allowed and what came."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_name(name: str, allowed: Iterable[str]) -> str:
    """Return a hint for an error message: the allowed names, and the one that was probably meant."""
    allowed = sorted(allowed)
    close = difflib.get_close_matches(str(name), allowed, n=1)
    return f"allowed: {', '.join(allowed)}" + (f"; did you mean {close[0]!r}?" if close else "")


def require_known(place: str, name: str, known: Iterable[str]) -> None:
    """Raise a ValueError for a name that a library does not have; a long list is told by its nearest names alone."""
    names = list(known)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3)
        more = ", ..." if len(names) > 8 else ""
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(names[:8])}{more}"
        raise ValueError(f"{place}: there is no {name!r}; {hint}")


def require(condition: bool, argument: str, allowed: str, got: object) -> None:
    """Raise a ValueError unless the condition holds; it names the argument, what is allowed and what came."""
    if not condition:
        raise ValueError(f"{argument} must be {allowed}, got {got!r}")


def require_encodable(texts: Iterable[object], argument: str) -> None:
    """Raise a ValueError if one of these is a text with a lone surrogate, which no table of pandas holds.

    Names of files have them where their bytes are no UTF-8.
    """
    for text in texts:
        try:
            str(text).encode()
        except UnicodeEncodeError:
            raise ValueError(f"{argument} must be of texts that UTF-8 can encode, got {text!r}") from None


def require_name(name: str, allowed: Iterable[str], argument: str) -> None:
    """Raise a ValueError unless the name is an allowed one; it lists those and suggests the nearest."""
    allowed = list(allowed)
    if name not in allowed:
        raise ValueError(f"unknown {argument} {name!r}; {nearest_name(name, allowed)}")
