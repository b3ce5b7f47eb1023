"""Networks of torch, ready to embed: random weights from a seed, batch norms folded, a batch at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lend.inputs import require

AT_ONCE = 32  # images of 128x128 in a batch on a CPU: more gain nothing
GPU = 16  # times as many on a GPU
MEMORY = 400  # bytes of the features of a network for each pixel, about


def images_at_once(size: int, device: torch.device, at_once: int = AT_ONCE) -> int:
    """Images of a batch, by their size and the memory of this machine: an eighth of it at most.

    Args:
        size: Pixels of the side of an image.
        device: Where the batch is embedded.
        at_once: Images of 128x128 that are fastest on a CPU.
    """
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 4 << 30
    most = pages // 8 // (MEMORY * size**2)
    return max(1, min(at_once * 128**2 * (1 if device.type == "cpu" else GPU) // size**2, most))


@contextmanager
def seeded() -> Iterator[None]:
    """Let random weights be the same each time; the generator of the user goes on as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def device_of(name: str | None) -> torch.device:
    """The device of this name; a GPU where there is one if None.

    Raises:
        ValueError: If there is no such device.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except Exception as error:  # torch raises many kinds
        raise ValueError(f"device must be one of this machine, got {name!r} ({str(error).splitlines()[0]})") from None
    return device


def ready(network: Any, device: torch.device) -> Any:  # noqa: ANN401 (modules with methods of their own)
    """Put a network on a device for inference, channels last in memory, which convolutions are faster in."""
    return network.eval().to(device).to(memory_format=torch.channels_last)


def without_last_linear(network: nn.Module, place: str) -> nn.Module:
    """Take the last linear layer out of a network, so that what went into it comes out: the embedding.

    Raises:
        ValueError: If it has none.
    """
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    require(
        bool(names), place, "a network whose last layer is linear; name another, or file.py:NAME of your own", "none"
    )
    parent, _, name = names[-1].rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return network


def encoder(
    run: Callable[[Tensor], Any], device: torch.device, normalise: Callable[[Tensor], Tensor] | None = None
) -> Callable[[Sequence[Any]], np.ndarray]:
    """Return what makes embeddings (b, d), float32, of a batch of prepared images.

    Args:
        run: A batch of images on the device to features (b, d), or (b, d, height, width), which are averaged.
        device: Of the network.
        normalise: Of stacked images on the device; as they are if None.
    """

    def encode(images: Sequence[Any]) -> np.ndarray:
        with torch.inference_mode():
            stacked = (
                torch.from_numpy(np.stack(images)) if isinstance(images[0], np.ndarray) else torch.stack(list(images))
            )
            batch = stacked.to(device)
            batch = batch if normalise is None else normalise(batch)
            return pooled(run(batch.contiguous(memory_format=torch.channels_last)))

    return encode


def pooled(features: Any) -> np.ndarray:  # noqa: ANN401 (what people's networks return)
    """Features (b, d), or (b, d, ...) averaged over places, as a NumPy array of float32."""
    tensor = features if isinstance(features, Tensor) else torch.as_tensor(np.asarray(features))
    tensor = tensor.detach().float()
    return (tensor.flatten(2).mean(2) if tensor.ndim > 2 else tensor).cpu().numpy()
