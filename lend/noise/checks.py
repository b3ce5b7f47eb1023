"""What every noise asks of its input, and arrays in the kind that was given, without importing torch for it."""

from numbers import Integral, Real
from typing import Any

import numpy as np

from lend.inputs import require


def as_numpy(values: Any, name: str) -> np.ndarray:  # noqa: ANN401
    """NumPy array of an array of any library, a list or a torch tensor, without importing torch.

    Raises:
        ValueError: If NumPy cannot make one array of them, or entries are masked: NumPy would take what lies beneath.
    """
    require(not np.ma.is_masked(values), name, "complete", "masked entries")
    try:
        return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
    except (ValueError, TypeError) as error:  # lists of several lengths, tensors that NumPy has no kind for
        raise ValueError(f"{name} must be one array of numbers, got {type(values).__name__} ({error})") from error


def as_given(result: np.ndarray, given: Any) -> Any:  # noqa: ANN401
    """Torch for torch, on its device; NumPy otherwise."""
    if not hasattr(given, "detach"):
        return result
    import torch

    return torch.from_numpy(result).to(given.device)


def random_stream(seed: Any) -> np.random.RandomState:  # noqa: ANN401
    """The frozen generator of a seed."""
    valid = _is_whole(seed) and 0 <= int(seed) < 2**32
    require(valid, "seed", f"an integer from 0 to {2**32 - 1}", seed)
    return np.random.RandomState(seed)


def check_classes(c: Any, least: int = 2, name: str = "c") -> None:  # noqa: ANN401
    require(_is_whole(c) and int(c) >= least, name, f"a number of classes of at least {least}", c)


def check_rate(rate: Any) -> None:  # noqa: ANN401
    valid = isinstance(rate, Real) and not isinstance(rate, bool) and 0 <= float(rate) <= 1  # also false for NaN
    require(valid, "rate", "a number in [0, 1]", rate)


def check_labels(name: str, labels: Any, c: int | None) -> np.ndarray:  # noqa: ANN401
    """Labels as int64 (n,), n >= 1, inside 0..c-1 (from 0 up where c is None)."""
    array = as_numpy(labels, name)
    missing = _count_missing(array)
    require(not missing, name, "complete, one label for every example", f"{missing} missing of {array.size}")
    if array.dtype.kind == "O" and all(_is_whole(label) for label in array.flat):
        array = np.array(array.tolist())  # whole numbers of Python, or of a column that held missing ones
    fits = array.ndim == 1 and len(array) > 0 and array.dtype.kind in "iu"
    require(fits, name, "integers of shape (n,), n >= 1", f"{array.dtype} of shape {array.shape}")
    low, high = int(array.min()), int(array.max())
    allowed = "0 or more" if c is None else f"0 to {c - 1} ({c} classes)"
    inside = low >= 0 and high < (2**63 if c is None else c)
    require(inside, name, f"of values {allowed}", f"{low} to {high}")
    return array.astype(np.int64)


def check_both(clean: Any, noisy: Any, c: int | None) -> tuple[np.ndarray, np.ndarray]:  # noqa: ANN401
    """Both label sets as int64 (n,), of one length."""
    clean, noisy = check_labels("clean", clean, c), check_labels("noisy", noisy, c)
    require(len(clean) == len(noisy), "noisy", f"{len(clean)} labels, as many as clean", len(noisy))
    return clean, noisy


def check_matrix(matrix: Any, name: str = "matrix") -> np.ndarray:  # noqa: ANN401
    """A transition matrix as float64 (c, c) whose rows sum to one as closely as multinomial draws ask."""
    rows = as_numpy(matrix, name)
    fits = rows.ndim == 2 and rows.shape[0] == rows.shape[1] > 0 and rows.dtype.kind in "fiu"
    require(fits, name, "real numbers of shape (c, c), c >= 1", f"{rows.dtype} of shape {rows.shape}")
    rows = rows.astype(np.float64)
    valid = bool(np.isfinite(rows).all() and (rows >= 0).all())
    require(valid, name, "of finite entries of at least 0", f"{rows.min()} to {rows.max()}")
    sums = rows.sum(axis=1)
    worst = int(np.abs(sums - 1).argmax())
    right = bool(abs(sums[worst] - 1) <= 1e-6)
    require(right, name, "of rows (true classes) that sum to 1", f"row {worst} sums to {sums[worst]:.6g}")
    # Rows already within rounding stay bit for bit: dividing them could change a published noise stream.
    return np.where(np.abs(sums - 1)[:, None] > 1e-12, rows / sums[:, None], rows)


def check_images(images: Any, n: int) -> np.ndarray:  # noqa: ANN401
    """Images as numbers (n, d)."""
    array = as_numpy(images, "images")
    fits = array.ndim >= 2 and len(array) == n and array.size > 0 and array.dtype.kind in "fiu"
    require(fits, "images", f"numbers of shape ({n}, ...)", f"{array.dtype} of shape {array.shape}")
    return array.reshape(n, -1)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _count_missing(array: np.ndarray) -> int:
    """Number of entries that stand for no value: NaN, None, NaT and pandas' NA."""
    if array.dtype.kind not in "OfM":
        return 0
    import pandas as pd

    return int(pd.isna(array).sum())
