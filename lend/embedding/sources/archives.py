"""Images in .zip and .tar files: in class folders, side by side, or as samples of WebDataset."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from lend.data import image_endings, is_hidden, kind_of, tell_left_out
from lend.embedding.source import IMAGES, Content, Source, Unreadable, file_signs, make_source
from lend.embedding.sources.folders import PARTS
from lend.inputs import require

TARS = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
ENDINGS = (".zip", *TARS)
MOST = 1 << 28  # bytes of one image, unpacked
BESIDE = (".cls", ".json", ".txt")  # files of a sample of WebDataset that may hold its label, the surest first
FIELDS = ("label", "cls", "class")


def is_archive(path: Path) -> bool:
    """Whether this is a .zip or a .tar file, by its name."""
    return path.name.lower().endswith(ENDINGS)


def tar_files(path: Path) -> list[Path]:
    """The .tar files of a folder: the shards of a WebDataset."""
    return sorted(file for file in path.iterdir() if file.name.lower().endswith(TARS) and file.is_file())


@dataclass(frozen=True)
class _Member:
    """A file in an archive."""

    archive: Path
    name: str
    size: int
    entry: Any  # what the library takes to read it


def open_archives(place: Path, files: Sequence[Path]) -> Source:
    """Images of archives; an id is the path in the archive, or the key of a sample.

    Nothing is unpacked to the disk. Where files beside an image have its key and end in .cls, .json or .txt, its label
    is in the first of these; otherwise a class is the folder around an image.

    Raises:
        ValueError: If an archive cannot be read.
        FileNotFoundError: If there is no image in it.
    """
    members = [member for file in files for member in _members(file)]
    left_out: Counter[str] = Counter()
    images, beside = [], {}
    for member in members:
        path = PurePosixPath(member.name)
        if any(is_hidden(Path(part)) for part in path.parts):
            left_out[kind_of(Path(path.name))] += 1
        elif path.suffix.lower() in image_endings():
            images.append(member)
        elif path.suffix.lower() in BESIDE:
            beside[member.archive, _key(path), path.suffix.lower()] = member
        else:
            left_out[kind_of(Path(path.name))] += 1
    if not images:
        raise FileNotFoundError(f"{place}: no images in it")
    sampled = any((image.archive, _key(PurePosixPath(image.name)), end) in beside for image in images for end in BESIDE)
    labels: list[Any] | None
    if sampled:
        labels = _labels_beside(images, beside)
        ids = [_key(PurePosixPath(image.name)) for image in images]
        if len(set(ids)) < len(ids):
            ids = [f"{image.archive.name}/{key}" for image, key in zip(images, ids, strict=True)]
        if len(set(ids)) < len(ids):  # several images of one sample
            ids = [f"{image.archive.name}/{image.name}" for image in images]
    else:
        for _, _, ending in beside:
            left_out[ending] += 1
        several = len(files) > 1
        ids = [f"{image.archive.name}/{image.name}" if several else image.name for image in images]
        labels = _labels_of_folders([PurePosixPath(image.name) for image in images])
    tell_left_out(place, left_out)

    def contents(start: int) -> Iterator[Content]:
        return _read(images[start:])

    signs = (*file_signs(files), sampled)
    paths = [image.name for image in images]
    return make_source(IMAGES, str(place), contents, len(images), signs, labels=labels, ids=ids, paths=paths)


def _key(path: PurePosixPath) -> str:
    """The key of a sample: its path up to the first dot of the name, as WebDataset has it."""
    return (path.parent / path.name.partition(".")[0]).as_posix()


def _labels_of_folders(paths: Sequence[PurePosixPath]) -> list[str] | None:
    """The folder around each image, below what all have in common and below the parts train and test."""
    folders = [path.parts[:-1] for path in paths]
    common = 0
    while all(len(folder) > common + 1 and folder[common] == folders[0][common] for folder in folders):
        common += 1  # the folder that was packed
    rest = [folder[common:] for folder in folders]
    if all(len(folder) > 1 and folder[0].lower() in PARTS for folder in rest):
        rest = [folder[1:] for folder in rest]
    return [folder[0] for folder in rest] if all(rest) else None


def _labels_beside(images: Sequence[_Member], beside: dict[tuple[Path, str, str], _Member]) -> list[Any]:
    """The label of each image in the surest file beside it; None where there is none."""
    found = []
    for image in images:
        key = _key(PurePosixPath(image.name))
        found.append(
            next((beside[image.archive, key, end] for end in BESIDE if (image.archive, key, end) in beside), None)
        )
    texts = iter(_read([member for member in found if member is not None]))
    labels = [None if member is None else _label(member, next(texts)) for member in found]
    # .cls holds integers as text
    plain = all(label is None or isinstance(label, int) or str(label).isdecimal() for label in labels)
    return [None if label is None else int(label) for label in labels] if plain else labels


def _label(member: _Member, content: Content) -> Any:  # noqa: ANN401 (a text or an integer)
    place = f"{member.archive}: {member.name}"
    try:
        text = bytes(content).decode("utf-8").strip()  # type: ignore[arg-type]  # or it is Unreadable: a TypeError
        if not member.name.lower().endswith(".json"):
            return text or None
        row = json.loads(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: no label can be read ({error})") from None
    label = next((row[name] for name in FIELDS if name in row), None) if isinstance(row, dict) else row
    kinds = label is None or isinstance(label, int | str)
    require(kinds, place, f"a label, or an object with one as {', '.join(FIELDS)}", text[:80])
    return label


def _members(archive: Path) -> list[_Member]:
    with _damage(archive):
        if archive.name.lower().endswith(".zip"):
            with zipfile.ZipFile(archive) as opened:
                entries = sorted(opened.infolist(), key=lambda entry: entry.filename)
                return [_Member(archive, e.filename, e.file_size, e) for e in entries if not e.is_dir()]
        with tarfile.open(archive) as tar:
            return [_Member(archive, e.name.removeprefix("./"), e.size, e) for e in tar if e.isreg()]


def _read(members: Sequence[_Member]) -> Iterator[Content]:
    """The contents of members, one after another; an archive stays open while its members follow each other."""
    position = 0
    while position < len(members):
        archive = members[position].archive
        with _damage(archive), _opened(archive) as opened:
            while position < len(members) and members[position].archive == archive:
                yield _content(opened, members[position])
                position += 1


@contextmanager
def _opened(archive: Path) -> Iterator[Any]:
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as opened:
            yield opened
    else:
        with tarfile.open(archive) as tar:
            yield tar


def _content(opened: Any, member: _Member) -> Content:  # noqa: ANN401 (an archive of either library)
    if member.size > MOST:
        return Unreadable(f"{member.size:,} bytes, at most {MOST:,} are read")
    try:
        stream: IO[bytes] = (
            opened.open(member.entry) if isinstance(opened, zipfile.ZipFile) else opened.extractfile(member.entry)
        )
        with stream:
            return stream.read()
    except Exception as error:  # a damaged or encrypted member may raise many kinds
        return Unreadable(f"cannot be unpacked ({' '.join(str(error).split()) or type(error).__name__})")


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    """One error that names the archive."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, NotImplementedError) as error:
        raise ValueError(f"{archive}: not a whole archive; get it again ({' '.join(str(error).split())})") from error
