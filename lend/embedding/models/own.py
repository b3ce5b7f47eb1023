"""A model of one's own: what a function in a file returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lend.embedding.images import whole_square
from lend.embedding.model import Model, Wish
from lend.embedding.network import device_of, encoder, images_at_once, pooled, seeded
from lend.embedding.source import IMAGES, TEXTS
from lend.inputs import as_count, plugins, require

SIZE = 224  # pixels, where the model does not say


def open_own(wish: Wish) -> Model:
    """What a function or class of one's own makes; it is given those of ``kind``, ``image_size``, ``device`` it takes.

    For images it is called with a float tensor (b, 3, size, size) of values in [0, 1], where size is its attribute
    ``image_size``, else 224; or, if it has a method ``preprocess``, with the stacked results of that on each image of
    Pillow. For texts it is called with a list of them. It returns (b, d), of any library.

    Raises:
        ValueError: If the code cannot be loaded or fails, or makes nothing that can be called.
    """
    digest = plugins.source_digest(wish.name)
    require(wish.weights == "default", "weights", f"left to {wish.name}", wish.weights)
    factory = plugins.load(wish.name, digest)
    device = device_of(wish.device)
    offered = {"kind": wish.kind, "image_size": wish.image_size, "device": str(device)}
    with seeded():
        made = plugins.call(wish.name, factory, offered)
    require(callable(made), wish.name, "a function or class that makes something to call", type(made).__name__)
    if isinstance(made, nn.Module):
        made = made.eval().to(device)
    about: dict[str, Any] = {"name": plugins.short_name(wish.name), "source": digest}
    if wish.kind == TEXTS:
        return Model(TEXTS, about, prepare=lambda text: text, encode=_texts(made), batch_size=32)
    size = as_count(wish.image_size or getattr(made, "image_size", SIZE), f"{wish.name}: image_size")
    about["images"] = "as preprocess makes them" if hasattr(made, "preprocess") else f"whole, resized to {size}x{size}"
    if hasattr(made, "preprocess"):
        return Model(
            IMAGES,
            about,
            prepare=_preprocess(made),
            encode=encoder(made, device),
            batch_size=images_at_once(size, device),
            size=size,
        )
    return Model(
        IMAGES,
        about,
        prepare=lambda pixels: whole_square(pixels, size),
        encode=encoder(made, device, _unit),
        batch_size=images_at_once(size, device),
        size=size,
    )


def _unit(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).float() / 255


def _preprocess(made: Any) -> Any:  # noqa: ANN401 (own code)
    from PIL import Image

    return lambda pixels: torch.as_tensor(made.preprocess(Image.fromarray(pixels)))


def _texts(made: Any) -> Any:  # noqa: ANN401
    def encode(texts: Sequence[str]) -> np.ndarray:
        with torch.inference_mode():
            return pooled(made(list(texts)))

    return encode
