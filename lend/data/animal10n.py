"""Animal-10N in the three layouts of its release."""

from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lend.data.assembling import assemble
from lend.data.dataset import Dataset
from lend.data.decoding import decode_files
from lend.data.folders import class_files, class_numbers, flat
from lend.data.listing import image_files, tell_left_out

ANIMAL10N_SIZES = (50_000, 5_000)  # training and test images of the release (Song et al., ICML 2019)
_SHAPE = (3, 64, 64)


def read_animal10n(folder: Path, download: bool) -> Dataset:
    """Animal-10N (Song et al., ICML 2019) in its raw, class-folder or binary layout."""
    roots = [folder / "animal10n", folder / "animal-10n"]
    root = next((root for root in roots if root.is_dir()), None)
    get = "ask for it at dm.kaist.ac.kr/datasets/animal-10n"
    if root is None:
        raise FileNotFoundError(f"{roots[0]}: no such folder; {get} and unpack it there")
    layouts = {
        ("training", "testing"): _read_raw,
        ("train", "test"): _read_folders,
        ("data_batch_1.bin", "test_batch.bin"): _read_binary,
    }
    found = [names for names in layouts if all((root / name).exists() for name in names)]
    if not found:
        wanted = "; ".join(" and ".join(names) for names in layouts)
        raise FileNotFoundError(f"{root}: expected one of these pairs: {wanted}; {get}")
    read, paths = layouts[found[0]], [root / name for name in found[0]]
    parts = []
    for path, size in zip(paths, ANIMAL10N_SIZES, strict=True):
        images, labels = read(path)
        for what, fits, wanted in (
            (f"{len(labels)} images", len(labels) == size, f"{size} images"),
            (f"images {tuple(images.shape[1:])}", tuple(images.shape[1:]) == _SHAPE, "images (3, 64, 64)"),
            (f"labels up to {max(labels)}", 0 <= min(labels) and max(labels) < 10, "labels 0 to 9"),
        ):
            if not fits:
                raise ValueError(f"{path}: expected {wanted}, got {what}; {get} and unpack it again")
        parts.append((images, labels))
    return assemble("animal10n", parts[0], parts[1], clean=False, source=root)


def _read_raw(path: Path) -> tuple[Tensor, list[int]]:
    """Files <label>_img_<number>.jpg in one folder, in the order of their names."""
    left_out: Counter[str] = Counter()
    files = image_files(path, left_out)
    tell_left_out(path, left_out)
    labels = [file.name.partition("_")[0] for file in files]
    for file, label in zip(files, labels, strict=True):
        if not label.isdecimal():
            raise ValueError(f"{file}: expected a name <label>_img_<number>.jpg; remove it or name it so")
    if not files:
        raise FileNotFoundError(f"{path}: no images; expected files <label>_img_<number>.jpg")
    return decode_files(files, upright=False), [int(label) for label in labels]


def _read_folders(path: Path) -> tuple[Tensor, list[int]]:
    """Folders 0 to 9 of images."""
    left_out: Counter[str] = Counter()
    files = class_files(path, left_out)
    tell_left_out(path, left_out)
    if set(files) - set("0123456789"):
        raise ValueError(f"{path}: expected folders 0 to 9, got {', '.join(files)}")
    # As they are stored, so that all layouts hold the same pixels.
    return decode_files(flat(files), upright=False), class_numbers(files, "0123456789")


def _read_binary(path: Path) -> tuple[Tensor, list[int]]:
    """Records of a big-endian id and label of 4 bytes each and 12,288 bytes, channel-major."""
    record = np.dtype([("id", ">i4"), ("label", ">i4"), ("image", np.uint8, _SHAPE)])
    size = path.stat().st_size
    if not size or size % record.itemsize:
        raise ValueError(f"{path}: expected records of {record.itemsize} bytes, got {size} bytes; copy it again")
    records = np.fromfile(path, record)
    return torch.from_numpy(records["image"].copy()), records["label"].tolist()
