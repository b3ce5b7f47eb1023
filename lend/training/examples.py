"""What a run learns from: the training examples with their noisy labels, and those that are held out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from lend import data, noise
from lend.config import RunConfig


@dataclass(frozen=True)
class Source:
    """Training examples and held-out ones, both with noisy labels; the data set keeps the training examples' own."""

    dataset: data.Dataset
    noisy: Int[Tensor, " n"]
    validation_images: UInt8[Tensor, "v channels height width"]
    validation_labels: Int[Tensor, " v"]

    @property
    def noise_rate(self) -> float | None:
        """The share of the training labels that is wrong; None where the true ones are unknown."""
        clean = self.dataset.train_labels.numpy()
        return noise.realised_rate(clean, self.noisy.numpy()) if self.dataset.clean else None


def load(config: RunConfig) -> Source:
    """Read the data set, draw the noise, hold out a part: all from seeds of the configuration.

    Raises:
        ValueError: If the data set, its size or the noise is unknown or wrong.
    """
    dataset = data.load(config.dataset, config.data, config.download)
    if config.train_size is not None:
        dataset = dataset.subset(config.train_size)
    seed = config.seed if config.noise_seed is None else config.noise_seed
    noisy = torch.as_tensor(noise.draw(dataset, config.noise, config.noise_rate, seed))
    # the split belongs to the labels: it comes from their seed
    order = torch.randperm(len(noisy), generator=torch.Generator().manual_seed(seed))
    count = round(config.validation * len(noisy))
    held_out, kept = order[:count], order[count:].sort().values
    return Source(dataset.take(kept), noisy[kept], dataset.train_images[held_out], noisy[held_out])
