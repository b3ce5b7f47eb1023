"""Sample ids and class names, as the user writes them, and the positions and codes that arrays hold instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int, Shaped

from lend.inputs import require, require_name


class Names:
    """Names of m points and their classes.

    Args:
        sample_ids: (m,) of the points, in order.
        class_names: One per class, in the order of the codes.
    """

    def __init__(self, sample_ids: Shaped[np.ndarray, " m"], class_names: Sequence[str]) -> None:
        self.sample_ids, self.class_names = sample_ids, tuple(class_names)
        self._ids = _index(sample_ids)

    def positions(self, ids: Iterable[Any]) -> Int[np.ndarray, " s"]:
        """Return the positions of these examples among the points.

        Raises:
            ValueError: If a sample id is unknown; the message names some.
        """
        wanted = _index(ids if hasattr(ids, "dtype") else list(ids))
        if not len(wanted):
            return np.zeros(0, np.int64)
        positions = self._ids.get_indexer(wanted)
        strange = wanted[positions < 0]
        allowed = f"among the {len(self._ids)} mapped ones, such as {self._ids[0]}"
        require(not len(strange), "sample ids", allowed, strange[:5].tolist())
        return positions.astype(np.int64)

    def index(self, positions: Int[np.ndarray, " s"]) -> pd.Index:
        """Return the sample ids at these positions as the index of a table."""
        return self._ids[positions].rename("sample_id")

    def code(self, label: int | str) -> int:
        """Return the code of a class, given by name or code.

        Raises:
            ValueError: If there is no such class.
        """
        if isinstance(label, str):
            require_name(label, self.class_names, "class")
            return self.class_names.index(label)
        c = len(self.class_names)
        require(0 <= label < c, "label", f"a class name, or an integer from 0 to {c - 1}", label)
        return int(label)

    def of_codes(self, codes: Int[np.ndarray, " s"]) -> list[str]:
        """Return the class name of each code, "unknown" for -1."""
        return [self.class_names[code] if code >= 0 else "unknown" for code in codes]


def _index(ids: Any) -> pd.Index:  # noqa: ANN401 (an array of any library, or a list)
    """Return an index of sample ids as they are: 1 and "1" stay two of them, and a text may hold any character."""
    numbers = getattr(getattr(ids, "dtype", None), "kind", "O") in "iufM"
    return pd.Index(ids) if numbers else pd.Index(ids, dtype=object, tupleize_cols=False)
