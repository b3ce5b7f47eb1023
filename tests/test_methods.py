"""One contract over all methods, and what each one's loss is."""

from dataclasses import asdict

import pytest
import torch
from torch.nn.functional import cross_entropy

from lend import methods
from lend.dilution import one_hot
from lend.methods import METHODS, Batch, Features, masked_mean

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
    method = methods.build(name, {}).with_noise_rate(0.2)
    assert methods.build(name, asdict(method)) == method
    labels = torch.arange(N) % C
    memory = method.initial_memory(labels, C)
    assert all(len(values) == N for values in memory.values())
    batch, outputs = batch_and_outputs(method.networks)
    batch = batch._replace(own=method.build_own(labels, C, D))
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


def features(*rows):
    logits = torch.tensor(rows, dtype=torch.float32)
    return Features(torch.zeros(len(rows), 2), logits)


def batch_of(labels):
    labels = torch.tensor(labels)
    return Batch(torch.arange(len(labels)), labels, one_hot(labels, int(labels.max()) + 1))


def logits_of(p):
    """Two classes, the first of probability p."""
    return torch.tensor([p, 1 - p]).log().tolist()


@pytest.mark.parametrize(
    ("p", "expected"), [(0.9, 0.101569), (0.5, 0.549183), (0.3, 0.813555), (0.1, 1.143534), (0.01, 1.371699)]
)
def test_gce_values(p, expected):
    loss = methods.build("gce", {}).loss([features(logits_of(p))], batch_of([0]), {}, 1)
    assert loss.item() == pytest.approx(expected, abs=2e-6)


def test_gce_limits_and_gradient():
    batch, outputs = batch_and_outputs(1)
    losses = cross_entropy(outputs[0].logits, batch.labels, reduction="none")
    assert methods.build("gce", {"q": 1e-4}).loss(outputs, batch, {}, 1).item() == pytest.approx(
        losses.mean().item(), rel=1e-3
    )
    linear = methods.build("gce", {"q": 1.0}).loss(outputs, batch, {}, 1)
    assert linear.item() == pytest.approx((1 - (-losses).exp()).mean().item(), abs=1e-6)
    extreme = torch.tensor([[-200.0, 200.0]], requires_grad=True)
    methods.build("gce", {}).loss([Features(torch.zeros(1, 2), extreme)], batch_of([0]), {}, 1).backward()
    assert torch.isfinite(extreme.grad).all()


@pytest.mark.parametrize(
    ("rate", "size", "counts"),
    [
        (0.2, 128, [128, 125, 122, 119, 116, 113, 110, 108, 105, 102]),
        (0.5, 128, [128, 120, 113, 106, 99, 92, 85, 78, 71, 64]),
        (0.4, 256, [256, 244, 233, 221, 210, 199, 187, 176, 164, 153]),
    ],
)
@pytest.mark.parametrize("name", ["coteaching", "jocor", "sigua"])
def test_kept_counts(name, rate, size, counts):
    method = methods.build(name, {}).with_noise_rate(rate)
    assert [method.kept_count(size, epoch) for epoch in range(1, 13)] == counts + counts[-1:] * 2
    assert methods.build(name, {"forget_rate": 0.1}).with_noise_rate(rate).forget_rate == 0.1


@pytest.mark.parametrize(("coregularisation", "expected"), [(0.9, 2.697634), (0.85, 2.685492), (0.1, 2.503372)])
def test_jocor_values(coregularisation, expected):
    method = methods.build("jocor", {"coregularisation": coregularisation, "forget_rate": 0.0})
    memory = method.initial_memory(torch.tensor([0]), 3)
    loss = method.loss([features([2, 0, 0]), features([0, 2, 0])], batch_of([0]), memory, 1)
    assert loss.item() == pytest.approx(expected, abs=2e-6)


def test_jocor_passes_gradients_to_both_sides_and_survives_underflow():
    method = methods.build("jocor", {"coregularisation": 1.0, "forget_rate": 0.0})
    logits = [torch.tensor([[300.0, 0.0]], requires_grad=True), torch.tensor([[0.0, 1.0]], requires_grad=True)]
    outputs = [Features(torch.zeros(1, 2), values) for values in logits]
    method.loss(outputs, batch_of([0]), method.initial_memory(torch.tensor([0]), 2), 1).backward()
    assert all(torch.isfinite(values.grad).all() and values.grad.abs().sum() > 0 for values in logits)


def test_sigua_unlearns_the_next_smallest():
    losses = torch.arange(1, 9) / 10
    rows = [logits_of(p) for p in (-losses).exp().tolist()]
    method = methods.build("sigua", {"forget_rate": 0.5, "bad_share": 0.5, "ascent": 0.01})
    memory = method.initial_memory(torch.zeros(8, dtype=torch.long), 2)
    order = [3, 0, 7, 1, 5, 2, 6, 4]
    loss = method.loss([features(*[rows[i] for i in order])], batch_of([0] * 8), memory, 20)
    assert loss.item() == pytest.approx(0.2445, abs=1e-6)
    assert memory["kept"].tolist() == [i < 4 for i in order]


def test_sigua_may_unlearn_the_largest():
    rows = [logits_of(p) for p in (-torch.arange(1, 9) / 10).exp().tolist()]
    options = {"forget_rate": 0.5, "bad_share": 0.5, "ascent": 0.01, "unlearn": "top"}
    method = methods.build("sigua", options)
    loss = method.loss([features(*rows)], batch_of([0] * 8), method.initial_memory(torch.zeros(8).long(), 2), 20)
    assert loss.item() == pytest.approx(0.2425, abs=1e-6)


def test_truncated_gce():
    """Where p <= k the loss is the constant L(k) and teaches nothing; who that is stays until the next decision."""
    method = methods.build("gce", {"truncation": 0.5, "truncate_from": 3, "truncate_every": 2})
    memory = method.initial_memory(torch.zeros(4, dtype=torch.long), 2)

    def step(epoch, *shares):
        logits = torch.tensor([logits_of(p) for p in shares], requires_grad=True)
        loss = method.loss([Features(torch.zeros(4, 2), logits)], batch_of([0] * 4), memory, epoch)
        loss.backward()
        return loss.item(), (logits.grad.abs().sum(dim=1) > 1e-9).tolist()

    plain = (0.101569 + 0.549183 + 0.813555 + 1.143534) / 4
    assert step(2, 0.9, 0.5, 0.3, 0.1) == (pytest.approx(plain, abs=1e-5), [True] * 4)
    truncated = (0.101569 + 3 * 0.549183) / 4
    assert step(3, 0.9, 0.499, 0.3, 0.1) == (pytest.approx(truncated, abs=1e-3), [True, False, False, False])
    assert step(4, 0.3, 0.9, 0.9, 0.9)[1] == [True, False, False, False]
    assert step(5, 0.3, 0.9, 0.9, 0.9)[1] == [False, True, True, True]


def test_coteaching_crosses_the_choices():
    """Each network's mean is over the other's smallest losses, and is taken once."""
    first = features(*(logits_of(p) for p in (0.9, 0.8, 0.2, 0.1)))
    second = features(*(logits_of(p) for p in (0.2, 0.3, 0.7, 0.6)))
    method = methods.build("coteaching", {"forget_rate": 0.5})
    memory = method.initial_memory(torch.zeros(4, dtype=torch.long), 2)
    loss = method.loss([first, second], batch_of([0] * 4), memory, 20)
    expected = -(torch.tensor([0.2, 0.1]).log().mean() + torch.tensor([0.2, 0.3]).log().mean())
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    assert memory["kept"].tolist() == [False, False, True, True]


@pytest.mark.parametrize(("name", "networks"), [("coteaching", 2), ("sigua", 1), ("jocor", 2)])
def test_nothing_forgotten_is_cross_entropy(name, networks):
    options = {"forget_rate": 0.0} | ({"coregularisation": 0.0} if name == "jocor" else {})
    method = methods.build(name, options)
    batch, outputs = batch_and_outputs(networks)
    loss = method.loss(outputs, batch, method.initial_memory(torch.zeros(N, dtype=torch.long), C), 30)
    assert torch.allclose(loss, sum(cross_entropy(o.logits, batch.labels) for o in outputs))


def test_forget_rate_must_be_known():
    method = methods.build("sigua", {}).with_noise_rate(None)
    with pytest.raises(ValueError, match="forget_rate must be given where the realised noise rate is unknown"):
        method.initial_memory(torch.zeros(3, dtype=torch.long), 2)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("lend", "scope", "epoch"),
        ("gce", "q", 0.0),
        ("gce", "truncation", 1.0),
        ("gce", "truncate_every", 0),
        ("sigua", "unlearn", "largest"),
        ("coteaching", "forget_rate", 1.0),
        ("jocor", "coregularisation", 1.5),
        ("sigua", "ascent", -1.0),
        ("sigua", "warmup", 1),
        ("sigua", "warmup", True),
        ("gce", "truncate_from", True),
        ("gce", "q", True),
    ],
)
def test_bad_options(name, option, value):
    with pytest.raises(ValueError, match=f"{option} must be"):
        methods.build(name, {option: value})


def test_unknown_names():
    with pytest.raises(ValueError, match="unknown method 'standart'; allowed: .*did you mean 'standard'"):
        methods.build("standart", {})
    with pytest.raises(ValueError, match="unknown option 'q' of method standard; standard has none"):
        methods.build("standard", {"q": 1})
