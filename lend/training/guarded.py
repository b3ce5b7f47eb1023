"""A method of one's own in a training: what it raises names its place and line, what it gives is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lend.inputs import is_real, is_whole, plugins, require
from lend.methods import Batch, Epoch, Features, Memory, Method

SCOPES = ("batch", "dataset")


@dataclass(frozen=True)
class Guarded(Method):
    """Any method, of which nothing else is known than that it is one; what it does and gives stays as it is.

    Args:
        place: Where it is written, for errors.
        own: The method.

    Raises:
        ValueError: If it asks for something else than the loop has.
    """

    place: str
    own: Method

    def __post_init__(self) -> None:
        for name, fits, allowed in (
            ("networks", lambda v: is_whole(v) and v >= 1, "an integer of at least 1"),
            ("views", lambda v: is_whole(v) and v >= 1, "an integer of at least 1"),
            ("average_decay", lambda v: v is None or (is_real(v) and 0 < v < 1), "None, or inside (0, 1)"),
            ("neighbors", lambda v: is_whole(v) and v >= 0, "an integer of at least 0"),
            ("scope", lambda v: v in SCOPES, "'batch' or 'dataset'"),
        ):
            value = getattr(self.own, name)
            require(fits(value), f"{self.place}: {name}", allowed, value)
            object.__setattr__(self, name, value)  # of the class of the method, and so of this one
        none = self.own.scope == "dataset" or self.own.neighbors == 0
        require(none, f"{self.place}: neighbors", "0 with scope 'batch', where none are found", self.own.neighbors)

    def with_noise_rate(self, noise_rate: float | None) -> Guarded:
        told = self._call(self.own.with_noise_rate, noise_rate)
        require(isinstance(told, Method), f"{self.place}: with_noise_rate", "a method", _kind(told))
        return Guarded(self.place, told)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        memory = self._call(self.own.initial_memory, labels, num_classes)
        require(isinstance(memory, dict), f"{self.place}: initial_memory", "a dictionary", _kind(memory))
        self.check(memory, labels)
        return memory

    def check(self, memory: dict[str, Any], labels: Int[Tensor, " n"]) -> None:
        """Raise ValueError unless a memory has a row for each example, where the labels are."""
        n = len(labels)
        for name, values in memory.items():
            argument, allowed = f"{self.place}: memory[{name!r}]", f"a tensor of {n} rows, one per example"
            rows = isinstance(values, Tensor) and values.ndim > 0 and len(values) == n
            require(rows, argument, allowed, _kind(values))
            there = values.device == labels.device
            require(there, argument, f"on {labels.device}, as the labels are", str(values.device))
            if name == "kept":
                mask = values.dtype == torch.bool and values.ndim == 1
                require(mask, argument, f"bool of shape ({n},)", _kind(values))

    def build_own(self, labels: Int[Tensor, " n"], num_classes: int, features: int) -> nn.Module | None:
        module = self._call(self.own.build_own, labels, num_classes, features)
        fits = module is None or isinstance(module, nn.Module)
        require(fits, f"{self.place}: build_own", "a torch.nn.Module or None", _kind(module))
        return module

    def parameter_groups(self, own: nn.Module) -> list[dict[str, Any]]:
        groups = self._call(self.own.parameter_groups, own)
        fits = isinstance(groups, list) and all(isinstance(group, dict) and "params" in group for group in groups)
        require(fits, f"{self.place}: parameter_groups", "a list of dictionaries with params", _kind(groups))
        return groups

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        loss = self._call(self.own.loss, outputs, batch, memory, epoch)
        scalar = isinstance(loss, Tensor) and loss.ndim == 0 and loss.is_floating_point()
        require(scalar, f"{self.place}: loss", "one number, a tensor of shape ()", _kind(loss))
        require(loss.requires_grad, f"{self.place}: loss", "a number that has a gradient", "a detached tensor")
        return loss

    def after_epoch(self, epoch: Epoch, memory: Memory) -> None:
        self._call(self.own.after_epoch, epoch, memory)
        self.check(memory, epoch.labels)

    def _call(self, function: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401
        try:
            return function(*given)
        except (Exception, SystemExit) as error:  # own code may raise anything
            raise plugins.told(self.place, error, type(self.own)) from error


def _kind(value: object) -> str:
    """What came, for an error."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    return type(value).__name__
