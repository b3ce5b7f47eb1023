"""Rows of your own: methods that stand beside those of the paper."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from lend.inputs import RunConfig, require, require_name
from lend.paper.grids import CORRECTED, FURTHER_ROWS, ROWS, Settings

KNOWN = {name: settings["method"] for name, settings in (ROWS | FURTHER_ROWS | CORRECTED).items()}


def own_rows(rows: Mapping[str, Any] | None) -> dict[str, Settings]:
    """Return the settings of each row, with the digests of its own code: the file is read once, and not executed.

    Args:
        rows: What a row is called, to its method: ``file.py:NAME``, ``package.module:NAME``, the class, or settings
            of :class:`~lend.RunConfig` such as ``{"method": "gce", "options": {"q": 0.5}}``. What the columns of a
            figure, the trials or the place of a plan set is theirs.

    Raises:
        FileNotFoundError: If there is no file of own code.
        ValueError: If a name is empty or one of the paper's, or a method or setting is unknown.
    """
    require(rows is None or isinstance(rows, Mapping), "rows", "a mapping from names to methods", rows)
    found: dict[str, Settings] = {}
    for name, row in (rows or {}).items():
        require(isinstance(name, str) and name.strip() != "", "rows", "names that can be read", name)
        require(name not in KNOWN, "rows", f"other names than those of known rows, {', '.join(KNOWN)}", name)
        settings = dict(row) if isinstance(row, Mapping) else {"method": row}
        require("method" in settings, f"rows, {name}", "settings with a method", row)
        found[name] = settings | _method(settings)
    return found


def _method(settings: Settings) -> dict[str, Any]:
    """The method as text, and the digests of the settings."""
    given = RunConfig(method=settings["method"], sources=settings.get("sources", {}))
    if given.method not in given.sources:
        require_name(given.method, [*dict.fromkeys(KNOWN.values()), "file.py:NAME", "package.module:NAME"], "method")
    config = RunConfig.from_dict({**settings, "method": given.method, "sources": given.sources})
    return {"method": config.method, "sources": config.sources}


def named_rows(texts: list[str]) -> dict[str, str | Settings]:
    """Return rows from texts of the command line: ``NAME=METHOD``, or ``file.py:NAME`` alone.

    Args:
        texts: The method may be settings in JSON: ``Mine={"method": "file.py:Mine", "options": {"rate": 2}}``.

    Raises:
        ValueError: If two rows have one name, a name or a method is missing, or the settings are no JSON.
    """
    rows: dict[str, str | Settings] = {}
    for text in texts:
        name, equal, method = text.partition("=")
        if not equal:
            name, method = text.rpartition(":")[2], text
        require(name != "" and method != "", "rows", "NAME=METHOD or file.py:NAME", text)
        require(name not in rows, "rows", "names of which each is there once", name)
        rows[name] = _read(text, method) if method.startswith("{") else method
    return rows


def _read(text: str, settings: str) -> Settings:
    try:
        return json.loads(settings)
    except ValueError as error:
        raise ValueError(f"rows must have settings in JSON, got {text!r}: {error}") from None


def typed_rows(rows: Mapping[str, Settings]) -> str:
    """Return the option of the command line that gives these rows of :func:`own_rows`; empty without any."""
    words = []
    for name, settings in rows.items():
        shown = {key: value for key, value in settings.items() if key != "sources"}
        method = shown["method"] if list(shown) == ["method"] else json.dumps(shown, ensure_ascii=False)
        words.append(shlex.quote(f"{name}={method}"))
    return f" --rows {' '.join(words)}" if words else ""
