"""What every noise asks of its input, and arrays in the kind that was given, without importing torch for it."""

import warnings
from typing import Any

import numpy as np

from lend.inputs import align_rows, as_count, as_labels, index_of, is_real, require, to_numpy


def as_given(result: np.ndarray, given: Any) -> Any:  # noqa: ANN401
    """Torch for torch, on its device; NumPy otherwise."""
    if not hasattr(given, "detach"):
        return result
    import torch

    return torch.from_numpy(result).to(given.device)


MOST_CLASSES = 1 << 15  # a matrix of (c, c) takes 8 GB then


def random_stream(seed: Any) -> np.random.RandomState:  # noqa: ANN401
    """The frozen generator of a seed."""
    return np.random.RandomState(as_count(seed, "seed", least=0, most=2**32 - 1))


def check_rate(rate: Any) -> None:  # noqa: ANN401
    valid = is_real(rate) and 0 <= float(rate) <= 1  # also false for NaN
    require(valid, "rate", "a number in [0, 1]", rate)


def check_labels(name: str, labels: Any, c: int | None) -> np.ndarray:  # noqa: ANN401
    """Labels as int64 (n,), n >= 1, none missing, inside 0..c-1 (from 0 up where c is None)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that -1 stands for a missing label: here it is refused
        given = as_labels(labels, name)
    missing = int(given.missing.sum())
    require(not missing, name, "complete, one label for every example", f"{missing} missing of {len(given)}")
    require(not isinstance(given.names[0], str), name, "integers 0..c-1", given.names[:3])
    low, high = int(given.names[0]), int(given.names[-1])
    allowed = "0 or more" if c is None else f"0 to {c - 1} ({c} classes)"
    require(low >= 0 and high < (2**63 if c is None else c), name, f"of values {allowed}", f"{low} to {high}")
    return np.array(given.names, np.int64)[given.codes]


def check_both(clean: Any, noisy: Any, c: int | None) -> tuple[np.ndarray, np.ndarray]:  # noqa: ANN401
    """Both label sets as int64 (n,), of one length."""
    noisy = align_rows(noisy, index_of(clean), "noisy")
    clean, noisy = check_labels("clean", clean, c), check_labels("noisy", noisy, c)
    require(len(clean) == len(noisy), "noisy", f"{len(clean)} labels, as many as clean", len(noisy))
    return clean, noisy


def check_matrix(matrix: Any, name: str = "matrix") -> np.ndarray:  # noqa: ANN401
    """A transition matrix as float64 (c, c) whose rows sum to one as closely as multinomial draws ask."""
    rows = _complete(matrix, name)
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
    array = _complete(images, "images")
    fits = array.ndim >= 2 and len(array) == n and array.size > 0 and array.dtype.kind in "fiu"
    require(fits, "images", f"numbers of shape ({n}, ...)", f"{array.dtype} of shape {array.shape}")
    return array.reshape(n, -1)


def _complete(values: Any, name: str) -> np.ndarray:  # noqa: ANN401
    """A NumPy array without a masked entry."""
    array = to_numpy(values, name)
    masked = int(np.ma.count_masked(array)) if isinstance(array, np.ma.MaskedArray) else 0
    require(not masked, name, "complete", f"{masked} masked entries")
    return np.asarray(array)
