"""What comes along with the library: the notebooks and the small saved runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lend import storage
from lend.inputs import require

PACKAGE = Path(__file__).parent.parent
HIDDEN = ".lend-"  # how the name of a folder begins that is being written in


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


@contextmanager
def delivered(folder: str, names: Iterable[str]) -> Iterator[Path]:
    """A new folder to write in; when all is written, its content moves to the folder asked for.

    So a command that was stopped leaves nothing behind, and can be given again. An error of a file in the new
    folder names the one asked for.

    Args:
        folder: Where to; made if it is missing.
        names: The files and folders that will be written.

    Raises:
        ValueError: If no folder is named, or a file.
        FileExistsError: If one of the names is taken in the folder; nothing is written then.
        OSError: If it cannot be written, for instance on a full disk.
    """
    target = Path(folder).expanduser()
    require(folder != "" and (target.is_dir() or not target.exists()), "folder", "a new or existing folder", folder)
    for name in names:
        if (target / name).exists():
            raise FileExistsError(f"{target / name} already exists, and is left as it is; name another folder")
    made = [path for path in (target, *target.parents) if not path.exists()]
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=HIDDEN) as workplace:
            yield Path(workplace)
            for path in sorted(Path(workplace).iterdir()):
                os.replace(path, target / path.name)
    except BaseException as error:
        for path in made:
            with suppress(OSError):  # not empty: something else was put there meanwhile
                path.rmdir()
        if isinstance(error, OSError) and error.errno is not None:
            hidden = str(error.filename).startswith(str(target / HIDDEN))
            if hidden or error.filename is None:  # a write without room names no file
                raise OSError(error.errno, error.strerror, folder) from error
        raise


def copy_notebooks(folder: str) -> list[Path]:
    """Copy the notebooks and the saved runs that they show to FOLDER/notebooks and FOLDER/saved.

    Args:
        folder: Where to; made if it is missing.

    Returns:
        The two folders.

    Raises:
        ValueError: If no folder is named, or a file.
        FileExistsError: If one of the two exists already; nothing is copied then.
        OSError: If they cannot be written, for instance on a full disk; the message names FOLDER.
    """
    names = ("notebooks", "saved")
    with delivered(folder, names) as workplace:
        for name in names:
            _copy(shipped(name), workplace / name)
    return [Path(folder).expanduser() / name for name in names]


def _copy(source: Path, target: Path) -> None:
    """Copy a folder; the first error ends it as it is, where shutil.copytree would tell a text of all of them."""
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.is_file() and ".ipynb_checkpoints" not in inside.parts:
            storage.write_bytes(target / inside, path.read_bytes())
