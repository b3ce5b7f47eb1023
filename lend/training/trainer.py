"""One epoch of training: steps, evaluation, what is kept of it.

Every random draw of an epoch comes from generators seeded by (seed, epoch), so the state of a run is networks,
optimiser and per-example memory, and a run that goes on draws what it would have drawn.
"""

from __future__ import annotations

import copy
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import xarray as xr
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from tqdm.auto import tqdm

from lend.dilution import COLLAPSE, dilute_among, dilute_among_neighbors, one_hot, prior_weights
from lend.inputs import RunConfig, require
from lend.methods import Batch, Epoch, Features, Method
from lend.neighbors import nearest
from lend.recording import make_snapshot, on_the_way, to_cpu
from lend.run import EPOCH_ARRAYS
from lend.training import evaluation, images
from lend.training.ending import Ending, Reader
from lend.training.examples import Source
from lend.training.guarded import Guarded
from lend.training.learner import Learner
from lend.training.parallel import Processes

AHEAD = 2  # steps that a card is given before the host reads the epoch before: more work than it takes to read
TRIED = 32  # examples of the batch on which a method of one's own is tried
Found = tuple[Int[Tensor, "n m"], Float[Tensor, "n m"]]  # neighbours of all examples, and their cosines
LABEL_KINDS = tuple(name for name in EPOCH_ARRAYS if name != "kept")  # the labels of a pass


@dataclass(frozen=True)
class Pass:
    """What one pass over the training examples leaves, filled step by step.

    Args:
        epoch: Number of the epoch, from 1.
        loss: Sum of the losses of the steps.
        labels: Tensors (n,) by the names of :data:`LABEL_KINDS`.
        seen_here: Mask of the examples that this process has trained on.
    """

    epoch: int
    loss: Float[Tensor, ""]
    labels: dict[str, Int[Tensor, " n"]]
    seen_here: Bool[Tensor, " n"]


class Trainer:
    """The moving parts of a run: what is learned, per-example memory, examples on the device.

    Args:
        config: Settings of the run.
        method: Gives the loss.
        source: Training examples and held-out ones.
        device: Where everything is computed.
        processes: The processes that train this run together.
        bf16: Compute the networks in bfloat16.

    Raises:
        ValueError: If a setting does not fit the data, the method or the processes.
    """

    def __init__(
        self,
        config: RunConfig,
        method: Method,
        source: Source,
        device: torch.device,
        processes: Processes,
        *,
        bf16: bool = False,
    ) -> None:
        _check_neighbors(config, method, len(source.noisy))
        self.config, self.method, self.device, self.processes = config, method, device, processes
        dataset = source.dataset
        self.images, self.test_images = dataset.train_images.to(device), dataset.test_images.to(device)
        self.noisy, self.test_labels = source.noisy.to(device), dataset.test_labels.to(device)
        self.validation = source.validation_images.to(device), source.validation_labels.to(device)
        self.num_classes = dataset.num_classes
        self.steps = math.ceil(len(self.noisy) / config.batch_size)
        self.read = Reader(source, self.steps)
        self.learner = Learner(config, method, dataset, self.noisy, device, processes, bf16=bf16)
        self.memory = method.initial_memory(self.noisy, self.num_classes)
        self.embeddings: Tensor | None = None  # of the epoch's passes, (n, d), where the scope is the data set
        # the share of each class among all given labels: a batch's own share is a noisy count
        self.weights = prior_weights(config.dilution.class_prior, one_hot(self.noisy, self.num_classes))
        if config.dilution.steps == "converged":
            warnings.warn(COLLAPSE, stacklevel=2)

    def state(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on, without copying it."""
        return self.learner.state() | {"memory": self.memory}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` returned after an earlier epoch."""
        self.learner.load(state)
        self.memory = {name: value.to(self.device) for name, value in state["memory"].items()}

    def try_out(self, method: Guarded) -> None:
        """Take the loss of a batch and its gradient, on copies: what fails in it is known before anything is written.

        Args:
            method: That of this trainer, of which nothing is known.

        Raises:
            ValueError: If the loss fails, is not finite or has no gradient, or leaves a memory that is none.
        """
        trial = copy.copy(self)
        trial.memory = {name: values.clone() for name, values in self.memory.items()}
        trial.learner = copy.copy(self.learner)
        trial.learner.own = copy.deepcopy(self.learner.own)
        shard = copy.deepcopy(next(iter(self.learner.shards.values()))).train()
        few = max(TRIED, 2 * self.config.dilution.k)
        index = torch.arange(min(few, self.config.batch_size, len(self.noisy)), device=self.device)
        current, generator = self._new_pass(1), self._generator(1, 1)
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            loss = trial._loss(shard, index, generator, current)
            try:
                loss.backward()
            except RuntimeError as error:
                raise ValueError(f"{method.place}: no gradient of its loss: {' '.join(str(error).split())}") from error
        require(bool(loss.isfinite()), f"{method.place}: loss", "finite in the first batch", loss.item())
        method.check(trial.memory, self.noisy)

    # --- One epoch ------------------------------------------------------------------------------------------------

    def epoch(self, epoch: int, bar: tqdm, meanwhile: Callable[[], object] = lambda: None) -> Ending:
        """Train for one pass over the examples, and evaluate; ``read`` waits for what it leaves, nothing does here.

        Its labels are those of the training pass itself, so they need no second pass.

        Args:
            epoch: Number of the epoch, from 1; the epochs before it are trained or loaded.
            bar: Progress bar to move by one at each step.
            meanwhile: Called once the first steps are under way: what the host has to do of the epoch before.
        """
        start = time.perf_counter()
        order, *draws = (self._generator(epoch, part) for part in range(self.config.shards + 1))
        dropped = epoch > self.config.drop_at * self.config.epochs
        self.learner.begin(0.1 if dropped else 1)
        current = self._new_pass(epoch)
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            for step, index in enumerate(images.batches(len(self.noisy), self.config.batch_size, order, self.device)):
                parts = index.tensor_split(self.config.shards)
                here = [(shard, parts[i], draws[i]) for i, shard in self.learner.shards.items()]
                current.loss.add_(self._step(step, here, current))
                bar.update()
                if step == min(AHEAD, self.steps) - 1:
                    meanwhile()
        return self._end(current, start)

    def _end(self, current: Pass, start: float) -> Ending:
        """Exchange, dilute, evaluate and send off what an epoch leaves, all behind its steps; none of it is awaited."""
        self._exchange(current)
        kept = self.memory.get("kept", torch.ones_like(current.seen_here)).clone()
        # after kept is copied: what the method does now chooses for the next epoch
        found = self._search(current) if self.method.scope == "dataset" else None
        diluted = self._dilute_all(found, current) if found else None
        known = Epoch(current.epoch, self.noisy, diluted, self._features, self.learner.own, self.embeddings, found)
        self.method.after_epoch(known, self.memory)
        scores = {name: to_cpu(value) for name, value in self._scores().items()}
        labels = {name: to_cpu(values) for name, values in current.labels.items()}
        sent = to_cpu(current.loss), scores, labels, to_cpu(kept)
        when = start, time.perf_counter(), on_the_way()
        if current.epoch not in self.config.snapshot_epochs:
            return Ending(current.epoch, *sent, *when)
        snapshot = self._snapshot()
        return Ending(current.epoch, *sent, *when, snapshot, diverged=snapshot is None)

    def _generator(self, epoch: int, part: int) -> torch.Generator:
        return torch.Generator().manual_seed((part << 40) + self.config.seed * 1_000_003 + epoch)

    def _new_pass(self, epoch: int) -> Pass:
        labels = {name: torch.zeros_like(self.noisy) for name in LABEL_KINDS}
        return Pass(epoch, torch.zeros((), device=self.device), labels, torch.zeros_like(self.noisy, dtype=torch.bool))

    def _step(
        self, step: int, parts: list[tuple[nn.ModuleList, Int[Tensor, " _"], torch.Generator]], current: Pass
    ) -> Float[Tensor, ""]:
        """Step on this process's parts of a batch; return their share of the mean loss of all parts."""
        total = torch.zeros((), device=self.device)
        self.learner.optimizer.zero_grad()
        for shard, index, generator in parts:
            current.seen_here[index] = True
            # dropout draws from the global generator: the same wherever the run goes on, in whichever process
            torch.manual_seed(hash((generator.initial_seed(), step)) % 2**63)
            loss = self._loss(shard, index, generator, current) / self.config.shards
            loss.backward()
            total += loss.detach()
        self.learner.step()
        return total

    def _loss(
        self, shard: nn.ModuleList, index: Int[Tensor, " b"], generator: torch.Generator, current: Pass
    ) -> Float[Tensor, ""]:
        raw = self.images[index]
        views = tuple(self._view(raw, generator) for _ in range(self.method.views))
        outputs = [self.learner.forward(network, views[0]) for network in shard]
        noisy, V, diluted = self.noisy[index], outputs[0].embeddings.detach(), None
        current.labels["predicted"][index] = outputs[0].logits.detach().argmax(dim=1)
        if self.method.scope == "dataset":
            self._keep_embeddings(V, index)
        else:
            diluted, current.labels["dominant"][index] = dilute_among(V, noisy, self.weights, self.config.dilution)
            current.labels["diluted"][index] = diluted.argmax(dim=1)
        batch = Batch(
            index,
            noisy,
            diluted,
            views,
            forward=lambda number, x: self.learner.forward(shard[number], x),
            averages=self.learner.averaged(views[0]),
            own=self.learner.own,
            generator=generator,
        )
        return self.method.loss(outputs, batch, self.memory, current.epoch)

    def _view(
        self, raw: UInt8[Tensor, "b _ height width"], generator: torch.Generator
    ) -> Float[Tensor, "b channels h w"]:
        return self.learner.prepare(images.augment(raw, generator) if self.config.augment else raw)

    def _exchange(self, current: Pass) -> None:
        """Give every process what the others know of their examples, and all networks the same statistics."""
        self.processes.sum_(current.loss)
        for values in (*current.labels.values(), *self.memory.values()):
            self.processes.gather_(values, current.seen_here)
        self.learner.agree()

    # --- Dilution ---------------------------------------------------------------------------------------------------

    def _keep_embeddings(self, V: Float[Tensor, "b d"], index: Int[Tensor, " b"]) -> None:
        if self.embeddings is None:
            self.embeddings = V.new_zeros(len(self.noisy), V.shape[1])
        self.embeddings[index] = V

    def _search(self, current: Pass) -> Found:
        """Find neighbours among all examples by the embeddings of the epoch, once for the dilution and the method."""
        assert self.embeddings is not None  # every batch of the epoch has filled it
        self.processes.gather_(self.embeddings, current.seen_here)
        return nearest(self.embeddings, max(self.config.dilution.k, self.method.neighbors), check=False)

    def _dilute_all(self, found: Found, current: Pass) -> Float[Tensor, "n c"]:
        """Dilute among all examples."""
        diluted, current.labels["dominant"] = dilute_among_neighbors(
            *found, self.noisy, self.weights, self.config.dilution
        )
        current.labels["diluted"] = diluted.argmax(dim=1)
        return diluted

    # --- What is measured and kept ----------------------------------------------------------------------------------

    def _scores(self) -> dict[str, Float[Tensor, ""]]:
        """Test accuracy, the mean of the networks where there are two, and that of their ensemble; validation."""
        networks, forward = self.learner.networks, self.learner.forward_pixels
        test, ensemble = evaluation.accuracies(networks, self.test_images, self.test_labels, forward)
        validation = torch.full_like(test, torch.nan)
        if len(self.validation[1]) > 0:
            validation, _ = evaluation.accuracies(networks, *self.validation, forward)
        return {"test_accuracy": test, "ensemble_accuracy": ensemble, "validation_accuracy": validation}

    def _features(self, number: int) -> Features:
        """Features of all training examples in evaluation mode, from the network of this number."""
        return self.learner.features(number, self.images)

    @torch.no_grad()
    def _snapshot(self) -> xr.Dataset | None:
        """Embeddings, logits and diluted distribution of all training examples, in evaluation mode.

        None where the training has diverged: an embedding that is not finite has no neighbours.
        """
        embeddings, logits = self._features(0)
        if not embeddings.isfinite().all():
            return None
        return make_snapshot(embeddings, logits, self.noisy, self.weights, self.config.dilution)


def _check_neighbors(config: RunConfig, method: Method, n: int) -> None:
    """Raise ValueError if a graph of the training has too few examples for its neighbours."""
    if method.scope == "dataset":
        smallest, part = n, "the training set"
        require(method.neighbors < n, "neighbors", f"below the {n} examples of {part}", method.neighbors)
    else:
        smallest = n // math.ceil(n / config.batch_size) // config.shards
        part = "a batch" if config.shards == 1 else f"a batch in {config.shards} shards"
    if smallest <= config.dilution.k:
        raise ValueError(f"k must be below the {smallest} examples of {part}, got {config.dilution.k}")
