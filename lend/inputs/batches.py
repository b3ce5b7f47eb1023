"""The batches of somebody's loop: positions, rows and masks, checked without a device having to be waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lend.inputs.arrays import as_matrix, as_tensor, is_sparse, to_numpy
from lend.inputs.errors import require


class Checks:
    """Refuses bad rows: on a CPU at once, on another device at the end of the epoch, so that no batch waits for it."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Tensor, str, str, Callable[[], object]]] = []

    def refuse(self, bad: Bool[Tensor, ""], argument: str, allowed: str, got: Callable[[], object]) -> None:
        """Raise ValueError if bad: now, or in :meth:`settle`."""
        if bad.device.type == "cpu":
            require(not bad, argument, allowed, got() if bad else None)
        else:
            self._waiting.append((bad, argument, allowed, got))

    def settle(self) -> None:
        """Raise ValueError if a row of the epoch was bad; what was to be checked is forgotten."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            flags = torch.stack([bad for bad, *_ in waiting]).tolist()
            for bad, (_, argument, allowed, got) in zip(flags, waiting, strict=True):
                require(not bad, argument, allowed, got() if bad else None)


def read_index(index: Any, n: int, checks: Checks, once: bool = True) -> Int[Tensor, " b"]:  # noqa: ANN401
    """Return the positions of a batch's examples inside 0..n-1, all different unless each need not be there once."""
    allowed = "integers of shape (b,), positions in the labels"
    positions = _numbers(index, "index", allowed)
    whole = not (positions.is_floating_point() or positions.is_complex() or positions.dtype == torch.bool)
    require(positions.ndim == 1 and len(positions) > 0 and whole, "index", allowed, _shape(positions))
    positions = positions.long()
    ordered = positions.sort().values
    outside = (ordered[0] < 0) | (ordered[-1] >= n)
    checks.refuse(outside, "index", f"inside 0..{n - 1}, positions in the labels", lambda: _range(positions))
    if once:
        repeated = (ordered[1:] == ordered[:-1]).any()
        checks.refuse(repeated, "index", "of different examples in one batch", lambda: _repeated(positions))
    return positions.clamp(0, n - 1)  # a device must not be asked to write elsewhere before the check is read


def read_rows(values: Any, name: str, b: int, width: int | None, checks: Checks) -> Float[Tensor, "b w"]:  # noqa: ANN401
    """Return embeddings or logits of a batch as finite float32 (b, width); of any width if None."""
    rows = as_matrix(values, name)
    require(not is_sparse(rows), name, "dense", "a sparse matrix")
    tensor = (rows if isinstance(rows, Tensor) else as_tensor(rows)).float()
    shape = (b, tensor.shape[1] if width is None else width)
    require(tuple(tensor.shape) == shape, name, f"of shape {shape}", tuple(tensor.shape))
    checks.refuse(~torch.isfinite(tensor).all(), name, "finite", lambda: "NaN or infinite numbers")
    return tensor


def read_mask(values: Any, b: int) -> Bool[Tensor, " b"]:  # noqa: ANN401
    """Return the mask of the kept examples of a batch."""
    mask = _numbers(values, "kept", f"bool of shape ({b},)")
    require(mask.dtype == torch.bool and mask.shape == (b,), "kept", f"bool of shape ({b},)", _shape(mask))
    return mask


def _numbers(values: Any, name: str, allowed: str) -> Tensor:  # noqa: ANN401
    """An array of numbers as a tensor; text, objects and masked entries are none."""
    if isinstance(values, Tensor):
        return values.detach()
    array = to_numpy(values, name)
    plain = array.dtype.kind in "biuf" and array.dtype.itemsize <= 8 and not isinstance(array, np.ma.MaskedArray)
    require(plain, name, allowed, f"{type(array).__name__} of {array.dtype}")
    return as_tensor(array)


def _shape(values: Tensor) -> str:
    return f"{str(values.dtype).removeprefix('torch.')} of shape {tuple(values.shape)}"


def _range(positions: Tensor) -> str:
    return f"{int(positions.min())} to {int(positions.max())}"


def _repeated(positions: Tensor) -> str:
    values, counts = positions.unique(return_counts=True)
    return f"{values[counts > 1][:5].tolist()} more than once"
