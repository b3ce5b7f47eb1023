"""Embeddings of any kind, read as unit rows a block at a time: large ones are never copied as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.inputs import as_matrix, is_sparse, require
from lend.neighbors.exact import nearly_parallel, unit_rows

BLOCK = 4096  # rows to read at a time
KEPT = 1 << 26  # numbers of all rows, up to which the unit rows are kept: 256 MB, and no second and third scaling
NATIVE = {2: np.float16, 4: np.float32, 8: np.float64}  # by bytes: what torch takes, in the order of this machine


class Rows:
    """Embeddings whose rows are scaled to length 1; a zero row stays zero. Many are scaled each time they are read.

    Args:
        embeddings: (n, d) finite numbers, dense: what :func:`lend.inputs.as_matrix` takes.

    Attributes:
        n: Rows.
        d: Numbers of each.
        device: Where :meth:`take` puts them.
        precision: float32; float64 where the rows are nearly parallel.

    Raises:
        ValueError: If embeddings are not real numbers of shape (n, d), or one is NaN or infinite; names the first such
            row.
    """

    def __init__(self, embeddings: Any) -> None:  # noqa: ANN401
        values = as_matrix(embeddings)
        require(not is_sparse(values), "embeddings", "dense", "a sparse matrix")
        self.values: Tensor | np.ndarray = values
        self.n: int = values.shape[0]
        self.d: int = values.shape[1]
        self.device = values.device if isinstance(values, Tensor) else torch.device("cpu")
        self.precision, self._units = torch.float32, None
        mean, units = self._scaled()
        if nearly_parallel(mean):
            self.precision = torch.float64
        elif units:
            self._units = torch.cat(units)

    def raw(self, ids: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """Rows as they were given."""
        if isinstance(self.values, Tensor):
            return self.values[ids]
        part = self.values[ids.numpy()]  # a copy, so torch may own it
        return torch.from_numpy(part.astype(NATIVE[part.itemsize], copy=False))

    def take(self, ids: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """Rows of length 1 or 0, float32; float64 where all are nearly parallel."""
        if self._units is not None:
            return self._units[ids]
        raw = self.raw(ids)
        return unit_rows(raw.double() if self.precision == torch.float64 else raw).to(self.precision)

    def all(self) -> Float[Tensor, "n d"]:
        """All rows as :meth:`take` gives them; not to be changed."""
        return torch.cat([self.take(part) for part in self.parts()]) if self._units is None else self._units

    def parts(self, block: int = BLOCK) -> tuple[Int[Tensor, " b"], ...]:
        """Ids of all rows, in blocks."""
        return torch.arange(self.n, device=self.device).split(block)

    def _scaled(self) -> tuple[Float[Tensor, " d"], list[Tensor]]:
        """The mean of the unit rows, once all are found to be finite; and these, in float32, where they are kept."""
        finite, units, total = [], [], torch.zeros(self.d, dtype=torch.float64, device=self.device)
        for part in self.parts():
            raw = self.raw(part)
            finite.append(torch.isfinite(raw).all(dim=1))
            unit = unit_rows(raw)
            total += unit.sum(dim=0)
            units += [unit.float()] if self.n * self.d <= KEPT else []
        bad = (~torch.cat(finite)).nonzero()[:, 0].tolist()
        if bad:
            raise ValueError(f"embeddings must be finite, got NaN or inf in {len(bad)} rows, the first is row {bad[0]}")
        return total / self.n, units
