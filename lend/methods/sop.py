"""SOP: the noise of each label is learned beside the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lend.dilution import one_hot
from lend.inputs import is_real, require
from lend.methods.base import Batch, Features, Memory, Method

LEAST = 1e-4  # a share below it counts as this much, so that no logarithm is infinite


@dataclass(frozen=True)
class SOP(Method):
    """Sparse over-parameterisation (Liu et al., 2022, arXiv:2202.14026).

        s_i = u_i² ỹ_i - v_i² (1 - ỹ_i),   ỹ one-hot
        min over the network and u  CE(φ(p + s), ỹ),   φ: cut to positive numbers, made to sum to one
        min over v                  ‖onehot(argmax p) + s - ỹ‖²

    Args:
        rate_u: Learning rate of u, at least 0: 10 on CIFAR-10, 1 on CIFAR-100.
        rate_v: Learning rate of v, at least 0: 10 with symmetric noise, 100 with asymmetric noise.

    Raises:
        ValueError: If a value is out of range.
    """

    rate_u: float = 10.0
    rate_v: float = 10.0

    def __post_init__(self) -> None:
        for name in ("rate_u", "rate_v"):
            value = getattr(self, name)
            require(is_real(value) and value >= 0, name, "at least 0", value)

    def build_own(self, labels: Int[Tensor, " n"], num_classes: int, features: int) -> nn.Module:
        n, start = len(labels), 1e-8  # not 0, where the gradient of a square is 0
        return nn.ParameterDict({"u": start * torch.randn(n, 1), "v": start * torch.randn(n, num_classes)})

    def parameter_groups(self, own: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        plain = {"momentum": 0.0, "weight_decay": 0.0}
        return [{"params": [own["u"]], "lr": self.rate_u, **plain}, {"params": [own["v"]], "lr": self.rate_v, **plain}]

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        p = outputs[0].logits.softmax(dim=1)
        c = p.shape[1]
        y = one_hot(batch.labels, c)
        u, v = (batch.own[name][batch.index] for name in ("u", "v"))  # type: ignore[index]
        up, down = (u**2).clamp(0, 1) * y, (v**2).clamp(0, 1) * (1 - y)
        shares = (p + up - down.detach()).clamp(min=LEAST)
        supervised = -(y * (shares / shares.sum(dim=1, keepdim=True)).log()).sum(dim=1).mean()
        guess = one_hot(p.argmax(dim=1), c)
        return supervised + ((guess + up.detach() - down - y) ** 2).sum(dim=1).mean()
