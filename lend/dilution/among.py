"""Dilution among the examples of a batch: what loops call at every step."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.dilution.equations import dilute_from_neighbors, most_frequent, one_hot
from lend.inputs import Dilution
from lend.neighbors import nearest


@torch.no_grad()
def dilute_among(
    V: Float[Tensor, "b d"], y: Int[Tensor, " b"], weights: Float[Tensor, " c"], settings: Dilution
) -> tuple[Float[Tensor, "b c"], Int[Tensor, " b"]]:
    """Return Z of Eq. (1)-(4) and the labels of Definition 1 among some examples, from one neighbour search.

    Unchecked: nothing waits for the device.

    Args:
        V: Embeddings, more than k, in float32.
        y: Noisy labels; -1 where unlabelled, which has no vote.
        weights: What a vote for each class counts; see :func:`lend.dilution.equations.prior_weights`.
        settings: Settings of the dilution.

    Returns:
        Z, whose rows sum to one, or to zero where no vote reaches an unlabelled example; and the dominant labels, -1
        where all neighbours are unlabelled.
    """
    return dilute_among_neighbors(*nearest(V, settings.k, check=False), y, weights, settings)


@torch.no_grad()
def dilute_among_neighbors(
    indices: Int[Tensor, "b m"],
    cosines: Float[Tensor, "b m"],
    y: Int[Tensor, " b"],
    weights: Float[Tensor, " c"],
    settings: Dilution,
) -> tuple[Float[Tensor, "b c"], Int[Tensor, " b"]]:
    """Return what :func:`dilute_among` does where the neighbours are known; of more than k the k nearest count."""
    indices, cosines = indices[:, : settings.k], cosines[:, : settings.k]
    onehot = one_hot(y, len(weights))
    Z = dilute_from_neighbors(indices, cosines, onehot, weights, settings)
    return Z, torch.where((y[indices] >= 0).any(dim=1), most_frequent(indices, cosines, onehot), -1)
