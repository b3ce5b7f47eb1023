"""What is known of the training examples before the first epoch: labels, true labels, names of the classes, ids."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from lend.inputs import as_ids, as_labels, index_of, require
from lend.run import code_type


@dataclass(frozen=True, eq=False)
class Given:
    """The training examples as they are saved: true and noisy labels, ids, and the names of the classes.

    Args:
        noisy: (n,) codes of the given labels, -1 where unlabelled.
        true: (n,) codes of the true labels, -1 where unknown.
        sample_id: (n,) integers or text, all different.
        class_names: One per class, in the order of the logits.
    """

    noisy: Int[np.ndarray, " n"]
    true: Int[np.ndarray, " n"]
    sample_id: np.ndarray
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.noisy)

    @property
    def noise_rate(self) -> float | None:
        """Share of wrong labels among those whose true label is known; None where none is."""
        known = (self.true >= 0) & (self.noisy >= 0)
        return float((self.true != self.noisy)[known].mean()) if known.any() else None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of labels/given.npz."""
        small = code_type(len(self.class_names), unknown=True)
        return {"true": self.true.astype(small), "noisy": self.noisy.astype(small), "sample_id": self.sample_id}


def read_given(labels: Any, true_labels: Any, class_names: Iterable[Any] | None, sample_ids: Any) -> Given:  # noqa: ANN401
    """Check what people know of their training examples.

    Args:
        labels: (n,) given labels: codes 0..c-1, or names of classes; -1 or missing where unlabelled.
        true_labels: (n,) true labels of the same kind, missing where unknown; None where all are.
        class_names: c names, in the order of the codes and of the logits; if not given, the labels themselves.
        sample_ids: (n,) integers or strings, all different; the index of the labels, or positions, if not given.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.
    """
    names = None if class_names is None else _read_names(class_names)
    noisy, found = _codes(labels, "labels", names)
    require(bool((noisy >= 0).any()), "labels", "known of one example at least", "-1 everywhere")
    n = len(noisy)
    true = np.full(n, -1, np.int64)
    if true_labels is not None:
        true, others = _codes(true_labels, "true_labels", names)
        require(len(true) == n, "true_labels", f"of length {n}, as labels", len(true))
        text = isinstance(found[0], str), isinstance(others[0], str)
        require(text[0] == text[1], "true_labels", "of the kind of labels", others[:3])
        if names is None and text[0]:
            found = sorted({*found, *others})
            noisy, _ = _codes(labels, "labels", tuple(found))
            true, _ = _codes(true_labels, "true_labels", tuple(found))
    if names is None:
        largest = int(max(noisy.max(), true.max()))
        names = tuple(found) if isinstance(found[0], str) else tuple(str(code) for code in range(largest + 1))
    ids = as_ids(sample_ids, n, index_of(labels)).to_numpy()
    if ids.dtype.kind not in "iu":
        text_ids = all(isinstance(one, str) for one in ids)
        require(text_ids, "sample_ids", "integers or strings", f"{type(ids[0]).__name__}, as {ids[0]!r}")
        ids = ids.astype(str)
    return Given(noisy, true, ids, names)


def _read_names(class_names: Iterable[Any]) -> tuple[str, ...]:
    listed = isinstance(class_names, Iterable) and not isinstance(class_names, str)
    require(listed, "class_names", "a list of names", class_names)
    names = tuple(str(name) for name in class_names)
    require(len(names) > 0, "class_names", "one per class", "none")
    repeated = sorted({name for name in names if names.count(name) > 1})
    require(not repeated, "class_names", "all different", f"{', '.join(repeated)} more than once")
    return names


def _codes(values: Any, name: str, names: tuple[str, ...] | None) -> tuple[Int[np.ndarray, " n"], list[Any]]:  # noqa: ANN401
    """Codes (n,) of labels, -1 where missing, and the sorted labels that occur."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that -1 stands for a missing label: here it is the rule
        labels = as_labels(values, name)
    found = labels.names
    if isinstance(found[0], str):
        place = {label: code for code, label in enumerate(found if names is None else names)}
        strange = [label for label in found if label not in place]
        require(not strange, name, f"of the class names {list(names or ())[:5]}", strange[:5])
        codes = [place[label] for label in found]
    else:
        c = None if names is None else len(names)
        allowed = "0 or more, or -1 where unknown" if c is None else f"0 to {c - 1}, the indices of {c} class names"
        fits = found[0] >= -1 and (c is None or found[-1] < c)
        require(fits, name, allowed, f"{found[0]} to {found[-1]}")
        codes = [int(label) for label in found]
    return np.array([*codes, -1], np.int64)[labels.codes], found
