"""The networks that lend brings. Each returns the last hidden layer, which is the embedding, and the logits."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from lend.inputs import extra
from lend.methods import Features

with extra("train"):
    from torchvision.models.resnet import BasicBlock, ResNet


class ResNet18(ResNet):
    """ResNet-18 of torchvision with the stem for CIFAR (3x3, stride 1, no pooling) and any width.

    Width 64 is that of the paper, with embeddings of 512 numbers; width 16, with 128, trains on two cores.

    Args:
        channels: Channels of the images.
        num_classes: Classes.
        width: Channels of the first stage; embeddings have 8 times as many numbers.
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
            if isinstance(module, nn.Conv2d):  # as torchvision initialises its own layers
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Float[Tensor, "b channels height width"]) -> Features:
        x = self.relu(self.bn1(self.conv1(images)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        embeddings = self.avgpool(x).flatten(1)
        return Features(embeddings, self.fc(embeddings))


class Small(nn.Module):
    """Two convolutions and one hidden layer, for images as small as the 8x8 digits.

    Args:
        channels: Channels of the images.
        num_classes: Classes.
        width: Channels of the second convolution; embeddings have twice as many numbers.
    """

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
