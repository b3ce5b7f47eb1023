"""Losses of Forward, ELR, SOP, Co-teaching+ and DivideMix against their formulas, written out number by number."""

import ast
import inspect
import math
from pathlib import Path

import pytest
import torch
from torch import nn

import lend.methods
from lend import methods
from lend.methods import Batch, Epoch, Features
from lend.methods.dividemix import clean_shares
from lend.methods.forward import transition_from_anchors

LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.0, 1.5], [0.0, 0.0, 0.0]])
LABELS = torch.tensor([0, 0, 2, 1])
N, C = LOGITS.shape


def features(logits):
    return Features(torch.zeros(len(logits), 2), logits)


def batch(own=None, **more):
    return Batch(torch.arange(N), LABELS, None, own=own, **more)


def shares(row):
    weights = [math.exp(value) for value in row]
    return [weight / sum(weights) for weight in weights]


P = [shares(row) for row in LOGITS.tolist()]


# --- Forward ----------------------------------------------------------------------------------------------------------

T = [[0.7, 0.3, 0.0], [0.1, 0.8, 0.1], [0.0, 0.2, 0.8]]


def test_forward_is_the_cross_entropy_of_the_shares_after_the_noise():
    method = methods.build("forward", {"transition": T})
    own = method.build_own(LABELS, C, 2)
    expected = sum(-math.log(sum(p[i] * T[i][y] for i in range(C))) for p, y in zip(P, LABELS.tolist(), strict=True))
    loss = method.loss([features(LOGITS)], batch(own), {}, 1)
    assert loss.item() == pytest.approx(expected / N, rel=1e-6)
    method.after_epoch(Epoch(10, LABELS, features=lambda number: features(LOGITS), own=own), {})
    assert torch.equal(own.T, torch.tensor(T))  # what was given is never estimated


def test_forward_is_cross_entropy_until_the_noise_is_estimated():
    method = methods.build("forward", {"warmup": 2, "percentile": 100})
    own = method.build_own(LABELS, C, 2)
    plain = nn.functional.cross_entropy(LOGITS, LABELS).item()
    assert method.loss([features(LOGITS)], batch(own), {}, 1).item() == pytest.approx(plain, rel=1e-6)
    for number in (1, 2, 3):
        method.after_epoch(Epoch(number, LABELS, features=lambda number: features(LOGITS), own=own), {})
        assert torch.equal(own.T, torch.eye(C)) == (number < 2)
    assert own.T[0].tolist() == pytest.approx(P[0], rel=1e-6)  # the example that is surest of class 0


def test_anchors_are_taken_at_a_percentile():
    p = torch.stack([torch.linspace(0, 1, 101), 1 - torch.linspace(0, 1, 101)], dim=1)
    assert transition_from_anchors(p, 97).tolist() == [pytest.approx([0.97, 0.03]), pytest.approx([0.03, 0.97])]


@pytest.mark.parametrize("wrong", [[[1.0]], [[1, 0, 0], [0, 1, 0], [0, 0, 2]], [[2, -1, 0], [0, 1, 0], [0, 0, 1]]])
def test_forward_refuses_what_is_no_transition_matrix(wrong):
    with pytest.raises(ValueError, match="transition must be 3 rows of 3 shares that sum to 1"):
        methods.build("forward", {"transition": wrong}).build_own(LABELS, C, 2)


# --- ELR --------------------------------------------------------------------------------------------------------------


def test_elr_values_over_two_epochs():
    method = methods.build("elr", {"strength": 3.0, "beta": 0.7})
    memory, targets = method.initial_memory(LABELS, C), [[0.0] * C for _ in range(N)]
    for epoch in (1, 2):
        expected = 0.0
        for p, y, t in zip(P, LABELS.tolist(), targets, strict=True):
            t[:] = [0.7 * old + 0.3 * new for old, new in zip(t, p, strict=True)]
            expected += -math.log(p[y]) + 3 * math.log(1 - sum(a * b for a, b in zip(p, t, strict=True)))
        loss = method.loss([features(LOGITS)], batch(), memory, epoch)
        assert loss.item() == pytest.approx(expected / N, rel=1e-5)
        assert torch.allclose(memory["targets"], torch.tensor(targets), atol=1e-6)


def test_elr_lowers_the_gradient_of_a_label_that_contradicts_the_targets():
    """The paper's gradient: p - y plus λ times a term that grows where the target disagrees with the label."""
    logits = LOGITS[1:2].clone().requires_grad_()
    method = methods.build("elr", {})
    memory = {"targets": torch.tensor([[0.0, 1.0, 0.0]])}
    method.loss([features(logits)], Batch(torch.tensor([0]), torch.tensor([0]), None), memory, 5).backward()
    plain = torch.tensor(P[1]) - torch.tensor([1.0, 0.0, 0.0])
    assert logits.grad[0, 1] < plain[1] and logits.grad[0, 0] > plain[0]


# --- SOP --------------------------------------------------------------------------------------------------------------


def test_sop_values_and_what_each_part_teaches():
    method = methods.build("sop", {})
    own = method.build_own(LABELS, C, 2)
    with torch.no_grad():
        own["u"].fill_(0.5)
        own["v"].fill_(0.4)
    expected = 0.0
    for p, y in zip(P, LABELS.tolist(), strict=True):
        s = [0.25 if j == y else -0.16 for j in range(C)]
        cut = [max(a + b, 1e-4) for a, b in zip(p, s, strict=True)]
        expected -= math.log(cut[y] / sum(cut))
        guess = p.index(max(p))
        expected += sum(((j == guess) + s[j] - (j == y)) ** 2 for j in range(C))
    logits = LOGITS.clone().requires_grad_()
    loss = method.loss([features(logits)], batch(own), {}, 1)
    assert loss.item() == pytest.approx(expected / N, rel=1e-5)
    loss.backward()
    rate = 2 * 0.4 * 2 / N  # of v_j where neither the guess nor the label is j: 2 s (ds/dv) = 2 (-v²)(-2v)
    assert own["v"].grad[0, 1].item() == pytest.approx(rate * 0.16 * 1, rel=1e-4)
    assert own["v"].grad[0, 0].item() == 0  # the label's own class has u, not v
    assert (own["u"].grad < 0).all()  # cross entropy alone would take every label for noise
    assert logits.grad.abs().sum() > 0


def test_sop_learns_its_parameters_at_rates_of_their_own():
    method = methods.build("sop", {"rate_u": 3, "rate_v": 5})
    groups = method.parameter_groups(method.build_own(LABELS, C, 2))
    assert [(group["lr"], group["weight_decay"], group["momentum"]) for group in groups] == [(3, 0, 0), (5, 0, 0)]
    assert [group["params"][0].shape for group in groups] == [(N, 1), (N, C)]


# --- Co-teaching+ -----------------------------------------------------------------------------------------------------


def test_coteaching_plus_learns_where_the_networks_disagree():
    other = torch.tensor([[2.0, 0.0, 0.0], [3.0, 1.0, 0.0], [0.5, 2.0, 1.5], [1.0, 0.0, 2.0]])
    method = methods.build("coteaching+", {"forget_rate": 0.5, "warmup": 2, "agreeing": 1})
    memory = method.initial_memory(LABELS, C)
    differ = [i for i in range(N) if LOGITS[i].argmax() != other[i].argmax()]
    assert differ == [1, 2, 3]  # 1 of 3 is kept: floor(0.5 * 3)
    losses = [nn.functional.cross_entropy(logits, LABELS, reduction="none") for logits in (LOGITS, other)]
    first, second = (min(differ, key=lambda i, values=values: values[i]) for values in losses)
    loss = method.loss([features(LOGITS), features(other)], batch(), memory, 2)
    assert loss.item() == pytest.approx((losses[0][second] + losses[1][first]).item(), rel=1e-6)
    assert memory["kept"].tolist() == [i == second for i in range(N)]


def test_coteaching_plus_begins_as_coteaching_and_learns_nothing_from_agreement():
    options = {"forget_rate": 0.3, "warmup": 2}
    plus = methods.build("coteaching+", {**options, "agreeing": 1})
    outputs, plain = [features(LOGITS), features(LOGITS.flip(0))], methods.build("coteaching", options)
    memory = plus.initial_memory(LABELS, C)
    assert plus.loss(outputs, batch(), memory, 1) == plain.loss(outputs, batch(), memory, 1)
    same = features(LOGITS.clone().requires_grad_())
    loss = plus.loss([same, same], batch(), memory, 2)
    loss.backward()
    assert loss.item() == 0 and same.logits.grad.abs().sum() == 0 and not memory["kept"].any()


# --- DivideMix --------------------------------------------------------------------------------------------------------


class Constant(nn.Module):
    """A network that knows nothing but the mean of an image."""

    def forward(self, x):
        return Features(torch.zeros(len(x), 2), x.mean(dim=(2, 3)))


def test_dividemix_values():
    """Images are their own logits, so that mixtures can be written out."""
    views = tuple(logits[:, :, None, None] for logits in (LOGITS, LOGITS + torch.tensor([0.5, 0.0, 0.0])))
    method = methods.build("dividemix", {"warmup": 1, "strength": 25.0, "threshold": 0.5})
    memory = {"clean": torch.tensor([[0.9, 0.8], [0.2, 0.7], [0.6, 0.1], [0.3, 0.2]]), "kept": torch.ones(N).bool()}
    network = Constant()
    given = batch(views=views, forward=lambda number, x: network(x), generator=torch.Generator().manual_seed(3))
    loss = method.loss([network(views[0])] * 2, given, memory, 5)
    p = [
        [(a + b) / 2 for a, b in zip(x, y, strict=True)]
        for x, y in zip(P, map(shares, views[1][:, :, 0, 0].tolist()), strict=True)
    ]
    generator, expected = torch.Generator().manual_seed(3), 0.0
    for k in range(2):
        w = memory["clean"][:, 1 - k].tolist()
        targets = []
        for i in range(N):
            refined = [w[i] * (j == LABELS[i].item()) + (1 - w[i]) * p[i][j] for j in range(C)]
            sharp = [value**2 for value in (refined if w[i] > 0.5 else p[i])]
            targets.append([value / sum(sharp) for value in sharp])
        share, order = method._mixture(2 * N, generator)
        assert 0.5 <= share <= 1
        x = torch.cat(views)[:, :, 0, 0].tolist()
        x = [[share * a + (1 - share) * b for a, b in zip(x[i], x[j], strict=True)] for i, j in enumerate(order)]
        t = targets * 2
        t = [[share * a + (1 - share) * b for a, b in zip(t[i], t[j], strict=True)] for i, j in enumerate(order)]
        q = [shares(row) for row in x]
        believed = [w[i % N] > 0.5 for i in range(2 * N)]
        cross = [-sum(a * math.log(b) for a, b in zip(t[i], q[i], strict=True)) for i in range(2 * N)]
        square = [sum((a - b) ** 2 for a, b in zip(t[i], q[i], strict=True)) / C for i in range(2 * N)]
        mean = [sum(row[j] for row in q) / (2 * N) for j in range(C)]
        expected += sum(c for c, b in zip(cross, believed, strict=True) if b) / sum(believed)
        expected += (
            25 * 4 / 16 * sum(s for s, b in zip(square, believed, strict=True) if not b) / (2 * N - sum(believed))
        )
        expected += sum(math.log(1 / C / value) / C for value in mean)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert memory["kept"].tolist() == [True, True, False, False]


def test_dividemix_divides_by_the_losses_of_the_other_network():
    generator = torch.Generator().manual_seed(0)
    small, large = torch.rand(60, generator=generator) * 0.2, 2 + torch.rand(40, generator=generator)
    found = clean_shares(torch.cat([small, large]))
    assert (found[:60] > 0.9).all() and (found[60:] < 0.1).all()
    assert torch.equal(clean_shares(torch.full((5,), 0.3)), torch.ones(5))  # nothing to divide
    method, labels = methods.build("dividemix", {"warmup": 2}), torch.zeros(100, dtype=torch.long)
    logits = torch.stack([-torch.cat([small, large]), torch.zeros(100)], dim=1)
    memory = method.initial_memory(labels, 2)
    for number, divided in ((1, False), (2, True)):
        answer = {0: features(logits), 1: features(logits.flip(0))}
        method.after_epoch(Epoch(number, labels, features=answer.__getitem__), memory)
        assert (memory["clean"][60:, 0] < 0.1).all().item() is divided
    assert (memory["clean"][:40, 1] < 0.1).all()


# --- All --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["forward", "elr", "sop", "coteaching_plus", "dividemix"])
def test_a_method_takes_at_most_sixty_lines(name):
    """Without docstrings, blank lines, imports: the interface is wide enough."""
    path = Path(inspect.getfile(lend.methods)).parent / f"{name}.py"
    tree, source = ast.parse(path.read_text()), path.read_text().splitlines()
    lines = {i for i, line in enumerate(source, 1) if line.strip() and not line.strip().startswith("#")}
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if text or isinstance(node, ast.Import | ast.ImportFrom):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    assert 8 <= len(lines) <= 60


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("forward", "warmup", 0),
        ("forward", "percentile", 101),
        ("elr", "beta", 1.0),
        ("elr", "strength", -1),
        ("sop", "rate_u", -1),
        ("coteaching+", "agreeing", -1),
        ("dividemix", "threshold", 1.0),
        ("dividemix", "mixing", 0),
        ("dividemix", "warmup", 0),
    ],
)
def test_bad_options(name, option, value):
    with pytest.raises(ValueError, match=f"{option} must be"):
        methods.build(name, {option: value})
