"""From uint8 images on the device to the input of a network, a batch at a time."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

PADDING = 4


def normalise(
    images: UInt8[Tensor, "b channels height width"], mean: Float[Tensor, " channels"], std: Float[Tensor, " channels"]
) -> Float[Tensor, "b channels height width"]:
    """Scale to [0, 1], then standardise each channel; in the channels-last layout that convolutions prefer."""
    x = images.to(torch.float32, memory_format=torch.channels_last)
    return (x / 255 - mean[:, None, None]) / std[:, None, None]


def augment(
    images: UInt8[Tensor, "b channels height width"], generator: torch.Generator
) -> UInt8[Tensor, "b channels height width"]:
    """Random crop of the padded image and horizontal flip, drawn for each example on its own.

    One gather for the batch. The draws come from a CPU generator, so they are the same on every device.
    """
    b, _, height, width = images.shape
    device = images.device
    top = torch.randint(0, 2 * PADDING + 1, (b, 1), generator=generator).to(device)
    left = torch.randint(0, 2 * PADDING + 1, (b, 1), generator=generator).to(device)
    flip = (torch.rand(b, 1, generator=generator) < 0.5).to(device)
    rows = top + torch.arange(height, device=device)
    columns = torch.arange(width, device=device).expand(b, width)
    columns = left + torch.where(flip, width - 1 - columns, columns)
    padded = torch.nn.functional.pad(images, (PADDING,) * 4)
    example = torch.arange(b, device=device)[:, None, None]
    return padded[example, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def batches(
    n: int, size: int, generator: torch.Generator, device: torch.device | str = "cpu"
) -> tuple[Int[Tensor, " _"], ...]:
    """A random order of n examples, cut into the fewest batches of at most ``size``, equal to within one example.

    Equal batches, since a small last one has too few neighbours of each class to dilute its labels. The order
    travels to the device once.
    """
    return torch.randperm(n, generator=generator).to(device).tensor_split(-(-n // size))
