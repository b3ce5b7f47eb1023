"""All saved runs of a folder."""

from __future__ import annotations

import warnings
from pathlib import Path

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
