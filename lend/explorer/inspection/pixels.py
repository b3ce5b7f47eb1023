"""Images of examples, found when one is looked at and not before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, UInt8

from lend.inputs import require
from lend.plots import as_rgb
from lend.run import Run


@runtime_checkable
class ImageArray(Protocol):
    """Images one after the other: an array of any library, or a list."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> object: ...


Images = ImageArray | Callable[[Any], Any] | None  # one image per example, or a function of the sample id


class Pixels:
    """Images of m examples as uint8 (h, w, 3).

    Args:
        find: Gives the image of an example by its position, or None; called when an image is first asked for.

    Attributes:
        note: Why there are no images; empty while there are.
        faults: Why an example has none while others have, by position.
    """

    def __init__(self, find: Callable[[], Callable[[int], Any]] | None) -> None:
        self._find = find
        self._get: Callable[[int], Any] | None = None
        self.faults: dict[int, str] = {}
        self.note = "" if find else "no images were given"

    def __getitem__(self, position: int) -> UInt8[np.ndarray, "h w 3"] | None:
        if self.note or self._find is None:
            return None
        try:
            if self._get is None:
                self._get = self._find()
        except Exception as error:  # a loader may raise anything; the view goes on
            self.note = f"no images: {_line(error)}"
            return None
        try:
            image = self._get(position)
            return None if image is None else as_rgb(image, "the image")
        except Exception as error:  # and so may a function of the user; the other images are still shown
            self.faults[position] = f"no image: {_line(error)}"
            return None


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def of_examples(
    images: Images, ids: np.ndarray, rows: Int[np.ndarray, " m"] | None = None, n: int | None = None
) -> Pixels:
    """Return the images that the user gave, as :func:`by_position` finds them; None for no images.

    Raises:
        ValueError: If an array fits neither the examples nor their ids.
    """
    if images is None:
        return Pixels(None)
    found = by_position(images, "images", ids, rows, n)
    return Pixels(lambda: found)


def by_position(
    given: ImageArray | Callable[[Any], Any],
    name: str,
    ids: np.ndarray,
    rows: Int[np.ndarray, " m"] | None = None,
    n: int | None = None,
) -> Callable[[int], Any]:
    """Return what gives the image or the text of a shown example by its position.

    Args:
        given: An array (n, ...) with one per example, in their order; a longer one that is indexed by sample id; or a
            function of the sample id.
        name: Of the argument, for errors.
        ids: Sample ids of the examples that are shown, (m,).
        rows: Which of all examples these are; all, if not given.
        n: How many there are in all; m if not given.

    Raises:
        ValueError: If an array fits neither.
    """
    if callable(given):
        return lambda position: given(ids[position])
    n = len(ids) if n is None else n
    if len(given) == n:
        return lambda position: given[position if rows is None else int(rows[position])]
    whole = ids.dtype.kind in "iu"
    inside = whole and int(ids.min()) >= 0 and int(ids.max()) < len(given)
    last = f", or of {int(ids.max()) + 1} and more, one per sample id" if whole else ""
    require(inside, name, f"a function of the sample id, or of length {n}, one per point{last}", len(given))
    return lambda position: given[int(ids[position])]


def of_run(run: Run, ids: Int[np.ndarray, " m"]) -> Pixels:
    """Return the images of a run's training examples; its data set is read as a whole at the first look at one.

    There are none of a data set of own code, which trainings alone may run.
    A recorded run has none: the name of its data is its author's, and need not be that of a data set of lend.
    """
    if run.recorded is not None:
        return Pixels(None)
    return Pixels(lambda: _from_dataset(run, ids))


def _from_dataset(run: Run, ids: Int[np.ndarray, " m"]) -> Callable[[int], Any]:
    from lend import data

    if run.config.dataset in run.config.sources:
        raise ValueError(
            f"they come from {run.config.dataset}, which is not run to look at them; images=... gives them"
        )
    dataset = data.load(run.config.dataset, run.config.data)
    rows = np.searchsorted(dataset.sample_ids.numpy(), ids)
    found = rows < len(dataset)
    found[found] = dataset.sample_ids.numpy()[rows[found]] == ids[found]
    require(bool(found.all()), "dataset", f"the one of the run, with sample {ids[~found][:1]}", run.config.dataset)
    images = dataset.train_images[rows].clone()  # only the mapped examples: the memory of the others is freed
    return lambda position: images[position]
