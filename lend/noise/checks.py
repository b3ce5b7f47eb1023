"""What every noise asks of its input, and arrays in the kind that was given, without importing torch for it."""

from typing import Any

import numpy as np


def as_numpy(values: Any) -> np.ndarray:  # noqa: ANN401
    """NumPy view of an array, list or torch tensor, without importing torch."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)


def as_given(result: np.ndarray, given: Any) -> Any:  # noqa: ANN401
    """Torch for torch, on its device; NumPy otherwise."""
    if not hasattr(given, "detach"):
        return result
    import torch

    return torch.from_numpy(result).to(given.device)


def random_stream(seed: int) -> np.random.RandomState:
    """The frozen generator of a seed."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed: expected an integer from 0 to {2**32 - 1}, got {seed!r}")
    return np.random.RandomState(seed)


def check_classes(c: int) -> None:
    if isinstance(c, bool) or not isinstance(c, int | np.integer) or c < 2:
        raise ValueError(f"c: expected a number of classes of at least 2, got {c!r}")


def check_rate(rate: float) -> None:
    if not isinstance(rate, int | float | np.number) or not 0 <= rate <= 1:  # also false for NaN
        raise ValueError(f"rate: expected a number in [0, 1], got {rate!r}")


def check_labels(name: str, labels: Any, c: int | None) -> np.ndarray:  # noqa: ANN401
    """Labels as int64 (n,), n >= 1, inside 0..c-1 (from 0 up where c is None)."""
    array = as_numpy(labels)
    if array.ndim != 1 or not len(array) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name}: expected integers of shape (n,), n >= 1, got {array.dtype} of shape {array.shape}")
    low, high = int(array.min()), int(array.max())
    if low < 0 or (c is not None and high >= c):
        allowed = "0 or more" if c is None else f"0 to {c - 1} ({c} classes)"
        raise ValueError(f"{name}: expected values {allowed}, got {low} to {high}")
    return array.astype(np.int64)


def check_both(clean: Any, noisy: Any, c: int | None) -> tuple[np.ndarray, np.ndarray]:  # noqa: ANN401
    """Both label sets as int64 (n,), of one length."""
    clean, noisy = check_labels("clean", clean, c), check_labels("noisy", noisy, c)
    if len(clean) != len(noisy):
        raise ValueError(f"noisy: expected {len(clean)} labels, as many as clean, got {len(noisy)}")
    return clean, noisy


def check_matrix(matrix: Any) -> np.ndarray:  # noqa: ANN401
    """A transition matrix as float64 (c, c) whose rows sum to one as closely as multinomial draws ask."""
    rows = as_numpy(matrix)
    if rows.ndim != 2 or rows.shape[0] != rows.shape[1] or rows.dtype.kind not in "fiu":
        raise ValueError(f"matrix: expected real numbers of shape (c, c), got {rows.dtype} of shape {rows.shape}")
    rows = rows.astype(np.float64)
    if not (np.isfinite(rows).all() and (rows >= 0).all()):
        raise ValueError(f"matrix: expected finite entries of at least 0, got {rows.min()} to {rows.max()}")
    sums = rows.sum(axis=1)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > 1e-6:
        raise ValueError(f"matrix: expected rows (true classes) that sum to 1, row {worst} sums to {sums[worst]:.6g}")
    # Rows already within rounding stay bit for bit: dividing them could change a published noise stream.
    return np.where(np.abs(sums - 1)[:, None] > 1e-12, rows / sums[:, None], rows)


def check_images(images: Any, n: int) -> np.ndarray:  # noqa: ANN401
    """Images as numbers (n, d)."""
    array = as_numpy(images)
    if array.ndim < 2 or len(array) != n or array.dtype.kind not in "fiu":
        raise ValueError(f"images: expected numbers of shape ({n}, ...), got {array.dtype} of shape {array.shape}")
    return array.reshape(n, -1)
