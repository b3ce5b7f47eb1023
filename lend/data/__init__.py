"""Data sets as arrays: images as one uint8 tensor, labels as another, and what the source tells about them."""

from lend.data.dataset import Dataset
from lend.data.decoding import decode_images
from lend.data.human import read_human_labels
from lend.data.loading import load
from lend.data.names import CLASS_NAMES
from lend.data.own import as_dataset

__all__ = ["CLASS_NAMES", "Dataset", "as_dataset", "decode_images", "load", "read_human_labels"]
