"""From uint8 images on the device to the input of a network, a batch at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

PADDING = 4


@dataclass(frozen=True)
class Preparation:
    """How a network wants its images.

    Args:
        mean: Mean of each channel, of values in [0, 1].
        std: Standard deviation of each channel, likewise.
        size: Height and width to resize to; None leaves the images as large as they are.
        channels_last: Whether the network computes in the channels-last layout.
    """

    mean: Float[Tensor, " channels"]
    std: Float[Tensor, " channels"]
    size: int | None = None
    channels_last: bool = True

    def __call__(self, images: UInt8[Tensor, "b _ height width"]) -> Float[Tensor, "b channels h w"]:
        """Resize (bilinear, antialiased) and standardise images; a grey one is repeated for three channels."""
        x: Tensor = images.expand(-1, len(self.mean), -1, -1)
        if self.size is not None:
            x = interpolate(x.float(), (self.size, self.size), mode="bilinear", antialias=True)
        x = normalise(x, self.mean, self.std)
        return x if self.channels_last else x.contiguous()


def normalise(
    images: UInt8[Tensor, "b channels height width"] | Float[Tensor, "b channels height width"],
    mean: Float[Tensor, " channels"],
    std: Float[Tensor, " channels"],
) -> Float[Tensor, "b channels height width"]:
    """Scale images to [0, 1], then standardise each channel.

    Args:
        images: Any number of images, of values from 0 to 255.
        mean: Mean of each channel over the data set, of values in [0, 1].
        std: Standard deviation of each channel, likewise.

    Returns:
        float32 in the channels-last layout, which convolutions prefer.
    """
    x = images.to(torch.float32, memory_format=torch.channels_last)
    return (x / 255 - mean[:, None, None]) / std[:, None, None]


def augment(
    images: UInt8[Tensor, "b channels height width"], generator: torch.Generator
) -> UInt8[Tensor, "b channels height width"]:
    """Crop the padded images at random and flip half of them horizontally, each on its own.

    Args:
        images: Any number of images, on any device.
        generator: A CPU generator, so that the draws are the same on every device.
    """
    b, _, height, width = images.shape
    device = images.device
    top = torch.randint(0, 2 * PADDING + 1, (b, 1), generator=generator)
    left = torch.randint(0, 2 * PADDING + 1, (b, 1), generator=generator)
    flip = torch.rand(b, 1, generator=generator) < 0.5
    # one copy, for which CUDA does not wait: its driver has read pageable memory when the call returns
    drawn = torch.cat([top, left, flip.long()], dim=1).to(device, non_blocking=device.type == "cuda")
    top, left, flip = drawn[:, :1], drawn[:, 1:2], drawn[:, 2:].bool()
    rows = top + torch.arange(height, device=device)
    columns = torch.arange(width, device=device).expand(b, width)
    columns = left + torch.where(flip, width - 1 - columns, columns)
    padded = torch.nn.functional.pad(images, (PADDING,) * 4)
    example = torch.arange(b, device=device)[:, None, None]
    return padded[example, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def batches(
    n: int, size: int, generator: torch.Generator, device: torch.device | str = "cpu"
) -> tuple[Int[Tensor, " _"], ...]:
    """Draw a random order of n examples, and cut it into the fewest batches of at most ``size`` examples.

    The batches are equal to within one example: a small last one would have too few neighbours of each class to
    dilute its labels.

    Args:
        n: Examples, at least 1.
        size: Most examples of a batch, at least 1.
        generator: A CPU generator.
        device: Where the positions are put.

    Returns:
        Positions of the examples of each batch.
    """
    order, cuda = torch.randperm(n, generator=generator), torch.device(device).type == "cuda"
    # from pinned memory: the copy of so many numbers from other memory would wait for all that the card has to do
    order = order.pin_memory().to(device, non_blocking=True) if cuda else order.to(device)
    return order.tensor_split(math.ceil(n / size))
