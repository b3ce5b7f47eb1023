"""A network by its name, as its library or its file makes it, with random weights or pretrained ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from torch import nn

from lend.inputs import RunConfig, extra, plugins, require_known

MeanStd = tuple[tuple[float, ...], tuple[float, ...]]  # of each channel, of values in [0, 1]


@dataclass(frozen=True)
class Made:
    """A network as it was made, and what is known of it.

    Args:
        network: Any module.
        origin: What config.json says of where it comes from.
        mean_std: Normalisation that its pretrained weights ask for; None where it has none.
        sized: Whether it was asked for the classes of the data: if not, its last layer may be replaced.
    """

    network: nn.Module
    origin: Mapping[str, Any]
    mean_std: MeanStd | None = None
    sized: bool = True


def foreign(config: RunConfig, image_shape: tuple[int, ...], num_classes: int) -> Made:
    """Make a network that is not one of lend's own.

    Args:
        config: Names the network and its options.
        image_shape: (channels, height, width) of the images.
        num_classes: Classes.

    Raises:
        ValueError: If the library has no such network, an option is wrong, or the factory fails or makes no network.
        FileNotFoundError: If the file of own code is missing.
    """
    library, _, name = config.network.partition(":")
    if config.network not in config.sources:
        return _of_torchvision(config, name, num_classes) if library == "torchvision" else _of_timm(config, num_classes)
    channels, height, width = image_shape
    offered = {
        "channels": channels,
        "num_classes": num_classes,
        "width": config.width,
        "image_size": height if height == width else (height, width),
    }
    digest = config.sources[config.network]
    factory = plugins.load(config.network, digest)
    if isinstance(factory, nn.Module):
        raise ValueError(f"{config.network}: must be a class or function that makes the network, not a network")
    network = plugins.call(config.network, factory, offered, config.network_options)
    origin = {"name": plugins.short_name(config.network), "source": digest}
    return Made(_module(config.network, network), origin, sized=plugins.takes(factory, "num_classes"))


def _of_torchvision(config: RunConfig, name: str, num_classes: int) -> Made:
    with extra("train"):
        from torchvision import models

    require_known(config.network, name, models.list_models(module=models))
    weights, mean_std = config.network_options.get("weights"), None
    options = dict(config.network_options)
    if weights is None:
        options["num_classes"] = num_classes
    else:  # those of other classes cannot be loaded into a network of ours
        kinds = models.get_model_weights(name)
        known = {"DEFAULT": kinds.DEFAULT} | {entry.name: entry for entry in kinds}
        short = str(weights).removeprefix(f"{kinds.__name__}.")
        require_known(f"{config.network}: weights", short, known)
        options["weights"] = known[short]
        preset = known[short].transforms()
        mean_std = tuple(preset.mean), tuple(preset.std)
    network = _attempt(config.network, models.get_model, name, options)
    origin = {"name": config.network, "version": version("torchvision")}
    return Made(_module(config.network, network), origin, mean_std, sized=weights is None)


def _of_timm(config: RunConfig, num_classes: int) -> Made:
    with extra("timm"):
        import timm

    name = config.network.partition(":")[2]
    if "/" not in name and ":" not in name:  # a name of lend's hub; others are of another place
        require_known(config.network, name.partition(".")[0], timm.list_models())
    options = {"num_classes": num_classes, **config.network_options}
    network = _attempt(config.network, timm.create_model, name, options)
    mean_std = None
    if config.network_options.get("pretrained"):
        settings = timm.data.resolve_data_config({}, model=network)
        mean_std = tuple(settings["mean"]), tuple(settings["std"])
    return Made(network, {"name": config.network, "version": version("timm")}, mean_std)


def _attempt(place: str, make: Callable[..., Any], name: str, options: Mapping[str, Any]) -> Any:  # noqa: ANN401
    try:
        return make(name, **options)
    except Exception as error:  # an option that it does not know, or weights that cannot be fetched
        said = " ".join(str(error).split())
        raise ValueError(f"{place}: cannot be made: {type(error).__name__}: {said}") from error


def _module(place: str, network: object) -> nn.Module:
    if not isinstance(network, nn.Module):
        raise ValueError(f"{place}: must make a torch.nn.Module, got {type(network).__name__}")
    return network
