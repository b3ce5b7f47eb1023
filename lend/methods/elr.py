"""ELR: early-learning regularisation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.inputs import is_real, require
from lend.methods.base import Batch, Features, Memory, Method, label_losses

LEAST = 1e-4  # a share below it counts as this much, so that no logarithm is infinite


@dataclass(frozen=True)
class ELR(Method):
    """Early-learning regularisation (Liu et al., 2020, arXiv:2007.00151).

        l = CE(p, ỹ) + λ log(1 - <p, t>),   t = β t + (1 - β) p / Σp  for each example, without gradient

    Args:
        strength: λ, at least 0: 3 on CIFAR-10 with symmetric noise, 1 with asymmetric noise, 7 on CIFAR-100.
        beta: β, the momentum of the targets, in [0, 1): 0.7 with symmetric noise on CIFAR-10, 0.9 in the other cases.

    Raises:
        ValueError: If a value is out of range.
    """

    strength: float = 3.0
    beta: float = 0.7

    def __post_init__(self) -> None:
        require(is_real(self.strength) and self.strength >= 0, "strength", "at least 0", self.strength)
        require(is_real(self.beta) and 0 <= self.beta < 1, "beta", "inside [0, 1)", self.beta)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        return {"targets": torch.zeros(len(labels), num_classes, device=labels.device)}

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        p = outputs[0].logits.softmax(dim=1).clamp(LEAST, 1 - LEAST)
        seen = p.detach()
        t = self.beta * memory["targets"][batch.index] + (1 - self.beta) * seen / seen.sum(dim=1, keepdim=True)
        memory["targets"][batch.index] = t
        return label_losses(outputs[0], batch).mean() + self.strength * (1 - (p * t).sum(dim=1)).log().mean()
