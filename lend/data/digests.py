"""What a data set is, in one number: runs on a copy whose pixels differ are told from runs on the original."""

from __future__ import annotations

import hashlib
import json

from lend.data.dataset import Dataset

# Of the files that their authors publish (A. Krizhevsky, 2009), as torchvision's checksums accept them.
ORIGINALS = {
    "37b2f38e8162a95b343c782ed1cdea2eab00523ab1d14cc69f9a0b02cc649395": "CIFAR-10",
    "b26f4849f5cd09aebf93029eb7a7f0ad5bdc44b8c008fb510a94a4e377d3b4b7": "CIFAR-100",
}


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
        total.update(memoryview(part.contiguous().numpy()))
    images, labels = dataset.test_images.flatten(1).numpy(), dataset.test_labels.tolist()
    examples = (hashlib.sha256(b"%d " % label + image.tobytes()) for image, label in zip(images, labels, strict=True))
    total.update(b"".join(sorted(example.digest() for example in examples)))
    return total.hexdigest()
