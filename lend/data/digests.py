"""What a data set is, in one number: runs on a copy whose pixels differ are told from runs on the original."""

from __future__ import annotations

import hashlib
import json

from lend.data.dataset import Dataset


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 of all that a training sees of a data set, as 64 hexadecimal digits.

    It is taken over class names, image shape, the training images and labels in their order, which noise depends on,
    and the test examples in any order, on which no accuracy depends. Where a data set comes from, its name and its
    human labels do not matter.

    Args:
        dataset: The whole data set, before a part is taken.
    """
    head = {"class_names": list(dataset.class_names), "shape": list(dataset.train_images.shape)}
    total = hashlib.sha256(json.dumps(head).encode())
    for part in (dataset.train_images, dataset.train_labels):
        total.update(part.contiguous().numpy().data)
    images, labels = dataset.test_images.flatten(1).numpy(), dataset.test_labels.tolist()
    examples = (hashlib.sha256(b"%d " % label + image.tobytes()) for image, label in zip(images, labels, strict=True))
    total.update(b"".join(sorted(example.digest() for example in examples)))
    return total.hexdigest()
