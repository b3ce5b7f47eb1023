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
NATIVE = {2: np.float16, 4: np.float32, 8: np.float64}  # by bytes: what torch takes, in the order of this machine


class Rows:
    """Embeddings whose rows are scaled to length 1 when they are read; a zero row stays zero.

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
        self.precision = torch.float32
        if nearly_parallel(self._mean_of_finite()):
            self.precision = torch.float64

    def raw(self, ids: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """Rows as they were given."""
        if isinstance(self.values, Tensor):
            return self.values[ids]
        part = self.values[ids.numpy()]  # a copy, so torch may own it
        return torch.from_numpy(part.astype(NATIVE[part.itemsize], copy=False))

    def take(self, ids: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """Rows of length 1 or 0, float32; float64 where all are nearly parallel."""
        raw = self.raw(ids)
        return unit_rows(raw.double() if self.precision == torch.float64 else raw).to(self.precision)

    def parts(self, block: int = BLOCK) -> tuple[Int[Tensor, " b"], ...]:
        """Ids of all rows, in blocks."""
        return torch.arange(self.n, device=self.device).split(block)

    def _mean_of_finite(self) -> Float[Tensor, " d"]:
        """The mean of the unit rows, once all are found to be finite."""
        finite, total = [], torch.zeros(self.d, dtype=torch.float64, device=self.device)
        for part in self.parts():
            raw = self.raw(part)
            finite.append(torch.isfinite(raw).all(dim=1))
            total += unit_rows(raw).sum(dim=0)
        bad = (~torch.cat(finite)).nonzero()[:, 0].tolist()
        if bad:
            raise ValueError(f"embeddings must be finite, got NaN or inf in {len(bad)} rows, the first is row {bad[0]}")
        return total / self.n
