"""Several processes that train one run together, started by `accelerate launch`; without it there is one.

Each process takes its part of every batch. Gradients are summed after each step. Values of single examples, and the
running statistics of batch normalisation, are exchanged after each epoch.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool
from torch import Tensor, distributed, nn

from lend.inputs import extra

T = TypeVar("T")


def launched() -> int:
    """Return the number of processes that were launched together; 1 if this one was started alone."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@dataclass(frozen=True)
class Processes:
    """The place of this process among those that train the run, and what they exchange.

    Args:
        rank: Number of this process, from 0.
        count: Number of processes.
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Processes:
        """Connect to the processes that were launched together; returns when all are connected.

        They communicate by NCCL on GPUs, one GPU for each process, and by gloo on CPUs.

        Args:
            device: Where this process trains.
        """
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
        """Return the shards of this process, by their numbers among all shards.

        The first is the networks themselves; the others are copies that share their weights and have running
        statistics of their own.

        Args:
            count: Number of shards of all processes.
            networks: Networks of the run.

        Raises:
            ValueError: If the processes cannot share them evenly.
        """
        if count % self.count:
            raise ValueError(f"shards must be a multiple of the {self.count} processes, got {count}")
        first, *others = range(self.rank * count // self.count, (self.rank + 1) * count // self.count)
        weights = {id(parameter): parameter for parameter in networks.parameters()}
        return {first: networks} | {number: copy.deepcopy(networks, dict(weights)) for number in others}

    def first(self, action: Callable[[], T]) -> T:
        """Perform an action in every process, in the others only when the main process has finished it.

        Args:
            action: Takes nothing.

        Returns:
            The result of the action in this process.
        """
        if not self.main:
            self.wait()
        result = action()
        if self.main:
            self.wait()
        return result

    def wait(self) -> None:
        """Wait until all processes have called this."""
        if self.count > 1:
            distributed.barrier()

    def sum_(self, values: Tensor) -> Tensor:
        """Sum a tensor over all processes, in place, and return it."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Sum the gradient of each parameter over all processes, in place and in one message."""
        if self.count > 1:
            gradients = [p.grad for p in parameters if p.grad is not None]
            summed = self.sum_(torch.cat([gradient.reshape(-1) for gradient in gradients]))
            for gradient, part in zip(gradients, summed.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(part.view(gradient.shape))

    def gather_(self, values: Tensor, seen_here: Bool[Tensor, " n"]) -> None:
        """Replace each row by that of the process which has trained on the example, in place.

        Args:
            values: (n, ...) one row per training example.
            seen_here: Mask of the examples that this process has trained on; each example is in one process's mask.
        """
        if self.count > 1:
            rows = seen_here.view(-1, *[1] * (values.ndim - 1))
            numbers = values.to(torch.uint8) if values.dtype == torch.bool else values
            values.copy_(self.sum_(torch.where(rows, numbers, torch.zeros_like(numbers))))
