"""Settings that name own code: which do, and the digests of the sources that they name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from lend.inputs import plugins
from lend.inputs.errors import require, require_name

# The settings that may name own code, each with what stands before a colon in it without being a module.
OWN_CODE: dict[str, tuple[str, ...]] = {
    "dataset": ("folder", "npz", "parquet"),
    "method": (),
    "noise": ("asymmetric", "human", "matrix"),
    "network": ("torchvision", "timm"),
}
NETWORKS = ("auto", "resnet18", "small")
METHODS = tuple("standard lend coteaching gce jocor sigua forward elr coteaching+ dividemix sop lend2".split())
GROUP = "lend.methods"  # of entry points, by which installed packages bring methods
FORMS = "file.py:NAME or package.module:NAME"


def own_code(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return those settings that name own code, ``file.py:name`` or ``package.module:name``; nothing is looked for.

    Args:
        settings: Fields of a :class:`RunConfig`, by name.
    """
    return {name: settings[name] for name in OWN_CODE if _is_own(name, settings.get(name))}


def _is_own(name: str, text: object) -> bool:
    if not isinstance(text, str) or text.partition(":")[0] in OWN_CODE[name]:
        return False
    return plugins.names_code(text)


def place_of_method(name: str) -> str:
    """Return where the method of an installed package is, by the name of its entry point; other names as they are."""
    if ":" in name or name in METHODS:
        return name
    found = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    return found.get(name, name)


def require_places(settings: Mapping[str, str]) -> None:
    """Raise ValueError for a network of an unknown name, and for a file without the name of what is in it.

    Names of the other settings are checked where they are used, beside those that are known there.

    Args:
        settings: The fields of :data:`OWN_CODE`.
    """
    own = own_code(settings)
    for name, text in settings.items():
        known = name in own or text.partition(":")[0] in OWN_CODE[name]
        require(known or not re.search(r"\.py:?$", text), name, FORMS, text)
    network = settings["network"]
    if ":" not in network:
        require_name(network, NETWORKS, "network")
    kind, _, rest = network.partition(":")
    library = kind in OWN_CODE["network"] and rest != ""
    allowed = f"{', '.join(NETWORKS)}, torchvision:NAME, timm:NAME, {FORMS}"
    require(network in NETWORKS or library or "network" in own, "network", allowed, network)


def digests(settings: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256 of the source of all own code that the settings name.

    Args:
        settings: The fields of :data:`OWN_CODE`.
        known: Digests, by the text that names the code; no source is read of these.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a module is missing, or a known digest is none.
    """
    require_digests(known)
    own = own_code(settings)
    return {text: known[text] if text in known else _digest(name, text) for name, text in own.items()}


def require_digests(known: Mapping[str, str]) -> None:
    """Raise ValueError unless all values are digests."""
    for digest in known.values():
        valid = isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) is not None
        require(valid, "sources", "the SHA-256 of each own code, by its place", digest)


def _digest(name: str, text: str) -> str:
    try:
        return plugins.source_digest(text)
    except (ValueError, OSError) as error:
        near = difflib.get_close_matches(text.partition(":")[0], OWN_CODE[name], n=1)
        raise type(error)(f"{name} {error}{f'; did you mean {near[0]}:...?' if near else ''}") from None


def spelled(name: str, code: Any) -> str:  # noqa: ANN401 (whatever can be called)
    """Return the text of a class or function that was given in a setting; errors name the setting."""
    try:
        return plugins.spelled(code)
    except (ValueError, OSError) as error:
        raise type(error)(f"{name}: {error}") from None
