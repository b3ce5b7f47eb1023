"""Ways to train with noisy labels. A method decides one thing: the loss of a batch.

The loop (:mod:`lend.training`) owns networks, optimiser, schedule, device and checkpoints, and the per-example
memory that a method asks for. A new method is one class and one line at the foot of this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from lend.config import nearest_name, require
from lend.dilution import momentum, one_hot, select
from lend.networks import Features

Memory = dict[str, Tensor]


class Batch(NamedTuple):
    """What the loop gives to a method, for b examples."""

    index: Int[Tensor, " b"]  # positions in the training set
    labels: Int[Tensor, " b"]  # noisy
    # Z of Eq. (1)-(4), rows sum to one, of the first network's embeddings; None if the scope is the data set
    diluted: Float[Tensor, "b c"] | None


def masked_mean(losses: Float[Tensor, " b"], kept: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """The mean over the kept examples; 0 if none is kept. Fixed shapes: nothing waits for the device."""
    return (losses * kept).sum() / kept.sum().clamp(min=1)


def label_losses(features: Features, batch: Batch) -> Float[Tensor, " b"]:
    """Cross entropy of each example."""
    return cross_entropy(features.logits, batch.labels, reduction="none")


def smallest(losses: Float[Tensor, " b"], count: int) -> Bool[Tensor, " b"]:
    """Mask of the ``count`` smallest losses; no gradient passes through the choice."""
    return losses.detach().argsort(stable=True).argsort() < count


@dataclass(frozen=True)
class Method:
    """The interface. Its fields are its hyper-parameters.

    A method that drops examples writes the kept ones of each batch into ``memory["kept"]``.
    """

    networks: ClassVar[int] = 1
    scope: ClassVar[str] = "batch"  # "dataset": labels are diluted among all examples, after each epoch

    def informed(self, noise_rate: float | None) -> Method:
        """The method with what it wants to know of the labels: the share that is wrong, None where unknown."""
        return self

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        """Tensors (n, ...) with the method's state of each example, kept and checkpointed by the loop."""
        return {}

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        """The scalar to minimise, from one Features per network; epochs count from 1."""
        raise NotImplementedError

    def after_epoch(self, diluted: Float[Tensor, "n c"], labels: Int[Tensor, " n"], memory: Memory) -> None:
        """Where the scope is the data set: learn the diluted labels of all examples."""


@dataclass(frozen=True)
class Standard(Method):
    """Cross entropy on the labels as given."""

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        return cross_entropy(outputs[0].logits, batch.labels)


@dataclass(frozen=True)
class LEND(Method):
    """Label noise dilution (arXiv 2206.13025): Eq. (5) to (7) on the batch's diluted labels.

    Args:
        beta: Momentum of the memory over the epochs, Eq. (5), in [0, 1]; 1 never drops: plain cross entropy.
        memory: "hard" folds the diluted label into it as a one-hot vector (paper: "encoded with one-hot
            representation", said once); "soft" the distribution.
        scope: "batch", the paper's graph: Eq. (1) to (4) among the examples of a batch. "dataset": among all training
            examples, once per epoch, from the embeddings of the epoch's own passes; it selects for the next epoch.
    """

    beta: float = 0.9
    memory: str = "hard"
    scope: str = "batch"

    def __post_init__(self) -> None:
        require(isinstance(self.beta, Real) and 0 <= self.beta <= 1, "beta", "inside [0, 1]", self.beta)
        require(self.memory in ("hard", "soft"), "memory", "'hard' or 'soft'", self.memory)
        require(self.scope in ("batch", "dataset"), "scope", "'batch' or 'dataset'", self.scope)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        # paper: Z at τ = 0 not stated; the one-hot noisy labels
        return {"diluted": one_hot(labels, num_classes), "kept": torch.ones_like(labels, dtype=torch.bool)}

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        if batch.diluted is not None:
            old = memory["diluted"][batch.index]
            Z, kept = self._remember(batch.diluted, old, batch.labels)
            memory["diluted"][batch.index], memory["kept"][batch.index] = Z, kept
        return masked_mean(label_losses(outputs[0], batch), memory["kept"][batch.index])  # Eq. (7)

    def after_epoch(self, diluted: Float[Tensor, "n c"], labels: Int[Tensor, " n"], memory: Memory) -> None:
        memory["diluted"], memory["kept"] = self._remember(diluted, memory["diluted"], labels)

    def _remember(
        self, new: Float[Tensor, "b c"], old: Float[Tensor, "b c"], labels: Int[Tensor, " b"]
    ) -> tuple[Float[Tensor, "b c"], Bool[Tensor, " b"]]:
        if self.memory == "hard":
            new = one_hot(new.argmax(dim=1), new.shape[1], new.dtype)
        Z = momentum(new, old, self.beta)  # Eq. (5)
        return Z, select(Z, labels)  # Eq. (6)


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
            require(isinstance(value, Integral) and value >= 1, name, "an integer of at least 1", value)

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


@dataclass(frozen=True)
class SmallLoss(Method):
    """What the methods share that forget the examples of largest loss: how many of a batch they keep.

    Args:
        forget_rate: Share to forget after the warm-up; the realised noise rate of the run if not given.
        warmup: Epochs over which the rate rises from 0, linearly; the first epoch forgets nothing.
    """

    forget_rate: float | None = None
    warmup: int = 10

    def __post_init__(self) -> None:
        rate = self.forget_rate
        known = rate is None or (isinstance(rate, Real) and 0 <= rate < 1)
        require(known, "forget_rate", "inside [0, 1)", rate)
        require(self.warmup >= 2, "warmup", "at least 2", self.warmup)

    def informed(self, noise_rate: float | None) -> Method:
        return self if self.forget_rate is not None else replace(self, forget_rate=noise_rate)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        require(self.forget_rate is not None, "forget_rate", "given where the realised noise rate is unknown", None)
        return {"kept": torch.ones_like(labels, dtype=torch.bool)}

    def kept_count(self, size: int, epoch: int) -> int:
        """How many of ``size`` examples are kept: floor((1 - R) size).

        R = forget_rate * min((epoch - 1) / (warmup - 1), 1)
        """
        return int((1 - self.forget_rate * min((epoch - 1) / (self.warmup - 1), 1)) * size)


@dataclass(frozen=True)
class CoTeaching(SmallLoss):
    """Each of two networks learns from the examples of small loss under the other (Han et al., 2018, arXiv:1804.06872).

    The mean is taken once. (The authors' code divides by the number kept a second time, which Adam hides and SGD
    does not.)
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
    """Two networks that agree: joint loss with co-regularisation (Wei et al., 2020, arXiv:2003.02752).

        l = (1 - λ) (CE(p1, y) + CE(p2, y)) + λ (KL(p1 || p2) + KL(p2 || p1)),  the mean over the smallest

    Args:
        coregularisation: λ, in [0, 1]. The paper's value for CIFAR-10; the authors' code has 0.1.
    """

    networks: ClassVar[int] = 2
    coregularisation: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        share = self.coregularisation
        require(isinstance(share, Real) and 0 <= share <= 1, "coregularisation", "inside [0, 1]", share)

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
    """Learn from small losses, unlearn the next ones a little (SIGUA-SL; Han et al., 2020, arXiv:1809.11008).

    Args:
        bad_share: σ, the share of the forgotten examples to unlearn.
        ascent: γ, the weight of unlearning.
        unlearn: "next": those of the smallest losses among the forgotten, as in the authors' code; "top": those of
            the largest.
    """

    bad_share: float = 0.4
    ascent: float = 0.01
    unlearn: str = "next"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            isinstance(self.bad_share, Real) and 0 <= self.bad_share <= 1, "bad_share", "inside [0, 1]", self.bad_share
        )
        require(isinstance(self.ascent, Real) and self.ascent >= 0, "ascent", "at least 0", self.ascent)
        require(self.unlearn in ("next", "top"), "unlearn", "'next' or 'top'", self.unlearn)

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        losses = label_losses(outputs[0], batch)
        count = self.kept_count(len(losses), epoch)
        good = smallest(losses, count)
        size = int((len(losses) - count) * self.bad_share)
        bad = smallest(losses, count + size) & ~good if self.unlearn == "next" else smallest(-losses, size)
        memory["kept"][batch.index] = good
        return masked_mean(losses, good) - self.ascent * masked_mean(losses, bad)


METHODS: dict[str, type[Method]] = {
    "standard": Standard,
    "lend": LEND,
    "coteaching": CoTeaching,
    "gce": GCE,
    "jocor": JoCoR,
    "sigua": SIGUA,
}


def build(name: str, options: Mapping[str, Any]) -> Method:
    """The method of that name with these hyper-parameters.

    Raises:
        ValueError: If the name or an option is unknown.
    """
    if name not in METHODS:
        raise ValueError(f"unknown method {name!r}; {nearest_name(name, METHODS)}")
    known = [f.name for f in fields(METHODS[name])]
    for option in options:
        if option not in known:
            hint = nearest_name(option, known) if known else f"{name} has none"
            raise ValueError(f"unknown option {option!r} of method {name}; {hint}")
    return METHODS[name](**options)
