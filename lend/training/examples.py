"""The examples of a run: the training examples with their noisy labels, and the held-out ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from lend import data, noise
from lend.inputs import RunConfig, as_count
from lend.training import own


@dataclass(frozen=True)
class Source:
    """The training examples and the held-out ones, both with noisy labels.

    Args:
        dataset: The training examples, their labels before the noise, and the test set.
        noisy: Noisy labels of the training examples.
        validation_images: Held-out images; none where the configuration holds nothing out.
        validation_labels: Their noisy labels.
        digest: Of the whole data set, see :func:`lend.data.digest`; empty where nobody asked for it.
    """

    dataset: data.Dataset
    noisy: Int[Tensor, " n"]
    validation_images: UInt8[Tensor, "v channels height width"]
    validation_labels: Int[Tensor, " v"]
    digest: str = ""

    @property
    def noise_rate(self) -> float | None:
        """Share of the training labels that are wrong; None where the true labels are unknown."""
        clean = self.dataset.train_labels.numpy()
        return noise.realised_rate(clean, self.noisy.numpy()) if self.dataset.clean else None


def load(config: RunConfig) -> Source:
    """Read the data set, draw the noise and hold out a part, with the seeds of the configuration.

    Args:
        config: Names the data set, the noise, the number of examples and the share to hold out.

    Raises:
        ValueError: If the data set or the noise is unknown, or ``train_size`` or ``noise_rate`` is out of range.
    """
    dataset = own.read_dataset(config)
    whole = data.digest(dataset)
    if config.train_size is not None:
        dataset = dataset.subset(as_count(config.train_size, "train_size", most=len(dataset)))
    seed = config.seed if config.noise_seed is None else config.noise_seed
    noisy = own.draw_labels(config, dataset, seed)
    # the split belongs to the labels: it comes from their seed
    order = torch.randperm(len(noisy), generator=torch.Generator().manual_seed(seed))
    count = round(config.validation * len(noisy))
    held_out, kept = order[:count], order[count:].sort().values
    return Source(dataset.take(kept), noisy[kept], dataset.train_images[held_out], noisy[held_out], whole)
