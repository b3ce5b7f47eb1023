"""Co-teaching+: two networks that teach each other where they disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from lend.inputs import as_count
from lend.methods.base import Batch, Features, Memory, label_losses, masked_mean
from lend.methods.small_loss import CoTeaching, smallest


@dataclass(frozen=True)
class CoTeachingPlus(CoTeaching):
    """Co-teaching among the examples on which the networks disagree (Yu et al., 2019, arXiv:1901.04215).

        D = {i: argmax p1 ≠ argmax p2};  each network learns from the (1 - R) #D examples of D whose loss under the
        other is smallest

    Before that, ``agreeing`` epochs of Co-teaching. A batch without disagreement teaches nothing, as printed. (The
    authors' code takes all examples in its first 5,000 steps.)

    Args:
        agreeing: Epochs of Co-teaching: 20 on CIFAR-10 and 5 on CIFAR-100 in the authors' code.

    Raises:
        ValueError: If a value is out of range.
    """

    networks: ClassVar[int] = 2
    agreeing: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        as_count(self.agreeing, "agreeing", least=0)

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        if epoch <= self.agreeing:
            return super().loss(outputs, batch, memory, epoch)
        first, second = (features.logits.argmax(dim=1) for features in outputs)
        differ = first != second
        count = (self.kept_share(epoch) * differ.sum()).floor()  # a tensor: nothing waits for the device
        losses = [label_losses(features, batch) for features in outputs]
        # those that agree come last, and the count leaves them out
        kept = [smallest(torch.where(differ, values, torch.inf), count) for values in losses]
        memory["kept"][batch.index] = kept[1]  # what the first network learns from
        return masked_mean(losses[0], kept[1]) + masked_mean(losses[1], kept[0])
