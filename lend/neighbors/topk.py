"""The k best columns of every row, from scores that come block by block: what all neighbour searches share."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

WIDTH = 16  # columns whose largest score stands for all; measured: 32 is slower where rows are short


class Best:
    """The k largest scores of every row so far, and their columns.

    The largest score of each group of columns is compared with the k-th best so far, and only groups that hold a better
    one are looked into: most scores are read once. Which of equal scores stays is free.

    Args:
        n: Rows.
        k: Scores to keep of each row.
        like: Gives type and device of the scores.

    Attributes:
        values: (n, k), by decreasing score once :meth:`update` has seen k columns; -inf where there is none yet.
        columns: (n, k), int64; -1 where there is none yet.
    """

    def __init__(self, n: int, k: int, like: Tensor) -> None:
        self.values = like.new_full((n, k), -torch.inf)
        self.columns = torch.full((n, k), -1, dtype=torch.int64, device=like.device)

    def update(self, rows: Int[Tensor, " r"], scores: Float[Tensor, "r m"], columns: Int[Tensor, " m"]) -> None:
        """Take in the scores of some rows with some columns that they have not seen; a score of -inf never counts."""
        whole = len(columns) // WIDTH * WIDTH
        if whole > 2 * WIDTH * self.values.shape[1]:  # else nearly every group would be looked into
            self._update_by_groups(rows, scores[:, :whole], columns)
            scores, columns = scores[:, whole:], columns[whole:]
        if len(columns):
            better = (scores.amax(dim=1) > self.values[rows, -1]).nonzero()[:, 0]
            self._merge(rows[better], scores[better], columns.expand(len(better), -1))

    def _update_by_groups(
        self, rows: Int[Tensor, " r"], scores: Float[Tensor, "r w"], columns: Int[Tensor, " m"]
    ) -> None:
        maxima, k = _maxima(scores), self.values.shape[1]
        groups = (maxima > self.values[rows, -1:]).sum(dim=1).clamp(max=k)
        most = 0
        while most < k:  # rows by how many groups to look into: 1, 2 to 3, 4 to 7, ...
            least, most = most + 1, min(k, 2 * most + 1)
            better = ((groups >= least) & (groups <= most)).nonzero()[:, 0]
            places = _places(maxima[better], most)
            self._merge(rows[better], scores[better[:, None], places], columns[places])

    def _merge(self, rows: Int[Tensor, " h"], scores: Float[Tensor, "h p"], columns: Int[Tensor, "h p"]) -> None:
        k = self.values.shape[1]
        values, order = torch.cat([self.values[rows], scores], dim=1).topk(k)
        before, new = self.columns[rows].gather(1, order.clamp(max=k - 1)), columns.gather(1, (order - k).clamp(min=0))
        columns = torch.where(order < k, before, new)
        self.columns[rows] = columns.masked_fill(values == -torch.inf, -1)
        self.values[rows] = values


def _maxima(scores: Float[Tensor, "r m"]) -> Float[Tensor, "r g"]:
    """The largest score of each group; group j holds the columns j, j + g, j + 2g, ..., which are read in long runs."""
    if scores.stride(0) < scores.stride(1):  # a transposed block: reduced as it lies in memory
        return scores.T.unflatten(0, (WIDTH, -1)).amax(dim=0).T
    return scores.unflatten(1, (WIDTH, -1)).amax(dim=1)


def _places(maxima: Float[Tensor, "h g"], count: int) -> Int[Tensor, "h p"]:
    """Columns of the groups with the largest maxima: the largest scores of as many groups are all in these."""
    groups = maxima.topk(count, sorted=False).indices
    offsets = torch.arange(WIDTH, device=maxima.device) * maxima.shape[1]
    return (groups[:, :, None] + offsets).flatten(1)
