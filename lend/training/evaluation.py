"""What is measured after an epoch: features in evaluation mode, accuracy of the networks and of the labels."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping

import torch
from jaxtyping import Bool, Float, Float16, Int, UInt8
from torch import Tensor, nn

from lend.methods import Features

BATCH = 1000  # images in one forward pass

Forward = Callable[[nn.Module, Tensor], Features]  # a network and uint8 images (b, channels, height, width)


@torch.no_grad()
def features(network: nn.Module, pixels: UInt8[Tensor, "m channels height width"], forward: Forward) -> Features:
    """Return the features of all images in evaluation mode, in which the network is left.

    Args:
        network: The network.
        pixels: Images, as many as fit into the memory of the device.
        forward: Gives the features of one batch of images.
    """
    network.eval()
    parts = [forward(network, batch) for batch in pixels.split(BATCH)]
    return Features(*(torch.cat(part) for part in zip(*parts, strict=True)))


def half(embeddings: Float[Tensor, "n d"]) -> Float16[Tensor, "n d"]:
    """Round to float16; where that cannot hold the largest number, all are divided by one power of two, with a warning.

    Directions stay, and they are all that graphs and maps use.
    """
    most = torch.finfo(torch.float16).max
    largest = embeddings.abs().max().item()
    if not most < largest < math.inf:  # the same as ever; what is not finite is an error of the graph
        return embeddings.half()
    divisor = 2 ** math.ceil(math.log2(largest / most))
    warnings.warn(
        f"embeddings of up to {largest:.3g} are saved divided by {divisor}: float16 ends at {most:.0f}", stacklevel=2
    )
    return (embeddings / divisor).half()


def accuracies(
    networks: Iterable[nn.Module],
    pixels: UInt8[Tensor, "m channels height width"],
    labels: Int[Tensor, " m"],
    forward: Forward,
) -> tuple[float, float]:
    """Return the mean accuracy of the networks, and the accuracy of the argmax of their mean softmax.

    Args:
        networks: Networks with the same classes.
        pixels: Images to classify, at least one.
        labels: Their classes.
        forward: Gives the features of one batch of images.
    """
    shares = torch.stack([features(network, pixels, forward).logits.softmax(dim=1) for network in networks])
    mean_accuracy = (shares.argmax(dim=2) == labels).float().mean().item()
    return mean_accuracy, (shares.mean(dim=0).argmax(dim=1) == labels).float().mean().item()


def label_accuracies(labels: Mapping[str, Int[Tensor, " n"]], true: Int[Tensor, " n"] | None) -> dict[str, float]:
    """Return the accuracy of each kind of training labels as a column NAME_label_accuracy of the history.

    Args:
        labels: Labels of the training examples, by the name of their kind.
        true: True labels; None where they are unknown, which makes every accuracy NaN.
    """
    return {
        f"{name}_label_accuracy": float("nan") if true is None else (values == true).float().mean().item()
        for name, values in labels.items()
    }


def kept_shares(kept: Bool[Tensor, " n"], noisy: Int[Tensor, " n"], true: Int[Tensor, " n"] | None) -> dict[str, float]:
    """Return the share of the training examples that the method kept, and the share of those with a right label.

    Args:
        kept: Mask of the kept examples.
        noisy: Given labels.
        true: True labels; None where they are unknown.

    Returns:
        kept_share and kept_precision; the precision is NaN where the true labels are unknown or nothing is kept.
    """
    row = {"kept_share": kept.float().mean().item(), "kept_precision": float("nan")}
    if true is not None and kept.any():
        right = (noisy == true) & kept
        row["kept_precision"] = right.sum().item() / kept.sum().item()
    return row
