"""Generalized cross entropy."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.config import require
from lend.methods.base import Batch, Features, Memory, Method, label_losses


@dataclass(frozen=True)
class GCE(Method):
    """Generalized cross entropy (Zhang & Sabuncu, 2018, arXiv:1805.07836): L(p) = (1 - p_y^q) / q.

    Truncated, an example with p_y <= k counts the constant L(k), so it teaches nothing. Which examples these are is
    decided in epoch ``truncate_from`` and every ``truncate_every`` epochs after it, by the predictions of that epoch's
    own passes. (The paper asks the best model so far, which the common re-implementation finds on the test set.)

    Args:
        q: In (0, 1]; towards 0 it is cross entropy, at 1 it is 1 - p_y.
        truncation: k, in (0, 1), 0.5 in the paper; plain L if not given, as the LEND paper describes it.
        truncate_from: First epoch that truncates; the paper's is 41 of 120 (CIFAR-10) and 81 of 150 (CIFAR-100).
        truncate_every: Epochs between two decisions.
    """

    q: float = 0.7
    truncation: float | None = None
    truncate_from: int = 41
    truncate_every: int = 10

    def __post_init__(self) -> None:
        require(isinstance(self.q, Real) and 0 < self.q <= 1, "q", "inside (0, 1]", self.q)
        k = self.truncation
        require(k is None or (isinstance(k, Real) and 0 < k < 1), "truncation", "inside (0, 1)", k)
        for name in ("truncate_from", "truncate_every"):
            value = getattr(self, name)
            require(isinstance(value, Integral) and int(value) >= 1, name, "an integer of at least 1", value)

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
