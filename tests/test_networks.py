import pytest
import torch
from torchvision.models import resnet18

from lend.methods import Features
from lend.training import networks


@pytest.mark.parametrize(
    ("name", "shape", "width", "d"),
    [
        ("resnet18", (3, 32, 32), 16, 128),
        ("resnet18", (1, 28, 28), 8, 64),
        ("small", (1, 8, 8), 16, 32),
        ("small", (3, 9, 7), 8, 16),
        ("auto", (1, 8, 8), 64, 128),
        ("auto", (3, 32, 32), 8, 64),
    ],
)
def test_features(name, shape, width, d):
    network = networks.build(name, shape, 7, width)
    features = network(torch.randn(5, *shape))
    assert isinstance(features, Features)
    assert features.embeddings.shape == (5, d) and features.logits.shape == (5, 7)
    assert (features.embeddings >= 0).all()  # after the last ReLU
    assert network.training


def test_width_64_is_torchvisions_resnet18_with_the_cifar_stem():
    network = networks.build("resnet18", (3, 32, 32), 10, 64)
    theirs = {name: p.shape for name, p in resnet18(num_classes=10).named_parameters()}
    ours = {name: p.shape for name, p in network.named_parameters()}
    assert ours == theirs | {"conv1.weight": (64, 3, 3, 3)}
    assert sum(p.numel() for p in network.parameters()) == 11_173_962
    assert network.layer1(network.conv1(torch.randn(1, 3, 32, 32))).shape[-2:] == (32, 32)


def test_logits_come_from_the_embeddings():
    network = networks.build("resnet18", (3, 32, 32), 10, 8).eval()
    features = network(torch.randn(3, 3, 32, 32))
    assert torch.allclose(network.fc(features.embeddings), features.logits)


def test_unknown_network():
    with pytest.raises(ValueError, match="unknown network 'vgg'; allowed: resnet18, small"):
        networks.build("vgg", (3, 32, 32), 10, 64)
