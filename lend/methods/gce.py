"""GCE: generalized cross entropy, and its truncated form."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.inputs import as_count, is_real, require
from lend.methods.base import Batch, Features, Memory, Method, label_losses


@dataclass(frozen=True)
class GCE(Method):
    """Generalized cross entropy (Zhang & Sabuncu, 2018, arXiv:1805.07836): L(p) = (1 - p_y^q) / q.

    In the truncated form the loss of an example with p_y <= k is the constant L(k), which has no gradient. These
    examples are determined in epoch ``truncate_from`` and every ``truncate_every`` epochs after it, from the
    predictions of the training pass. (The paper uses the predictions of the best model so far, which the common
    re-implementation finds on the test set.)

    Args:
        q: Exponent, in (0, 1]; the limit 0 is cross entropy, and 1 gives 1 - p_y.
        truncation: k, in (0, 1), 0.5 in the paper; plain L if not given, as the LEND paper describes it.
        truncate_from: First epoch that truncates; 41 of 120 (CIFAR-10) and 81 of 150 (CIFAR-100) in the paper.
        truncate_every: Epochs from one determination to the next.

    Raises:
        ValueError: If a value is out of range.
    """

    q: float = 0.7
    truncation: float | None = None
    truncate_from: int = 41
    truncate_every: int = 10

    def __post_init__(self) -> None:
        require(is_real(self.q) and 0 < self.q <= 1, "q", "inside (0, 1]", self.q)
        k = self.truncation
        require(k is None or (is_real(k) and 0 < k < 1), "truncation", "inside (0, 1)", k)
        for name in ("truncate_from", "truncate_every"):
            as_count(getattr(self, name), name)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        return {} if self.truncation is None else {"kept": torch.ones_like(labels, dtype=torch.bool)}

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        log_p = -label_losses(outputs[0], batch)
        losses = (1 - (self.q * log_p).exp()) / self.q  # p^q itself has an infinite slope at 0
        if self.truncation is None:
            return losses.mean()
        if epoch >= self.truncate_from and (epoch - self.truncate_from) % self.truncate_every == 0:
            memory["kept"][batch.index] = log_p.detach().exp() > self.truncation
        constant = (1 - self.truncation**self.q) / self.q
        return torch.where(memory["kept"][batch.index], losses, constant).mean()
