"""The computation of a dilution while the user waits: neighbours are searched once, then only labels spread again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.dilution import dilute_from_neighbors, hard_labels, one_hot, prior_weights
from lend.explorer.inspection.mapped import UNKNOWN, shown_type
from lend.explorer.inspection.recent import Recent
from lend.explorer.inspection.redilution import MOST_NEIGHBORS, POINTS, Redilution
from lend.inputs import Dilution, as_tensor, is_sparse, is_whole, require
from lend.neighbors import knn_graph, nearest, torch_threads
from lend.run import map_subset

GRAPHS_KEPT = 2  # snapshots whose neighbours are kept in memory
_ALONE = RLock()


class Rediluter:
    """Dilutes the noisy labels of the mapped examples of a snapshot, of at most 10,000 chosen by class.

    Args:
        noisy: Codes of the noisy labels; -1 where an example is unlabelled, which has no vote.
        true: Codes of the true labels; -1 where unknown.
        classes: How many classes there are.
        embeddings: Gives the embeddings (m, d) of a snapshot epoch, an array or a sparse one.
    """

    def __init__(
        self,
        noisy: Int[np.ndarray, " m"],
        true: Int[np.ndarray, " m"],
        classes: int,
        embeddings: Callable[[int], Any],
    ) -> None:
        self.chosen = map_subset(noisy, POINTS)
        self.size, self.true = len(noisy), true[self.chosen]
        self.onehot = one_hot(torch.from_numpy(noisy[self.chosen].astype(np.int64)), classes)
        self.embeddings = embeddings
        self.most = min(MOST_NEIGHBORS, len(self.chosen) - 1)
        self._searched: Recent[tuple[Tensor, Tensor]] = Recent(GRAPHS_KEPT)

    def search(self, epoch: int) -> tuple[Int[Tensor, "s k"], Float[Tensor, "s k"]]:
        """Find neighbours and cosines among the chosen examples of a snapshot, as many as any setting wants."""
        with one_thread():
            return self._searched.get(epoch, lambda: self._search(epoch))

    def _search(self, epoch: int) -> tuple[Tensor, Tensor]:
        rows = self.embeddings(epoch)[self.chosen]
        if is_sparse(rows):
            graph = knn_graph(rows, self.most, progress=False)
            return torch.from_numpy(graph.indices), torch.from_numpy(graph.cosines)
        return nearest(as_tensor(rows), self.most)

    def dilute(self, epoch: int, settings: Dilution) -> Redilution:
        """Dilute the labels at a snapshot with these settings.

        Raises:
            ValueError: If they ask for more neighbours than are kept, or for steps="converged", which takes longer
                than a user waits.
        """
        require(settings.k <= self.most, "k", f"an integer from 1 to {self.most} here", settings.k)
        require(is_whole(settings.steps), "steps", "an integer of at least 1 here", settings.steps)
        weights = prior_weights(settings.class_prior, self.onehot)
        with one_thread():
            indices, cosines = (found[:, : settings.k] for found in self.search(epoch))
            start = time.perf_counter()
            labels = hard_labels(dilute_from_neighbors(indices, cosines, self.onehot, weights, settings)).numpy()
            seconds = time.perf_counter() - start
        known = (self.true >= 0) & (labels >= 0)
        accuracy = float((labels == self.true)[known].mean()) if known.any() else float("nan")
        everywhere = np.full(self.size, UNKNOWN, shown_type(self.onehot.shape[1]))
        everywhere[self.chosen] = labels
        return Redilution(everywhere, accuracy, seconds, epoch, settings, len(self.chosen))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread, for one caller at a time.

    Beside a training that keeps the cores busy, two threads wait for each other: measured, 10,000 examples take up to
    ten times as long with two as with one.
    """
    with _ALONE, torch_threads(1):
        yield
