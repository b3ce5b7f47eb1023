"""The numbers of an epoch's labels: how many are right, and how many examples were kept.

A label that is missing (-1) counts in no share.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def label_accuracies(labels: Mapping[str, Int[Tensor, " n"]], true: Int[Tensor, " n"] | None) -> dict[str, float]:
    """Return the accuracy of each kind of training labels as a column NAME_label_accuracy of the history.

    Args:
        labels: Labels of the training examples, by the name of their kind; -1 where missing.
        true: True labels, -1 where unknown; None where all are, which makes every accuracy NaN.
    """
    return {f"{name}_label_accuracy": _accuracy(values, true) for name, values in labels.items()}


def _accuracy(values: Int[Tensor, " n"], true: Int[Tensor, " n"] | None) -> float:
    if true is None:
        return float("nan")
    return _share(values == true, (values >= 0) & (true >= 0))


def kept_shares(
    kept: Bool[Tensor, " n"],
    noisy: Int[Tensor, " n"],
    true: Int[Tensor, " n"] | None,
    seen: Bool[Tensor, " n"] | None = None,
) -> dict[str, float]:
    """Return the share of the training examples that the method kept, and the share of those with a right label.

    Args:
        kept: Mask of the kept examples.
        noisy: Given labels, -1 where missing.
        true: True labels, -1 where unknown; None where all are.
        seen: Mask of the examples that the epoch saw; all if not given.

    Returns:
        kept_share and kept_precision; the precision is NaN where no true label is known or nothing is kept.
    """
    share = _share(kept, torch.ones_like(kept) if seen is None else seen)
    if true is None:
        return {"kept_share": share, "kept_precision": float("nan")}
    return {"kept_share": share, "kept_precision": _share(noisy == true, kept & (noisy >= 0) & (true >= 0))}


def _share(hits: Bool[Tensor, " n"], among: Bool[Tensor, " n"]) -> float:
    return hits[among].float().mean().item()  # the mean of nothing is NaN
