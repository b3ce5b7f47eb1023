"""Images in class folders."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lend.data.assembling import assemble
from lend.data.dataset import Dataset
from lend.data.decoding import decode_files
from lend.data.listing import image_endings, image_files, is_hidden, kind_of, tell_left_out
from lend.inputs import require, sort_names


def read_folder(path: Path) -> Dataset:
    """Images in class folders; the class order is that of the sorted folder names, as numbers where all are numbers."""
    want = f"{path}/train/CLASS/*.png and {path}/test/CLASS/*.png"
    for part in (path, path / "train", path / "test"):
        if not part.is_dir():
            raise FileNotFoundError(f"{part}: no such folder; expected {want}")
    left_out: Counter[str] = Counter()
    train, test = (class_files(path / part, left_out) for part in ("train", "test"))
    extra = [name for name in test if name not in train]
    require(not extra, f"{path / 'test'}", f"of the classes that have images in {path / 'train'}", ", ".join(extra))
    tell_left_out(path, left_out)
    names = tuple(train)
    parts = [(decode_files(flat(part)), class_numbers(part, names)) for part in (train, test)]
    return assemble(path.name, parts[0], parts[1], names, source=path)


def class_files(path: Path, left_out: Counter[str]) -> dict[str, list[Path]]:
    """The image files of each class folder, in the order of the classes; a folder without images is no class.

    Args:
        path: Holds a folder per class.
        left_out: Everything else is counted here.

    Raises:
        FileNotFoundError: If there is no class folder, or no image in any.
    """
    folders = {}
    for entry in path.iterdir():
        if entry.is_dir() and not is_hidden(entry):
            folders[entry.name] = entry
        else:
            left_out[f"folder {entry.name}" if entry.is_dir() else f"{kind_of(entry)} beside the class folders"] += 1
    if not folders:
        raise FileNotFoundError(f"{path}: no class folders; expected {path}/CLASS/*.png")
    files = {name: image_files(folders[name], left_out) for name in sort_names(folders)}
    for name in [name for name, found in files.items() if not found]:
        left_out[f"class folder {name} without images"] += 1
        del files[name]
    if not files:
        endings = ", ".join(sorted(image_endings()))
        raise FileNotFoundError(f"{path}: no images; expected {path}/CLASS/*.png, or another of the endings {endings}")
    return files


def flat(files: Mapping[str, Sequence[Path]]) -> list[Path]:
    """The files of all classes, class after class."""
    return [file for found in files.values() for file in found]


def class_numbers(files: Mapping[str, Sequence[Path]], names: Sequence[str]) -> list[int]:
    """The place in ``names`` of the class of each of these files."""
    return [names.index(name) for name, found in files.items() for _ in found]
