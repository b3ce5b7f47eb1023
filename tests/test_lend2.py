"""LEND2: each part against its formula, number by number, and that weak votes hold it back."""

import math
from dataclasses import replace

import jaxtyping
import numpy as np
import pytest
import torch

from lend import methods
from lend.methods import Batch, Epoch, Features
from lend.methods.lend2 import explained, neighbor_votes, net_flow, surest, transition, unmix
from lend.neighbors import nearest


def groups(n=400, c=4, spread=0.3, rate=0.4, seed=0):
    """Clusters of n points in c classes, true labels and labels of which a share is wrong."""
    draw = np.random.default_rng(seed)
    true = np.arange(n) % c
    V = np.eye(c, 8)[true] + spread * draw.standard_normal((n, 8))
    wrong = draw.random(n) < rate
    given = np.where(wrong, (true + draw.integers(1, c, n)) % c, true)
    return torch.tensor(V, dtype=torch.float32), torch.tensor(true), torch.tensor(given)


def agreement(held, inside, outside):
    """A mask that holds for these shares of the held-out examples and of the others."""
    place = torch.where(held, held.cumsum(0) / held.sum(), (~held).cumsum(0) / (~held).sum())
    return place <= torch.where(held, inside, outside)


def after(epochs, V, given, agreed=(0.6, 0.6), **options):
    """The memory after some epochs with the same embeddings and agreement, of held-out examples and of the others."""
    method = methods.build("lend2", {"held": 80} | options)
    memory = method.initial_memory(given, int(given.max()) + 1)
    for number in range(1, epochs + 1):
        memory["agreed"] = agreement(memory["held"], *agreed)
        method.after_epoch(Epoch(number, given, neighbors=nearest(V, 40)), memory)
    return memory


def dropped(memory):
    """Share of the examples that are not held out."""
    return 1 - memory["kept"].sum().item() / (~memory["held"]).sum().item()


def test_votes_are_shares_of_similar_labels_without_the_own_one():
    V, _, given = groups(n=30)
    votes = neighbor_votes(*nearest(V, 5), given, 4)
    unit = (V / V.norm(dim=1, keepdim=True)).double().numpy()
    for i in range(len(V)):
        cosines = unit @ unit[i]
        cosines[i] = -math.inf
        expected = np.zeros(4)
        for j in np.argsort(-cosines)[:5]:
            expected[given[j]] += max(0.0, cosines[j]) ** 3
        np.testing.assert_allclose(votes[i].numpy(), expected / expected.sum(), atol=1e-5)
    assert torch.allclose(neighbor_votes(*nearest(torch.zeros(6, 3), 2), given[:6], 4), torch.full((6, 4), 0.25))


def test_the_noise_is_counted_among_the_surest_of_each_voted_class():
    lead = torch.linspace(0.1, 0.9, 10)
    votes = torch.cat([torch.stack([0.5 + lead / 2, 0.5 - lead / 2], dim=1), torch.tensor([[0.3, 0.7], [0.1, 0.9]])])
    assert sorted(surest(votes).tolist()) == [8, 9, 11]  # a fifth of ten, and of two
    labels = torch.tensor([1] * 9 + [0] + [0, 1])
    T = transition(votes, labels)  # half a label more everywhere
    assert torch.allclose(T, torch.tensor([[1.5 / 3, 1.5 / 3], [0.5 / 2, 1.5 / 2]]))
    assert torch.allclose(transition(votes[:10], labels[:10])[1], torch.tensor([0.5, 0.5]))  # never voted for


def test_unmixing_takes_the_noise_out():
    T = torch.tensor([[0.6, 0.4, 0.0], [0.0, 1.0, 0.0], [0.1, 0.1, 0.8]])
    q = unmix(T.clone(), T)  # votes of examples that are surely of one class
    assert q.argmax(dim=1).tolist() == [0, 1, 2]
    assert torch.allclose(q.sum(dim=1), torch.ones(3))
    row, expected = T[0].tolist(), [1 / 3] * 3
    for _ in range(10):
        mixed = [sum(expected[j] * T[j, y].item() for j in range(3)) for y in range(3)]
        ratio = [row[y] / max(mixed[y], 1e-12) for y in range(3)]
        expected = [expected[j] * sum(ratio[y] * T[j, y].item() for y in range(3)) for j in range(3)]
        expected = [value / sum(expected) for value in expected]
    assert q[0].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.4])
def test_strong_votes_drop_the_wrong_labels(rate):
    V, true, given = groups(n=2000, rate=rate)
    memory = after(15, V, given, held=400)
    kept, right = memory["kept"], (true == given) & ~memory["held"]
    wrong = ~right & ~memory["held"]
    assert kept[right].float().mean() > 0.95
    assert kept[wrong].sum() <= 0.5 * wrong.sum()


def test_labels_that_gained_are_told_from_labels_that_lost():
    """Of class 0, two fifths are called 1: no other label is wrong."""
    V, true, _ = groups(n=800, rate=0.0)
    given = torch.where((true == 0) & (torch.arange(len(true)) % 20 < 8), 1, true)
    memory = after(12, V, given, restraint=0.0)
    lost = (memory["kept"] | memory["held"]).logical_not()
    assert lost[true != given].float().mean() > 0.5
    assert lost[true == given].float().mean() < 0.02


def test_weak_votes_hold_the_share_back_until_the_network_memorises():
    V, _, given = groups(n=1000, spread=0.7)
    shares = [dropped(after(12, V, given, restraint=s, held=200)) for s in (0, 1, 2, 4)]
    assert shares == sorted(shares, reverse=True) and shares[0] > 0.35 > 3 * shares[3] > 0
    seen = [dropped(after(12, V, given, (0.4, other), restraint=4.0, held=200)) for other in (0.4, 0.5, 0.6, 0.9)]
    assert seen == sorted(seen) and seen[0] == shares[3] and seen[-1] > 0.35
    assert dropped(after(12, V, given, (0.4, 0.9), restraint=4.0, held=200, pressure=0.0)) == shares[3]


def explained_noise(V, true, given, epochs=12):
    """The net flow of labels that a corrected LEND2 has learned in some epochs, and the true one."""
    method = methods.build("lend2", {"held": 80, "corrected": True})
    memory, own = method.initial_memory(given, 4), method.build_own(given, 4, 8)
    assert not own.flow.any()  # nothing is known before the first epoch
    for number in range(1, epochs + 1):
        method.after_epoch(Epoch(number, given, own=own, neighbors=nearest(V, 40)), memory)
    return own.flow, net_flow(torch.eye(4)[true], given), memory


@pytest.mark.parametrize("spread", [0.3, 0.5])
def test_the_noise_is_explained_by_votes_and_labels(spread):
    """Of class 0, two fifths are called 1: no other label is wrong."""
    V, true, _ = groups(n=2000, spread=spread, rate=0.0)
    given = torch.where((true == 0) & (torch.arange(len(true)) % 20 < 8), 1, true)
    flow, expected, memory = explained_noise(V, true, given)
    assert expected[0, 1] == pytest.approx(0.4, abs=1e-3)
    assert 0.36 < flow[0, 1] < expected[0, 1] + 0.01  # nearly all of it
    assert (flow - expected)[1:].clamp(min=0).max() < 0.03 and flow[0, 2:].max() < 0.01
    assert (memory["kept"] | memory["held"]).all()  # explained, not dropped


def test_what_goes_both_ways_is_not_explained():
    """Of labels that say nothing of the embeddings all could be noise; but of each class as many leave as come."""
    V, true, _ = groups(n=2000)
    given = torch.randint(4, (len(true),), generator=torch.Generator().manual_seed(1))
    q, posterior = explained(neighbor_votes(*nearest(V, 32), given, 4), given)
    for each in (q, posterior):
        assert torch.allclose(each.sum(dim=1), torch.ones(len(each)), atol=1e-5)
    assert posterior.gather(1, given[:, None]).mean() < 0.3
    assert explained_noise(V, true, given)[0].max() < 0.15


def test_net_flow():
    classes = torch.tensor([[1.0, 0.0]] * 10 + [[0.0, 1.0]] * 5)
    y = torch.tensor([0] * 6 + [1] * 4 + [1] * 4 + [0])
    assert torch.allclose(net_flow(classes, y), torch.tensor([[0.0, 3 / 10], [-3 / 5, 0.0]]))
    assert not net_flow(classes[:0], y[:0]).any()


def test_the_flow_rises_from_zero_and_is_remembered():
    V, true, _ = groups(n=400, rate=0.0)
    given = torch.where((true == 0) & (torch.arange(len(true)) % 20 < 8), 1, true)
    one, two = (explained_noise(V, true, given, epochs=epochs)[0] for epochs in (1, 2))
    _, posterior = explained(neighbor_votes(*nearest(V, 32), given, 4), given)
    held = methods.build("lend2", {"held": 80}).initial_memory(given, 4)["held"]
    assert torch.allclose(one, 0.3 * net_flow(posterior[~held], given[~held]), atol=1e-6)  # 1 - β
    assert torch.allclose(two, 1.7 * one, atol=1e-5)


def test_a_corrected_network_that_memorises_drops_labels_and_explains_the_others():
    V, _, given = groups(n=800)
    method = methods.build("lend2", {"held": 80, "corrected": True, "pressure": 0.5})
    memory, own = method.initial_memory(given, 4), method.build_own(given, 4, 8)
    memory["agreed"] = agreement(memory["held"], 0.5, 0.65)
    method.after_epoch(Epoch(1, given, own=own, neighbors=nearest(V, 40)), memory)
    q, posterior = explained(neighbor_votes(*nearest(V, 32), given, 4), given)
    support = q.gather(1, given[:, None])[:, 0] / q.amax(dim=1)
    free, kept = ~memory["held"], memory["kept"]
    dropped = free & ~kept
    share = method.share(memory["votes"] / memory["votes"].sum(dim=1, keepdim=True), given, memory, 1)
    assert dropped.sum() == int(share * free.sum()) > 20
    assert support[dropped].max() <= support[kept].min()
    assert torch.allclose(own.flow, 0.3 * net_flow(posterior[kept], given[kept]), atol=1e-6)


def test_the_posterior_is_of_votes_and_labels():
    votes = torch.tensor([[0.6, 0.4], [0.55, 0.45], [0.1, 0.9], [0.05, 0.95], [0.2, 0.8]])
    y = torch.tensor([0, 1, 1, 1, 0])
    T = torch.tensor([[1.5, 0.5], [0.5, 1.5]]) / 2  # of the most voted example of each class, and a label more
    q = unmix(votes, T)
    joint = torch.stack([q[i] * T[:, y[i]] for i in range(5)])
    for found, expected in zip(explained(votes, y), (q, joint / joint.sum(dim=1, keepdim=True)), strict=True):
        assert torch.allclose(found, expected, atol=1e-5)


def test_the_corrected_loss_is_that_of_forward_correction():
    method = methods.build("lend2", {"neighbors": 2, "corrected": True})
    labels, logits = torch.tensor([1, 0, 2]), torch.tensor([[2.0, 0, 0], [0, 1.0, 0], [0.5, 0, 1.5]])
    memory, own = method.initial_memory(labels, 3), method.build_own(labels, 3, 2)
    own.flow.copy_(torch.tensor([[0.0, 0.3, -0.1], [-0.2, 0.0, 0.0], [0.2, 0.0, 0.0]]))
    memory["kept"] = torch.tensor([True, True, False])
    p = logits.softmax(dim=1) @ torch.tensor([[0.7, 0.3, 0.0], [0.0, 1.0, 0.0], [0.2, 0.0, 0.8]])
    expected = -(p[0, 1].log() + p[1, 0].log()).item() / 2
    batch = Batch(torch.arange(3), labels, None, own=own)
    loss = method.loss([Features(torch.zeros(3, 2), logits)], batch, memory, 1)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert memory["agreed"].tolist() == [False, False, True]


def test_the_share_is_that_of_the_formula():
    V, _, given = groups(n=800)
    method = methods.build("lend2", {"held": 80, "restraint": 1.5, "pressure": 1.0, "warmup": 4})
    memory = method.initial_memory(given, 4)
    votes = neighbor_votes(*nearest(V, 32), given, 4)
    memory["agreed"] = agreement(memory["held"], 0.5, 0.65)
    agrees = [int(votes[i].argmax().item() == given[i].item()) for i in range(len(given))]
    held = memory["held"].nonzero()[:, 0].tolist()
    sure, sure_held = surest(votes).tolist(), [held[i] for i in surest(votes[held]).tolist()]
    r = 1 - sum(agrees[i] for i in sure_held) / len(sure_held)
    everywhere = 1 - sum(agrees[i] for i in sure) / len(sure)
    a = sum(agrees[i] for i in held) / len(held)
    rho = min(1.0, max(0.0, (a - 0.25) / (1 - everywhere - 0.25)))
    m = (0.65 - 0.5 - math.sqrt(0.5 * 0.5 / len(held))) / 0.5
    assert method.share(votes, given, memory, 2).item() == pytest.approx(r * (rho**1.5 * 2 / 4 + m), rel=1e-4)
    corrected = replace(method, corrected=True).share(votes, given, memory, 2).item()
    assert corrected == pytest.approx(r * m, rel=1e-4)
    memory["agreed"] = agreement(memory["held"], 0.1, 1.0)  # no more than the votes are against
    for either in (method, replace(method, corrected=True)):
        assert either.share(votes, given, memory, 2).item() == pytest.approx(1 - a, rel=1e-4)


def test_held_out_examples_are_never_trained_on():
    V, _, given = groups()
    for held, taken in ((30, 30), (500, 80)):  # at most a fifth of 400
        memory = after(3, V, given, held=held)
        assert memory["held"].sum() == taken and not (memory["kept"] & memory["held"]).any()


def test_votes_are_remembered():
    V, _, given = groups()
    one = after(1, V, given, beta=0.5)["votes"]
    assert torch.allclose(one, 0.5 * neighbor_votes(*nearest(V, 32), given, 4))
    assert torch.allclose(after(2, V, given, beta=0.5)["votes"], 1.5 * one)


def test_the_loss_is_that_of_the_kept():
    method = methods.build("lend2", {"neighbors": 2})
    labels, logits = torch.tensor([0, 1, 2, 0]), torch.tensor([[2.0, 0, 0], [0, 1.0, 0], [0.5, 0, 1.5], [0, 0, 0]])
    memory = method.initial_memory(labels, 3)
    memory["kept"] = torch.tensor([True, False, True, True])
    batch = Batch(torch.tensor([3, 1, 0]), labels[[3, 1, 0]], None)
    expected = (math.log(3) + math.log(1 + 2 * math.exp(-2))) / 2
    loss = method.loss([Features(torch.zeros(3, 2), logits[[3, 1, 0]])], batch, memory, 5)
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    assert memory["agreed"].tolist() == [True, True, False, True]  # a tie is the first class


@pytest.mark.parametrize(
    ("option", "value"),
    [("neighbors", 0), ("beta", 1.0), ("held", 0), ("restraint", -1), ("pressure", -1), ("warmup", 0)],
)
def test_bad_options(option, value):
    with pytest.raises(ValueError, match=f"{option} must be"):
        methods.build("lend2", {option: value})


def test_corrected_is_no_number(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users call
    with pytest.raises(ValueError, match="corrected must be True or False, got 1"):
        methods.build("lend2", {"corrected": 1})


def test_more_neighbours_than_examples():
    with pytest.raises(ValueError, match="neighbors must be below the 9 examples"):
        methods.build("lend2", {"neighbors": 9}).initial_memory(torch.zeros(9, dtype=torch.long), 2)
