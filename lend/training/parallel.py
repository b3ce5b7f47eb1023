"""Several processes that train one run together. `accelerate launch` starts them; outside of it there is one.

Each process takes its part of every batch. Gradients are summed after each step; what belongs to single examples, and
the running statistics of batch normalisation, after each epoch.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

from lend.extras import extra

T = TypeVar("T")


def launched() -> int:
    """How many processes were launched together; 1 if this one was started alone."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@dataclass(frozen=True)
class Processes:
    """Who this process is among those that train the run."""

    rank: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Processes:
        """Meet the processes that were launched together (NCCL on GPUs, each its own; gloo on CPUs)."""
        if launched() == 1:
            return cls()
        with extra("train"):
            from accelerate import PartialState

        state = PartialState(cpu=device.type == "cpu")
        return cls(state.process_index, state.num_processes)

    @property
    def main(self) -> bool:
        """Whether this is the process that writes the run and shows progress."""
        return self.rank == 0

    def shards(self, count: int, networks: nn.ModuleList) -> dict[int, nn.ModuleList]:
        """The shards of this process among ``count``: the networks themselves, then copies that share their weights.

        Each shard has running statistics of its own.

        Raises:
            ValueError: If the processes cannot share them evenly.
        """
        if count % self.count:
            raise ValueError(f"shards must be a multiple of the {self.count} processes, got {count}")
        first, *others = range(self.rank * count // self.count, (self.rank + 1) * count // self.count)
        weights = {id(parameter): parameter for parameter in networks.parameters()}
        return {first: networks} | {number: copy.deepcopy(networks, dict(weights)) for number in others}

    def first(self, action: Callable[[], T]) -> T:
        """The result of an action that the main process ends before the others begin it."""
        if not self.main:
            self.wait()
        result = action()
        if self.main:
            self.wait()
        return result

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier()

    def sum_(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """The sum over all processes of each gradient, in one message."""
        if self.count > 1:
            gradients = [p.grad for p in parameters if p.grad is not None]
            summed = self.sum_(torch.cat([gradient.reshape(-1) for gradient in gradients]))
            for gradient, part in zip(gradients, summed.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(part.view(gradient.shape))

    def gather_(self, values: Tensor, mine: Tensor) -> None:
        """Rows (n, ...) of all examples, in place, from processes that each know the rows of ``mine`` (n,) alone."""
        if self.count > 1:
            mine = mine.view(-1, *[1] * (values.ndim - 1))
            numbers = values.to(torch.uint8) if values.dtype == torch.bool else values
            values.copy_(self.sum_(torch.where(mine, numbers, torch.zeros_like(numbers))))
