"""What is measured after an epoch: features in evaluation mode, accuracy of the networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int, UInt8
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


def accuracies(
    networks: Iterable[nn.Module],
    pixels: UInt8[Tensor, "m channels height width"],
    labels: Int[Tensor, " m"],
    forward: Forward,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean accuracy of the networks, and the accuracy of the argmax of their mean softmax; neither is read.

    Args:
        networks: Networks with the same classes.
        pixels: Images to classify, at least one.
        labels: Their classes.
        forward: Gives the features of one batch of images.
    """
    shares = torch.stack([features(network, pixels, forward).logits.softmax(dim=1) for network in networks])
    each, together = shares.argmax(dim=2), shares.mean(dim=0).argmax(dim=1)
    return (each == labels).float().mean(), (together == labels).float().mean()
