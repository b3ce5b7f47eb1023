"""Rows of people's own in a sweep: their methods are built once, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lend.inputs import RunConfig


def require_methods(configs: Iterable[RunConfig], rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise the error that a training of an own row would raise at its start; own code is imported here.

    Args:
        configs: Planned runs.
        rows: From :func:`lend.paper.experiments.own_rows`.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If an option is unknown or out of range, or a class fails or is no method.
    """
    if rows:
        from lend.training import build_method

        methods = {settings["method"] for settings in rows.values()}
        built = {f"{c.method} {c.options}": c for c in configs if c.method in methods}
        for config in built.values():
            build_method(config)
