"""One training loop for every method: epochs, which count from 1, saving, going on where a run was stopped."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import numpy as np
import torch
from tqdm.auto import tqdm

from lend import methods, storage
from lend.config import RunConfig
from lend.run import Run, writing
from lend.training import examples as source
from lend.training import tracking
from lend.training.allocator import keep_freed_memory
from lend.training.examples import Source
from lend.training.parallel import Processes
from lend.training.saving import Saver
from lend.training.trainer import Trainer

SAVING_SHARE = 0.02  # an epoch is saved at once unless saving would take more than this share of the time
PACKAGES = ("lend", "torch", "torchvision", "numpy", "zarr", "xarray")


def train(config: RunConfig, *, progress: bool = True) -> Run:
    """Train, or go on training, the run of this configuration; a finished run is returned as it is.

    Args:
        config: Its `folder` is where the run is saved.
        progress: Show a progress bar with the losses and the time left.

    Returns:
        The saved run.

    Raises:
        ValueError: If a setting is wrong, before anything is written; or if a saved file is damaged.
        FileExistsError: If the folder holds something else.
        InUseError: If another process trains the run.
        FloatingPointError: If the training diverges; what was saved stays.
    """
    method = methods.build(config.method, config.options)
    run = Run.find(config)
    if run is not None and run.complete:
        return run
    tracking.check(config.tracker)
    device = _device(config.device)
    if device.type == "cpu":
        keep_freed_memory()
    processes = Processes.join(device)
    examples = source.load(config)
    trainer = Trainer(config, method.informed(examples.noise_rate), examples, device, processes)
    with _only_writer(config, processes):
        run = processes.first(lambda: _found(config, examples) or _create(config, examples, device))
        trainer.bf16 = run.info["precision"] == "bf16"
        done, state = processes.first(partial(writing.restore, run))
        if state is not None:
            trainer.load(state)
        with tracking.log_to(config.tracker if processes.main else None, run) as log:
            _fit(trainer, run, done, log, progress and processes.main)
        processes.wait()
    return run


def _only_writer(config: RunConfig, processes: Processes) -> AbstractContextManager[None]:
    return storage.lock(config.folder / "lock") if processes.main else nullcontext()


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    available: dict[str, Callable[[], bool]] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if name in available and not available[name]():
        raise ValueError(f"device must be one that this machine has, got {name!r}")
    return torch.device(name)


def _precision(name: str, device: torch.device) -> str:
    """bf16 where the device multiplies in it natively: elsewhere it is emulated, and slower than fp32."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    native = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return "bf16" if native.get("amx_bf16") or native.get("avx512_bf16") else "fp32"


def _found(config: RunConfig, examples: Source) -> Run | None:
    """The saved run, if there is one; of the same data."""
    run = Run.find(config)
    if run is None:
        return None
    saved, ids = run.labels, examples.dataset.sample_ids
    if not np.array_equal(saved.index, ids) or not np.array_equal(saved["noisy"], examples.noisy):
        raise ValueError(f"dataset {config.dataset!r} is not the one that {run.path} was started on")
    return run


def _create(config: RunConfig, examples: Source, device: torch.device) -> Run:
    dataset, n = examples.dataset, len(examples.noisy)
    info = {
        "class_names": list(dataset.class_names),
        "examples": n,
        "held_out": len(examples.validation_labels),
        "image_shape": list(dataset.train_images.shape[1:]),
        "realised_noise_rate": examples.noise_rate,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"{device.type} ({platform.machine()})",
        "threads": torch.get_num_threads(),
        "precision": _precision(config.precision, device),
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    small = np.min_scalar_type(-len(dataset.class_names))
    given = {
        "true": (dataset.train_labels.numpy() if dataset.clean else np.full(n, -1)).astype(small),
        "noisy": examples.noisy.numpy().astype(small),
        "sample_id": dataset.sample_ids.numpy(),
    }
    return writing.create(config, given, info)


def _fit(trainer: Trainer, run: Run, done: int, log: tracking.Log, progress: bool) -> None:
    """Epoch after epoch; what is finished is saved at once, or with later epochs where epochs are very short."""
    config, pending = run.config, []
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
        for epoch in range(done + 1, config.epochs + 1):
            pending.append(trainer.epoch(epoch, bar))
            row = pending[-1].row
            if not np.isfinite(row["train_loss"]):
                saver.wait()
                raise FloatingPointError(
                    f"training diverged in epoch {epoch} (train loss {row['train_loss']}), saved up to epoch "
                    f"{run.epochs_done}; try a learning_rate below {config.learning_rate}"
                )
            log(row, epoch)
            bar.set_postfix(
                epoch=epoch,
                loss=f"{row['train_loss']:.3f}",
                test=f"{row['test_accuracy']:.3f}",
                kept=f"{row['kept_share']:.2f}",
            )
            now = time.perf_counter()
            cheap = not saver.busy and saver.cost <= SAVING_SHARE * (now - saved_at)
            if cheap or epoch in (*config.snapshot_epochs, config.epochs):
                if trainer.processes.main:
                    saver.save(pending, trainer.state())
                pending, saved_at = [], now
