"""Methods that train on the examples with small losses: Co-teaching, JoCoR and SIGUA."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lend.inputs import as_count, is_real, require
from lend.methods.base import Batch, Features, Memory, Method, label_losses, masked_mean


def smallest(losses: Float[Tensor, " b"], count: int | Float[Tensor, ""]) -> Bool[Tensor, " b"]:
    """Return a mask of the ``count`` smallest losses; no gradient passes through it."""
    return losses.detach().argsort(stable=True).argsort() < count


@dataclass(frozen=True)
class SmallLoss(Method):
    """Base of the methods that forget the examples with the largest losses: the number of examples to keep.

    Args:
        forget_rate: Share of a batch to forget after the warm-up, in [0, 1); the realised noise rate of the run if not
            given.
        warmup: Epochs over which the share rises from 0, linearly, at least 2; the first epoch forgets nothing.

    Raises:
        ValueError: If a value is out of range.
    """

    forget_rate: float | None = None
    warmup: int = 10

    def __post_init__(self) -> None:
        rate = self.forget_rate
        known = rate is None or (is_real(rate) and 0 <= rate < 1)
        require(known, "forget_rate", "inside [0, 1)", rate)
        as_count(self.warmup, "warmup", least=2)

    def with_noise_rate(self, noise_rate: float | None) -> Method:
        return self if self.forget_rate is not None else replace(self, forget_rate=noise_rate)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        require(self.forget_rate is not None, "forget_rate", "given where the realised noise rate is unknown", None)
        return {"kept": torch.ones_like(labels, dtype=torch.bool)}

    def kept_share(self, epoch: int) -> float:
        """Return 1 - R, the share of the examples to keep: R = forget_rate * min((epoch - 1) / (warmup - 1), 1)."""
        assert self.forget_rate is not None  # initial_memory has required it
        return 1 - self.forget_rate * min((epoch - 1) / (self.warmup - 1), 1)

    def kept_count(self, size: int, epoch: int) -> int:
        """Return the number of examples to keep in a batch of ``size`` examples: floor((1 - R) size)."""
        return int(self.kept_share(epoch) * size)


@dataclass(frozen=True)
class CoTeaching(SmallLoss):
    """Two networks, each trained on the examples whose loss under the other is small (Han et al., arXiv:1804.06872).

    The losses are divided by the number of kept examples once. (The authors' code divides twice, which makes no
    difference to Adam but does to SGD.)
    """

    networks: ClassVar[int] = 2

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        losses = [label_losses(features, batch) for features in outputs]
        count = self.kept_count(len(batch.labels), epoch)
        first, second = (smallest(values, count) for values in losses)
        memory["kept"][batch.index] = second  # what the first network learns from
        return masked_mean(losses[0], second) + masked_mean(losses[1], first)


@dataclass(frozen=True)
class JoCoR(SmallLoss):
    """Two networks with a joint loss that makes them agree: co-regularisation (Wei et al., 2020, arXiv:2003.02752).

        l = (1 - λ) (CE(p1, y) + CE(p2, y)) + λ (KL(p1 || p2) + KL(p2 || p1)),  mean over the smallest l

    Args:
        coregularisation: λ, in [0, 1]; 0.9 is the paper's value for CIFAR-10, the authors' code has 0.1.
    """

    networks: ClassVar[int] = 2
    coregularisation: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        share = self.coregularisation
        require(is_real(share) and 0 <= share <= 1, "coregularisation", "inside [0, 1]", share)

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        first, second = (features.logits.log_softmax(dim=1) for features in outputs)
        # log-softmax on both sides: a probability that underflows to 0 would make the divergence NaN
        divergence = ((first.exp() - second.exp()) * (first - second)).sum(dim=1)  # KL(p1||p2) + KL(p2||p1)
        supervised = label_losses(outputs[0], batch) + label_losses(outputs[1], batch)
        losses = (1 - self.coregularisation) * supervised + self.coregularisation * divergence
        kept = smallest(losses, self.kept_count(len(losses), epoch))
        memory["kept"][batch.index] = kept
        return masked_mean(losses, kept)


@dataclass(frozen=True)
class SIGUA(SmallLoss):
    """Descent on small losses and weak ascent on some others (SIGUA-SL; Han et al., 2020, arXiv:1809.11008).

    Args:
        bad_share: σ, the share of the forgotten examples on whose losses it ascends, in [0, 1].
        ascent: γ, the weight of the ascent, at least 0.
        unlearn: Which of the forgotten examples these are: "next", those with the smallest losses, as in the authors'
            code; or "top", those with the largest.
    """

    bad_share: float = 0.4
    ascent: float = 0.01
    unlearn: str = "next"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(is_real(self.bad_share) and 0 <= self.bad_share <= 1, "bad_share", "inside [0, 1]", self.bad_share)
        require(is_real(self.ascent) and self.ascent >= 0, "ascent", "at least 0", self.ascent)
        require(self.unlearn in ("next", "top"), "unlearn", "'next' or 'top'", self.unlearn)

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        losses = label_losses(outputs[0], batch)
        count = self.kept_count(len(losses), epoch)
        good = smallest(losses, count)
        size = int((len(losses) - count) * self.bad_share)
        bad = smallest(losses, count + size) & ~good if self.unlearn == "next" else smallest(-losses, size)
        memory["kept"][batch.index] = good
        return masked_mean(losses, good) - self.ascent * masked_mean(losses, bad)
