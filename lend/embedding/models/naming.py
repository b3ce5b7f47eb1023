"""Names of models that a library does not have: one error, with the nearest ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def require_known(place: str, name: str, known: Iterable[str]) -> None:
    """Raise ValueError for a name that is not among the known ones; a long list is told by its nearest names alone."""
    names = list(known)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3)
        more = ", ..." if len(names) > 8 else ""
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(names[:8])}{more}"
        raise ValueError(f"{place}: there is no {name!r}; {hint}")
