"""Selection of examples in anybody's training loop: Eq. (1) to (6) as one module."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, distributed, nn

from lend.dilution import dilute_among, prior_weights
from lend.inputs import Checks, Dilution, as_codes, read_index, read_rows, require
from lend.methods.lend import LEND


class Selector(nn.Module):
    """Select the examples of each batch whose label agrees with the diluted ones, Eq. (1) to (6).

    It holds the memory of each example, Eq. (5), in buffers: ``state_dict`` saves it and ``to`` moves it. It has no
    parameters, and no gradient passes through it. :func:`lend.train` selects by the same :class:`lend.methods.LEND`.

    Where torch.distributed is initialised every process has a selector, gives it its own examples, and calls
    :meth:`after_epoch`, which makes the memories agree; of an example that several have seen the last process's counts.
    Keep it outside of what DistributedDataParallel wraps, which overwrites buffers with those of the first process.

    Args:
        labels: (n,) noisy labels of all training examples, integers 0..c-1 of any type; -1 or missing where an example
            is unlabelled, which is never kept.
        num_classes: c; the largest label plus one if not given.
        beta: Momentum of the memory over the epochs, Eq. (5), in [0, 1].
        memory: What Eq. (5) averages: "hard", the diluted label as a one-hot vector, or "soft", the distribution.
        scope: "batch": labels are diluted among the examples of each batch. "dataset": among all examples of an epoch,
            in :meth:`after_epoch`, which selects for the next one.
        class_prior: None, "balanced" or the true share of each class; see :func:`lend.dilute`.
        dilution: Further settings of :class:`lend.Dilution`: k, gamma, alpha, steps, affinity, reserve.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.

    Example:
        >>> selector = Selector([0, 1] * 20, k=4)
        >>> features = torch.randn(10, 3)
        >>> selector(torch.arange(10), features).shape
        torch.Size([10])
    """

    labels: Tensor
    class_weights: Tensor
    diluted: Tensor
    kept: Tensor
    seen: Tensor

    def __init__(
        self,
        labels: Any,  # noqa: ANN401 (arrays of any library)
        num_classes: int | None = None,
        *,
        beta: float = 0.9,
        memory: str = "hard",
        scope: str = "batch",
        class_prior: Any = None,  # noqa: ANN401
        **dilution: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.method = LEND(beta=beta, memory=memory, scope=scope)
        unknown = sorted(set(dilution) - set(Dilution.__dataclass_fields__))
        require(not unknown, "dilution", "of the settings of lend.Dilution", ", ".join(unknown))
        self.settings = Dilution(**dilution)
        y, c = as_codes(labels, np.shape(labels)[0] if np.ndim(labels) else 0, num_classes)
        require(self.settings.k < len(y), "k", f"below {len(y)}, the number of labels", self.settings.k)
        state = self.method.initial_memory(y, c)
        self.register_buffer("labels", y)
        self.register_buffer("class_weights", prior_weights(class_prior, state["diluted"]))
        self.register_buffer("diluted", state["diluted"])
        self.register_buffer("kept", state["kept"] & (y >= 0))
        self.register_buffer("seen", torch.zeros_like(y, dtype=torch.bool))  # in this epoch, by this process
        self._checks = Checks()
        self._embeddings: Tensor | None = None  # (n, d) of this epoch, where the scope is the data set

    def extra_repr(self) -> str:
        return f"n={len(self.labels)}, classes={self.diluted.shape[1]}, {self.method}, {self.settings}"

    @torch.no_grad()
    def forward(self, index: Any, embeddings: Any) -> Bool[Tensor, " b"]:  # noqa: ANN401
        """Take in the embeddings of a batch, and return which of its examples to train on.

        Args:
            index: (b,) positions of the examples in ``labels``, each once.
            embeddings: (b, d) last hidden layer, finite numbers of any float type.

        Raises:
            ValueError: Naming the argument. On a device other than the CPU positions that are out of range or repeated
                and numbers that are not finite are found by :meth:`after_epoch`, so that no step waits.
        """
        index = read_index(index, len(self.labels), self._checks).to(self.labels.device)
        V = read_rows(embeddings, "embeddings", len(index), None, self._checks).to(self.labels.device)
        few = self.method.scope == "batch" and len(V) <= self.settings.k
        require(not few, "embeddings", f"of more than k = {self.settings.k} examples", len(V))
        if self.method.scope == "dataset":
            if self._embeddings is None or self._embeddings.shape[1] != V.shape[1]:
                width = 0 if self._embeddings is None else self._embeddings.shape[1]
                began = width > 0 and bool(self.seen.any())
                require(not began, "embeddings", f"of {width} numbers as before in this epoch", V.shape[1])
                self._embeddings = V.new_zeros(len(self.labels), V.shape[1])
            self._embeddings[index], self.seen[index] = V, True
            return self.kept[index]
        with torch.autocast(V.device.type, enabled=False):  # cosines of half precision would tell few neighbours apart
            Z, _ = dilute_among(V, self.labels[index], self.class_weights, self.settings)
        self.seen[index] = True
        self._remember(index, Z)
        return self.kept[index]

    @torch.no_grad()
    def after_epoch(self) -> None:
        """End an epoch: processes agree, and labels are diluted among all examples where the scope is the data set.

        Needed where the scope is "dataset" or there are several processes; elsewhere it does nothing but check.

        Raises:
            ValueError: If a batch of the epoch was wrong, see :meth:`forward`, or it had too few examples.
        """
        self._checks.settle()
        self._agree()
        if self.method.scope == "dataset":
            index = self.seen.nonzero()[:, 0]
            k = self.settings.k
            require(len(index) > k, "examples of the epoch", f"more than k = {k}", len(index))
            assert self._embeddings is not None  # every batch has filled it
            Z, _ = dilute_among(self._embeddings[index], self.labels[index], self.class_weights, self.settings)
            self._remember(index, Z)
        self.seen.zero_()

    def targets(self, index: Any) -> Float[Tensor, "b c"]:  # noqa: ANN401
        """Corrected labels: the memory Z of Eq. (5) of some examples, as distributions.

        Args:
            index: (b,) positions of the examples in ``labels``.
        """
        Z = self.diluted[self._positions(index)]
        return Z / Z.sum(dim=1, keepdim=True).clamp(min=torch.finfo(Z.dtype).tiny)

    def weights(self, index: Any) -> Float[Tensor, " b"]:  # noqa: ANN401
        """Soft weights: the share of an example's own label in :meth:`targets`; 0 where it is unlabelled.

        Args:
            index: (b,) positions of the examples in ``labels``.
        """
        y = self.labels[self._positions(index)]
        own = self.targets(index).gather(1, y.clamp(min=0)[:, None])[:, 0]
        return torch.where(y >= 0, own, 0.0)

    def _positions(self, index: Any) -> Int[Tensor, " b"]:  # noqa: ANN401
        return read_index(index, len(self.labels), self._checks, once=False).to(self.labels.device)

    def _remember(self, index: Int[Tensor, " b"], Z: Float[Tensor, "b c"]) -> None:
        """Eq. (5) and (6)."""
        self.diluted[index], self.kept[index] = self.method.remember(Z, self.diluted[index], self.labels[index])

    def _agree(self) -> None:
        """Give every process the rows of the others: of each example those of the last process that has seen it."""
        if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
            return
        owner = torch.where(self.seen, distributed.get_rank(), -1)
        distributed.all_reduce(owner, distributed.ReduceOp.MAX)
        mine = owner == distributed.get_rank()
        values = [self.diluted, self.kept] + ([] if self._embeddings is None else [self._embeddings])
        for rows in values:
            numbers = rows.to(torch.uint8) if rows.dtype == torch.bool else rows
            shared = torch.where(mine.view(-1, *[1] * (rows.ndim - 1)), numbers, torch.zeros_like(numbers))
            distributed.all_reduce(shared)
            seen = (owner >= 0).view(-1, *[1] * (rows.ndim - 1))
            rows.copy_(torch.where(seen, shared, numbers))
        self.seen.copy_(owner >= 0)
