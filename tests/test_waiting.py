"""No step of a training waits for its device, or reads from it: seen on a CPU, by the operations that are called.

The cards themselves are asked in tests/cuda.
"""

from collections import Counter

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import lend
from lend.data import Dataset
from lend.methods import METHODS, DivideMix, build
from lend.training import Source, images
from lend.training.parallel import Processes
from lend.training.trainer import Trainer

READ = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2", "bincount")
DRAWN = {"dividemix": 2}  # numbers that a method reads from a generator on the CPU in each step
LATE = 30  # an epoch after every warm-up


class Operations(TorchDispatchMode):
    """Counts those that read from a device, and notes those that a device waits for."""

    def __init__(self):
        super().__init__()
        self.calls, self.reads, self.waits = Counter(), [], []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = function._schema.name.removeprefix("aten::")
        self.calls[name] += 1
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        # a mask as an index is looked for the positions that it holds
        masks = name.startswith(("index", "_index")) and any(t.dtype == torch.bool and t.ndim for t in given[1:2])
        self.reads += [name] * (name in READ or masks)
        # a number may be on the CPU: it is an argument of the kernel
        places = {t.device.type for t in (*given, *tree_leaves(result)) if isinstance(t, torch.Tensor) and t.ndim}
        awaited = not (kwargs or {}).get("non_blocking", name == "copy_" and args[2:] == (True,))
        if len(places) > 1 and name != "empty_like" and awaited:
            self.waits.append(f"{name} of {sorted(places)}")
        return result


def examples(n=40):
    pixels = torch.randint(0, 256, (n, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels, names = torch.arange(n) % 4, tuple("abcd")
    dataset = Dataset("random", pixels, labels, pixels[:8], labels[:8], names, torch.arange(n))
    return Source(dataset, labels, pixels[:0], labels[:0])


EXAMPLES = examples()  # checked where they are made, which needs their content
SELECTORS = {scope: lend.Selector(EXAMPLES.noisy, k=3, scope=scope) for scope in ("batch", "dataset")}


def trainer(method, options, network="small", device="cpu"):
    config = lend.RunConfig(
        method=method, options=options, width=4, batch_size=20, epochs=40, snapshots=(), network=network, augment=True,
        dilution=lend.Dilution(k=3), device="cpu",
    )  # fmt: skip
    made = build(method, options).with_noise_rate(0.4)
    return Trainer(config, made, EXAMPLES, torch.device(device), Processes())


SCOPES = [(name, {}) for name in METHODS] + [("lend", {"scope": "dataset"})]


@pytest.mark.parametrize(("method", "options"), SCOPES)
def test_a_step_reads_nothing_from_the_device(method, options):
    loop = trainer(method, options)
    current, generator = loop._new_pass(LATE), torch.Generator().manual_seed(1)
    loop.learner.begin(1)
    with Operations() as seen:
        loop._step(0, [(loop.learner.shards[0], torch.arange(20), generator)], current)
    assert seen.calls["convolution_backward"] > 0 and seen.calls["_index_put_impl_"] + seen.calls["index_put_"] > 0
    assert seen.reads == ["_local_scalar_dense"] * DRAWN.get(method, 0)


def test_a_read_would_be_seen():
    with Operations() as seen:
        values = torch.ones(3)
        float(values.sum()), values[values > 0], values.nonzero()
    assert seen.reads == ["_local_scalar_dense", "index", "nonzero"]


@pytest.fixture
def pretended(monkeypatch):
    """A CUDA device that is not there: tensors without content, which refuse to be read. No gradient passes there."""

    def move(module, device=None, **others):
        for part in module.modules():
            parameters, buffers = part._parameters, part._buffers
            parameters |= {name: nn.Parameter(p.detach().to(device)) for name, p in parameters.items() if p is not None}
            buffers |= {name: b.to(device) for name, b in buffers.items() if b is not None}
        return module

    monkeypatch.setattr(nn.Module, "to", move)  # torch's own swaps tensors, which these do not allow
    monkeypatch.setattr(Dataset, "mean_std", lambda self: (torch.full((3,), 0.5), torch.full((3,), 0.2)))
    monkeypatch.setattr(DivideMix, "_mixture", lambda self, size, generator: (0.75, torch.randperm(size)))
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield torch.device("cuda")


# one of each kind: with a memory, with two networks, with draws of its own, with parameters of its own
OF_A_KIND = [case for case in SCOPES if case[0] in ("lend", "coteaching+", "dividemix", "sop")]


@pytest.mark.parametrize(("method", "options"), OF_A_KIND)
def test_a_loss_waits_for_no_copy_to_the_device(pretended, method, options):
    loop = trainer(method, options, "resnet18", pretended)
    current, generator = loop._new_pass(LATE), torch.Generator().manual_seed(1)
    index = torch.arange(20, device=pretended)
    with Operations() as seen:
        current.seen_here[index] = True
        loss = loop._loss(loop.learner.shards[0], index, generator, current)
    assert loss.device.type == "cuda" and loss.ndim == 0
    assert seen.waits == seen.reads == []


def test_a_wait_would_be_seen(pretended):
    with Operations() as seen:
        rows = torch.zeros(5, 2, device=pretended)
        rows[torch.arange(3)], rows[torch.arange(3, device=pretended)], torch.ones(3).to(pretended), rows.cpu()
    assert len(seen.waits) == 3


@pytest.mark.parametrize("scope", ["batch", "dataset"])
def test_a_selector_waits_for_nothing(pretended, scope):
    selector = SELECTORS[scope].to(pretended)
    index, features = torch.arange(10, 30, device=pretended), torch.zeros(20, 8, device=pretended)
    with Operations() as seen:
        kept = selector(index, features)
    assert kept.device.type == "cuda" and seen.waits == seen.reads == []


@pytest.mark.parametrize(("method", "options"), [case for case in OF_A_KIND if case[0] != "dividemix"])
def test_the_end_of_an_epoch_waits_for_nothing(pretended, monkeypatch, method, options):
    """Evaluation and copies are asked for behind the steps; dividemix alone fits its mixtures on the CPU there."""
    loop, pinned, empty_like = trainer(method, options, "resnet18", pretended), [], torch.empty_like

    def unpinned(values, pin_memory=False, **others):
        pinned.extend([others] * pin_memory)
        return empty_like(values, **others)

    monkeypatch.setattr(torch, "empty_like", unpinned)
    if method == "lend":
        loop.embeddings = torch.zeros(40, 8, device=pretended)
    with Operations() as seen:
        ending = loop._end(loop._new_pass(LATE), 0.0)
    assert seen.waits == seen.reads == []
    assert set(ending.scores) == {"test_accuracy", "ensemble_accuracy", "validation_accuracy"}
    assert pinned == [{"device": "cpu"}] * (1 + 3 + 3 + 1)


def test_the_order_of_an_epoch_waits_for_nothing(pretended, monkeypatch):
    pinned = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda t: pinned.append(t.shape) or t)
    with Operations() as seen:
        first, second = images.batches(40, 20, torch.Generator().manual_seed(1), pretended)
    assert first.device.type == second.device.type == "cuda" and len(first) == len(second) == 20
    assert seen.waits == seen.reads == [] and pinned == [(40,)]
