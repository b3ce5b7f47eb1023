"""What the batches of an epoch leave: the newest row of each example, on the device where it came from."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from lend.inputs import require

Rows = dict[str, Tensor]  # values (m, ...) of m examples by name, and their positions as "index"


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
