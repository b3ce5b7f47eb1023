"""Embeddings of any kind, read as unit rows a block at a time: large ones are never copied as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.inputs import require
from lend.neighbors.exact import unit_rows

BLOCK = 4096  # rows to read at a time
NATIVE = {2: np.float16, 4: np.float32, 8: np.float64}  # by bytes: what torch takes, in the order of this machine


class Rows:
    """Embeddings whose rows are scaled to length 1 when they are read; a zero row stays zero.

    Args:
        embeddings: (n, d) finite floats: a NumPy array of any float type, in memory or mapped from a file, or a torch
            tensor on any device.

    Attributes:
        n: Rows.
        d: Numbers of each.
        device: Where :meth:`take` puts them.

    Raises:
        ValueError: If embeddings are not floats of shape (n, d), or one is NaN or infinite; names the first such row.
    """

    def __init__(self, embeddings: Any) -> None:  # noqa: ANN401
        values = embeddings.detach() if isinstance(embeddings, Tensor) else np.asarray(embeddings)
        shape = tuple(values.shape)
        require(len(shape) == 2 and min(shape) > 0, "embeddings", "of shape (n, d)", shape)
        floating = values.is_floating_point() if isinstance(values, Tensor) else values.dtype.kind == "f"
        require(floating, "embeddings", "floating point", str(values.dtype))
        self.values = values
        self.n, self.d = shape
        self.device = values.device if isinstance(values, Tensor) else torch.device("cpu")
        self._check_finite()

    def raw(self, ids: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """Rows as they were given."""
        if isinstance(self.values, Tensor):
            return self.values[ids]
        part = self.values[ids.numpy()]  # a copy, so torch may own it
        return torch.from_numpy(part.astype(NATIVE.get(part.itemsize, np.float64), copy=False))

    def take(self, ids: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """Rows of length 1 or 0, float32."""
        return unit_rows(self.raw(ids)).float()

    def parts(self, block: int = BLOCK) -> tuple[Int[Tensor, " b"], ...]:
        """Ids of all rows, in blocks."""
        return torch.arange(self.n, device=self.device).split(block)

    def _check_finite(self) -> None:
        finite = torch.cat([torch.isfinite(self.raw(part)).all(dim=1) for part in self.parts()])
        bad = (~finite).nonzero()[:, 0].tolist()
        if bad:
            raise ValueError(f"embeddings must be finite, got NaN or inf in {len(bad)} rows, the first is row {bad[0]}")
