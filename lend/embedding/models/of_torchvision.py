"""Classification networks of torchvision: what goes into their last linear layer."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import torch

from lend.embedding.model import Model, Wish, fetching, weights_digest
from lend.embedding.network import device_of, encoder, images_at_once, ready, seeded, without_last_linear
from lend.embedding.source import IMAGES
from lend.inputs import extra, require_known


def open_torchvision(wish: Wish) -> Model:
    """A network of torchvision by its name, with the images resized and cropped as its weights ask.

    Raises:
        ValueError: If there is no such network or weights, or the weights cannot be had.
    """
    wish.require_kind(IMAGES)
    wish.require_own_size()
    with extra("train"):
        from torchvision import models

    require_known(wish.name, wish.short, models.list_models(module=models))
    kinds = models.get_model_weights(wish.short)
    known: dict[str, Any] = {"default": kinds.DEFAULT, "none": kinds.DEFAULT} | {entry.name: entry for entry in kinds}
    require_known(f"{wish.name}: weights", wish.weights, known)
    weights = known[wish.weights]
    random = wish.weights == "none"
    options = {"init_weights": True} if random and wish.short in ("googlenet", "inception_v3") else {}
    with fetching(wish), seeded():
        network = models.get_model(wish.short, weights=None if random else weights, **options)
    preset = weights.transforms()
    size = preset.crop_size[0]
    about = {
        "name": wish.name,
        "version": version("torchvision"),
        "weights": weights_digest(network),
        "images": f"shorter side to {preset.resize_size[0]}, {preset.interpolation.value}, centre {size}x{size}",
    }
    device = device_of(wish.device)
    network = ready(without_last_linear(network, wish.name), device)
    return Model(
        IMAGES,
        about,
        prepare=lambda pixels: preset(torch.from_numpy(pixels.copy()).permute(2, 0, 1)),
        encode=encoder(network, device),
        batch_size=images_at_once(size, device),
        size=size,
    )
