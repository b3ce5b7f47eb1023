"""Networks through torch.compile, where it works: fewer and larger kernels, which pays on GPUs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Compiler:
    """Calls networks; in training mode compiled ones, each compiled when it is first called.

    Where compiling fails, as without a C compiler, one line says so and everything goes on without it. A network in
    evaluation mode is called as it is: it would be compiled once more.

    Args:
        wanted: Whether to compile at all.
        mode: Of torch.compile; its default if not given.
    """

    def __init__(self, wanted: bool, mode: str | None = None) -> None:
        self.wanted, self.mode = wanted, mode
        self._compiled: dict[nn.Module, Callable[..., Any]] = {}

    def __call__(self, network: nn.Module, x: Tensor) -> Any:  # noqa: ANN401 (whatever it returns)
        """Return what the network gives for a batch."""
        if not (self.wanted and network.training):
            return network(x)
        try:
            if network not in self._compiled:
                self._compiled[network] = torch.compile(network, dynamic=False, mode=self.mode)
            return self._compiled[network](x)
        except Exception as error:  # compilers fail in many ways; what is wrong with the network, it says itself
            self.wanted = False
            reason = next(iter(str(error).splitlines()), "")
            print(f"torch.compile failed, going on without: {type(error).__name__}: {reason}", file=sys.stderr)
            return network(x)
