"""Record a training of Lightning (``lightning.pytorch``)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lend.inputs import extra, require
from lend.integrations.observer import Observer, accuracy_of

with extra("lightning"):
    from lightning.pytorch import Callback, LightningModule, Trainer

ACCURACIES = ("val_accuracy", "val_acc")


class LendCallback(Callback):
    """Record what ``Trainer.fit`` does as a run: ``Trainer(callbacks=[LendCallback("runs/mine", labels=noisy)])``.

    Every batch must hold the positions of its examples in ``labels``. A hook on the last linear layer brings embeddings
    and logits; of several calls in one training step the last counts. An epoch is on the disk before Lightning saves a
    checkpoint after it, and ``fit(ckpt_path=...)`` goes on with the recording, too: a checkpoint holds the number of
    epochs recorded, and later ones are removed. ``train_loss`` is the mean of the losses that ``training_step``
    returns, NaN if it returns none.

    Args:
        folder: Folder of the run.
        labels: (n,) given labels, as :class:`lend.Recorder` takes them.
        snapshots: Epochs whose embeddings are saved, counted from 1.
        index: Where a batch has the positions, (b,): a key, or the place in a tuple.
        head: Name of the layer that gives the logits; the only linear layer of one output per class if not given.
        accuracy: Name of the logged metric that is the test accuracy, of the newest validation in the epoch;
            ``val_accuracy`` or ``val_acc`` if not given, where one is logged.
        resume: A training that starts anew replaces the run in the folder, which is an error otherwise: for jobs that
            are started again, with or without a checkpoint.
        recorder: Further arguments of :class:`lend.Recorder`, such as ``true_labels`` and ``class_names``.

    Raises:
        TypeError: If an argument is unknown.
        ValueError: If an argument is wrong: some at once, the others when the training starts.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        labels: Any,  # noqa: ANN401 (arrays of any library)
        snapshots: Iterable[int] = (),
        index: str | int = "index",
        head: str | None = None,
        accuracy: str | None = None,
        resume: bool = False,
        **recorder: Any,  # noqa: ANN401
    ) -> None:
        self._observer = Observer(folder, snapshots, head, resume, {"labels": labels, **recorder})
        self._index, self._name = index, accuracy
        self._done: int | None = None  # by the checkpoint, or by an earlier fit of this trainer
        self._new_epoch()

    def _new_epoch(self) -> None:
        self._losses: Any = 0.0  # a tensor soon; adding waits for no device
        self._steps, self._accuracy, self._last = 0, math.nan, False

    # --- A training, and how it goes on -----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint says of the recording."""
        return {"epochs_done": self._observer.epochs_done + self._last}  # saved after the last batch: that epoch counts

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after the epoch of a checkpoint."""
        self._done = state["epochs_done"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the run."""
        began, done = trainer.global_step > 0, self._done
        if began and done is None:
            raise ValueError(
                "ckpt_path must be a checkpoint of a training that was recorded, got one without LendCallback"
            )
        self._observer.begin(pl_module, (done or 0) if began else 0, resumed=began)
        self._new_epoch()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the run."""
        self._done = self._observer.epochs_done
        self._observer.end()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Close the run; the epochs before this one stay."""
        self._observer.end(exception)

    # --- Batches and epochs -----------------------------------------------------------------------------------------

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:  # noqa: ANN401
        """Watch the forward passes of the training step."""
        self._observer.listen(True)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Record a batch."""
        self._observer.listen(False)
        self._observer.batch(_entry(batch, self._index))
        self._last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if loss is not None:
            parts = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            self._losses = self._losses + parts * loss.detach()  # Lightning gives the part of it
            self._steps += 1

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the accuracy; after the last batch the epoch ends here, before Lightning saves its checkpoint."""
        if trainer.sanity_checking or not self._observer.active:
            return
        self._accuracy = accuracy_of(trainer.callback_metrics, self._name, ACCURACIES)
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._end_epoch()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save an epoch, unless the validation at its end has done so."""
        self._end_epoch()

    def _end_epoch(self) -> None:
        loss = self._losses / self._steps if self._steps else math.nan
        self._observer.epoch(train_loss=loss, test_accuracy=self._accuracy)
        self._new_epoch()


def _entry(batch: Any, index: str | int) -> Any:  # noqa: ANN401 (whatever a loader gives)
    """The positions in a batch."""
    if isinstance(batch, Mapping) and index in batch:
        return batch[index]
    if isinstance(batch, Sequence) and isinstance(index, int) and -len(batch) <= index < len(batch):
        return batch[index]
    got = f"the keys {', '.join(map(repr, batch))}" if isinstance(batch, Mapping) else type(batch).__name__
    got += f" of {len(batch)}" if isinstance(batch, Sequence) else ""
    require(
        False,
        "index",
        "a key of the batch, or a place in it, that holds the positions of its examples in labels: the data set must "
        "return them",
        f"{index!r} for a batch that is {got}",
    )
