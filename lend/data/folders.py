"""Images in class folders."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from lend.data.assembling import assemble
from lend.data.dataset import Dataset
from lend.data.decoding import decode_files
from lend.data.files import basename

_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff", ".gif")


def read_folder(path: Path) -> Dataset:
    """Images in class folders; the class order is that of the sorted folder names."""
    want = f"{path}/train/CLASS/*.png and {path}/test/CLASS/*.png"
    for part in (path, path / "train", path / "test"):
        if not part.is_dir():
            raise FileNotFoundError(f"{part}: no such folder; expected {want}")
    names = class_folders(path / "train")
    extra = set(class_folders(path / "test")) - set(names)
    if extra:
        raise ValueError(f"{path / 'test'}: class folders {sorted(extra)} are not in {path / 'train'}; expected {want}")
    train, test = (read_class_folders(path / part, names) for part in ("train", "test"))
    return assemble(basename(path), train, test, tuple(names), source=path)


def class_folders(path: Path) -> list[str]:
    """Sorted names of the visible folders in a folder."""
    names = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise FileNotFoundError(f"{path}: no class folders; expected {path}/CLASS/*.png")
    return names


def read_class_folders(path: Path, names: Sequence[str]) -> tuple[Tensor, list[int]]:
    """Images of every class folder, and the place of their folder in ``names``; a missing folder is an empty class."""
    found = [(file, c) for c, name in enumerate(names) for file in image_files(path / name, allow_empty=True)]
    if not found:
        raise FileNotFoundError(f"{path}: no images; expected {path}/CLASS/*.png or {', '.join(_IMAGE_ENDINGS[1:])}")
    return decode_files([file for file, _ in found]), [c for _, c in found]


def image_files(path: Path, allow_empty: bool = False) -> list[Path]:
    """The image files of a folder, sorted by name, since the order of a listing is the file system's."""
    entries = path.iterdir() if path.is_dir() else ()
    files = sorted(file for file in entries if file.suffix.lower() in _IMAGE_ENDINGS and not file.name.startswith("."))
    if not files and not allow_empty:
        raise FileNotFoundError(f"{path}: no images; expected files ending in {', '.join(_IMAGE_ENDINGS)}")
    return files
