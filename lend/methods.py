"""Ways to train with noisy labels. A method decides one thing: the loss of a batch.

The loop (:mod:`lend.training`) owns networks, optimiser, schedule, device and checkpoints, and the per-example
memory that a method asks for. A new method is one class and one line at the foot of this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Real
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
    diluted: Float[Tensor, "b c"]  # Z of Eq. (1)-(4), rows sum to one; of the first network's embeddings


def masked_mean(losses: Float[Tensor, " b"], kept: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """The mean over the kept examples; 0 if none is kept. Fixed shapes: nothing waits for the device."""
    return (losses * kept).sum() / kept.sum().clamp(min=1)


@dataclass(frozen=True)
class Method:
    """The interface. Its fields are its hyper-parameters.

    A method that drops examples writes the kept ones of each batch into ``memory["kept"]``.
    """

    networks: ClassVar[int] = 1

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        """Tensors (n, ...) with the method's state of each example, kept and checkpointed by the loop."""
        return {}

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        """The scalar to minimise, from one Features per network; epochs count from 1."""
        raise NotImplementedError


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
    """

    beta: float = 0.9
    memory: str = "hard"

    def __post_init__(self) -> None:
        require(isinstance(self.beta, Real) and 0 <= self.beta <= 1, "beta", "inside [0, 1]", self.beta)
        require(self.memory in ("hard", "soft"), "memory", "'hard' or 'soft'", self.memory)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        # paper: Z at τ = 0 not stated; the one-hot noisy labels
        return {"diluted": one_hot(labels, num_classes), "kept": torch.ones_like(labels, dtype=torch.bool)}

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        new = batch.diluted
        if self.memory == "hard":
            new = one_hot(new.argmax(dim=1), new.shape[1], new.dtype)
        Z = momentum(new, memory["diluted"][batch.index], self.beta)  # Eq. (5)
        kept = select(Z, batch.labels)  # Eq. (6)
        memory["diluted"][batch.index] = Z
        memory["kept"][batch.index] = kept
        return masked_mean(cross_entropy(outputs[0].logits, batch.labels, reduction="none"), kept)  # Eq. (7)


METHODS: dict[str, type[Method]] = {"standard": Standard, "lend": LEND}


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
