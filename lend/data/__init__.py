"""Data sets as arrays: images as one uint8 tensor, labels as another, and what the source tells about them."""

from lend.data.dataset import Dataset
from lend.data.decoding import decode_images
from lend.data.digests import digest
from lend.data.folders import class_files
from lend.data.human import read_human_labels
from lend.data.listing import image_endings, image_files, is_hidden, kind_of, tell_left_out
from lend.data.loading import load
from lend.data.names import CLASS_NAMES
from lend.data.own import as_dataset
from lend.data.parquet import hugging_face_names
from lend.data.pixels import decode

__all__ = [
    "CLASS_NAMES",
    "Dataset",
    "as_dataset",
    "class_files",
    "decode",
    "decode_images",
    "digest",
    "hugging_face_names",
    "image_endings",
    "image_files",
    "is_hidden",
    "kind_of",
    "load",
    "read_human_labels",
    "tell_left_out",
]
