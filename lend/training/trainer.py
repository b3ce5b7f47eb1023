"""One epoch of training: steps, evaluation, what is kept of it.

Every random draw of an epoch comes from generators seeded by (seed, epoch), so the state of a run is networks,
optimiser and per-example memory, and a run that goes on draws what it would have drawn.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from tqdm.auto import tqdm

from lend import methods
from lend.config import RunConfig
from lend.dilution import COLLAPSE, dilute_from_neighbors, most_frequent, one_hot, prior_weights
from lend.neighbors import nearest
from lend.run import EPOCH_ARRAYS, EpochResult
from lend.training import images, networks
from lend.training.examples import Source
from lend.training.parallel import Processes

EVALUATION_BATCH = 1000


class Trainer:
    """The moving parts of a run: networks, optimiser, per-example memory."""

    bf16 = False

    def __init__(
        self,
        config: RunConfig,
        method: methods.Method,
        source: Source,
        device: torch.device,
        processes: Processes,
    ) -> None:
        _check_neighbors(config, method.scope, len(source.noisy))
        self.config, self.method, self.device, self.processes = config, method, device, processes
        dataset = source.dataset
        self.images, self.test_images = dataset.train_images.to(device), dataset.test_images.to(device)
        self.mean, self.std = (value.to(device) for value in dataset.mean_std())
        self.noisy, self.test_labels = source.noisy.to(device), dataset.test_labels.to(device)
        self.clean = dataset.train_labels.to(device) if dataset.clean else None
        self.validation = source.validation_images.to(device), source.validation_labels.to(device)
        self.num_classes = dataset.num_classes
        self.steps = -(-len(self.noisy) // config.batch_size)
        self.networks = nn.ModuleList(self._network(seed) for seed in range(method.networks))
        self.networks.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # 4-D only
        self.shards = processes.shards(config.shards, self.networks)
        self.optimizer = torch.optim.SGD(
            self.networks.parameters(),
            lr=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            fused=device.type == "cuda",  # elsewhere it saves nothing
        )
        self.memory = method.initial_memory(self.noisy, self.num_classes)
        self.embeddings: Tensor | None = None  # of the epoch's passes, (n, d), where the scope is the data set
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
        for shard in self.shards.values():
            shard.load_state_dict(self.networks.state_dict())

    # --- One epoch ------------------------------------------------------------------------------------------------

    def epoch(self, epoch: int, bar: tqdm) -> EpochResult:
        """Train for one pass; labels are those of the passes themselves, at no cost of a second one."""
        start = time.perf_counter()
        order, *draws = (self._generator(epoch, part) for part in range(self.config.shards + 1))
        dropped = epoch > self.config.drop_at * self.config.epochs
        self.optimizer.param_groups[0]["lr"] = self.config.learning_rate * (0.1 if dropped else 1)
        labels = {name: torch.zeros_like(self.noisy) for name in EPOCH_ARRAYS if name != "kept"}
        loss, mine = torch.zeros((), device=self.device), torch.zeros_like(self.noisy, dtype=torch.bool)
        for shard in self.shards.values():
            shard.train()
        for index in images.batches(len(self.noisy), self.config.batch_size, order, self.device):
            parts = index.tensor_split(self.config.shards)
            loss += self._step([(shard, parts[i], draws[i]) for i, shard in self.shards.items()], epoch, labels, mine)
            bar.update()
        self._agree(loss, labels, mine)
        labels["kept"] = self.memory.get("kept", torch.ones_like(self.noisy, dtype=torch.bool)).clone()
        if self.method.scope == "dataset":
            self._dilute_all(labels, mine)
        row = {"train_loss": loss.item() / self.steps, **self._scores(), **self._shares(labels)}
        row["seconds"] = time.perf_counter() - start
        return EpochResult(epoch, row, self._small(labels), self._snapshot(epoch))

    def _generator(self, epoch: int, part: int) -> torch.Generator:
        return torch.Generator().manual_seed((part << 40) + self.config.seed * 1_000_003 + epoch)

    def _step(
        self,
        parts: list[tuple[nn.ModuleList, Int[Tensor, " _"], torch.Generator]],
        epoch: int,
        labels: dict[str, Tensor],
        mine: Bool[Tensor, " n"],
    ) -> Float[Tensor, ""]:
        """One step on this process's parts of a batch: the mean of the losses of all parts."""
        total = torch.zeros((), device=self.device)
        self.optimizer.zero_grad()
        for shard, index, generator in parts:
            mine[index] = True
            loss = self._loss(shard, index, generator, epoch, labels) / self.config.shards
            loss.backward()
            total += loss.detach()
        self.processes.sum_gradients(self.networks.parameters())
        self.optimizer.step()
        return total

    def _loss(
        self,
        shard: nn.ModuleList,
        index: Int[Tensor, " b"],
        generator: torch.Generator,
        epoch: int,
        labels: dict[str, Tensor],
    ) -> Float[Tensor, ""]:
        raw = self.images[index]
        x = images.normalise(images.augment(raw, generator) if self.config.augment else raw, self.mean, self.std)
        outputs = [self._forward(network, x) for network in shard]
        noisy, V, diluted = self.noisy[index], outputs[0].embeddings.detach(), None
        labels["predicted"][index] = outputs[0].logits.detach().argmax(dim=1)
        if self.method.scope == "dataset":
            self._keep(V, index)
        else:
            diluted, labels["dominant"][index] = self._dilute_batch(V, noisy)
            labels["diluted"][index] = diluted.argmax(dim=1)
        return self.method.loss(outputs, methods.Batch(index, noisy, diluted), self.memory, epoch)

    def _keep(self, V: Float[Tensor, "b d"], index: Int[Tensor, " b"]) -> None:
        if self.embeddings is None:
            self.embeddings = V.new_zeros(len(self.noisy), V.shape[1])
        self.embeddings[index] = V

    @torch.no_grad()
    def _dilute_all(self, labels: dict[str, Tensor], mine: Bool[Tensor, " n"]) -> None:
        """Eq. (1)-(4) and Definition 1 among all examples, from the embeddings of the epoch's passes."""
        assert self.embeddings is not None  # every batch of the epoch has filled it
        self.processes.gather_(self.embeddings, mine)
        diluted, labels["dominant"] = self._dilute_batch(self.embeddings, self.noisy)
        labels["diluted"] = diluted.argmax(dim=1)
        self.method.after_epoch(diluted, self.noisy, self.memory)

    def _agree(self, loss: Float[Tensor, ""], labels: dict[str, Tensor], mine: Bool[Tensor, " n"]) -> None:
        """Every process learns what the others know of their examples; shards take the mean of their statistics."""
        self.processes.sum_(loss)
        for values in (*labels.values(), *self.memory.values()):
            self.processes.gather_(values, mine)
        if self.config.shards == 1:
            return
        for buffers in zip(*(shard.buffers() for shard in self.shards.values()), strict=True):
            if buffers[0].is_floating_point():
                mean = self.processes.sum_(torch.stack(buffers).sum(dim=0)) / self.config.shards
                for buffer in buffers:
                    buffer.copy_(mean)

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
        Z = dilute_from_neighbors(indices, cosines, onehot, self.weights, self.config.dilution)
        return Z, most_frequent(indices, cosines, onehot)

    # --- What is measured and kept ----------------------------------------------------------------------------------

    def _shares(self, labels: Mapping[str, Tensor]) -> dict[str, float]:
        """Accuracy of each kind of label against the true ones, and what the method kept."""
        kept = labels["kept"]
        row = {"kept_share": kept.float().mean().item(), "kept_precision": float("nan")}
        kinds = {"noisy": self.noisy, **{name: labels[name] for name in EPOCH_ARRAYS if name != "kept"}}
        for name, values in kinds.items():
            row[f"{name}_label_accuracy"] = float("nan")
            if self.clean is not None:
                row[f"{name}_label_accuracy"] = (values == self.clean).float().mean().item()
        if self.clean is not None and kept.any():
            right = (self.noisy == self.clean) & kept
            row["kept_precision"] = right.sum().item() / kept.sum().item()
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

    def _scores(self) -> dict[str, float]:
        """Test accuracy, the mean of the networks where there are two, and that of their ensemble; validation."""
        test, ensemble = self._accuracy(self.test_images, self.test_labels)
        held_out = len(self.validation[1]) > 0
        validation = self._accuracy(*self.validation)[0] if held_out else float("nan")
        return {"test_accuracy": test, "ensemble_accuracy": ensemble, "validation_accuracy": validation}

    def _accuracy(self, pixels: Tensor, labels: Int[Tensor, " m"]) -> tuple[float, float]:
        """Mean accuracy of the networks, and accuracy of the argmax of their mean softmax."""
        shares = torch.stack([self._evaluate(network, pixels).logits.softmax(dim=1) for network in self.networks])
        single = (shares.argmax(dim=2) == labels).float().mean().item()
        return single, (shares.mean(dim=0).argmax(dim=1) == labels).float().mean().item()

    @torch.no_grad()
    def _snapshot(self, epoch: int) -> xr.Dataset | None:
        """Embeddings, logits and diluted distribution of all training examples, in evaluation mode.

        The graph is over all examples, and of the float16 embeddings that are saved, so that diluting a saved
        snapshot gives the saved distribution.
        """
        if epoch not in self.config.snapshot_epochs:
            return None
        embeddings, logits = self._evaluate(self.networks[0], self.images)
        embeddings = embeddings.half()
        indices, cosines = nearest(embeddings.float(), self.config.dilution.k)
        diluted, _ = self._dilute(embeddings, self.noisy, indices, cosines)
        parts = {"embeddings": (embeddings, "feature"), "logits": (logits, "class"), "diluted": (diluted, "class")}
        return xr.Dataset({name: (("sample", last), t.cpu().numpy()) for name, (t, last) in parts.items()})


def _check_neighbors(config: RunConfig, scope: str, n: int) -> None:
    """Raise ValueError if a graph of the training has too few examples for k neighbours."""
    if scope == "dataset":
        smallest, part = n, "the training set"
    else:
        smallest = n // math.ceil(n / config.batch_size) // config.shards
        part = "a batch" if config.shards == 1 else f"a batch in {config.shards} shards"
    if smallest <= config.dilution.k:
        raise ValueError(f"k must be below the {smallest} examples of {part}, got {config.dilution.k}")
