"""What an epoch leaves, on its way to the memory of the CPU: read when it is there, which no later step delays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor, cuda

from lend.recording import kept_shares, label_accuracies
from lend.run import EpochResult, code_type
from lend.training.examples import Source


@dataclass(frozen=True, eq=False)
class Ending:
    """Copies of the numbers and labels of an epoch; the next one may change everything that they were made of.

    Args:
        epoch: Number of the epoch, from 1.
        loss: Sum of the losses of its steps.
        scores: Accuracies on the held-out images, by the names of their columns.
        labels: Tensors (n,) by the kind of labels.
        kept: Mask of the examples that were kept.
        start: When it began, as ``time.perf_counter`` has it.
        end: When all its work was done, or handed to the device.
        sent: What has happened when the copies are there; None where they are.
        snapshot: What is saved of its embeddings; None where nothing is. ``Saver`` waits for it.
        diverged: Whether no snapshot can be made, since an embedding is NaN or infinite.
    """

    epoch: int
    loss: Float[Tensor, ""]
    scores: Mapping[str, Float[Tensor, ""]]
    labels: Mapping[str, Int[Tensor, " n"]]
    kept: Bool[Tensor, " n"]
    start: float
    end: float
    sent: cuda.Event | None
    snapshot: xr.Dataset | None = None
    diverged: bool = False


class Reader:
    """Makes of an ending what is saved of the epoch.

    Args:
        source: The training examples.
        steps: Of an epoch.
    """

    def __init__(self, source: Source, steps: int) -> None:
        self.noisy, self.clean = source.noisy, source.dataset.train_labels if source.dataset.clean else None
        self.steps, self.small = steps, code_type(source.dataset.num_classes)
        self.ended = 0.0  # when the epoch that was read last had ended

    def __call__(self, ending: Ending) -> EpochResult:
        """Return it once the epoch has ended; the steps after it are not waited for."""
        end = ending.end
        if ending.sent is not None:
            ending.sent.synchronize()
            end = time.perf_counter()
        row = {
            "train_loss": ending.loss.item() / self.steps,
            **{name: value.item() for name, value in ending.scores.items()},
            **kept_shares(ending.kept, self.noisy, self.clean),
            **label_accuracies({"noisy": self.noisy, **ending.labels}, self.clean),
            "seconds": end - max(ending.start, self.ended),  # a card begins it when it has ended the one before
        }
        self.ended = end
        # the smallest type that holds all classes
        arrays = {name: values.numpy().astype(self.small) for name, values in ending.labels.items()}
        return EpochResult(ending.epoch, row, {**arrays, "kept": ending.kept.numpy().copy()}, ending.snapshot)
