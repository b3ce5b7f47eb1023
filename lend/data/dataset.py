"""Images as one uint8 tensor, labels as another: an experiment on labels is one assignment, a batch one gather."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from lend.inputs import as_count, require


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels of a training and a test set.

    Args:
        name: What it is called in tables and where a noise is looked up by name.
        train_images: (n, channels, height, width), uint8.
        train_labels: (n,), int64: the clean labels, or the given ones where ``clean`` is False.
        test_images: (m, channels, height, width), uint8.
        test_labels: (m,), int64.
        class_names: One name per class, all different.
        sample_ids: (n,), int64: position of each example in the training set of the source.
        human_labels: Further labels (n,), int64, of the training examples, by name.
        clean: Whether ``train_labels`` are known to be the true ones.

    Raises:
        ValueError: If shapes, types or lengths disagree, a label is no index of ``class_names``, or names are equal.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]
    sample_ids: Tensor
    human_labels: Mapping[str, Tensor] = field(default_factory=dict)
    clean: bool = True

    def __post_init__(self) -> None:
        for part, images in (("train_images", self.train_images), ("test_images", self.test_images)):
            fits = images.ndim == 4 and images.dtype == torch.uint8 and images.numel() > 0
            got = f"{images.dtype} of shape {tuple(images.shape)}"
            require(fits, part, "non-empty uint8 of shape (n, channels, height, width)", got)
        train, test = tuple(self.train_images.shape[1:]), tuple(self.test_images.shape[1:])
        require(train == test, "test_images", f"of the shape of the training images, {train}", test)
        n, c = len(self.train_images), len(self.class_names)
        repeated = sorted({str(name) for name in self.class_names if self.class_names.count(name) > 1})
        require(not repeated, "class_names", "all different", f"{', '.join(repeated)} more than once")
        _check_labels("train_labels", self.train_labels, n, c)
        _check_labels("test_labels", self.test_labels, len(self.test_images), c)
        _check_labels("sample_ids", self.sample_ids, n, None)
        for name, labels in self.human_labels.items():
            _check_labels(f"human_labels[{name!r}]", labels, n, c)

    def __len__(self) -> int:
        """Number n of training examples."""
        return len(self.train_labels)

    @property
    def num_classes(self) -> int:
        """Number c of classes."""
        return len(self.class_names)

    def subset(self, n: int, seed: int = 0) -> Dataset:
        """A stratified random part of the training set; the test set is kept whole.

        Each class keeps its share by the largest remainder, so there are exactly n examples. They stay in the
        order of their sample ids.

        Args:
            n: Training examples to keep, 1 to len(self).
            seed: Seed of this choice alone.

        Returns:
            A data set of the same name.

        Raises:
            ValueError: If n is no integer from 1 to the number of training examples.
        """
        n = as_count(n, "n", most=len(self))
        kept = torch.from_numpy(stratified(self.train_labels.numpy(), n, seed))
        return self.take(kept[self.sample_ids[kept].argsort(stable=True)])

    def take(self, positions: Tensor) -> Dataset:
        """The training examples at these positions (m,), in their order; the test set is kept whole."""
        return replace(
            self,
            train_images=self.train_images[positions],
            train_labels=self.train_labels[positions],
            sample_ids=self.sample_ids[positions],
            human_labels={name: labels[positions] for name, labels in self.human_labels.items()},
        )

    def mean_std(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel of the training images scaled to [0, 1].

        Counted from a histogram of the 256 values, so no float copy of the images is made. A constant channel
        gets the standard deviation 1, so that one can always divide.

        Returns:
            Mean (channels,) and standard deviation (channels,), float32.
        """
        values = torch.arange(256, dtype=torch.float64) / 255
        counts = [torch.bincount(channel.flatten(), minlength=256) for channel in self.train_images.unbind(1)]
        share = torch.stack(counts).double() / counts[0].sum()
        mean = share @ values
        std = (share * (values - mean[:, None]) ** 2).sum(dim=1).sqrt()
        return mean.float(), torch.where(std > 0, std, 1.0).float()


def stratified(labels: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Choose n positions at random, each class with its share by the largest remainder; sorted, int64 (n,)."""
    counts = np.bincount(labels)
    # Whole numbers, so that rounding cannot lose an example: quota = n counts / total.
    quota, remainder = np.divmod(n * counts, len(labels))
    largest = np.argsort(-remainder, kind="stable")[: n - quota.sum()]
    quota[largest] += 1
    stream = np.random.RandomState(seed)
    chosen = [stream.permutation(np.flatnonzero(labels == c))[:k] for c, k in enumerate(quota)]
    return np.sort(np.concatenate(chosen))


def _check_labels(name: str, labels: Tensor, n: int, c: int | None) -> None:
    """Refuse labels that are not int64 (n,) inside 0..c-1 (from 0 up where c is None)."""
    fits = labels.shape == (n,) and labels.dtype == torch.int64
    require(fits, name, f"int64 of shape ({n},)", f"{labels.dtype} of shape {tuple(labels.shape)}")
    low, high = int(labels.min()), int(labels.max())
    allowed = "0 or more" if c is None else f"0 to {c - 1}, the indices of {c} class names"
    require(low >= 0 and (c is None or high < c), name, allowed, f"{low} to {high}")
