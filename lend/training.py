"""One training loop for every method: passes, evaluation, snapshots, checkpoints, resume.

Epochs count from 1. Every random draw of an epoch comes from a generator seeded by (seed, epoch), so the state of a
run is networks, optimiser and per-example memory, and a run that goes on draws what it would have drawn.
"""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor, nn
from tqdm.auto import tqdm

from lend import data, images, methods, networks, noise
from lend.config import RunConfig
from lend.dilution import COLLAPSE, dilute_known, most_frequent, one_hot, prior_weights
from lend.neighbors import nearest
from lend.run import EPOCH_ARRAYS, EpochResult, Run

EVALUATION_BATCH = 1000
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
        FloatingPointError: If the training diverges; what was saved stays.
    """
    method = methods.build(config.method, config.options)
    device = _device(config.device)
    run = Run.find(config)
    if run is not None and run.complete:
        return run
    dataset = data.load(config.dataset, config.data, config.download)
    if config.train_size is not None:
        dataset = dataset.subset(config.train_size)
    noisy = torch.as_tensor(noise.draw(dataset, config.noise, config.noise_rate, config.noise_seed))
    rate = noise.realised_rate(dataset.train_labels.numpy(), noisy.numpy()) if dataset.clean else None
    method = method.informed(rate)
    precision = run.info["precision"] if run else _precision(config.precision, device)
    training = _Training(config, method, dataset, noisy, device, precision)
    run = _same_data(run, dataset, noisy) if run else _create(config, dataset, noisy, rate, device, precision)
    done, state = run.restore()
    if state is not None:
        training.load(state)
    _fit(training, run, done, progress)
    return run


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    available = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
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


def _create(
    config: RunConfig,
    dataset: data.Dataset,
    noisy: Int[Tensor, " n"],
    rate: float | None,
    device: torch.device,
    precision: str,
) -> Run:
    n, clean = len(noisy), dataset.train_labels.numpy()
    info = {
        "class_names": list(dataset.class_names),
        "examples": n,
        "image_shape": list(dataset.train_images.shape[1:]),
        "realised_noise_rate": rate,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"{device.type} ({platform.machine()})",
        "threads": torch.get_num_threads(),
        "precision": precision,
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    small = np.min_scalar_type(-len(dataset.class_names))
    given = {
        "true": (clean if dataset.clean else np.full(n, -1)).astype(small),
        "noisy": noisy.numpy().astype(small),
        "sample_id": dataset.sample_ids.numpy(),
    }
    return Run.create(config, given, info)


def _check_batch(config: RunConfig, n: int) -> None:
    smallest = n // -(-n // config.batch_size)
    if smallest <= config.dilution.k:
        raise ValueError(f"k must be below the {smallest} examples of a batch, got {config.dilution.k}")


def _same_data(run: Run, dataset: data.Dataset, noisy: Int[Tensor, " n"]) -> Run:
    saved = run.labels
    if not np.array_equal(saved.index, dataset.sample_ids) or not np.array_equal(saved["noisy"], noisy):
        raise ValueError(f"dataset {run.config.dataset!r} is not the one that {run.path} was started on")
    return run


class _Training:
    """The moving parts of a run: networks, optimiser, per-example memory."""

    def __init__(
        self,
        config: RunConfig,
        method: methods.Method,
        dataset: data.Dataset,
        noisy: Int[Tensor, " n"],
        device: torch.device,
        precision: str,
    ) -> None:
        _check_batch(config, len(noisy))
        self.config, self.method, self.device, self.bf16 = config, method, device, precision == "bf16"
        self.images, self.test_images = dataset.train_images.to(device), dataset.test_images.to(device)
        self.mean, self.std = (value.to(device) for value in dataset.mean_std())
        self.noisy, self.test_labels = noisy.to(device), dataset.test_labels.to(device)
        self.clean = dataset.train_labels.to(device) if dataset.clean else None
        self.num_classes = dataset.num_classes
        self.steps = -(-len(noisy) // config.batch_size)
        self.networks = nn.ModuleList(self._network(seed) for seed in range(method.networks))
        self.networks.to(device, memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.networks.parameters(),
            lr=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
        self.memory = method.initial_memory(self.noisy, self.num_classes)
        # the share of each class among all given labels: a batch's own share is a noisy count
        self.weights = prior_weights(config.dilution.class_prior, one_hot(self.noisy, self.num_classes))
        if config.dilution.steps == "converged":
            warnings.warn(COLLAPSE, stacklevel=2)

    def _network(self, number: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed + 10_000 * number)
            shape = tuple(self.images.shape[1:])
            return networks.build(self.config.network, shape, self.num_classes, self.config.width)

    def state(self) -> dict[str, Any]:
        return {
            "networks": self.networks.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "memory": self.memory,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.networks.load_state_dict(state["networks"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.memory = {name: value.to(self.device) for name, value in state["memory"].items()}

    # --- One epoch ------------------------------------------------------------------------------------------------

    def epoch(self, epoch: int, bar: tqdm) -> EpochResult:
        """Train for one pass; labels are those of the passes themselves, at no cost of a second one."""
        start = time.perf_counter()
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + epoch)
        dropped = epoch > self.config.drop_at * self.config.epochs
        self.optimizer.param_groups[0]["lr"] = self.config.learning_rate * (0.1 if dropped else 1)
        labels = {name: torch.zeros_like(self.noisy) for name in EPOCH_ARRAYS if name != "kept"}
        loss = torch.zeros((), device=self.device)
        self.networks.train()
        for index in images.batches(len(self.noisy), self.config.batch_size, generator, self.device):
            loss += self._step(index, epoch, labels, generator)
            bar.update()
        labels["kept"] = self.memory.get("kept", torch.ones_like(self.noisy, dtype=torch.bool))
        row = {"train_loss": loss.item() / self.steps, "test_accuracy": self.test_accuracy(), **self._shares(labels)}
        row["seconds"] = time.perf_counter() - start
        return EpochResult(epoch, row, self._small(labels), self._snapshot(epoch))

    def _step(
        self, index: Int[Tensor, " b"], epoch: int, labels: dict[str, Tensor], generator: torch.Generator
    ) -> Float[Tensor, ""]:
        raw = self.images[index]
        x = images.normalise(images.augment(raw, generator) if self.config.augment else raw, self.mean, self.std)
        outputs = [self._forward(network, x) for network in self.networks]
        noisy = self.noisy[index]
        diluted, dominant = self._dilute_batch(outputs[0].embeddings.detach(), noisy)
        batch = methods.Batch(index, noisy, diluted)
        loss = self.method.loss(outputs, batch, self.memory, epoch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        labels["predicted"][index] = outputs[0].logits.detach().argmax(dim=1)
        labels["diluted"][index] = diluted.argmax(dim=1)
        labels["dominant"][index] = dominant
        return loss.detach()

    def _forward(self, network: nn.Module, x: Tensor) -> networks.Features:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            features = network(x)
        return networks.Features(*(part.float() for part in features))

    @torch.no_grad()
    def _dilute_batch(self, V: Float[Tensor, "b d"], y: Int[Tensor, " b"]) -> tuple[Tensor, Tensor]:
        """Eq. (1)-(4) and Definition 1 inside the batch, from one search for neighbours."""
        return self._dilute(V, y, *nearest(V, self.config.dilution.k, check=False))

    def _dilute(self, V: Tensor, y: Tensor, indices: Tensor, cosines: Tensor) -> tuple[Tensor, Tensor]:
        onehot = one_hot(y, self.num_classes)
        Z = dilute_known(indices, cosines, onehot, self.weights, self.config.dilution)
        return Z, most_frequent(indices, cosines, onehot)

    # --- What is measured and kept ----------------------------------------------------------------------------------

    def _shares(self, labels: Mapping[str, Tensor]) -> dict[str, float]:
        """Accuracy of each kind of label against the true ones, and what the method kept."""
        kept = labels["kept"]
        row = {"kept_share": kept.float().mean().item(), "kept_precision": float("nan")}
        kinds = {"noisy": self.noisy, **{name: labels[name] for name in EPOCH_ARRAYS if name != "kept"}}
        for name, values in kinds.items():
            known = self.clean is not None
            row[f"{name}_label_accuracy"] = (values == self.clean).float().mean().item() if known else float("nan")
        if self.clean is not None:
            right = (self.noisy == self.clean) & kept
            row["kept_precision"] = right.sum().item() / max(1, kept.sum().item())
        return row

    def _small(self, labels: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        small = np.min_scalar_type(self.num_classes - 1)
        arrays = {name: values.cpu().numpy() for name, values in labels.items()}
        return {name: a.copy() if a.dtype == bool else a.astype(small) for name, a in arrays.items()}

    @torch.no_grad()
    def _evaluate(self, network: nn.Module, pixels: Tensor) -> networks.Features:
        network.eval()
        parts = [
            self._forward(network, images.normalise(batch, self.mean, self.std))
            for batch in pixels.split(EVALUATION_BATCH)
        ]
        return networks.Features(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def test_accuracy(self) -> float:
        """On the whole test set; the mean of the networks where there are two."""
        predicted = [self._evaluate(network, self.test_images).logits.argmax(dim=1) for network in self.networks]
        return torch.stack([(p == self.test_labels).float().mean() for p in predicted]).mean().item()

    @torch.no_grad()
    def _snapshot(self, epoch: int) -> xr.Dataset | None:
        """Embeddings, logits and diluted distribution of all training examples, in evaluation mode.

        The graph is over all examples, and of the float16 embeddings that are saved, so that diluting a saved
        snapshot gives the saved distribution.
        """
        if epoch not in self.config.snapshots:
            return None
        embeddings, logits = self._evaluate(self.networks[0], self.images)
        embeddings = embeddings.half()
        indices, cosines = nearest(embeddings.float(), self.config.dilution.k)
        diluted, _ = self._dilute(embeddings, self.noisy, indices, cosines)
        parts = {"embeddings": (embeddings, "feature"), "logits": (logits, "class"), "diluted": (diluted, "class")}
        return xr.Dataset({name: (("sample", last), t.cpu().numpy()) for name, (t, last) in parts.items()})


def _fit(training: _Training, run: Run, done: int, progress: bool) -> None:
    """Epoch after epoch; what is finished is saved at once, or with later epochs where epochs are very short."""
    config, pending = run.config, []
    saved_at, cost = time.perf_counter(), 0.0
    total = config.epochs * training.steps
    title = f"{config.method} on {config.dataset.rpartition('/')[2]}"
    with tqdm(total=total, initial=done * training.steps, desc=title, unit="step", disable=not progress) as bar:
        rate = run.info["realised_noise_rate"]
        if progress and rate is not None:
            bar.write(f"{config.noise} noise of rate {config.noise_rate:g}: {rate:.2%} of the labels are wrong")
        for epoch in range(done + 1, config.epochs + 1):
            pending.append(training.epoch(epoch, bar))
            row = pending[-1].row
            if not np.isfinite(row["train_loss"]):
                raise FloatingPointError(
                    f"training diverged in epoch {epoch} (train loss {row['train_loss']}), saved up to epoch "
                    f"{run.epochs_done}; try a learning_rate below {config.learning_rate}"
                )
            bar.set_postfix(
                epoch=epoch,
                loss=f"{row['train_loss']:.3f}",
                test=f"{row['test_accuracy']:.3f}",
                kept=f"{row['kept_share']:.2f}",
            )
            now = time.perf_counter()
            if cost <= SAVING_SHARE * (now - saved_at) or epoch in (*config.snapshots, config.epochs):
                run.commit(pending, training.state())
                pending, saved_at = [], time.perf_counter()
                cost = saved_at - now
