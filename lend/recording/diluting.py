"""What is saved of an epoch's embeddings."""

from __future__ import annotations

import math
import warnings

import torch
import xarray as xr
from jaxtyping import Float, Float16, Int
from torch import Tensor

from lend.dilution import dilute_from_neighbors, one_hot
from lend.inputs import Dilution
from lend.neighbors import nearest
from lend.recording.saving import to_cpu


@torch.no_grad()
def make_snapshot(
    embeddings: Float[Tensor, "m d"],
    logits: Float[Tensor, "m c"],
    y: Int[Tensor, " m"],
    weights: Float[Tensor, " c"],
    settings: Dilution,
) -> xr.Dataset:
    """Return what is saved of an epoch's embeddings: them, the logits, and the diluted distribution among them all.

    The graph is of the float16 embeddings that are saved, so that diluting a saved snapshot gives the saved
    distribution. A distribution is NaN where an example has too few others, or no vote reaches it. From a CUDA device
    the arrays arrive later: ``Saver`` waits for them before it writes.

    Args:
        embeddings: Of the examples.
        logits: Of the same pass; NaN where unknown.
        y: Noisy labels, -1 where unlabelled.
        weights: What a vote for each class counts.
        settings: Settings of the dilution.
    """
    embeddings = half(embeddings)
    diluted = torch.full((len(y), len(weights)), torch.nan, device=y.device)
    if len(y) > settings.k:
        Z = dilute_from_neighbors(*nearest(embeddings.float(), settings.k), one_hot(y, len(weights)), weights, settings)
        diluted = torch.where(Z.sum(dim=1, keepdim=True) > 0, Z, torch.nan)
    parts = {"embeddings": (embeddings, "feature"), "logits": (logits, "class"), "diluted": (diluted, "class")}
    return xr.Dataset({name: (("sample", last), to_cpu(t).numpy()) for name, (t, last) in parts.items()})


def half(embeddings: Float[Tensor, "n d"]) -> Float16[Tensor, "n d"]:
    """Round to float16; where that cannot hold the largest number, all are divided by one power of two, with a warning.

    Directions stay, and they are all that graphs and maps use.
    """
    most = torch.finfo(torch.float16).max
    largest = embeddings.abs().max().item()
    if not most < largest < math.inf:  # the same as ever; what is not finite is an error of the graph
        return embeddings.half()
    divisor = 2.0 ** math.ceil(math.log2(largest / most))
    warnings.warn(
        f"embeddings of up to {largest:.3g} are saved divided by {divisor:.0f}: float16 ends at {most:.0f}",
        stacklevel=2,
    )
    return (embeddings / divisor).half()
