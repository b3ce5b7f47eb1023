"""DivideMix: two networks that divide the examples for each other, and learn from mixtures of both parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from lend.dilution import one_hot
from lend.inputs import as_count, is_real, require
from lend.methods.base import Batch, Epoch, Features, Memory, Method, label_losses, masked_mean

RAMP = 16  # epochs over which λ is reached


def clean_shares(losses: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Return the posterior of the component with the smaller mean, of two Gaussians fitted to the losses."""
    from sklearn.mixture import GaussianMixture

    if losses.min() == losses.max():
        return torch.ones_like(losses)  # nothing tells one from another
    x = ((losses - losses.min()) / (losses.max() - losses.min())).double().cpu().numpy()[:, None]
    fit = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=0).fit(x)
    return torch.as_tensor(fit.predict_proba(x)[:, fit.means_.argmin()], dtype=losses.dtype, device=losses.device)


@dataclass(frozen=True)
class DivideMix(Method):
    """Two networks, semi-supervised where labels look wrong (Li et al., 2020, arXiv:2002.07394).

        w_i   share of "clean" of the loss of example i under the other network, by a mixture of two Gaussians
        t_i   sharpened w_i ỹ_i + (1 - w_i) p_i  if w_i > τ, sharpened mean of both networks' p_i  if not
        l     CE of mixed images and targets (first part) + λ MSE (second part) + KL(uniform || mean p)

    p is the mean over two views of an image; a mixture is l x + (1 - l) x', l ~ Beta(α, α), with l the larger share.
    Both networks take a step at a time (the authors train one for an epoch, then the other).

    Args:
        warmup: Epochs of cross entropy before the first division: 10 on CIFAR-10, 30 on CIFAR-100.
        threshold: τ, the share of "clean" above which a label is believed, in [0, 1).
        temperature: Exponent 1 / T of the sharpening, above 0.
        mixing: α of the Beta distribution, above 0.
        strength: λ, at least 0, reached over RAMP epochs: 0 to 25 on CIFAR-10, growing with the noise.

    Raises:
        ValueError: If a value is out of range.
    """

    networks: ClassVar[int] = 2
    views: ClassVar[int] = 2
    warmup: int = 10
    threshold: float = 0.5
    temperature: float = 0.5
    mixing: float = 4.0
    strength: float = 25.0

    def __post_init__(self) -> None:
        as_count(self.warmup, "warmup")
        require(is_real(self.threshold) and 0 <= self.threshold < 1, "threshold", "inside [0, 1)", self.threshold)
        for name in ("temperature", "mixing"):
            value = getattr(self, name)
            require(is_real(value) and value > 0, name, "above 0", value)
        require(is_real(self.strength) and self.strength >= 0, "strength", "at least 0", self.strength)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        clean = torch.ones(len(labels), self.networks, device=labels.device)
        return {"clean": clean, "kept": torch.ones_like(labels, dtype=torch.bool)}

    def after_epoch(self, epoch: Epoch, memory: Memory) -> None:
        if epoch.number >= self.warmup:
            logits = [epoch.features(number).logits for number in range(2)]  # type: ignore[misc]
            losses = [cross_entropy(values, epoch.labels, reduction="none") for values in logits]
            memory["clean"] = torch.stack([clean_shares(values) for values in losses], dim=1)

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        if epoch <= self.warmup:
            return sum(label_losses(features, batch).mean() for features in outputs)  # type: ignore[return-value]
        with torch.no_grad():
            other = [batch.forward(number, batch.views[1]) for number in range(2)]  # type: ignore[misc]
            p = [(a.logits.softmax(1) + b.logits.softmax(1)) / 2 for a, b in zip(outputs, other, strict=True)]
        clean = memory["clean"][batch.index]
        memory["kept"][batch.index] = clean[:, 1] > self.threshold
        return sum(self._part(k, p, clean[:, 1 - k], batch, epoch) for k in range(2))  # type: ignore[return-value]

    def _part(self, k: int, p: list[Tensor], w: Float[Tensor, " b"], batch: Batch, epoch: int) -> Float[Tensor, ""]:
        c, believed = p[k].shape[1], w > self.threshold
        refined = w[:, None] * one_hot(batch.labels, c) + (1 - w[:, None]) * p[k]
        t = torch.where(believed[:, None], refined, (p[0] + p[1]) / 2) ** (1 / self.temperature)
        x, t = torch.cat(batch.views), (t / t.sum(dim=1, keepdim=True)).repeat(self.views, 1)
        share, order = self._mixture(len(x), batch.generator)
        order = order.to(x.device, non_blocking=x.is_cuda)  # an index on the CPU would be waited for at each use
        x, t = share * x + (1 - share) * x[order], share * t + (1 - share) * t[order]
        log_p = batch.forward(k, x).logits.log_softmax(dim=1)  # type: ignore[misc]
        believed = believed.repeat(self.views)
        supervised = masked_mean(-(t * log_p).sum(dim=1), believed)
        guessed = masked_mean(((log_p.exp() - t) ** 2).mean(dim=1), ~believed)
        balance = -(c * log_p.exp().mean(dim=0)).log().mean()  # KL(uniform || mean p)
        return supervised + self.strength * min(1.0, (epoch - self.warmup) / RAMP) * guessed + balance

    def _mixture(self, size: int, generator: torch.Generator | None) -> tuple[float, Int[Tensor, " size"]]:
        """The larger share of a mixture, and the order of those that are mixed in."""
        seed = int(torch.randint(2**31, (), generator=generator))
        share = float(np.random.default_rng(seed).beta(self.mixing, self.mixing))
        return max(share, 1 - share), torch.randperm(size, generator=generator)
