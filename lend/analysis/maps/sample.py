"""The rows of embeddings that a map shows, read and checked one epoch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from lend.analysis.maps.settings import is_whole
from lend.inputs import as_matrix, is_sparse, is_tensor, require, to_numpy


@dataclass(frozen=True, eq=False)
class Sample(Mapping[int, Any]):
    """Some rows of the embeddings of each epoch, the same examples in all; epochs ascend, and none is kept in memory.

    Args:
        by_epoch: Embeddings (n, d) of any kind that :func:`lend.inputs.as_matrix` takes, by epoch.
        n: Rows of each.
        rows: Which of them to take, (m,); all, if not given.
    """

    by_epoch: Mapping[Any, Any]
    n: int
    rows: Int[np.ndarray, " m"] | None = None

    @classmethod
    def of_all(cls, by_epoch: Mapping[Any, Any]) -> Sample:
        """Take all rows; reads the first epoch to count them.

        Raises:
            ValueError: If there is no epoch, or one is no integer.
        """
        fits = len(by_epoch) > 0 and all(is_whole(epoch) for epoch in by_epoch)
        allowed = "an array, or a mapping of epochs, integers, to arrays"
        require(fits, "embeddings", allowed, f"a {type(by_epoch).__name__} of {list(by_epoch)[:5]}")
        return cls(by_epoch, as_matrix(by_epoch[min(by_epoch)]).shape[0])

    def __len__(self) -> int:
        return len(self.by_epoch)

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(int(epoch) for epoch in self.by_epoch))

    def __getitem__(self, epoch: int) -> Any:  # noqa: ANN401 (a tensor, an array or a CSR array)
        """Return these rows as :func:`lend.inputs.as_matrix` does.

        Raises:
            ValueError: If the embeddings are others than n rows of real numbers, or one of these rows is not finite.
        """
        matrix = as_matrix(self.by_epoch[epoch])
        where = f" at epoch {epoch}" if len(self) > 1 else ""
        require(matrix.shape[0] == self.n, "embeddings", f"of {self.n} rows{where}", matrix.shape[0])
        matrix = matrix if self.rows is None else matrix[self.rows]
        bad = _not_finite(matrix)
        if len(bad):
            first = bad[0] if self.rows is None else self.rows[bad[0]]
            raise ValueError(
                f"embeddings must be finite, got NaN or inf in {len(bad)} rows{where}, the first is row {first}"
            )
        return matrix


def numbers_of(matrix: Any) -> list[np.ndarray]:  # noqa: ANN401 (what as_matrix returns)
    """The numbers of a matrix as NumPy's; of a sparse one its row starts, its columns and its values, sorted."""
    if is_tensor(matrix):
        return [to_numpy(matrix, "embeddings")]
    if not is_sparse(matrix):
        return [matrix]
    matrix = matrix.copy()
    matrix.sum_duplicates()  # sorts as well: one way to write a matrix down
    return [matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data]


def _not_finite(matrix: Any) -> Int[np.ndarray, " b"]:  # noqa: ANN401
    *starts, values = numbers_of(matrix)
    if starts:
        owners = np.repeat(np.arange(matrix.shape[0]), np.diff(starts[0]))
        return np.unique(owners[~np.isfinite(values)])
    return np.flatnonzero(~np.isfinite(values).all(axis=1))
