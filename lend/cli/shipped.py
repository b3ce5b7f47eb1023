"""What comes along with the library: the notebooks and the small saved runs."""

from __future__ import annotations

import shutil
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def shipped(name: str) -> Path:
    """The folder of the notebooks or of the saved runs: inside an installed package, or in the repository.

    Args:
        name: "notebooks" or "saved".

    Raises:
        FileNotFoundError: If this installation has neither.
    """
    for folder in (PACKAGE / "shipped" / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"lend was installed without its {name}; install the wheel, or clone the repository")


def copy_notebooks(folder: str | Path) -> list[Path]:
    """Copy the notebooks and the saved runs that they show to FOLDER/notebooks and FOLDER/saved.

    Args:
        folder: Where to; made if it is missing.

    Returns:
        The two folders.

    Raises:
        FileExistsError: If one of them exists already; nothing is copied then.
    """
    targets = [Path(folder) / name for name in ("notebooks", "saved")]
    for target in targets:
        if target.exists():
            raise FileExistsError(f"{target} already exists; nothing was copied")
    for target in targets:
        shutil.copytree(shipped(target.name), target, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return targets
