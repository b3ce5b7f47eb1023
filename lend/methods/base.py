"""The interface of a method, and what methods share: the data they get and means over kept examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

Memory = dict[str, Tensor]  # (n, ...) tensors with one row per training example, by name


class Features(NamedTuple):
    """What a network returns for a batch: the last hidden layer and the logits."""

    embeddings: Float[Tensor, "b d"]
    logits: Float[Tensor, "b c"]


class Batch(NamedTuple):
    """What the loop gives to a method for a batch of b examples."""

    index: Int[Tensor, " b"]  # type: ignore[assignment]  # positions in the training set; hides tuple.index
    labels: Int[Tensor, " b"]  # noisy
    # Z of Eq. (1)-(4), rows sum to one, of the first network's embeddings; None if the scope is the data set
    diluted: Float[Tensor, "b c"] | None


def masked_mean(losses: Float[Tensor, " b"], kept: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """Return the mean loss of the kept examples; 0 if none is kept.

    All shapes are fixed, so that nothing waits for the device.

    Args:
        losses: Loss of each example.
        kept: Mask of the examples that count.
    """
    return (losses * kept).sum() / kept.sum().clamp(min=1)


def label_losses(features: Features, batch: Batch) -> Float[Tensor, " b"]:
    """Return the cross entropy of each example with its noisy label."""
    return cross_entropy(features.logits, batch.labels, reduction="none")


@dataclass(frozen=True)
class Method:
    """The interface of a method; the fields of a subclass are its hyper-parameters.

    A method that drops examples writes the mask of those it kept in each batch into ``memory["kept"]``, which is saved
    with the run.

    Attributes:
        networks: Networks to train side by side.
        scope: "batch" where labels are diluted among the examples of each batch; "dataset" where they are diluted among
            all training examples, after each epoch.
    """

    networks: ClassVar[int] = 1
    scope: ClassVar[str] = "batch"

    def with_noise_rate(self, noise_rate: float | None) -> Method:
        """Return the method for labels of this noise rate; most methods do not use it.

        Args:
            noise_rate: Share of the training labels that are wrong; None where it is unknown.
        """
        return self

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        """Return the state of each example before the first epoch; the loop saves it with every checkpoint.

        Args:
            labels: Noisy labels of all training examples.
            num_classes: c.

        Raises:
            ValueError: If a hyper-parameter is missing that only the data could have given.
        """
        return {}

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        """Return the loss of a batch, a scalar to minimise; the memory is updated in place.

        Args:
            outputs: Features of the batch from each network.
            batch: Examples of the batch.
            memory: State of all training examples.
            epoch: Number of the epoch, from 1.
        """
        raise NotImplementedError

    def after_epoch(self, diluted: Float[Tensor, "n c"], labels: Int[Tensor, " n"], memory: Memory) -> None:
        """Take in the diluted labels of all examples after an epoch; called where the scope is the data set.

        Args:
            diluted: Z of Eq. (1)-(4) of all training examples.
            labels: Noisy labels of all training examples.
            memory: State of all training examples, updated in place.
        """
