"""The interface of a method, and what methods share: the data they get and means over kept examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

Memory = dict[str, Tensor]  # (n, ...) tensors with one row per training example, by name


class Features(NamedTuple):
    """What a network returns for a batch: the last hidden layer and the logits."""

    embeddings: Float[Tensor, "b d"]
    logits: Float[Tensor, "b c"]


class Batch(NamedTuple):
    """What the loop gives to a method for a batch of b examples; most methods need the first three."""

    index: Int[Tensor, " b"]  # type: ignore[assignment]  # positions in the training set; hides tuple.index
    labels: Int[Tensor, " b"]  # noisy
    # Z of Eq. (1)-(4), rows sum to one, of the first network's embeddings; None if the scope is the data set
    diluted: Float[Tensor, "b c"] | None
    # what the networks have seen: one draw of the augmentation for each of the method's views
    views: tuple[Float[Tensor, "b channels height width"], ...] = ()
    # features of any images of this form, such as a view or a mixture of images, from the network of this number
    forward: Callable[[int, Tensor], Features] | None = None
    averages: tuple[Features, ...] = ()  # of the first view, from the averaged networks; without gradient
    own: nn.Module | None = None  # the method's own module
    generator: torch.Generator | None = None  # for random draws on the CPU, so that a run that goes on repeats them


class Epoch(NamedTuple):
    """What the loop gives to a method after an epoch."""

    number: int  # from 1
    labels: Int[Tensor, " n"]  # noisy
    diluted: Float[Tensor, "n c"] | None = None  # Z of Eq. (1)-(4) among all examples, if the scope is the data set
    # features of all n training examples in evaluation mode, from the network of this number; a pass over the data
    features: Callable[[int], Features] | None = None
    own: nn.Module | None = None
    embeddings: Float[Tensor, "n d"] | None = None  # of the epoch's training passes, if the scope is the data set
    # the nearest others of each example among these, and their cosines, (n, m): as many as the method asks for, or more
    neighbors: tuple[Int[Tensor, "n m"], Float[Tensor, "n m"]] | None = None


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
    """The interface of a method; the fields of a subclass are its hyper-parameters, of types that JSON has.

    A method that drops examples writes the mask of those it kept in each batch into ``memory["kept"]``, which is saved
    with the run.

    Attributes:
        networks: Networks to train side by side.
        views: Draws of the augmentation for each image; the networks are trained on the first.
        average_decay: Decay of an exponential moving average of each network's weights, in (0, 1), moved after every
            step; None for no average. Test accuracy and snapshots are of the networks themselves.
        scope: "batch" where labels are diluted among the examples of each batch; "dataset" where they are diluted among
            all training examples, after each epoch.
        neighbors: With that scope, neighbours of each example that ``after_epoch`` asks for; those of the dilution are
            there at least.
    """

    networks: ClassVar[int] = 1
    views: ClassVar[int] = 1
    average_decay: ClassVar[float | None] = None
    scope: ClassVar[str] = "batch"
    neighbors: ClassVar[int] = 0

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

    def build_own(self, labels: Int[Tensor, " n"], num_classes: int, features: int) -> nn.Module | None:
        """Return a module of the method's own: further heads, parameters of each example, a transition matrix.

        The loop moves it to the device, trains its parameters and saves its state with every checkpoint.

        Args:
            labels: Noisy labels of all training examples.
            num_classes: c.
            features: d, the length of an embedding.
        """
        return None

    def parameter_groups(self, own: nn.Module) -> list[dict[str, Any]]:
        """Return the groups of the optimiser for the parameters of the own module, as torch.optim.SGD takes them.

        What a group does not set is as for the networks. The learning rate of each group is divided when theirs is.
        """
        return [{"params": list(own.parameters())}]

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        """Return the loss of a batch, a scalar to minimise; the memory is updated in place.

        Args:
            outputs: Features of the batch from each network.
            batch: Examples of the batch.
            memory: State of all training examples.
            epoch: Number of the epoch, from 1.
        """
        raise NotImplementedError

    def after_epoch(self, epoch: Epoch, memory: Memory) -> None:
        """Take in what an epoch has brought, before its state is saved; most methods do nothing.

        Args:
            epoch: Number, labels, and on demand the features of all examples.
            memory: State of all training examples, updated in place.
        """
