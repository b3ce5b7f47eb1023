"""Single numbers: a whole one and a real one, of Python, NumPy or any other library; True and False are none."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, TypeGuard

from lend.inputs.errors import require


def is_whole(value: object) -> TypeGuard[int]:
    """Whether this is one whole number."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_real(value: object) -> TypeGuard[float]:
    """Whether this is one real number, whole or not; it may be NaN or infinite."""
    return isinstance(value, Real) and not isinstance(value, bool)


def as_count(value: Any, name: str, least: int = 1, most: int | None = None) -> int:  # noqa: ANN401
    """Return a whole number of any library as Python's; ValueError naming the argument for anything else."""
    allowed = f"an integer of at least {least}" if most is None else f"an integer from {least} to {most}"
    inside = is_whole(value) and value >= least and (most is None or value <= most)
    require(bool(inside), name, allowed, value)
    return int(value)
