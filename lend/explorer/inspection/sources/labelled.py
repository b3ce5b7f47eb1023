"""Values of the examples as columns of a table: the same at every epoch, or others at each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lend.inputs import Labels, align, as_labels, require, sort_names


@dataclass(frozen=True, eq=False)
class Given:
    """The examples that values are given of.

    Args:
        epochs: Those of the embeddings, ascending; 0 alone, if they have none.
        n: How many examples there are.
        order: Index by which values with an index are put in order; None for positions.
    """

    epochs: Sequence[int]
    n: int
    order: pd.Index | None

    def of(self, values: Any, name: str, read: Callable[[Any, str], Any]) -> dict[int, Any]:  # noqa: ANN401
        """Return what is read of the values at each epoch.

        Args:
            values: n of them, or a mapping of every epoch to n of them.
            name: Of the argument, for errors.
            read: Called with the values and their name; once where all epochs have the same.
        """
        by_epoch = isinstance(values, Mapping) and set(values) == set(self.epochs)
        if by_epoch and all(np.ndim(part) > 0 for part in values.values()):
            return {epoch: self._read(values[epoch], f"{name} at epoch {epoch}", read) for epoch in self.epochs}
        return dict.fromkeys(self.epochs, self._read(values, name, read))

    def _read(self, values: Any, name: str, read: Callable[[Any, str], Any]) -> Any:  # noqa: ANN401
        found = read(align(values, self.n, self.order, name), name)
        require(len(found) == self.n, name, f"of length {self.n}, one per embedding", len(found))
        return found


def label_columns(
    labels: Mapping[str, tuple[str, Any]], given: Given, class_names: Sequence[str] | None
) -> dict[str, dict[int, pd.Categorical]]:
    """Return all kinds of labels as columns of the same classes, at each epoch.

    Args:
        labels: The name of the argument and the values of each column; what :func:`lend.inputs.as_labels` takes.
        given: The examples.
        class_names: Of which integers are positions; the names are the labels that occur, sorted, if not given.

    Raises:
        ValueError: If labels are of another kind or number, or some are names and others integers.
    """
    found = {column: given.of(values, name, as_labels) for column, (name, values) in labels.items()}
    every = {name for parts in found.values() for part in parts.values() for name in part.names}
    text = {isinstance(name, str) for name in every}
    require(
        len(text) <= 1 or class_names is not None,
        "labels",
        "all class names or all integers",
        sorted(map(str, every))[:10],
    )
    if class_names is not None:
        categories: dict[Any, Any] = {name: int(name) if isinstance(name, bool) else name for name in every}
    else:
        ordered = sort_names(every) if text == {True} else sorted(every)
        categories = {name: str(name) for name in ordered}

    def column(part: Labels) -> pd.Categorical:
        places = {name: place for place, name in enumerate(categories)}
        codes = np.array([*(places[name] for name in part.names), -1])[part.codes]
        return pd.Categorical.from_codes(codes, list(categories.values()))

    return {name: {epoch: column(part) for epoch, part in parts.items()} for name, parts in found.items()}
