"""Arrays of people as arrays that NumPy and torch compute with: the right values, or an error that names the argument.

NumPy does the conversions. What is settled here is what it would do in silence (drop a mask, make text of numbers) or
say without naming the argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lend.inputs.errors import require

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from torch import Tensor

MATRIX = "of shape (n, d)"


def is_tensor(values: object) -> bool:
    """Whether this is a torch tensor, asked without importing torch."""
    return hasattr(values, "detach") and hasattr(values, "is_floating_point")


def is_sparse(values: object) -> bool:
    """Whether this is a SciPy sparse matrix or array, asked without importing SciPy."""
    return type(values).__module__.startswith("scipy.sparse")


def to_numpy(values: Any, name: str) -> np.ndarray:  # noqa: ANN401 (arrays of any library)
    """Return an array of any library as NumPy's, in the byte order of this machine; a mask stays a mask.

    Args:
        values: An array, tensor (detached, on any device), Series, frame, or list.
        name: Of the argument, for errors.

    Raises:
        ValueError: If it is no array: ragged, sparse, or not to be read at all.
    """
    if is_tensor(values):
        return _tensor_to_numpy(values, name)
    require(not is_sparse(values), name, "dense", f"a sparse {type(values).__name__}")
    if values is None or isinstance(values, str | bytes | dict | set):
        raise ValueError(f"{name} must be an array or a list, got {type(values).__name__}")
    try:
        array = np.ma.asarray(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
    except Exception as error:  # whatever the other library raises
        reason = str(error).partition(".")[0]
        raise ValueError(f"{name} must be an array or a list of equal rows, got {_brief(values)} ({reason})") from error
    require(array.dtype.names is None, name, "an array of one type", f"a structured array of {array.dtype.names}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _tensor_to_numpy(values: Tensor, name: str) -> np.ndarray:
    import torch

    require(values.layout is torch.strided, name, "dense", f"a tensor of layout {values.layout}")
    values = values.detach().cpu().resolve_neg().resolve_conj()
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()


def as_matrix(values: Any, name: str = "embeddings") -> Tensor | np.ndarray | csr_array:  # noqa: ANN401
    """Return the rows of people as floats (n, d): a tensor, a NumPy array or a CSR array, copied only where it must be.

    Whether all are finite is checked by those who read them, block by block: an array may be mapped from a file.

    Args:
        values: (n, d) real numbers: a tensor on any device, a NumPy array of any number type and byte order, in memory
            or mapped from a file, a frame, nested lists, or a sparse SciPy matrix, such as TF-IDF.
        name: Of the argument, for errors.

    Returns:
        Tensor: of a float type, detached, where it was. NumPy: of float16, float32 or float64. CSR: likewise.

    Raises:
        ValueError: If it is of another shape, empty, holds anything but real numbers, or has masked entries.
    """
    if is_tensor(values):
        return _as_float_tensor(values, name)
    if is_sparse(values):
        return _as_float_csr(values, name)
    array = to_numpy(values, name)
    masked = int(np.ma.count_masked(array)) if isinstance(array, np.ma.MaskedArray) else 0
    require(masked == 0, name, "complete", f"{masked} masked entries")
    shape = array.shape
    require(len(shape) == 2 and min(shape) > 0, name, MATRIX, shape)
    if array.dtype.kind == "f" and array.itemsize <= 8:
        return np.asarray(array) if isinstance(array, np.ma.MaskedArray) else array
    return _to_floats(np.asarray(array), name)


def _to_floats(array: np.ndarray, name: str) -> np.ndarray:
    """Numbers that are no floats, or longer than 64 bits; text is no number, even where it looks like one."""
    if array.dtype.kind == "O":
        bad = next((entry for row in array for entry in row if not _is_number(entry)), None)
        require(bad is None and not any(e is None for row in array for e in row), name, "real numbers", bad)
    require(array.dtype.kind in "fiubO", name, "real numbers", str(array.dtype))
    small = array.dtype.kind in "iub" and array.itemsize <= 2
    try:
        return array.astype(np.float32 if small else np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be real numbers, got {array.dtype} ({error})") from error


def _is_number(entry: object) -> bool:
    from numbers import Real

    return isinstance(entry, Real | np.bool_) or type(entry).__name__ == "Decimal"


def _as_float_tensor(values: Tensor, name: str) -> Tensor:
    import torch

    values = values.detach()
    strange = "quantised" if values.is_quantized else "without content" if values.is_meta else ""
    require(not strange, name, "real numbers", f"a tensor that is {strange}")
    if values.layout is not torch.strided:
        values = values.to_dense()
    require(values.ndim == 2 and values.numel() > 0, name, MATRIX, tuple(values.shape))
    require(not values.is_complex(), name, "real numbers", str(values.dtype).removeprefix("torch."))
    if values.is_floating_point():
        return values if values.dtype.itemsize > 1 else values.float()
    return values.to(torch.float32 if values.dtype.itemsize <= 2 else torch.float64)


def _as_float_csr(values: Any, name: str) -> csr_array:  # noqa: ANN401
    from scipy.sparse import csr_array

    require(len(values.shape) == 2 and min(values.shape) > 0, name, MATRIX, values.shape)
    require(values.dtype.kind in "fiub", name, "real numbers", str(values.dtype))
    matrix = csr_array(values)
    return matrix if matrix.dtype in (np.float32, np.float64) else matrix.astype(np.float64)


def check_finite(rows: Tensor, name: str = "embeddings") -> None:
    """Refuse NaN and infinite values.

    Args:
        rows: Floats of shape (n, d).
        name: Of the argument, for errors.

    Raises:
        ValueError: If a value is NaN or infinite; names the first such row.
    """
    if rows.sum().isfinite():  # all are, in a tenth of the time; large ones may overflow, and are looked at one by one
        return
    finite = rows.isfinite().all(dim=1)
    if not finite.all():
        bad = (~finite).nonzero()[:, 0].tolist()
        raise ValueError(f"{name} must be finite, got NaN or inf in {len(bad)} rows, the first is row {bad[0]}")


def as_tensor(array: np.ndarray) -> Tensor:
    """Return a tensor of a NumPy array of numbers, sharing its memory where torch can.

    torch takes no negative strides, and warns where it could write into a read-only array.
    """
    import torch

    strided = array.flags.writeable and all(stride >= 0 for stride in array.strides)
    return torch.from_numpy(array if strided else array.copy())


def _brief(values: object) -> str:
    length = f" of {len(values)}" if hasattr(values, "__len__") else ""
    return f"{type(values).__name__}{length}"
