"""Record a training of the Trainer of Hugging Face (``transformers``)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from lend.inputs import extra, require
from lend.integrations.observer import Observer, accuracy_of

with extra("transformers"):
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

ACCURACIES = ("eval_accuracy",)


class LendCallback(TrainerCallback):
    """Record what ``Trainer.train`` does: ``Trainer(..., callbacks=[LendCallback("runs/mine", labels=noisy)])``.

    The training data need a column of the positions of the examples in ``labels``, and the trainer
    ``TrainingArguments(remove_unused_columns=False)``, which would remove it; the model never sees it. A hook on the
    last linear layer brings embeddings and logits; of a decoder, those of the token whose logits the model returns. An
    epoch is on the disk before the checkpoint at its end is saved, and ``train(resume_from_checkpoint=...)`` goes on
    with the recording, too: epochs after that of the checkpoint are removed. ``train_loss`` is what the trainer logs:
    the callback lets it log at the end of each epoch, unless ``logging_strategy="no"``.

    Args:
        folder: Folder of the run.
        labels: (n,) given labels, as :class:`lend.Recorder` takes them.
        snapshots: Epochs whose embeddings are saved, counted from 1.
        index: Name of the column of positions.
        head: Name of the layer that gives the logits; the only linear layer of one output per class if not given.
        accuracy: Name of the metric that is the test accuracy, of the newest evaluation in the epoch;
            ``eval_accuracy`` if not given, where ``compute_metrics`` returns an accuracy.
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
        index: str = "index",
        head: str | None = None,
        accuracy: str | None = None,
        resume: bool = False,
        **recorder: Any,  # noqa: ANN401
    ) -> None:
        self._observer = Observer(folder, snapshots, head, resume, {"labels": labels, **recorder})
        self._index, self._name = index, accuracy
        self._without_index: nn.Module | None = None  # the model that drops the column
        self._hooks: list[RemovableHandle] = []
        self._positions: Any = None
        self._logged = 0  # the step of the newest log
        self._new_epoch()

    def _new_epoch(self) -> None:
        self._ended, self._losses, self._steps = False, 0.0, 0
        self._metrics: dict[str, Any] | None = None

    # --- The model --------------------------------------------------------------------------------------------------

    def _drop_index(self, model: nn.Module | None) -> None:
        """Let a model drop the column, in evaluations, too; the hook stays when the training ends."""
        if model is not None and model is not self._without_index:
            model.register_forward_pre_hook(partial(_without, self._index), with_kwargs=True)
            self._without_index = model

    def _before_forward(self, model: nn.Module, given: tuple[Any, ...], inputs: dict[str, Any]) -> None:
        if not model.training:
            return
        require(
            self._index in inputs,
            "index",
            "a column of the training data, the positions of the examples in labels, that TrainingArguments("
            "remove_unused_columns=False) and the data collator leave in the batch",
            f"{self._index!r} for a batch of {', '.join(inputs)}",
        )
        self._positions = inputs[self._index]
        self._observer.listen(True)

    def _after_forward(self, model: nn.Module, given: tuple[Any, ...], output: Any) -> None:  # noqa: ANN401
        if not model.training:
            return
        self._observer.listen(False)
        logits = output.get("logits") if isinstance(output, Mapping) else None
        self._observer.batch(self._positions, logits if isinstance(logits, Tensor) else None)

    def _let_go(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    # --- What the trainer says --------------------------------------------------------------------------------------

    def on_init_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: nn.Module | None = None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """The trainer is made: its model may be evaluated before it is trained."""
        self._drop_index(model)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: nn.Module | None = None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """Open the run and watch the model."""
        assert model is not None
        require(args.n_gpu < 2, "trainer", "started by torchrun where one machine has several GPUs", "DataParallel")
        self._let_go()
        self._drop_index(model)
        self._observer.begin(model, int(state.epoch or 0), resumed=state.global_step > 0)
        before = model.register_forward_pre_hook(self._before_forward, with_kwargs=True, prepend=True)
        self._hooks = [before, model.register_forward_hook(self._after_forward)]
        self._logged = state.global_step
        self._new_epoch()

    def on_epoch_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """Save the epoch before, if nothing else has."""
        self._save_epoch()

    def on_epoch_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """The trainer logs next, evaluates and saves its checkpoint: the epoch is saved before the last of these."""
        self._ended = True
        if args.logging_strategy != "no":
            control.should_log = True
        will_log = control.should_log and state.global_step > self._logged
        if not (will_log or control.should_evaluate):
            self._save_epoch()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """Add the loss of the steps since the log before."""
        if logs and "loss" in logs and state.global_step > self._logged:
            steps = state.global_step - self._logged
            self._losses += float(logs["loss"]) * steps
            self._steps += steps
            self._logged = state.global_step
            if not control.should_evaluate:
                self._save_epoch()

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, Any] | None = None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """Note the metrics; of several test sets, each comes by itself."""
        if self._observer.active:
            self._metrics = {**(self._metrics or {}), **(metrics or {})}
            if self._name is None or self._name in self._metrics:
                self._save_epoch()

    def on_save(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """Save the epoch, if nothing else has."""
        self._save_epoch()

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """Close the run."""
        self._save_epoch()
        self._let_go()
        self._observer.end()

    def _save_epoch(self) -> None:
        if not self._ended:
            return
        accuracy = math.nan if self._metrics is None else accuracy_of(self._metrics, self._name, ACCURACIES)
        self._observer.epoch(self._losses / self._steps if self._steps else math.nan, accuracy)
        self._new_epoch()


def _without(
    name: str, model: nn.Module, given: tuple[Any, ...], inputs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Hook before a model: the inputs but one. A function, so that the model can still be pickled."""
    return given, {key: value for key, value in inputs.items() if key != name}
