"""Standard training: cross entropy, the baseline."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from lend.methods.base import Batch, Features, Memory, Method


@dataclass(frozen=True)
class Standard(Method):
    """Cross entropy with the noisy labels."""

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        return cross_entropy(outputs[0].logits, batch.labels)
