"""The methods by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from inspect import get_annotations
from typing import Any

from lend.inputs import nearest_name, require, require_name
from lend.methods.base import Method
from lend.methods.coteaching_plus import CoTeachingPlus
from lend.methods.dividemix import DivideMix
from lend.methods.elr import ELR
from lend.methods.forward import Forward
from lend.methods.gce import GCE
from lend.methods.lend import LEND
from lend.methods.lend2 import LEND2
from lend.methods.small_loss import SIGUA, CoTeaching, JoCoR
from lend.methods.sop import SOP
from lend.methods.standard import Standard

METHODS: dict[str, type[Method]] = {
    "standard": Standard,
    "lend": LEND,
    "coteaching": CoTeaching,
    "gce": GCE,
    "jocor": JoCoR,
    "sigua": SIGUA,
    "forward": Forward,
    "elr": ELR,
    "coteaching+": CoTeachingPlus,
    "dividemix": DivideMix,
    "sop": SOP,
    "lend2": LEND2,
}


def build(name: str, options: Mapping[str, Any], kind: Any = None) -> Method:  # noqa: ANN401 (checked here)
    """Build a method from its name and its hyper-parameters.

    Args:
        name: Key of :data:`METHODS`, or what a method of one's own is called in errors.
        options: Values of the method's fields; the others keep their defaults.
        kind: A class of one's own, in the place of that of the name.

    Raises:
        ValueError: If the name or an option is unknown, a value is out of range, or the class is no method.
    """
    if kind is None:
        require_name(name, METHODS, "method")
        kind = METHODS[name]
    right = isinstance(kind, type) and issubclass(kind, Method)
    require(right, f"method {name}", "a subclass of lend.methods.Method", getattr(kind, "__name__", kind))
    known = [f.name for f in fields(kind) if f.init]
    _require_decorated(kind, name, known)
    for option in options:
        if option not in known:
            hint = nearest_name(option, known) if known else f"{name} has none"
            raise ValueError(f"unknown option {option!r} of method {name}; {hint}")
    lacking = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    absent = [field for field in lacking if field not in options]
    if absent:
        raise ValueError(f"method {name} needs the option {absent[0]!r}")
    require(kind.loss is not Method.loss, f"method {name}", "a class with a loss", kind.__name__)
    return kind(**options)


def _require_decorated(kind: type[Method], name: str, known: list[str]) -> None:
    """Raise ValueError where a class writes hyper-parameters as fields, and is no dataclass."""
    if "__dataclass_params__" in vars(kind):
        return
    written = get_annotations(kind).items()
    lost = [field for field, hint in written if field not in known and "ClassVar" not in str(hint)]
    allowed = "decorated with @dataclass(frozen=True), without which its fields are no options"
    require(not lost, f"method {name}", allowed, ", ".join(lost))
