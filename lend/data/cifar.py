"""CIFAR-10 and CIFAR-100 from their original archives, which torchvision verifies."""

from pathlib import Path

import numpy as np
import torch

from lend.data.assembling import assemble
from lend.data.dataset import Dataset
from lend.data.files import one_line
from lend.data.human import read_human_labels
from lend.inputs import extra


def read_cifar(name: str, folder: Path, download: bool) -> Dataset:
    """CIFAR-10 or CIFAR-100 from the original archive, with CIFAR-N's labels where their file is there."""
    with extra("train"):
        from torchvision import datasets

    source = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    unpacked = folder / source.base_folder
    if not download and not unpacked.is_dir():
        raise FileNotFoundError(
            f"{unpacked}: no such folder; pass download=True (--download true), "
            f"unpack {source.filename} ({source.url}) in {folder}, or read your own copy with parquet:PATH or npz:PATH"
        )
    try:
        parts = [source(str(folder), train=train, download=download) for train in (True, False)]
    except (RuntimeError, OSError) as error:
        raise ValueError(
            f"{unpacked}: expected the unaltered files of {source.filename} ({source.url}); delete the folder and pass "
            f"download=True, or unpack the archive there again ({one_line(error)})"
        ) from error
    train, test = ((torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), part.targets) for part in parts)
    human_file = folder / {"cifar10": "CIFAR-10_human.pt", "cifar100": "CIFAR-100_human.pt"}[name]
    human = read_human_labels(human_file, np.asarray(train[1])) if human_file.exists() else {}
    return assemble(name, train, test, tuple(parts[0].classes), human, source=human_file if human else unpacked)
