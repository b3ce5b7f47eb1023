"""Settings of the types they are declared with: what people give becomes plain Python values, or one clear error.

Settings are compared, hashed and written as JSON, so ``np.float64(0.1)`` must be 0.1, and "false" must not be true.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Set
from dataclasses import Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from lend.inputs.errors import nearest_name, require
from lend.inputs.numbers import is_real, is_whole

hints_of = cache(get_type_hints)  # names and types of the fields of a dataclass


class _MisfitError(TypeError):
    """A value is of another type than its field."""


def typed(kind: Any, settings: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 (a dataclass)
    """Return fields of a dataclass as plain Python values of their declared types.

    - NumPy's scalars and arrays, and what else has ``tolist``, become Python's; so do subclasses of int, float and str.
    - An integer may stand for a float and stays one: runs are found by the hash of their settings, which tells 1 from
      1.0. A float never stands for an integer, and a truth value for neither; a string is nothing but text.
    - Entries of a list may come in any sequence; those of a tuple in anything that can be iterated over.
    - A field with ``path`` in its metadata takes a path, such as :class:`pathlib.Path`, and "~" in it.
    - A mapping may stand for a dataclass.

    Raises:
        ValueError: If a field is unknown, or a value of another type, NaN or infinite; the message names the field.
    """
    _require_known(kind, settings)
    hints, declared = hints_of(kind), {field.name: field for field in fields(kind)}
    return {name: _typed(value, declared[name], hints[name]) for name, value in settings.items()}


def make_typed(settings: Any) -> None:  # noqa: ANN401 (an instance of a dataclass)
    """Replace the fields of a new dataclass, frozen or not, as :func:`typed` does."""
    given = {field.name: getattr(settings, field.name) for field in fields(settings)}
    for name, value in typed(type(settings), given).items():
        object.__setattr__(settings, name, value)


def _typed(value: object, field: Field[Any], hint: Any) -> Any:  # noqa: ANN401 (a type, or what typing makes of several)
    if type(value) in _plain_types(hint) and not field.metadata.get("path") and _finite(value):
        return value  # as nearly all are: dilute builds settings at each call
    if field.metadata.get("path") and isinstance(value, str | os.PathLike):
        value = os.path.expanduser(os.fspath(value))
    try:
        found = _convert(_plain(value), hint)
    except _MisfitError as misfit:
        inside = bool(str(misfit))
        allowed = "of a type that JSON has, by names that are text" if inside else f"of the type {_type_name(hint)}"
        require(False, f"{field.name}{misfit}", allowed, value)
    require(_finite(found), field.name, "finite", value)
    return found


@cache
def _plain_types(hint: Any) -> frozenset[type]:  # noqa: ANN401
    """The types of which a value is what this type asks for without any conversion."""
    inner = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return frozenset(inner) & {int, float, str, bool, NoneType} | ({int} if float in inner else frozenset())


def _require_known(kind: Any, settings: Mapping[str, Any]) -> None:  # noqa: ANN401
    """Raise a ValueError unless all settings are fields of this dataclass."""
    unknown = {str(name) for name in set(settings) - set(hints_of(kind))}
    if unknown:
        raise ValueError(f"unknown settings {', '.join(sorted(unknown))}; {nearest_name(min(unknown), hints_of(kind))}")


def _plain(value: object) -> Any:  # noqa: ANN401
    """A NumPy scalar, an array or a Series as Python's numbers and lists; everything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def _convert(value: Any, hint: Any) -> Any:  # noqa: ANN401
    """Return a plain value as this type, or raise _MisfitError; its message is the place inside the value."""
    outer, inner = get_origin(hint), get_args(hint)
    if outer in (Union, UnionType):
        return _convert_to_one(value, inner)
    if outer in (list, tuple):
        return outer(_convert(_plain(entry), inner[0]) for entry in _entries(value, ordered=outer is list))
    if outer is dict and isinstance(value, Mapping):
        return _json(value)
    if is_dataclass(hint) and isinstance(value, Mapping):
        return hint(**typed(hint, value))  # type: ignore[operator]  # a class, since fields are declared with classes
    if hint in (int, float) and is_whole(value):
        return int(value)
    if hint is float and is_real(value):
        return float(value)
    if hint is str and isinstance(value, str):
        return str.__str__(value)
    if hint in (bool, NoneType) or is_dataclass(hint):
        if isinstance(value, hint):
            return value
    raise _MisfitError


def _convert_to_one(value: object, hints: Iterable[Any]) -> Any:  # noqa: ANN401
    """Return a value as the first of these types that it fits."""
    for hint in hints:
        try:
            return _convert(value, hint)
        except _MisfitError:
            continue
    raise _MisfitError


def _entries(value: object, ordered: bool) -> Iterable[Any]:
    """What a sequence holds; text and mappings are none, and a set has no order."""
    strange = (str, bytes, Mapping, Set) if ordered else (str, bytes, Mapping)
    if not isinstance(value, Iterable) or isinstance(value, strange):
        raise _MisfitError
    return value


def _json(value: object, place: str = "") -> Any:  # noqa: ANN401
    """Return a value of any type that JSON has, in new lists and dictionaries."""
    value = _plain(value)
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise _MisfitError(place)
        return {str.__str__(name): _json(entry, f"{place}.{name}") for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_json(entry, place) for entry in value]
    for hint in (NoneType, bool, int, float, str):
        try:
            return _convert(value, hint)
        except _MisfitError:
            continue
    raise _MisfitError(place)


def _finite(value: object) -> bool:
    """Whether no number in a plain value is NaN or infinite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        value = value.values()
    return isinstance(value, str) or not isinstance(value, Iterable) or all(_finite(entry) for entry in value)


def _type_name(hint: Any) -> str:  # noqa: ANN401
    return hint.__name__ if isinstance(hint, type) and get_origin(hint) is None else str(hint)
