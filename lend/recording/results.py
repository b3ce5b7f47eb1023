"""What an epoch leaves, from the rows of its batches: labels, numbers, and a snapshot where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lend.dilution import dilute_among, hard_labels
from lend.inputs import Dilution, is_tensor, require
from lend.recording.batches import Rows
from lend.recording.diluting import make_snapshot
from lend.recording.numbers import kept_shares, label_accuracies
from lend.run import EPOCH_ARRAYS, EpochResult, code_type

MISSING = -1
LABELS = tuple(name for name in EPOCH_ARRAYS if name != "kept")
COUNTED = ("epoch", "seconds", "kept_share", "kept_precision")  # numbers that are computed, beside accuracies of labels


@dataclass(frozen=True, eq=False)
class Examples:
    """The training examples, as dilution wants them.

    Args:
        noisy: Given labels, -1 where unlabelled.
        true: True labels, -1 where unknown; None where all are.
        weights: What a vote for each class counts.
        settings: Settings of the dilution.
    """

    noisy: Int[Tensor, " n"]
    true: Int[Tensor, " n"] | None
    weights: Float[Tensor, " c"]
    settings: Dilution

    def to(self, device: torch.device) -> Examples:
        """The same, with labels and weights on a device."""
        true = None if self.true is None else self.true.to(device)
        return Examples(self.noisy.to(device), true, self.weights.to(device), self.settings)

    @property
    def classes(self) -> int:
        """Number of classes, c."""
        return len(self.weights)

    def labels(self, V: Float[Tensor, "b d"], index: Int[Tensor, " b"]) -> tuple[Int[Tensor, " b"], Int[Tensor, " b"]]:
        """Return diluted and dominant labels among some examples; -1 where there are too few of them, or no vote."""
        if len(V) <= self.settings.k:
            missing = torch.full_like(index, MISSING)
            return missing, missing
        with torch.autocast(V.device.type, enabled=False):  # a loop may record in the middle of its own
            Z, dominant = dilute_among(V, self.noisy[index], self.weights, self.settings)
        return hard_labels(Z), dominant


def read_numbers(numbers: Mapping[str, Any]) -> dict[str, float]:
    """Return what the loop says of an epoch, as floats; NaN is a number that is unknown.

    Raises:
        ValueError: If one is no number, or infinite, is an accuracy that is no fraction, or has a name that is taken.
    """
    row = {}
    for name, value in numbers.items():
        taken = name in COUNTED or name.endswith("_label_accuracy")
        require(not taken, name, "left out: it is computed", value)
        require(not isinstance(value, bool), name, "a number; the embeddings are kept with snapshot=True", value)
        try:
            row[name] = float(value.detach() if is_tensor(value) else value)  # a loss has a gradient
        except (TypeError, ValueError, RuntimeError) as error:  # RuntimeError: a tensor of several numbers
            raise ValueError(f"{name} must be a number, got {value!r:.80}") from error
        require(not np.isinf(row[name]), name, "finite, or NaN where it is unknown", row[name])
        fraction = not name.endswith("_accuracy") or np.isnan(row[name]) or 0 <= row[name] <= 1
        require(bool(fraction), name, "a fraction from 0 to 1, or NaN where it is unknown", row[name])
    return row


def make_result(
    epoch: int, rows: Rows, examples: Examples, numbers: Mapping[str, float], seconds: float, snapshot: bool
) -> EpochResult:
    """Return what is saved of an epoch.

    Args:
        epoch: Its number.
        rows: Of the examples that it saw, by ascending "index": predicted and kept, and diluted and dominant or the
            embeddings to make them of; for a snapshot embeddings, and logits if there are any.
        examples: All training examples, on the device of the rows.
        numbers: Those that the loop gave.
        seconds: How long the epoch took.
        snapshot: Whether embeddings are saved.
    """
    index = rows["index"]
    if "diluted" not in rows:
        diluted, dominant = examples.labels(rows["embeddings"], index)
        rows = {**rows, "diluted": diluted, "dominant": dominant}
    labels = {name: _spread(rows[name], index, examples, MISSING) for name in LABELS}
    kept, seen = (_spread(mask, index, examples, False) for mask in (rows["kept"], torch.ones_like(rows["kept"])))
    row = {
        **numbers,
        **kept_shares(kept, examples.noisy, examples.true, seen),
        **label_accuracies({"noisy": examples.noisy, **labels}, examples.true),
        "seconds": seconds,
    }
    small = code_type(examples.classes, unknown=True)
    arrays = {name: values.cpu().numpy().astype(small) for name, values in labels.items()}
    arrays["kept"] = kept.cpu().numpy()
    if not bool(seen.all()):
        arrays["seen"] = seen.cpu().numpy()
    saved = None
    if snapshot:
        logits = rows.get("logits", torch.full((len(index), examples.classes), torch.nan, device=index.device))
        noisy = examples.noisy[index]
        saved = make_snapshot(rows["embeddings"], logits, noisy, examples.weights, examples.settings)
    return EpochResult(epoch, row, arrays, saved)


def _spread(
    values: Int[Tensor, " m"] | Bool[Tensor, " m"], index: Int[Tensor, " m"], examples: Examples, missing: int | bool
) -> Tensor:
    """Put the values of the examples that were seen in the places of all."""
    return torch.full_like(examples.noisy, missing, dtype=values.dtype).index_copy(0, index, values)
