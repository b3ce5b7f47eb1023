"""Own methods, data sets and noises of a run: imported here, and checked to be what the run was set up with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from lend import data, methods, noise
from lend.inputs import RunConfig, plugins
from lend.training.guarded import Guarded


def build_method(config: RunConfig) -> methods.Method:
    """Return the method that a run names, by its own class or by one of the names that lend knows.

    Raises:
        FileNotFoundError: If the file of the class is missing.
        ValueError: If the method or an option is unknown or out of range, or the class has changed, fails or is none.
    """
    if config.method not in config.sources:
        return methods.build(config.method, config.options)
    kind, place = _loaded("method", config), f"method {config.method}"
    try:
        return Guarded(place, methods.build(config.method, config.options, kind))
    except ValueError:
        raise
    except (Exception, SystemExit) as error:  # own code may raise anything where it is made
        raise plugins.told(place, error, kind) from error


def read_dataset(config: RunConfig) -> data.Dataset:
    """Return the data set that a run names, by its own function or by one of the names and formats that lend knows.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the data set is unknown or cannot be read, or the function has changed, fails or returns
            something else.
    """
    if config.dataset not in config.sources:
        return data.load(config.dataset, config.data, config.download)
    result = _called("dataset", config, {"folder": config.data, "download": config.download})
    return data.as_dataset(result, config.dataset)


def draw_labels(config: RunConfig, dataset: data.Dataset, seed: int) -> Int[Tensor, " n"]:
    """Draw the noisy labels of a run, by its own function or by one of the noises that lend knows.

    Args:
        config: Names the noise and its rate.
        dataset: The examples.
        seed: Seed of the noise.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the noise is unknown or does not fit, or the function has changed, fails or returns something
            else.
    """
    if config.noise not in config.sources:
        return torch.as_tensor(noise.draw(dataset, config.noise, config.noise_rate, seed))
    labels, images = dataset.train_labels.numpy(), dataset.train_images.numpy()
    images.flags.writeable = False  # the function gets the images of the training themselves, and a copy of the labels
    offered = {
        "labels": labels.copy(),
        "images": images,
        "num_classes": dataset.num_classes,
        "rate": config.noise_rate,
        "seed": seed,
    }
    result = _called("noise", config, offered)
    try:
        return torch.as_tensor(noise.as_noisy(result, labels, dataset.num_classes, seed))
    except ValueError as error:
        raise ValueError(f"noise {config.noise}: {error}") from error


def _called(name: str, config: RunConfig, offered: Mapping[str, Any]) -> Any:  # noqa: ANN401
    function = _loaded(name, config)
    try:
        return plugins.call(getattr(config, name), function, offered)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error


def _loaded(name: str, config: RunConfig) -> Any:  # noqa: ANN401
    text = getattr(config, name)
    try:
        return plugins.load(text, config.sources[text])
    except (ValueError, OSError) as error:
        raise type(error)(f"{name} {error}") from error
