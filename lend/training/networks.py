"""Backbones. Each returns what the paper needs from a network: the last hidden layer and the logits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lend.config import nearest_name
from lend.extras import extra
from lend.methods import Features

with extra("train"):
    from torchvision.models.resnet import BasicBlock, ResNet


class ResNet18(ResNet):
    """torchvision's ResNet-18 with the CIFAR stem (3x3, stride 1, no pooling) and a free width.

    Width 64 is the paper's (512-dimensional embeddings); 16 trains on two cores (128-dimensional).
    """

    def __init__(self, channels: int, num_classes: int, width: int = 64) -> None:
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=num_classes)
        self.inplanes = width
        self.conv1 = nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity()
        for stage in range(4):
            layer = self._make_layer(BasicBlock, width * 2**stage, 2, stride=1 if stage == 0 else 2)
            setattr(self, f"layer{stage + 1}", layer)
        self.fc = nn.Linear(width * 8, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # as torchvision starts the layers replaced here
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Float[Tensor, "b channels height width"]) -> Features:
        x = self.relu(self.bn1(self.conv1(images)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        embeddings = self.avgpool(x).flatten(1)
        return Features(embeddings, self.fc(embeddings))


class Small(nn.Module):
    """Two convolutions and one hidden layer, for 8x8 digits: 2 x width embeddings."""

    def __init__(self, channels: int, num_classes: int, width: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *self._convolution(channels, width // 2),
            nn.MaxPool2d(2, ceil_mode=True),  # before the second convolution: it is the larger one
            *self._convolution(width // 2, width),
            nn.Flatten(),
            nn.LazyLinear(width * 2),
            nn.BatchNorm1d(width * 2),
            nn.ReLU(),
        )
        self.head = nn.Linear(width * 2, num_classes)

    @staticmethod
    def _convolution(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
        return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()

    def forward(self, images: Float[Tensor, "b channels height width"]) -> Features:
        embeddings = self.body(images)
        return Features(embeddings, self.head(embeddings))


NETWORKS: dict[str, Callable[[int, int, int], nn.Module]] = {"resnet18": ResNet18, "small": Small}


def build(name: str, image_shape: tuple[int, ...], num_classes: int, width: int) -> nn.Module:
    """A network for images of shape (channels, height, width); "auto" takes small below 16 pixels.

    Raises:
        ValueError: If the name is unknown.
    """
    if name == "auto":
        name = "small" if min(image_shape[1:]) < 16 else "resnet18"
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; {nearest_name(name, NETWORKS)}")
    network = NETWORKS[name](image_shape[0], num_classes, width)
    network.eval()(torch.zeros(1, *image_shape))  # gives lazy layers their size
    return network.train()
