"""Settings that were saved: names in them are read as names, and no code is looked for by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lend.inputs.settings.own import METHODS, OWN_CODE, own_code, require_digests
from lend.inputs.settings.run_config import RunConfig


@dataclass(frozen=True)
class NamedConfig(RunConfig):
    """Settings whose method, data set, noise and network are whatever somebody called them, as in a recorded run.

    ``crowd:amt`` and ``train.py`` look like places of code and are none: only what has a digest in ``sources`` is.
    """

    def _find_code(self) -> None:
        require_digests(self.sources)
        own = own_code({name: getattr(self, name) for name in OWN_CODE}).values()
        object.__setattr__(self, "sources", {text: d for text, d in self.sources.items() if text in own})


def saved_config(settings: Mapping[str, Any], recorded: bool) -> RunConfig:
    """Return the settings of a saved run; neither a source nor the list of installed packages is looked at.

    Args:
        settings: As `dataclasses.asdict` gave them, after JSON; the digests of all own code are among them.
        recorded: Whether a recorder wrote the run: then nothing in it names code.

    Raises:
        ValueError: If a setting is unknown, of a wrong type or out of range.
    """
    if recorded:
        return NamedConfig.from_dict({**settings, "sources": {}})
    method = settings.get("method")
    unknown = isinstance(method, str) and ":" not in method and method not in METHODS  # that of another version
    return (NamedConfig if unknown else RunConfig).from_dict(settings)
