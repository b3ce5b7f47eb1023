"""scikit-learn's digits, which need no download."""

from pathlib import Path

import numpy as np
import torch

from lend.data.assembling import assemble
from lend.data.dataset import Dataset, stratified


def read_digits(folder: Path, download: bool) -> Dataset:
    """scikit-learn's digits: values 0..16 stretched to 0..255, a fixed stratified split, 1,438 and 359 images."""
    from sklearn.datasets import load_digits

    source = load_digits()
    images = torch.from_numpy(np.rint(source.images * (255 / 16)).astype(np.uint8))[:, None]
    labels = source.target.astype(np.int64)
    train = stratified(labels, round(0.8 * len(labels)), seed=0)
    test = np.setdiff1d(np.arange(len(labels)), train)
    return assemble("digits", (images[train], labels[train]), (images[test], labels[test]))
