"""All saved runs of a folder."""

from __future__ import annotations

import warnings
from contextlib import suppress
from glob import escape
from pathlib import Path

from lend.inputs import RunConfig
from lend.run.layout import CONFIG
from lend.run.run import Run


def runs(folder: str | Path = "runs") -> list[Run]:
    """Open all saved runs in a folder, sorted by name.

    A run that cannot be opened (a damaged file, a setting that this version does not know) is left out, with a
    warning that names its file.
    """
    found = []
    for path in sorted(Path(folder).glob(f"*/{CONFIG}")):
        try:
            found.append(Run.open(path.parent))
        except (ValueError, OSError) as error:  # DamagedFileError is a ValueError
            warnings.warn(f"{path.parent} is left out: {error}", stacklevel=2)
    return found


def with_older_sources(config: RunConfig) -> list[Run]:
    """Open the saved runs beside that of a configuration that differ from it in the sources of own code alone."""
    same = {name: value for name, value in config.identity.items() if name != "sources"}
    beside = config.folder.name.removesuffix(config.hash)
    found = []
    for path in sorted(config.folder.parent.glob(f"{escape(beside)}*/{CONFIG}")):
        with suppress(ValueError, OSError):  # a damaged run is none of these
            run = Run.open(path.parent)
            if run.config.sources != config.sources and run.config.identity | same == run.config.identity:
                found.append(run)
    return found
