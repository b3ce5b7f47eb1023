"""LEND: selection of examples by their diluted labels, Eq. (5) to (7)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lend.dilution import agreeing, hard_labels, momentum, one_hot
from lend.inputs import is_real, require
from lend.methods.base import Batch, Epoch, Features, Memory, Method, label_losses, masked_mean


@dataclass(frozen=True)
class LEND(Method):
    """Label noise dilution (arXiv 2206.13025): Eq. (5) to (7) on diluted labels.

    Args:
        beta: Momentum of the memory over the epochs, Eq. (5), in [0, 1]; 1 drops no example, which is plain cross
            entropy.
        memory: What Eq. (5) averages: "hard", the diluted label as a one-hot vector (the paper says once that Z is
            "encoded with one-hot representation"), or "soft", the distribution.
        scope: "batch", as in the paper: labels are diluted among the examples of a batch, Eq. (1) to (4). "dataset":
            among all training examples, once per epoch, from the embeddings of the training pass; the result selects
            the examples of the next epoch.

    Raises:
        ValueError: If a value is out of range or unknown.
    """

    beta: float = 0.9
    memory: str = "hard"
    scope: str = "batch"  # type: ignore[misc]  # of the class in other methods

    def __post_init__(self) -> None:
        require(is_real(self.beta) and 0 <= self.beta <= 1, "beta", "inside [0, 1]", self.beta)
        require(self.memory in ("hard", "soft"), "memory", "'hard' or 'soft'", self.memory)
        require(self.scope in ("batch", "dataset"), "scope", "'batch' or 'dataset'", self.scope)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        # paper: Z at τ = 0 not stated; the one-hot noisy labels
        return {"diluted": one_hot(labels, num_classes), "kept": torch.ones_like(labels, dtype=torch.bool)}

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        if batch.diluted is not None:
            old = memory["diluted"][batch.index]
            Z, kept = self.remember(batch.diluted, old, batch.labels)
            memory["diluted"][batch.index], memory["kept"][batch.index] = Z, kept
        return masked_mean(label_losses(outputs[0], batch), memory["kept"][batch.index])  # Eq. (7)

    def after_epoch(self, epoch: Epoch, memory: Memory) -> None:
        if epoch.diluted is not None:
            memory["diluted"], memory["kept"] = self.remember(epoch.diluted, memory["diluted"], epoch.labels)

    def remember(
        self, new: Float[Tensor, "b c"], old: Float[Tensor, "b c"], labels: Int[Tensor, " b"]
    ) -> tuple[Float[Tensor, "b c"], Bool[Tensor, " b"]]:
        """Return the memory after an epoch, Eq. (5), and which examples to train on, Eq. (6).

        Args:
            new: Z of this epoch.
            old: The memory before it.
            labels: Noisy labels; an unlabelled example, -1, is never kept.
        """
        if self.memory == "hard":
            new = one_hot(hard_labels(new), new.shape[1], new.dtype)
        Z = momentum(new, old, self.beta)  # Eq. (5)
        return Z, agreeing(Z, labels)  # Eq. (6)
