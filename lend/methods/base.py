"""Ways to train with noisy labels. A method decides one thing: the loss of a batch.

The loop (:func:`lend.train`) owns networks, optimiser, schedule, device and checkpoints, and the per-example
memory that a method asks for. A new method is one class and one line at the foot of this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

Memory = dict[str, Tensor]


class Features(NamedTuple):
    """What a network says of a batch."""

    embeddings: Float[Tensor, "b d"]
    logits: Float[Tensor, "b c"]


class Batch(NamedTuple):
    """What the loop gives to a method, for b examples."""

    index: Int[Tensor, " b"]  # type: ignore[assignment]  # positions in the training set; hides tuple.index
    labels: Int[Tensor, " b"]  # noisy
    # Z of Eq. (1)-(4), rows sum to one, of the first network's embeddings; None if the scope is the data set
    diluted: Float[Tensor, "b c"] | None


def masked_mean(losses: Float[Tensor, " b"], kept: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """The mean over the kept examples; 0 if none is kept. Fixed shapes: nothing waits for the device."""
    return (losses * kept).sum() / kept.sum().clamp(min=1)


def label_losses(features: Features, batch: Batch) -> Float[Tensor, " b"]:
    """Cross entropy of each example."""
    return cross_entropy(features.logits, batch.labels, reduction="none")


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
