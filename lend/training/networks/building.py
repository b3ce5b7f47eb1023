"""A network that is ready to train: made by its name, tried on images, with what the run says of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lend.inputs import RunConfig, require_name
from lend.methods import Features
from lend.training.networks.embedding import RETURNED, head_of, parts_of, require_logits, tap
from lend.training.networks.factories import Made, MeanStd, foreign
from lend.training.networks.shipped import NETWORKS

TRIED = 2  # images: one alone hides a batch axis that is lost


@dataclass(frozen=True)
class Built:
    """A network in training mode that returns :class:`lend.methods.Features`, and how it wants its images.

    Args:
        network: The network.
        info: What config.json says of it.
        channels: Channels of its images; 3 where grey images are repeated.
        mean_std: Normalisation that its pretrained weights ask for; None for that of the data.
        channels_last: Whether it can compute in the channels-last layout, which convolutions prefer.
    """

    network: nn.Module
    info: Mapping[str, Any]
    channels: int
    mean_std: MeanStd | None = None
    channels_last: bool = True


def build(name: str, image_shape: tuple[int, ...], num_classes: int, width: int) -> nn.Module:
    """Build one of lend's networks with random weights from torch's global generator, in training mode.

    Args:
        name: "resnet18", "small", or "auto": small for images of fewer than 16 pixels a side, resnet18 for others.
        image_shape: (channels, height, width) of the images.
        num_classes: Classes.
        width: Channels, as the network defines them.

    Raises:
        ValueError: If the name is unknown.
    """
    if name == "auto":
        name = "small" if min(image_shape[1:]) < 16 else "resnet18"
    require_name(name, NETWORKS, "network")
    network = NETWORKS[name](image_shape[0], num_classes, width)
    network.eval()(torch.zeros(1, *image_shape))  # gives lazy layers their size
    return network.train()


def make(config: RunConfig, image_shape: tuple[int, ...], num_classes: int) -> Built:
    """Build the network of a run, with weights from torch's global generator or pretrained ones, in training mode.

    A network that is not lend's own is tried on two images, in evaluation mode and in training mode, so that what does
    not fit is known before a run begins.

    Args:
        config: Names the network and its options, and the layer of its embeddings.
        image_shape: (channels, height, width) of the images as it gets them.
        num_classes: Classes.

    Raises:
        ValueError: If the network cannot be made, cannot take the images, or returns something else than logits of the
            classes; or if it is unknown where its embeddings are.
        FileNotFoundError: If the file of own code is missing.
    """
    if ":" not in config.network:
        return _shipped(config, image_shape, num_classes)
    try:
        return _ready(foreign(config, image_shape, num_classes), config, image_shape, num_classes)
    except (ValueError, OSError) as error:
        raise type(error)(f"network {error}") from error


def _shipped(config: RunConfig, image_shape: tuple[int, ...], num_classes: int) -> Built:
    network, where = build(config.network, image_shape, num_classes, config.width), RETURNED
    if config.embedding_layer:
        where = tap(network, f"network {config.network}", num_classes, config.embedding_layer, "", True)
    name = next(name for name, kind in NETWORKS.items() if type(network) is kind)
    return Built(network, _info({"name": name}, network, where, None), image_shape[0])


def _ready(made: Made, config: RunConfig, image_shape: tuple[int, ...], num_classes: int) -> Built:
    place, changes = config.network, []
    network, channels, head, output = _tried(made.network, place, image_shape)
    if channels != image_shape[0]:
        changes.append(f"grey images repeated to {channels} channels")
    images = _images(channels, *image_shape[1:])
    logits = parts_of(output)[1]
    if head and not made.sized and logits.shape[1] != num_classes:
        changes.append(f"{head} replaced by a fresh layer of {num_classes} classes, it had {logits.shape[1]}")
        _replace(network, head, num_classes)
        head, output = head_of(network, images)
    require_logits(output, num_classes, place)
    where = tap(network, place, num_classes, config.embedding_layer, head, parts_of(output)[0] is not None)
    _require_finite(network, place, images)
    info = _info(made.origin, network, where, made.mean_std) | {"changes": changes}
    return Built(network.train(), info, channels, made.mean_std, _channels_last(network, place, images))


def _tried(network: nn.Module, place: str, image_shape: tuple[int, ...]) -> tuple[nn.Module, int, str, Any]:
    """Try a network on images of these channels; on grey ones of three channels where it does not take one."""
    channels, *size = image_shape
    spare = copy.deepcopy(network) if channels == 1 else None  # a failed trial may have given lazy layers a size
    try:
        return network, channels, *head_of(network, _images(channels, *size))
    except Exception as error:  # a network may raise anything
        failure = error
    if spare is not None:
        try:
            return spare, 3, *head_of(spare, _images(3, *size))
        except Exception as error:
            failure = error
    said = f"{type(failure).__name__}: {' '.join(str(failure).split())}"
    raise ValueError(
        f"{place}: cannot take images of shape {image_shape}: {said}; image_size resizes them, to 224 for example"
    ) from failure


def _images(channels: int, height: int, width: int) -> Tensor:
    """Images to try a network on: of no generator, and not constant, as normalising layers divide by a deviation."""
    values = torch.arange(TRIED * channels * height * width, dtype=torch.float32)
    return values.sin().view(TRIED, channels, height, width)


def _replace(network: nn.Module, head: str, num_classes: int) -> None:
    old = network.get_submodule(head)
    assert isinstance(old, nn.Linear)
    above, _, name = head.rpartition(".")
    setattr(network.get_submodule(above), name, nn.Linear(old.in_features, num_classes, bias=old.bias is not None))


@torch.no_grad()
def _require_finite(network: nn.Module, place: str, images: Tensor) -> None:
    for name, values in network.eval()(images)._asdict().items():
        if not values.isfinite().all():
            raise ValueError(f"{place}: its {name} of the first trial are not finite")


def _channels_last(network: nn.Module, place: str, images: Tensor) -> bool:
    """Try a copy in training mode; whether it computes in the channels-last layout, which ``view`` in it may forbid."""
    if not any(parameter.dim() == 5 for parameter in network.parameters()):
        try:
            trial = copy.deepcopy(network).train().to(memory_format=torch.channels_last)
            features = trial(images.contiguous(memory_format=torch.channels_last))
        except Exception:  # tried again below in the common layout, where an error is told
            pass
        else:
            _require_gradient(features, place)
            return True
    try:
        features = copy.deepcopy(network).train()(images)
    except Exception as error:
        said = " ".join(str(error).split())
        raise ValueError(f"{place}: fails in training mode: {type(error).__name__}: {said}") from error
    _require_gradient(features, place)
    return False


def _require_gradient(features: Features, place: str) -> None:
    if not features.logits.requires_grad:
        raise ValueError(f"{place}: cannot be trained: its logits have no gradient, all of it is frozen or detached")


def _info(origin: Mapping[str, Any], network: nn.Module, where: str, mean_std: MeanStd | None) -> dict[str, Any]:
    return {
        **origin,
        "embedding_layer": where,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "normalisation": "that of the pretrained weights" if mean_std else "mean and deviation of the training images",
    }
