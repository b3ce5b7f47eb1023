"""Networks of timm without their classifier: the pooled features."""

from __future__ import annotations

from importlib.metadata import version

from lend.embedding.model import Model, Wish, fetching, weights_digest
from lend.embedding.network import device_of, encoder, images_at_once, ready, seeded
from lend.embedding.source import IMAGES
from lend.inputs import extra, require, require_known


def open_timm(wish: Wish) -> Model:
    """A network of timm by its name, also NAME.TAG or hf-hub:OWNER/NAME, with its own evaluation transform.

    Raises:
        ValueError: If there is no such network, or its weights cannot be had.
    """
    wish.require_kind(IMAGES)
    wish.require_own_size()
    require(wish.weights in ("default", "none"), "weights", "default or none; a tag is part of the name", wish.weights)
    with extra("timm"):
        import timm
    from PIL import Image

    if "/" not in wish.short and ":" not in wish.short:  # others are of another place
        require_known(wish.name, wish.short.partition(".")[0], timm.list_models())
    with fetching(wish), seeded():
        network = timm.create_model(wish.short, pretrained=wish.weights == "default", num_classes=0)
    config = timm.data.resolve_data_config({}, model=network)
    transform = timm.data.create_transform(**config, is_training=False)
    size = config["input_size"][1]
    about = {
        "name": wish.name,
        "version": version("timm"),
        "weights": weights_digest(network),
        "images": f"transform of timm: {config['crop_mode']} crop of {config['crop_pct']}, {size}x{size}",
    }
    device = device_of(wish.device)
    network = ready(network, device)
    return Model(
        IMAGES,
        about,
        prepare=lambda pixels: transform(Image.fromarray(pixels)),
        encode=encoder(network, device),
        batch_size=images_at_once(size, device),
        size=size,
    )
