"""What an inspection reads: the points of maps and their labels, from a run or from a table.

Labels are codes of :func:`shown_type`, -1 where unknown. All arrays hold the mapped points, in one order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int, Shaped

from lend.run import code_type

Kind = Literal["class", "flag", "share"]  # codes; bool; float32 from 0 to 1, NaN where unknown
CLASSES = ("true", "noisy", "predicted", "diluted")  # kinds of labels, as columns are called
FIXED = ("true", "noisy")  # those that no epoch changes
UNKNOWN = -1


def shown_type(classes: int) -> np.dtype:
    """Return the integer type of codes in an inspection: int16, and int32 beyond 32,768 classes."""
    return np.promote_types(np.int16, code_type(classes, unknown=True))


class Mapped(ABC):
    """The points of maps, m of them, and what is known of each.

    Attributes:
        title: What tells this run or table from others.
        epochs: Those with labels, in order.
        map_epochs: Those with a map of their own, in order.
        sample_ids: (m,) of the points.
        class_names: One per class.
        fixed: Labels that no epoch changes, (m,) codes by "true" and "noisy"; a missing one is unknown everywhere.
        by_epoch: Names of the labels and flags that change with the epoch, each with its kind.
        ranges: Names of the shares, each with the numbers that 0 and 1 stand for.
        corrected: (m,) codes of labels corrected before, -1 where none was; None where nothing was corrected.
        embeddings: Gives the embeddings (m, d) of the points at the snapshot of a map, an array or a sparse one; None
            where there are none.
        after: Gives predicted and diluted labels after the snapshot of a map, (m,) by name; None where there are
            none.
    """

    title: str
    epochs: tuple[int, ...]
    map_epochs: tuple[int, ...]
    sample_ids: Shaped[np.ndarray, " m"]
    class_names: tuple[str, ...]
    fixed: dict[str, np.ndarray]
    by_epoch: Mapping[str, Kind]
    ranges: Mapping[str, tuple[float, float]]
    corrected: Int[np.ndarray, " m"] | None = None
    embeddings: Callable[[int], Any] | None = None
    after: Callable[[int], dict[str, np.ndarray]] | None = None

    @abstractmethod
    def places(self, map_epoch: int) -> Float[np.ndarray, "m 2"]:
        """Return the coordinates of the points in a map."""

    @abstractmethod
    def labels(self, epoch: int) -> dict[str, np.ndarray]:
        """Return the labels and flags of :attr:`by_epoch` at an epoch, (m,) each."""

    @abstractmethod
    def share(self, name: str, epoch: int, map_epoch: int) -> Float[np.ndarray, " m"]:
        """Return a share of :attr:`ranges` at an epoch whose last map is that of ``map_epoch``."""

    def neighbors(self, map_epoch: int) -> Int[np.ndarray, "m k"] | None:
        """Return positions of each point's nearest neighbours in embedding space; None where they are unknown."""
        return None
