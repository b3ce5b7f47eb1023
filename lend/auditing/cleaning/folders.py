"""Class folders on a disk: every file is copied, or linked, to where it belongs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tqdm.auto import tqdm

from lend import storage
from lend.auditing.cleaning.corrections import Correction, some
from lend.auditing.cleaning.journal import Applied, write_journal
from lend.auditing.cleaning.options import Options
from lend.auditing.cleaning.placing import put_copy
from lend.auditing.cleaning.trees import new_paths
from lend.inputs import require


def apply_to_folder(
    source: Path, out: Path, corrections: Sequence[Correction], options: Options, progress: bool
) -> Applied:
    """Copy all files of a folder, those that are corrected into the folder of their new class.

    A file that is there already, as after a call that was killed, is not copied again.

    Raises:
        FileExistsError: If the copy holds a file of another content.
        ValueError: If it holds a file that does not belong there.
    """
    options.refuse(str(source), "column", "id_column", "split")
    paths = list_files(source)
    moved = new_paths(paths, corrections, options.new_classes, str(source))
    targets = {path: target for path in paths if (target := moved.get(path, path)) is not None}
    if out.exists():
        others = sorted(set(list_files(out)) - set(targets.values()))
        require(not others, "out", "a new folder, or one of an earlier call", f"{out}, which holds {some(others)}")
    written = False
    with storage.temporary_folder(out) as staging:
        for path, target in tqdm(targets.items(), "apply", unit=" files", disable=not progress, delay=1):
            written |= put_copy(source / path, out / target, staging, options.link)
    ids = [moved[each.sample_id] for each in corrections]
    return write_journal(out, corrections, ids, len(paths), written)


def list_files(folder: Path) -> list[str]:
    """All files below a folder, sorted, with forward slashes; through links of folders, but not in circles.

    Raises:
        ValueError: If there is a pipe, a device or a link that leads nowhere, of which there is no copy.
    """
    found = []
    for root, folders, names in os.walk(folder, followlinks=True):
        here = os.path.realpath(root)
        folders[:] = [name for name in folders if not Path(here).is_relative_to(os.path.realpath(Path(root, name)))]
        found += [Path(root, name) for name in names]
    odd = [str(path) for path in found if not path.is_file()]
    require(not odd, str(folder), "of files and folders alone", some(odd))
    return sorted(path.relative_to(folder).as_posix() for path in found)
