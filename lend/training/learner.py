"""What is learned in a run, and how: the networks, their averages, the method's own module, one optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lend.data import Dataset
from lend.inputs import RunConfig, require
from lend.methods import Features, Method
from lend.training import evaluation, images, networks
from lend.training.compiling import Compiler
from lend.training.parallel import Processes


class Learner:
    """Networks and whatever else has parameters.

    Args:
        config: Settings of the run.
        method: Says how many networks there are, and brings what it owns.
        dataset: The training examples.
        noisy: Their noisy labels.
        device: Where everything is computed.
        processes: The processes that train this run together.
        bf16: Compute the networks in bfloat16.

    Raises:
        ValueError: If the network does not fit the data, or the method brings something wrong.

    Attributes:
        shards: Networks of each shard of this process; the first are the networks themselves.
        averages: Exponential moving averages of the networks; None if the method wants none.
        own: The method's own module; None if it has none.
        info: Where the network came from.
    """

    def __init__(
        self,
        config: RunConfig,
        method: Method,
        dataset: Dataset,
        noisy: Int[Tensor, " n"],
        device: torch.device,
        processes: Processes,
        *,
        bf16: bool = False,
    ) -> None:
        self.config, self.device, self.processes, self.bf16 = config, device, processes, bf16
        self.call = Compiler(config.compile)
        built = [self._network(number, dataset) for number in range(method.networks)]
        self.info = built[0].info
        self.prepare = self._preparation(built, dataset)
        self.networks = nn.ModuleList(part.network for part in built)
        layout = torch.channels_last if self.prepare.channels_last else torch.preserve_format
        self.networks.to(device=device, memory_format=layout)  # type: ignore[call-overload]  # 4-D only
        self.averages = None if method.average_decay is None else self._averages(method.average_decay)
        self.shards = processes.shards(config.shards, self.networks)
        self.own = self._own_module(method, dataset, noisy)
        self.optimizer = torch.optim.SGD(
            [{"params": list(self.networks.parameters())}, *(method.parameter_groups(self.own) if self.own else ())],
            lr=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            fused=device.type == "cuda",  # elsewhere it saves nothing
        )
        self._rates = [group["lr"] for group in self.optimizer.param_groups]

    def _network(self, number: int, dataset: Dataset) -> networks.Built:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed + 10_000 * number)
            channels, *size = dataset.train_images.shape[1:]
            size = size if self.config.image_size is None else [self.config.image_size] * 2
            return networks.make(self.config, (channels, *size), dataset.num_classes)

    def _preparation(self, built: list[networks.Built], dataset: Dataset) -> images.Preparation:
        """How the networks want their images: standardised as their weights ask for, or else as the data are."""
        first, given = built[0], dataset.mean_std()
        if first.mean_std is not None:
            given = torch.tensor(first.mean_std[0]), torch.tensor(first.mean_std[1])
        mean, std = (value.expand(first.channels).to(self.device) for value in given)
        last = all(part.channels_last for part in built)
        return images.Preparation(mean, std, self.config.image_size, last)

    def _averages(self, decay: float) -> AveragedModel:
        require(0 < decay < 1, "average_decay", "inside (0, 1)", decay)
        return AveragedModel(self.networks, multi_avg_fn=get_ema_multi_avg_fn(decay)).eval().requires_grad_(False)

    def _own_module(self, method: Method, dataset: Dataset, noisy: Int[Tensor, " n"]) -> nn.Module | None:
        """The method's own module, drawn from a seed of its own."""
        features = self.features(0, dataset.train_images[:1].to(self.device))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed + 10_000 * method.networks)
            own = method.build_own(noisy, dataset.num_classes, features.embeddings.shape[1])
        return None if own is None else own.to(self.device)

    # --- Its state --------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return all parameters, buffers and what the optimiser knows, without copying them."""
        more = {"own": self.own, "averages": self.averages}
        return {
            "networks": self.networks.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **{name: module.state_dict() for name, module in more.items() if module is not None},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` returned after an earlier epoch."""
        self.networks.load_state_dict(state["networks"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name, module in (("own", self.own), ("averages", self.averages)):
            if module is not None:
                module.load_state_dict(state[name])
        for shard in self.shards.values():
            shard.load_state_dict(self.networks.state_dict())

    # --- Learning ---------------------------------------------------------------------------------------------------

    def begin(self, factor: float) -> None:
        """Begin an epoch: training mode, every learning rate times a factor."""
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        for shard in self.shards.values():
            shard.train()

    def step(self) -> None:
        """Move all parameters along their gradients, which the processes sum, and the averages after them."""
        self.processes.sum_gradients(p for group in self.optimizer.param_groups for p in group["params"])
        self.optimizer.step()
        if self.averages is not None:
            self.averages.update_parameters(self.networks)

    def agree(self) -> None:
        """Give all shards of all processes the mean of their statistics, after an epoch."""
        if self.config.shards == 1:
            return
        for buffers in zip(*(shard.buffers() for shard in self.shards.values()), strict=True):
            if buffers[0].is_floating_point():
                mean = self.processes.sum_(torch.stack(buffers).sum(dim=0)) / self.config.shards
                for buffer in buffers:
                    buffer.copy_(mean)

    # --- Features ---------------------------------------------------------------------------------------------------

    def forward(self, network: nn.Module, x: Float[Tensor, "b channels height width"]) -> Features:
        """Return the features of prepared images, in float32."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            features = self.call(network, x)
        return Features(*(part.float() for part in features))

    @torch.no_grad()
    def averaged(self, x: Float[Tensor, "b channels height width"]) -> tuple[Features, ...]:
        """Return the features from the averaged networks; empty where there are none."""
        networks = () if self.averages is None else self.averages.module.children()
        return tuple(self.forward(network, x) for network in networks)

    def forward_pixels(self, network: nn.Module, pixels: UInt8[Tensor, "b channels height width"]) -> Features:
        """Prepare images, and return their features."""
        if self.config.image_size is None:
            return self.forward(network, self.prepare(pixels))
        # a network for large images takes no more of them at once than it was trained on
        parts = [self.forward(network, self.prepare(part)) for part in pixels.split(self.config.batch_size)]
        return Features(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def features(self, number: int, pixels: UInt8[Tensor, "m channels height width"]) -> Features:
        """Return the features of any number of images in evaluation mode, from the network of this number."""
        return evaluation.features(self.networks[number], pixels, self.forward_pixels)
