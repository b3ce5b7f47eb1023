"""One contract over all methods, and what each one's loss is."""

from dataclasses import asdict

import pytest
import torch
from torch.nn.functional import cross_entropy

from lend import methods
from lend.dilution import one_hot
from lend.methods import METHODS, Batch, masked_mean
from lend.networks import Features

N, B, C, D = 40, 12, 4, 6


def batch_and_outputs(networks, seed=0):
    generator = torch.Generator().manual_seed(seed)
    index = torch.randperm(N, generator=generator)[:B]
    labels = torch.randint(C, (B,), generator=generator)
    diluted = torch.rand(B, C, generator=generator)
    batch = Batch(index, labels, diluted / diluted.sum(dim=1, keepdim=True))
    outputs = [
        Features(torch.rand(B, D, generator=generator), torch.randn(B, C, generator=generator).requires_grad_())
        for _ in range(networks)
    ]
    return batch, outputs


@pytest.mark.parametrize("name", list(METHODS))
def test_contract(name):
    method = methods.build(name, {})
    assert methods.build(name, asdict(method)) == method
    labels = torch.arange(N) % C
    memory = method.initial_memory(labels, C)
    assert all(len(values) == N for values in memory.values())
    batch, outputs = batch_and_outputs(method.networks)
    for epoch in (1, 2):
        loss = method.loss(outputs, batch, memory, epoch)
        assert loss.shape == () and torch.isfinite(loss)
    loss.backward()
    for features in outputs:
        assert features.logits.grad.abs().sum() > 0
    assert not any(values.requires_grad for values in memory.values())


def test_standard_is_cross_entropy():
    batch, outputs = batch_and_outputs(1)
    expected = -sum(outputs[0].logits[i].log_softmax(0)[y].item() for i, y in enumerate(batch.labels)) / B
    assert methods.build("standard", {}).loss(outputs, batch, {}, 1).item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_lend_is_equations_5_to_7(kind):
    batch, outputs = batch_and_outputs(1)
    method = methods.build("lend", {"beta": 0.2, "memory": kind})
    labels = torch.zeros(N, dtype=torch.long)
    labels[batch.index] = batch.labels
    memory = method.initial_memory(labels, C)
    loss = method.loss(outputs, batch, memory, 1)
    total, kept = 0.0, 0
    for row, (i, y) in enumerate(zip(batch.index, batch.labels, strict=True)):
        new = batch.diluted[row] if kind == "soft" else one_hot(batch.diluted[row].argmax()[None], C)[0]
        Z = 0.8 * new + 0.2 * torch.eye(C)[y]
        assert torch.allclose(memory["diluted"][i], Z)
        assert bool(memory["kept"][i]) == (int(Z.argmax()) == int(y))
        if Z.argmax() == y:
            total, kept = total - outputs[0].logits[row].log_softmax(0)[y].item(), kept + 1
    assert 0 < kept < B
    assert loss.item() == pytest.approx(total / kept)
    others = torch.ones(N, dtype=torch.bool)
    others[batch.index] = False
    assert torch.equal(memory["diluted"][others], one_hot(labels, C)[others]) and memory["kept"][others].all()


def test_lend_with_beta_one_is_standard():
    batch, outputs = batch_and_outputs(1)
    method = methods.build("lend", {"beta": 1.0})
    labels = torch.zeros(N, dtype=torch.long)
    labels[batch.index] = batch.labels
    loss = method.loss(outputs, batch, method.initial_memory(labels, C), 1)
    assert torch.allclose(loss, cross_entropy(outputs[0].logits, batch.labels))


def test_nothing_kept_is_no_loss_and_no_nan():
    losses = torch.rand(5, requires_grad=True)
    loss = masked_mean(losses, torch.zeros(5, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0 and torch.equal(losses.grad, torch.zeros(5))


def test_unknown_names():
    with pytest.raises(ValueError, match="unknown method 'standart'; allowed: .*did you mean 'standard'"):
        methods.build("standart", {})
    with pytest.raises(ValueError, match="unknown option 'q' of method standard; standard has none"):
        methods.build("standard", {"q": 1})
