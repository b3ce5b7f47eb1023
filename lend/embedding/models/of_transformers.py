"""Models of Hugging Face's transformers, those of sentence-transformers among them: images or texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lend.embedding.model import Model, Wish, fetching, weights_digest
from lend.embedding.network import device_of, images_at_once, pooled, seeded
from lend.embedding.source import IMAGES, TEXTS
from lend.inputs import extra, require

TOKENS = 512  # of a text, at most: what comes after them is not seen
POOLING = "1_Pooling/config.json"  # where sentence-transformers says how tokens become one embedding


def open_transformers(wish: Wish) -> Model:
    """A model of a hub or of a folder that ``save_pretrained`` wrote.

    Texts: the mean of the last hidden states of all tokens, or that of the first token where the model's own file for
    sentence-transformers says so. Images: the image features of a CLIP; else the class token of a model that has one,
    else the mean over places.

    Raises:
        ValueError: If it cannot be had.
    """
    wish.require_own_size()
    require(wish.weights in ("default", "none"), "weights", "default or none", wish.weights)
    with extra("transformers"):
        import transformers

    reader = transformers.AutoTokenizer if wish.kind == TEXTS else transformers.AutoImageProcessor
    with fetching(wish), seeded():
        prepare = reader.from_pretrained(wish.short)
        if wish.weights == "none":
            network = transformers.AutoModel.from_config(transformers.AutoConfig.from_pretrained(wish.short))
        else:
            network = transformers.AutoModel.from_pretrained(wish.short)
        first = _first_token(wish.short) if wish.kind == TEXTS else False
    device = device_of(wish.device)
    network = network.eval().to(device)
    about = {"name": wish.name, "version": version("transformers"), "weights": weights_digest(network)}
    if wish.kind == TEXTS:
        return _of_texts(network, prepare, first, device, about)
    return _of_images(network, prepare, device, about)


def _of_texts(network: Any, tokenizer: Any, first: bool, device: torch.device, about: dict[str, Any]) -> Model:  # noqa: ANN401
    longest = min(TOKENS, tokenizer.model_max_length)
    about["texts"] = f"{'first token' if first else 'mean of tokens'}, the first {longest} of a text"

    def encode(texts: Sequence[str]) -> np.ndarray:
        with torch.inference_mode():
            tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")
            hidden = network(**tokens.to(device)).last_hidden_state
            if first:
                return pooled(hidden[:, 0])
            mask = tokens["attention_mask"].to(device).unsqueeze(-1).to(hidden.dtype)
            return pooled((hidden * mask).sum(1) / mask.sum(1).clamp(min=1))

    return Model(TEXTS, about, prepare=lambda text: text, encode=encode, batch_size=32)


def _of_images(network: Any, processor: Any, device: torch.device, about: dict[str, Any]) -> Model:  # noqa: ANN401
    probe = processor(np.zeros((64, 64, 3), np.uint8), return_tensors="pt")["pixel_values"]
    size = int(probe.shape[-1])
    about["images"] = f"processor of transformers, {size}x{size}"
    token = any(name.endswith("cls_token") for name, _ in network.named_parameters())

    def run(batch: Tensor) -> Tensor:
        if hasattr(network, "get_image_features"):
            found = network.get_image_features(pixel_values=batch)
            return getattr(found, "pooler_output", found)
        hidden = network(pixel_values=batch).last_hidden_state
        if hidden.ndim == 4:  # of a convolutional network: (b, d, height, width)
            return hidden
        return hidden[:, 0] if token else hidden.mean(1)

    def encode(images: Sequence[Any]) -> np.ndarray:
        with torch.inference_mode():
            return pooled(run(torch.stack(list(images)).to(device)))

    return Model(
        IMAGES,
        about,
        prepare=lambda pixels: processor(pixels, return_tensors="pt")["pixel_values"][0],
        encode=encode,
        batch_size=images_at_once(size, device),
        size=size,
    )


def _first_token(name: str) -> bool:
    """Whether the first token stands for a text, as the model's file for sentence-transformers says; else the mean."""
    from transformers.utils import cached_file

    file = cached_file(name, POOLING, _raise_exceptions_for_missing_entries=False)
    return file is not None and bool(json.loads(Path(file).read_text()).get("pooling_mode_cls_token"))
