"""Forward correction: the network's shares go through the noise before they meet the noisy labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lend.inputs import as_count, is_real, require
from lend.methods.base import Batch, Epoch, Features, Memory, Method


def transition_from_anchors(p: Float[Tensor, "n c"], percentile: float) -> Float[Tensor, "c c"]:
    """T_ij = p(ỹ = j | x_i), where x_i is the example at this percentile of p(ỹ = i | x) over all x."""
    rank = round((len(p) - 1) * percentile / 100)
    anchors = p.argsort(dim=0, stable=True)[rank]  # (c,)
    return p[anchors]


def corrected_losses(
    logits: Float[Tensor, "b c"], labels: Int[Tensor, " b"], T: Float[Tensor, "c c"]
) -> Float[Tensor, " b"]:
    """Return -log Σ_i p_i T_iỹ of each example: what its label says of a network that predicts the true classes."""
    log_p, log_T = logits.log_softmax(dim=1), T.clamp(min=1e-12).log()
    return -(log_p + log_T[:, labels].T).logsumexp(dim=1)


@dataclass(frozen=True)
class Forward(Method):
    """Forward correction (Patrini et al., 2017, arXiv:1609.03683): l = -log (Tᵀ p)_ỹ.

    T_ij is the probability that class i is labelled j. Unless it is given it is estimated after ``warmup`` epochs of
    cross entropy, from the shares of one anchor example per class, and the same network is trained on with it. (In the
    paper a network of its own estimates it.)

    Args:
        transition: T, c rows that sum to 1; estimated if not given.
        warmup: Epochs of cross entropy before the estimate; not used where T is given.
        percentile: Of the shares of a class at which its anchor is taken: 97 in the paper, 100 for CIFAR-100.

    Raises:
        ValueError: If a value is out of range, or T is no transition matrix of c classes.
    """

    transition: list[list[float]] | None = None
    warmup: int = 10
    percentile: float = 97.0

    def __post_init__(self) -> None:
        as_count(self.warmup, "warmup")
        require(
            is_real(self.percentile) and 0 <= self.percentile <= 100, "percentile", "inside [0, 100]", self.percentile
        )

    def build_own(self, labels: Int[Tensor, " n"], num_classes: int, features: int) -> nn.Module:
        own = nn.Module()
        T = torch.eye(num_classes) if self.transition is None else torch.tensor(self.transition, dtype=torch.float32)
        fits = T.shape == (num_classes,) * 2 and bool((T >= 0).all() and ((T.sum(dim=1) - 1).abs() < 1e-3).all())
        require(fits, "transition", f"{num_classes} rows of {num_classes} shares that sum to 1", self.transition)
        own.register_buffer("T", T)
        return own

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        return corrected_losses(outputs[0].logits, batch.labels, batch.own.T).mean()  # type: ignore[union-attr, arg-type]

    def after_epoch(self, epoch: Epoch, memory: Memory) -> None:
        if self.transition is None and epoch.number == self.warmup:
            p = epoch.features(0).logits.softmax(dim=1)  # type: ignore[misc]
            epoch.own.T.copy_(transition_from_anchors(p, self.percentile))  # type: ignore[union-attr, operator]
