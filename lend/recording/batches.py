"""What the batches of an epoch leave: the newest row of each example, on the device where it came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lend.inputs import as_matrix, as_tensor, is_sparse, require, to_numpy

Rows = dict[str, Tensor]  # values (m, ...) of m examples by name, and their positions as "index"


class Checks:
    """Refuses bad rows: on a CPU at once, on another device at the end of the epoch, so that no batch waits for it."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Tensor, str, str, Callable[[], object]]] = []

    def refuse(self, bad: Bool[Tensor, ""], argument: str, allowed: str, got: Callable[[], object]) -> None:
        """Raise ValueError if bad: now, or in :meth:`settle`."""
        if bad.device.type == "cpu":
            require(not bad, argument, allowed, got() if bad else None)
        else:
            self._waiting.append((bad, argument, allowed, got))

    def settle(self) -> None:
        """Raise ValueError if a row of the epoch was bad; what was to be checked is forgotten."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            flags = torch.stack([bad for bad, *_ in waiting]).tolist()
            for bad, (_, argument, allowed, got) in zip(flags, waiting, strict=True):
                require(not bad, argument, allowed, got() if bad else None)


def read_index(index: Any, n: int, checks: Checks) -> Int[Tensor, " b"]:  # noqa: ANN401 (arrays of any library)
    """Return the positions of a batch's examples, all different and inside 0..n-1."""
    positions = index.detach() if isinstance(index, Tensor) else as_tensor(to_numpy(index, "index"))
    whole = not (positions.is_floating_point() or positions.is_complex() or positions.dtype == torch.bool)
    allowed = "integers of shape (b,), positions in the labels"
    require(positions.ndim == 1 and len(positions) > 0 and whole, "index", allowed, _shape(positions))
    positions = positions.long()
    ordered = positions.sort().values
    outside = (ordered[0] < 0) | (ordered[-1] >= n)
    checks.refuse(outside, "index", f"inside 0..{n - 1}, positions in the labels", lambda: _range(positions))
    repeated = (ordered[1:] == ordered[:-1]).any()
    checks.refuse(repeated, "index", "of different examples in one batch", lambda: _repeated(positions))
    return positions.clamp(0, n - 1)  # a device must not be asked to write elsewhere before the check is read


def read_rows(values: Any, name: str, b: int, width: int | None, checks: Checks) -> Float[Tensor, "b w"]:  # noqa: ANN401
    """Return embeddings or logits of a batch as finite float32 (b, width); of any width if None."""
    rows = as_matrix(values, name)
    require(not is_sparse(rows), name, "dense", "a sparse matrix")
    tensor = (rows if isinstance(rows, Tensor) else as_tensor(rows)).float()
    shape = (b, tensor.shape[1] if width is None else width)
    require(tuple(tensor.shape) == shape, name, f"of shape {shape}", tuple(tensor.shape))
    checks.refuse(~torch.isfinite(tensor).all(), name, "finite", lambda: "NaN or infinite numbers")
    return tensor


def read_mask(values: Any, b: int) -> Bool[Tensor, " b"]:  # noqa: ANN401
    """Return the mask of the kept examples of a batch."""
    mask = values.detach() if isinstance(values, Tensor) else as_tensor(to_numpy(values, "kept"))
    require(mask.dtype == torch.bool and mask.shape == (b,), "kept", f"bool of shape ({b},)", _shape(mask))
    return mask


class Batches:
    """The newest row of each example that the batches of an epoch brought.

    Args:
        n: Number of training examples.

    Attributes:
        device: Where the rows are: on the device of the first batch.
    """

    def __init__(self, n: int) -> None:
        self.n, self.device = n, torch.device("cpu")
        self._values: Rows = {}
        self._seen: Bool[Tensor, " n"] | None = None

    def add(self, index: Int[Tensor, " b"], values: Rows) -> None:
        """Keep the values (b, ...) of some examples; those of an earlier batch are replaced."""
        if self._seen is None:
            self.device = next(iter(values.values())).device
            self._seen = torch.zeros(self.n, dtype=torch.bool, device=self.device)
        index = index.to(self.device)
        self._seen[index] = True
        for name, rows in values.items():
            if name not in self._values:
                self._values[name] = torch.empty((self.n, *rows.shape[1:]), dtype=rows.dtype, device=self.device)
            self._values[name][index] = rows.to(self.device)

    @property
    def any(self) -> bool:
        """Whether there is a row."""
        return self._seen is not None and bool(self._seen.any())

    def clear(self) -> None:
        """Forget the rows, and keep their memory for the next epoch."""
        if self._seen is not None:
            self._seen.zero_()

    def rows(self, names: tuple[str, ...] | None = None) -> Rows:
        """Return the rows of the examples that were seen, by position; nothing where there are none."""
        if self._seen is None:
            return {}
        index = self._seen.nonzero()[:, 0]
        kept = self._values if names is None else {name: self._values[name] for name in names}
        return {"index": index, **{name: values[index] for name, values in kept.items()}} if len(index) else {}


def merge(parts: list[Rows], n: int) -> Rows:
    """Return the rows of several processes as those of one; of an example that several saw, the last one's."""
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return parts[0] if parts else {}
    names = {frozenset(part) for part in parts}
    require(len(names) == 1, "batch", "called with the same arguments in all processes", sorted(map(sorted, names)))
    whole = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    index = whole["index"]
    newest = torch.full((n,), -1).scatter_reduce(0, index, torch.arange(len(index)), "amax", include_self=True)
    return {name: values[newest[newest >= 0]] for name, values in whole.items()}


def _shape(values: Tensor) -> str:
    return f"{str(values.dtype).removeprefix('torch.')} of shape {tuple(values.shape)}"


def _range(positions: Tensor) -> str:
    return f"{int(positions.min())} to {int(positions.max())}"


def _repeated(positions: Tensor) -> str:
    values, counts = positions.unique(return_counts=True)
    return f"{values[counts > 1][:5].tolist()} more than once"
