"""What people see of an example: its image, its text, both or neither."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.explorer.inspection import pixels
from lend.explorer.inspection.pixels import ImageArray, Images, Pixels
from lend.inputs import align, require

Texts = ImageArray | Callable[[Any], Any] | None  # one text per example, or a function of the sample id


@dataclass(frozen=True, eq=False)
class Media:
    """Images and texts, as the user gives them.

    Args:
        images: As in `Inspection.of_frame`; None for no images.
        texts: Likewise, one text in place of each image.
    """

    images: Images = None
    texts: Texts = None

    def __post_init__(self) -> None:
        texts = self.texts
        sized = hasattr(texts, "__len__") and hasattr(texts, "__getitem__") and not isinstance(texts, str | bytes)
        fits = texts is None or callable(texts) or sized
        require(fits, "texts", "one text per example, or a function of the sample id", type(texts).__name__)

    def aligned(self, n: int, order: pd.Index | None) -> Media:
        """Put those that have an index in the order of the n labels; see :func:`lend.inputs.align`."""

        def listed(values: Any, name: str) -> Any:  # noqa: ANN401 (arrays of any library)
            values = align(values, n, order, name)
            return values.tolist() if isinstance(values, pd.Series) else values

        return Media(listed(self.images, "images"), listed(self.texts, "texts"))

    def of(
        self, ids: np.ndarray, rows: Int[np.ndarray, " m"] | None = None, n: int | None = None
    ) -> tuple[Pixels, Writings]:
        """Return those of the examples that are shown; arguments and errors are those of :func:`pixels.by_position`."""
        return pixels.of_examples(self.images, ids, rows, n), self.writings(ids, rows, n)

    def writings(self, ids: np.ndarray, rows: Int[np.ndarray, " m"] | None = None, n: int | None = None) -> Writings:
        """Return the texts alone of the examples that are shown."""
        texts = self.texts.tolist() if isinstance(self.texts, pd.Series) else self.texts
        return Writings(None if texts is None else pixels.by_position(texts, "texts", ids, rows, n))


class Writings:
    """Texts of m examples.

    Args:
        get: Gives the text of an example by its position, or None; called when one is looked at.
    """

    def __init__(self, get: Callable[[int], Any] | None = None) -> None:
        self._get = get

    def __bool__(self) -> bool:
        return self._get is not None

    def __getitem__(self, position: int) -> str | None:
        """Return the text of an example; None where it has none: a missing value is no text."""
        if self._get is None:
            return None
        try:
            text = self._get(position)
        except Exception as error:  # a function of the user may raise anything; the view goes on
            return f"no text: {' '.join(str(error).split()) or type(error).__name__}"
        return str(text) if isinstance(text, str) else None
