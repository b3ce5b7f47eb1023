"""What the callbacks of all trainers share: the recorder of a training, and the hook on its model."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

from torch import nn

from lend.inputs import require
from lend.integrations.tap import Tap, of_its_token
from lend.recording import Recorder


class Observer:
    """Record a training that a library runs: it says when the training begins, and when each batch and epoch ends.

    Args:
        folder: Folder of the run.
        snapshots: Epochs whose embeddings are saved, counted from 1.
        head: Name of the layer that gives the logits; the only linear layer of one output per class if not given.
        resume: Whether a training that starts anew may replace the run in the folder.
        settings: Further arguments of :class:`lend.Recorder`.

    Raises:
        TypeError: If the recorder has no such argument.
        ValueError: If the snapshots are no epochs.

    Attributes:
        epochs_done: Number of epochs recorded.
    """

    def __init__(
        self, folder: str | Path, snapshots: Iterable[int], head: str | None, resume: bool, settings: Mapping[str, Any]
    ) -> None:
        inspect.signature(Recorder).bind(folder, **settings)
        self.folder, self.settings = folder, dict(settings)
        self.snapshots, self.head, self.resume = tuple(snapshots), head, resume
        epochs = all(isinstance(one, Integral) and one >= 1 for one in self.snapshots)
        require(epochs, "snapshots", "epochs, counted from 1", self.snapshots)
        require(isinstance(resume, bool), "resume", "True or False: the trainer knows the epoch", resume)
        self.epochs_done = 0
        self._recorder: Recorder | None = None
        self._tap: Tap | None = None
        self._rows = False

    @property
    def active(self) -> bool:
        """Whether a training is being recorded."""
        return self._recorder is not None

    def begin(self, model: nn.Module, epochs_done: int, resumed: bool) -> None:
        """Open the run and watch the model.

        Args:
            model: The model.
            epochs_done: Number of epochs that the trainer has done; later ones of the run are removed.
            resumed: Whether the trainer goes on from a checkpoint.

        Raises:
            ValueError: As :class:`lend.Recorder` and :class:`lend.integrations.tap.Tap` do.
            FileExistsError: If the folder holds a run, and the training starts anew.
        """
        self.end(KeyboardInterrupt())  # a training that was interrupted without a word
        goes_on: bool | int = epochs_done if resumed or self.resume else False
        recorder = Recorder(self.folder, **self.settings, resume=goes_on)
        try:
            self._tap = Tap(model, len(recorder.class_names), self.head)
        except ValueError as error:
            recorder.__exit__(ValueError, error, None)
            raise
        self._recorder, self._rows, self.epochs_done = recorder, False, recorder.epochs_done

    def listen(self, on: bool) -> None:
        """Watch the forward passes that come, or do not."""
        if self._tap is not None:
            self._tap.on = on

    def batch(self, index: Any, logits: Any = None) -> None:  # noqa: ANN401 (arrays of any library)
        """Record the newest forward pass.

        Args:
            index: (b,) positions of the examples.
            logits: (b, c) that the model returned, where its head gives those of every token.
        """
        assert self._recorder is not None and self._tap is not None
        embeddings, scores = self._tap.take()
        if scores.ndim == 3 and logits is not None:
            embeddings, scores = of_its_token(embeddings, scores, logits.detach()), logits
        self._recorder.batch(index, embeddings=embeddings, logits=scores)
        self._rows = True

    def epoch(self, train_loss: Any = math.nan, test_accuracy: Any = math.nan) -> None:  # noqa: ANN401
        """End an epoch, and wait until it is on the disk: the trainer may save a checkpoint next.

        One without a batch is none: a trainer that goes on from the end of an epoch says its end again.
        """
        if self._recorder is None or not self._rows:
            return
        snapshot = self._recorder.epochs_done + 1 in self.snapshots
        self._recorder.epoch(train_loss=train_loss, test_accuracy=test_accuracy, snapshot=snapshot)
        self._recorder.wait()
        self._rows, self.epochs_done = False, self._recorder.epochs_done

    def end(self, error: BaseException | None = None) -> None:
        """Close the run, leave the model as it was; after an error, rows of an unfinished epoch go silently."""
        recorder, tap = self._recorder, self._tap
        self._recorder = self._tap = None
        if tap is not None:
            tap.remove()
        if recorder is not None:
            recorder.__exit__(None if error is None else type(error), error, None)


def accuracy_of(metrics: Mapping[str, Any], name: str | None, usual: tuple[str, ...]) -> Any:  # noqa: ANN401
    """Return the accuracy among the metrics of an evaluation; NaN where there is none.

    Args:
        metrics: Numbers by name.
        name: Name of the accuracy.
        usual: Names to look for where none is given.

    Raises:
        ValueError: If a name is given, and is not among the metrics.
    """
    if name is not None:
        known = ", ".join(sorted(map(str, metrics))) or "none"
        require(name in metrics, "accuracy", f"one of the trainer's metrics ({known})", name)
        return metrics[name]
    return next((metrics[one] for one in usual if one in metrics), math.nan)
