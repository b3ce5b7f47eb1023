"""Class folders in a zip or a tar archive: members go over one by one, those that are corrected by another name."""

from __future__ import annotations

import copy
import gzip
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from lend.auditing.cleaning.corrections import Correction
from lend.auditing.cleaning.journal import Applied, write_journal
from lend.auditing.cleaning.options import Options
from lend.auditing.cleaning.placing import put
from lend.auditing.cleaning.trees import new_paths
from lend.inputs import require

TARS = {".tar": "", ".tar.gz": "gz", ".tgz": "gz", ".tar.bz2": "bz2", ".tar.xz": "xz"}  # ending to compression
PIECE = 1 << 20  # bytes copied at a time
Moved = Mapping[str, str | None]


def apply_to_archive(source: Path, out: Path, corrections: Sequence[Correction], options: Options) -> Applied:
    """Write an archive of the same kind; members that are corrected get the path of their new class.

    Ids are paths in the archive; where all members are in one folder, ids may leave it out.

    Raises:
        ValueError: If the archive is damaged, or has two members of one name.
    """
    options.refuse(str(source), "column", "id_column", "split", "link")
    try:
        if source.suffix.lower() == ".zip":
            with zipfile.ZipFile(source) as archive:
                paths = [member.filename for member in archive.infolist() if not member.is_dir()]
                return _apply(source, out, corrections, options, paths, lambda moved: _zip(archive, moved))
        with tarfile.open(source) as tar:
            paths = [member.name for member in tar.getmembers() if not member.isdir()]
            return _apply(source, out, corrections, options, paths, lambda moved: _tar(source, tar, moved))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise ValueError(f"{source}: not a whole archive ({' '.join(str(error).split())})") from error


def tar_ending(path: Path) -> str | None:
    """The ending of a tar archive; None for anything else."""
    return next((ending for ending in sorted(TARS, key=len, reverse=True) if path.name.lower().endswith(ending)), None)


def _apply(
    source: Path,
    out: Path,
    corrections: Sequence[Correction],
    options: Options,
    paths: list[str],
    writer: Callable[[Moved], Callable[[BinaryIO], object]],
) -> Applied:
    require(len(set(paths)) == len(paths), str(source), "of members of different names", "two of one name")
    moved = new_paths(paths, corrections, options.new_classes, str(source), _above(paths, corrections))
    written = put(out, writer(moved))
    above = _above(paths, corrections)
    ids = [moved[above + each.sample_id] for each in corrections]
    return write_journal(out, corrections, ids, len(paths), written)


def _above(paths: Sequence[str], corrections: Sequence[Correction]) -> str:
    """The one folder that holds all members, with its slash, where ids leave it out; empty otherwise."""
    first = {path.partition("/")[0] for path in paths}
    if len(first) != 1 or {each.sample_id for each in corrections} <= set(paths):
        return ""
    return f"{first.pop()}/"


def _zip(archive: zipfile.ZipFile, moved: Moved) -> Callable[[BinaryIO], object]:
    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w") as copied:
            copied.comment = archive.comment
            for member in archive.infolist():
                target = moved.get(member.filename, member.filename)
                if target is None:
                    continue
                about = copy.copy(member)
                about.filename = target
                if member.is_dir():
                    copied.writestr(about, b"")
                    continue
                with (
                    archive.open(member) as inside,
                    copied.open(about, "w", force_zip64=member.file_size >= 2**31) as new,
                ):
                    while piece := inside.read(PIECE):
                        new.write(piece)

    return write


def _tar(source: Path, tar: tarfile.TarFile, moved: Moved) -> Callable[[BinaryIO], object]:
    packed = TARS[str(tar_ending(source))]

    def write(file: BinaryIO) -> None:
        # gzip would write the time, and the same call would give other bytes
        stream = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if packed == "gz" else file
        mode = f"w:{packed}" if packed in ("bz2", "xz") else "w"
        with tarfile.open(fileobj=stream, mode=mode, format=tarfile.PAX_FORMAT) as copied:  # type: ignore[call-overload]
            for member in tar.getmembers():
                target = moved.get(member.name, member.name)
                if target is None:
                    continue
                linked = moved.get(member.linkname, member.linkname) if member.islnk() else member.linkname
                require(linked is not None, str(source), "without a link to a file that is left out", member.name)
                about = copy.copy(member)
                about.linkname = linked or ""
                about.name, about.pax_headers = target, {k: v for k, v in member.pax_headers.items() if k != "path"}
                copied.addfile(about, tar.extractfile(member) if member.isreg() else None)
        if packed == "gz":
            stream.close()

    return write
