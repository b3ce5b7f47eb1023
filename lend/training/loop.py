"""The training loop of every method: it counts epochs from 1, saves, and goes on where a run was stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import numpy as np
import torch
from tqdm.auto import tqdm

from lend.inputs import RunConfig, require
from lend.recording import Copy, Saver
from lend.run import EpochResult, Run, writing
from lend.training import examples, own, tracking
from lend.training.allocator import keep_freed_memory
from lend.training.ending import Ending
from lend.training.guarded import Guarded
from lend.training.opening import defaults_of, open_or_create, require_same_defaults
from lend.training.parallel import Processes
from lend.training.trainer import Trainer

SAVING_SHARE = 0.02  # an epoch is saved at once unless saving would take more than this share of the time


def train(config: RunConfig, *, progress: bool = True) -> Run:
    """Train the run of this configuration, from where it was stopped; a finished run is returned as it is.

    Args:
        config: Settings of the run; its `folder` is where the run is saved.
        progress: Show a progress bar with the loss, the test accuracy and the time left.

    Returns:
        The saved run.

    Raises:
        ValueError: If a setting is wrong, before anything is written; if the saved run was started on other data, or by
            a version with other defaults of its method; if a saved file is damaged; or if a method of one's own fails:
            in its first epoch it leaves no folder.
        FileExistsError: If the folder holds something else.
        InUseError: If another process trains the run.
        FloatingPointError: If the training diverges; what was saved stays.
    """
    require(isinstance(config, RunConfig), "config", "a lend.RunConfig", type(config).__name__)
    method = own.build_method(config)
    run, defaults = Run.find(config), defaults_of(method, config)
    if run is not None:
        require_same_defaults(run, defaults)
        if run.complete:
            return run
    tracking.check(config.tracker)
    device = _device(config.device)
    if device.type == "cpu":
        keep_freed_memory()
    processes = Processes.join(device)
    source = examples.load(config)
    method = method.with_noise_rate(source.noise_rate)
    # a run keeps the precision that it was started in, wherever it goes on
    precision = _precision(config.precision, device) if run is None else run.info["precision"]
    trainer = Trainer(config, method, source, device, processes, bf16=precision == "bf16")
    if run is None and isinstance(method, Guarded):
        trainer.try_out(method)
    with _only_writer(config, processes):
        network = trainer.learner.info
        run = processes.first(partial(open_or_create, config, source, device, precision, network, defaults))
        done, state = processes.first(partial(writing.restore, run))
        if state is not None:
            trainer.load(state)
        try:
            with tracking.log_to(config.tracker if processes.main else None, run) as log:
                _fit(trainer, run, done, log, progress and processes.main)
        except ValueError:  # what own code raises
            if isinstance(method, Guarded) and processes.main and run.epochs_done == 0:
                writing.discard(run)  # the method, once it is mended, begins another run
            raise
        processes.wait()
    return run


def _only_writer(config: RunConfig, processes: Processes) -> AbstractContextManager[None]:
    return writing.lock(config.folder) if processes.main else nullcontext()


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    available: dict[str, Callable[[], bool]] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if name in available and not available[name]():
        raise ValueError(f"device must be one that this machine has, got {name!r}")
    return torch.device(name)


def _precision(name: str, device: torch.device) -> str:
    """Return "bf16" or "fp32"; "auto" takes bf16 where it is native: elsewhere it is emulated, slower than fp32."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    native = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return "bf16" if native.get("amx_bf16") or native.get("avx512_bf16") else "fp32"


def _fit(trainer: Trainer, run: Run, done: int, log: tracking.Log, progress: bool) -> None:
    """Train the epochs after those done. Each is saved at once, or with later ones where epochs are very short."""
    config, pending = run.config, list[EpochResult]()
    saved_at = time.perf_counter()
    total = config.epochs * trainer.steps
    title = f"{config.method} on {config.dataset.rpartition('/')[2]}"
    with (
        Saver(partial(writing.commit, run)) as saver,
        tqdm(total=total, initial=done * trainer.steps, desc=title, unit="step", disable=not progress) as bar,
    ):
        rate = run.info["realised_noise_rate"]
        if progress and rate is not None:
            bar.write(f"{config.noise_title}: {rate:.2%} of the labels are wrong")

        def finish(ending: Ending, copy: Copy | None, due: bool) -> None:
            """Read an epoch, show it, and hand it to the writer if that is due, with the copy of the state after it."""
            result = trainer.read(ending)
            if ending.diverged or not np.isfinite(result.row["train_loss"]):
                saver.wait()
                raise _divergence(run, result)
            log(result.row, result.epoch)
            bar.set_postfix(_shown(result))
            pending.append(result)
            if due and copy is not None:
                saver.write(pending.copy(), copy)
            if due:
                pending.clear()

        finish_last: Callable[[], None] = _nothing
        for epoch in range(done + 1, config.epochs + 1):
            ending = trainer.epoch(epoch, bar, finish_last)
            now = time.perf_counter()
            cheap = not saver.busy and saver.cost <= SAVING_SHARE * (now - saved_at)
            due, copy = cheap or epoch in (*config.snapshot_epochs, config.epochs), None
            if due:
                copy, saved_at = saver.copy(trainer.state()) if trainer.processes.main else None, now
            finish_last = partial(finish, ending, copy, due)
            if not _ahead(trainer.device):
                finish_last()
                finish_last = _nothing
        finish_last()


def _ahead(device: torch.device) -> bool:
    """Whether an epoch is read when the next one is under way, so that the device never waits for the host."""
    return device.type == "cuda"


def _nothing() -> None:
    """Where no epoch is left to be read."""


def _divergence(run: Run, result: EpochResult) -> FloatingPointError:
    loss = result.row["train_loss"]
    seen = "embeddings that are not finite" if np.isfinite(loss) else f"train loss {loss}"
    return FloatingPointError(
        f"training diverged in epoch {result.epoch} ({seen}), saved up to epoch {run.epochs_done}; "
        f"try a learning_rate below {run.config.learning_rate}"
    )


def _shown(result: EpochResult) -> dict[str, int | str]:
    """Return what the progress bar shows after an epoch."""
    row = result.row
    return {
        "epoch": result.epoch,
        "loss": f"{row['train_loss']:.3f}",
        "test": f"{row['test_accuracy']:.3f}",
        "kept": f"{row['kept_share']:.2f}",
    }
