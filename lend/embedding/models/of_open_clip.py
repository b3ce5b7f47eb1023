"""CLIP of the library open_clip: images or texts."""

from __future__ import annotations

from importlib.metadata import version

import torch

from lend.embedding.model import Model, Wish, fetching, weights_digest
from lend.embedding.network import device_of, encoder, images_at_once, pooled, seeded
from lend.embedding.source import IMAGES, TEXTS
from lend.inputs import extra, require_known


def open_open_clip(wish: Wish) -> Model:
    """A CLIP by the name of its architecture; weights by the tag of open_clip, the first that it lists if not given.

    Raises:
        ValueError: If there is no such architecture or tag, or its weights cannot be had.
    """
    wish.require_own_size()
    with extra("open_clip"):
        import open_clip
    from PIL import Image

    tag = wish.weights
    if "/" not in wish.short:  # others are of another place
        require_known(wish.name, wish.short, open_clip.list_models())
        tags = open_clip.list_pretrained_tags_by_model(wish.short)
        tag = tags[0] if tag == "default" and tags else tag
        require_known(f"{wish.name}: weights", tag, [*tags, "none"])
    with fetching(wish), seeded():
        chosen = None if tag in ("none", "default") else tag
        network, _, transform = open_clip.create_model_and_transforms(wish.short, pretrained=chosen)
        tokenizer = open_clip.get_tokenizer(wish.short) if wish.kind == TEXTS else None
    device = device_of(wish.device)
    network = network.eval().to(device)
    about = {"name": wish.name, "version": version("open_clip_torch"), "weights": weights_digest(network), "tag": tag}

    def encode_texts(texts):  # noqa: ANN001, ANN202 (as Model has it)
        with torch.inference_mode():
            return pooled(network.encode_text(tokenizer(list(texts)).to(device)))

    if wish.kind == TEXTS:
        return Model(TEXTS, about, prepare=lambda text: text, encode=encode_texts, batch_size=32)
    size = network.visual.image_size
    size = size if isinstance(size, int) else size[0]
    about["images"] = f"transform of open_clip, {size}x{size}"
    return Model(
        IMAGES,
        about,
        prepare=lambda pixels: transform(Image.fromarray(pixels)),
        encode=encoder(network.encode_image, device),
        batch_size=images_at_once(size, device),
        size=size,
    )
