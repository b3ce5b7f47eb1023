"""The methods by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from lend.inputs import nearest_name, require_name
from lend.methods.base import Method
from lend.methods.coteaching_plus import CoTeachingPlus
from lend.methods.dividemix import DivideMix
from lend.methods.elr import ELR
from lend.methods.forward import Forward
from lend.methods.gce import GCE
from lend.methods.lend import LEND
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
}


def build(name: str, options: Mapping[str, Any]) -> Method:
    """Build a method from its name and its hyper-parameters.

    Args:
        name: Key of :data:`METHODS`.
        options: Values of the method's fields; the others keep their defaults.

    Raises:
        ValueError: If the name or an option is unknown, or a value is out of range.
    """
    require_name(name, METHODS, "method")
    known = [f.name for f in fields(METHODS[name])]
    for option in options:
        if option not in known:
            hint = nearest_name(option, known) if known else f"{name} has none"
            raise ValueError(f"unknown option {option!r} of method {name}; {hint}")
    return METHODS[name](**options)
