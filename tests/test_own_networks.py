"""Networks that are not lend's own: of torchvision, of timm, of a file."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lend.cli.main import main
from lend.inputs import Dilution
from lend.methods import Features
from lend.run import Run
from lend.training import networks, train
from lend.training.images import Preparation, normalise

# untrained networks give all images nearly the same embedding
pytestmark = pytest.mark.filterwarnings("ignore:embeddings are nearly parallel")

DATA = """
import numpy as np

def make(channels=3, n=48, test=6, size=16):
    stream = np.random.RandomState(0)
    draw = lambda m: stream.randint(0, 256, (m, channels, size, size)).astype(np.uint8)
    return (draw(n), np.arange(n) % 3), (draw(test), np.arange(test) % 3)

def grey():
    return make(channels=1)

def few():
    return make(n=16, test=3, size=32)
"""
NETS = """
from typing import NamedTuple
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, channels, num_classes, width):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, stride=4)
        self.norm = nn.BatchNorm2d(width)
        self.hidden = nn.LazyLinear(width * 2)
        self.head = nn.Linear(width * 2, num_classes)
        self.unused = nn.Linear(3, num_classes)  # has as many outputs, and is not called

    def maps(self, x):
        return self.norm(self.conv(x)).relu()

    def hiddens(self, x):
        x = self.maps(x)
        return self.hidden(x.view(len(x), -1)).relu()  # no view of a channels-last array

    def forward(self, x):
        return self.head(self.hiddens(x))

class Dropped(Net):
    def forward(self, x):
        return self.head(nn.functional.dropout(self.hiddens(x), 0.5, self.training))

class Pair(Net):
    def forward(self, x):
        hidden = self.hiddens(x)
        return hidden, self.head(hidden)

class Output(NamedTuple):
    logits: torch.Tensor
    aux_logits: torch.Tensor | None = None

class Inception(Net):
    def forward(self, x):
        logits = super().forward(x)
        return Output(logits, logits) if self.training else logits

class Mapped(Net):
    def forward(self, x):
        return {"loss": None, "logits": super().forward(x)}

class Squared(Net):
    def forward(self, x):
        return super().forward(x) ** 2

class Tokens(Net):
    def forward(self, x):
        return super().forward(x) + 0

def of_imagenet(channels):
    return Net(channels, 1000, 8)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.py").write_text(DATA)
    Path("nets.py").write_text(NETS)
    return tmp_path


@pytest.fixture
def config(here, tiny):
    """Two short epochs on random images of 16x16 pixels in three classes."""
    own = {"dataset": "data.py:make", "train_size": None, "noise": "symmetric", "epochs": 2, "snapshots": (2,)}
    return lambda network, **settings: tiny(**(own | {"batch_size": 24, "network": network} | settings))


def made(config, shape=(3, 16, 16), classes=3):
    torch.manual_seed(0)
    return networks.make(config, shape, classes)


def pixels(n, *shape):
    return torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


SMALL = [
    ("torchvision:mobilenet_v3_small", {}, 1024, "input of classifier.3"),
    ("timm:vit_tiny_patch16_224", {"img_size": 16, "patch_size": 8, "depth": 1, "embed_dim": 24}, 24, "input of head"),
    ("nets.py:Net", {}, 16, "input of head"),
    ("nets.py:Pair", {}, 16, "returned by the network"),
    ("nets.py:Inception", {}, 16, "input of head"),
    ("nets.py:Mapped", {}, 16, "input of head"),
    ("nets.py:of_imagenet", {}, 16, "input of head"),
]


@pytest.mark.parametrize(("network", "options", "d", "where"), SMALL)
def test_train_save_and_go_on(config, network, options, d, where, monkeypatch):
    settings = config(network, network_options=options)
    run = train(settings, progress=False)
    info = Run.open(run.path).info["network"]
    assert run.embeddings(2).shape == (48, d) and run.snapshot(2)["logits"].shape == (48, 3)
    assert info["name"] == network and info["embedding_layer"] == where and info["parameters"] > 1000
    state = torch.load(run.path / "checkpoint" / "0002.pt", weights_only=True)["networks"]
    assert sum(value.numel() for value in state.values()) >= info["parameters"]
    for name in ("history/0002.json", "checkpoint/0002.pt", "labels/0002.npz", "snapshots/0002.zarr.zip"):
        (run.path / name).unlink()
    again = train(settings, progress=False)
    assert again.complete and (again.embeddings(2) == run.embeddings(2)).all()


@pytest.mark.integrations
@pytest.mark.parametrize(
    ("network", "size", "d"),
    [
        ("torchvision:resnet50", None, 2048),
        ("torchvision:vit_b_16", 224, 768),
        ("torchvision:convnext_tiny", None, 768),
        ("torchvision:mobilenet_v3_small", None, 1024),
        ("torchvision:inception_v3", 299, 2048),
        ("timm:vit_tiny_patch16_224", 224, 192),
        ("timm:resnet10t", None, 512),
    ],
)
# inception, two steps old, has embeddings of billions in evaluation mode: they are saved divided, and that is said
@pytest.mark.filterwarnings("ignore:.*init_weights:FutureWarning", "ignore:embeddings of up to")
def test_large_networks(config, network, size, d):
    settings = config(
        network, dataset="data.py:few", batch_size=8, epochs=1, snapshots=(1,), image_size=size, dilution=Dilution(k=3)
    )
    run = train(settings, progress=False)
    opened = Run.open(run.path)
    assert opened.embeddings(1).shape == (16, d) and np.isfinite(opened.embeddings(1)).all()
    assert opened.info["network"]["embedding_layer"].startswith("input of ")


def test_embeddings_are_what_the_head_is_given(config):
    network = made(config("nets.py:Net")).network.eval()
    x = torch.randn(5, 3, 16, 16)
    features = network(x)
    assert isinstance(features, Features) and torch.equal(features.embeddings, network.hiddens(x))
    assert torch.equal(network.head(features.embeddings), features.logits)
    assert set(network.state_dict()) == {
        *("conv.weight", "conv.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"),
        *("norm.num_batches_tracked", "hidden.weight", "hidden.bias", "head.weight", "head.bias"),
        *("unused.weight", "unused.bias"),
    }


@pytest.mark.parametrize(("layer", "where", "d"), [("head", "input of head", 16), ("norm", "output of norm", 8)])
def test_a_named_layer(config, layer, where, d):
    built = made(config("nets.py:Net", embedding_layer=layer))
    x = torch.randn(5, 3, 16, 16)
    features = built.network.eval()(x)
    expected = built.network.hiddens(x) if layer == "head" else built.network.norm(built.network.conv(x)).mean((2, 3))
    assert built.info["embedding_layer"] == where and features.embeddings.shape == (5, d)
    assert torch.equal(features.embeddings, expected)


def test_a_named_layer_of_a_network_of_lends(config):
    built = made(config("resnet18", embedding_layer="layer2", width=4))
    assert built.network(torch.randn(2, 3, 16, 16)).embeddings.shape == (2, 8)
    plain = made(config("resnet18", width=4))
    assert plain.network(torch.randn(2, 3, 16, 16)).embeddings.shape == (2, 32)
    assert plain.info["embedding_layer"] == "returned by the network" and not plain.network._forward_hooks


def test_tokens_are_averaged(config):
    options = {"img_size": 16, "patch_size": 8, "depth": 1, "embed_dim": 24}
    built = made(config("timm:vit_tiny_patch16_224", network_options=options, embedding_layer="norm"))
    x = torch.randn(2, 3, 16, 16)
    tokens = built.network.eval().forward_features(x)
    assert tokens.shape == (2, 5, 24) and torch.equal(built.network(x).embeddings, tokens.mean(dim=1))
    head = made(config("timm:vit_tiny_patch16_224", network_options=options)).network.eval()
    assert torch.equal(head(x).embeddings, head.forward_head(head.forward_features(x), pre_logits=True))


def test_a_copy_has_hooks_of_its_own(config):
    """Shards and averages are copies; the value of one must not reach the other."""
    network = made(config("nets.py:Net")).network.eval()
    other = copy.deepcopy(network)
    nn.init.zeros_(other.hidden.weight)
    nn.init.zeros_(other.hidden.bias)
    x = torch.randn(2, 3, 16, 16)
    assert (other(x).embeddings == 0).all() and (network(x).embeddings != 0).any()


def test_shards_and_two_networks_in_bfloat16(config):
    run = train(config("nets.py:Net", shards=2, method="coteaching", precision="bf16"), progress=False)
    assert run.complete and run.embeddings(2).shape == (48, 16)


def test_the_seed_draws_the_weights(config):
    weights = [
        train(config("nets.py:Net", seed=seed, noise_seed=0, epochs=1, snapshots=(1,), runs=f"runs{i}"), progress=False)
        .embeddings(1)
        .tobytes()
        for i, seed in enumerate((0, 0, 1))
    ]
    assert weights[0] == weights[1] != weights[2]


def test_dropout_is_drawn_from_the_seed(config):
    """Whatever was drawn before, in one shard or two, also where the run goes on; and the caller's draws go on, too."""
    settings = [config("nets.py:Dropped", shards=shards, runs=f"runs{i}") for i, shards in enumerate((1, 1, 2))]
    torch.manual_seed(1)
    first = train(settings[0], progress=False)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.rand(1) == after
    second = train(settings[1], progress=False)
    assert (first.embeddings(2) == second.embeddings(2)).all()
    for run in (first, train(settings[2], progress=False)):
        before = run.embeddings(2)
        for name in ("history/0002.json", "checkpoint/0002.pt", "labels/0002.npz", "snapshots/0002.zarr.zip"):
            (run.path / name).unlink()
        again = train(run.config, progress=False)
        assert (again.embeddings(2) == before).all()
    plain = train(config("nets.py:Net", runs="runs3"), progress=False)
    assert (plain.embeddings(2) != second.embeddings(2)).any()


def test_a_head_of_other_classes_is_replaced(config, capsys):
    built = made(config("nets.py:of_imagenet"))
    assert built.network.head.out_features == 3 and built.network.unused.out_features == 1000
    assert built.info["changes"] == ["head replaced by a fresh layer of 3 classes, it had 1000"]
    train(config("nets.py:of_imagenet"), progress=False)
    assert "network nets.py:of_imagenet: head replaced by a fresh layer of 3 classes" in capsys.readouterr().err


def test_grey_images_are_repeated_for_three_channels(config, capsys):
    run = train(config("torchvision:mobilenet_v3_small", dataset="data.py:grey"), progress=False)
    assert run.info["network"]["changes"] == ["grey images repeated to 3 channels"]
    assert run.info["image_shape"] == [1, 16, 16]
    own = made(config("nets.py:Net", dataset="data.py:grey"), (1, 16, 16))
    assert own.channels == 1 and own.info["changes"] == []


def test_view_in_a_network_forbids_channels_last(config):
    assert not made(config("nets.py:Net")).channels_last
    assert made(config("torchvision:mobilenet_v3_small")).channels_last


def test_preparation():
    mean, std = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.1, 0.2, 0.3])
    images = pixels(4, 3, 8, 8)
    assert torch.equal(Preparation(mean, std)(images), normalise(images, mean, std))
    grey = Preparation(mean, std)(images[:, :1])
    assert torch.equal(grey, normalise(images[:, :1].repeat(1, 3, 1, 1), mean, std))
    flat = torch.full((2, 3, 8, 8), 51, dtype=torch.uint8)
    resized = Preparation(mean, std, 24, channels_last=False)(flat)
    assert resized.shape == (2, 3, 24, 24) and resized.is_contiguous()
    assert torch.allclose(resized, ((0.2 - mean) / std)[:, None, None].expand_as(resized), atol=1e-5)


def test_pretrained_weights_bring_their_normalisation(config, monkeypatch):
    """Without a download: weights are of torchvision, what they hold is not looked at here."""
    from torchvision.models import MobileNet_V3_Small_Weights, mobilenet_v3_small

    given = []

    def fetched(self, *arguments, **further):
        given.append(self)
        return mobilenet_v3_small().state_dict()

    monkeypatch.setattr(MobileNet_V3_Small_Weights, "get_state_dict", fetched)
    built = made(config("torchvision:mobilenet_v3_small", network_options={"weights": "DEFAULT"}))
    assert given == [MobileNet_V3_Small_Weights.IMAGENET1K_V1]
    assert built.mean_std == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert built.info["normalisation"] == "that of the pretrained weights"
    assert built.info["changes"] == ["classifier.3 replaced by a fresh layer of 3 classes, it had 1000"]


@pytest.mark.parametrize(
    ("network", "settings", "message"),
    [
        ("torchvision:resnet51", {}, "network torchvision:resnet51: there is no 'resnet51'; did you mean resnet50 or"),
        ("timm:vit_tiny", {}, "network timm:vit_tiny: there is no 'vit_tiny'; did you mean"),
        (
            "torchvision:vit_b_16",
            {},
            r"cannot take images of shape \(3, 16, 16\): .*Expected 224 but got 16.*; image_size resizes them",
        ),
        (
            "torchvision:resnet50",
            {"network_options": {"weights": "BEST"}},
            "weights: there is no 'BEST'; it has DEFAULT, IMAGENET1K_V1",
        ),
        (
            "torchvision:resnet50",
            {"network_options": {"depth": 3}},
            "cannot be made: TypeError: .*unexpected keyword argument 'depth'",
        ),
        ("nets.py:None_", {}, "network nets.py:None_: nets.py has no 'None_'; it has Net, Dropped, Pair"),
        ("nets.py:Net", {"network_options": {"depth": 3}}, "unknown option 'depth'; it takes channels, num_classes"),
        ("nets.py:Net", {"embedding_layer": "hiden"}, "embedding_layer must be one of conv, .* did you mean hidden"),
        ("nets.py:Net", {"embedding_layer": "unused"}, "its layer 'unused' was not called"),
        ("nets.py:Squared", {}, "no nn.Linear gives its logits, .* embedding_layer is one of conv, norm, hidden, head"),
        ("bad.py:raises", {}, "network bad.py:raises: line 3: ZeroDivisionError: division by zero"),
        ("bad.py:number", {}, "network bad.py:number: must make a torch.nn.Module, got int"),
        ("bad.py:instance", {}, "must be a class or function that makes the network, not a network"),
        ("bad.py:wide", {}, r"must return logits \(b, c\), .* c = 3; got a tensor of shape \(2, 5\)"),
        ("bad.py:nan", {}, "its embeddings of the first trial are not finite"),
        ("bad.py:text", {}, "must return logits"),
        ("bad.py:lost", {}, "must return logits .*; got a tensor of shape"),
        ("bad.py:Evaluates", {}, "fails in training mode: RuntimeError: only in evaluation"),
        ("bad.py:frozen", {}, "bad.py:frozen: cannot be trained: its logits have no gradient"),
        ("bad.py:exits", {}, "bad.py:exits: line .*: SystemExit: enough"),
        ("small", {"embedding_layer": "nope"}, "network small: embedding_layer must be one of body, head"),
        ("bad.py:Bare", {}, r"bad.py:Bare: no nn.Linear .* has no layer to name: return \(embeddings, logits\)"),
        ("bad.py:picky", {}, "asks for 'depth'; it can have channels, num_classes, width, image_size and its options"),
    ],
)
def test_networks_that_do_not_fit(config, here, network, settings, message):
    Path("bad.py").write_text(
        """from torch import nn
def raises(num_classes):
    return num_classes / 0
number = lambda: 3
instance = nn.Linear(2, 2)
def wide(num_classes, channels):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(5))
class Nan(nn.Sequential):
    def forward(self, x):
        return super().forward(x * float("nan"))
def nan(num_classes):
    return Nan(nn.Flatten(), nn.LazyLinear(num_classes))
class Text(nn.Module):
    def forward(self, x):
        return "text"
def text():
    return Text()
class Lost(nn.Sequential):
    def forward(self, x):
        return super().forward(x)[0]
def lost(num_classes):
    return Lost(nn.Flatten(), nn.LazyLinear(num_classes))
class Evaluates(nn.Sequential):
    def __init__(self, num_classes):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_classes))
    def forward(self, x):
        if self.training:
            raise RuntimeError("only in evaluation")
        return super().forward(x)
class Bare(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :3]
class Frozen(nn.Sequential):
    def forward(self, x):
        return super().forward(x).detach()
def frozen(num_classes):
    return Frozen(nn.Flatten(), nn.LazyLinear(num_classes))
def exits():
    raise SystemExit("enough")
def picky(depth):
    return nn.Flatten()
"""
    )
    config_ = config(network, **settings)
    with pytest.raises(ValueError, match=message) as caught:
        train(config_, progress=False)
    assert not config_.folder.exists() and "\n" not in str(caught.value) and str(caught.value).startswith("network ")


def test_the_command_line(here, capsys):
    place = [
        "--dataset",
        "data.py:make",
        "--train-size",
        "48",
        "--epochs",
        "1",
        "--batch-size",
        "24",
        "--device",
        "cpu",
    ]
    own = [
        "--network",
        "timm:vit_tiny_patch16_224",
        "--network-options.depth",
        "1",
        "--network-options.embed_dim",
        "24",
    ]
    assert main(["train", *place, *own, "--image-size", "224", "--dilution.k", "3", "--noise", "none"]) == 0
    run = Run.open(next(Path("runs").iterdir()))
    assert run.config.network_options == {"depth": 1, "embed_dim": 24} and run.config.image_size == 224
    assert main(["train", "--like", str(run.path), "--network", "nets.py:Net", "--width", "4"]) == 0
    other = next(r for r in map(Run.open, Path("runs").iterdir()) if r.path != run.path)
    assert other.config.network_options == {}  # they belong to the other network
    assert main(["train", *place, "--network", "resnet18", "--network-options.depth", "3"]) == 2
    assert "network_options must be empty for lend's own networks" in capsys.readouterr().err
    assert main(["train", *place, "--network", "torchvision:vit_b_16"]) == 2
    assert "Expected 224 but got 16!; image_size resizes them, to 224 for example" in capsys.readouterr().err


def test_information_holds_no_path(config, here):
    Path("deep").mkdir()
    Path("nets.py").rename("deep/nets.py")
    run = train(config(f"{here}/deep/nets.py:Net", epochs=1, snapshots=(1,)), progress=False)
    assert run.info["network"]["name"] == "nets.py:Net" and str(here) not in json.dumps(run.info)
    assert run.info["network"]["source"] == run.config.sources[run.config.network]
