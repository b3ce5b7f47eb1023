"""The selector of one's own loop: the same selection as the trainer's, saved, moved, shared by processes."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch import distributed, nn
from torch.nn.functional import cross_entropy

import lend
from lend.run import writing
from lend.training import examples, images, networks, train
from lend.training.child import context_of_children

N, C, K = 60, 3, 4


def clusters(seed=0, noise=0.3, n=N):
    """Embeddings of three clusters, true labels and noisy ones."""
    stream = np.random.default_rng(seed)
    true = np.arange(n) % C
    V = np.eye(C)[true] * 3 + stream.normal(size=(n, C))
    noisy = np.where(stream.random(n) < noise, (true + 1) % C, true)
    return torch.tensor(V, dtype=torch.float32), torch.tensor(true), torch.tensor(noisy)


@pytest.mark.parametrize(
    ("options", "dilution"),
    [({"beta": 0.5}, {}), ({"beta": 0.4, "memory": "soft"}, {"class_prior": "balanced"}), ({"scope": "dataset"}, {})],
)
def test_a_loop_by_hand_ends_as_the_trainer_does(tiny, options, dilution):
    """Bit for bit: weights, losses and masks."""
    chosen = lend.Dilution(k=5, **dilution)
    config = tiny(method="lend", options={"beta": 0.5, **options}, dilution=chosen, precision="fp32")
    run = train(config, progress=False)
    source = examples.load(config)
    data, noisy = source.dataset, source.noisy
    torch.manual_seed(config.seed)
    network = networks.build("small", tuple(data.train_images.shape[1:]), data.num_classes, config.width)
    network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=config.learning_rate, momentum=0.9, weight_decay=5e-4)
    prepare = images.Preparation(*data.mean_std())
    selector = lend.Selector(noisy, data.num_classes, **{"beta": 0.5, **options}, k=5, **dilution)
    for epoch in range(1, config.epochs + 1):
        optimizer.param_groups[0]["lr"] = config.learning_rate * (0.1 if epoch > 0.5 * config.epochs else 1)
        order = torch.Generator().manual_seed(config.seed * 1_000_003 + epoch)
        masks = torch.zeros(len(noisy), dtype=torch.bool)
        network.train()
        for index in images.batches(len(noisy), config.batch_size, order):
            features, logits = network(prepare(data.train_images[index]))
            kept = selector(index, features)
            masks[index] = kept
            loss = (cross_entropy(logits, noisy[index], reduction="none") * kept).sum() / kept.sum().clamp(min=1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        selector.after_epoch()
        assert np.array_equal(run.kept(epoch), masks.numpy())
    state = writing.restore(run)[1]
    theirs = {name.removeprefix("0."): values for name, values in state["networks"].items()}
    assert all(torch.equal(values, theirs[name]) for name, values in network.state_dict().items())
    assert torch.equal(selector.diluted, state["memory"]["diluted"])
    assert 0 < masks.float().mean() < 1


def test_it_drops_wrong_labels_and_offers_weights_and_targets():
    V, true, noisy = clusters()
    selector = lend.Selector(noisy, C, beta=0.3, memory="soft", k=K)
    for _ in range(4):
        for index in torch.randperm(N, generator=torch.Generator().manual_seed(1)).split(20):
            kept = selector(index, V[index])
            assert kept.dtype == torch.bool and kept.shape == (20,)
    everyone = torch.arange(N)
    wrong = true != noisy
    assert selector.kept[~wrong].float().mean() > 0.9 and selector.kept[wrong].float().mean() < 0.4
    targets, weights = selector.targets(everyone), selector.weights(everyone)
    assert torch.allclose(targets.sum(dim=1), torch.ones(N)) and (targets.argmax(dim=1) == true).float().mean() > 0.8
    assert torch.equal(weights, targets[everyone, noisy]) and weights[wrong].mean() < weights[~wrong].mean()


def test_state_is_saved_moved_and_loaded():
    V, _, noisy = clusters()
    first = lend.Selector(noisy, k=K, beta=0.5)
    first(torch.arange(30), V[:30])
    second = lend.Selector(noisy, k=K, beta=0.5)
    second.load_state_dict(first.state_dict())
    third = copy.deepcopy(first).to("cpu")
    for selector in (first, second, third):
        selector(torch.arange(20, 50), V[20:50])
    for name, values in first.state_dict().items():
        assert torch.equal(values, second.state_dict()[name]) and torch.equal(values, third.state_dict()[name])
    assert list(first.parameters()) == [] and "beta=0.5" in repr(first)


def test_precision_gradients_and_compilation_change_nothing():
    V, _, noisy = clusters()
    index = torch.arange(N)
    expected = lend.Selector(noisy, k=K, beta=0.0)(index, V)
    with torch.autocast("cpu", torch.bfloat16):
        half = lend.Selector(noisy, k=K, beta=0.0)(index, (V @ torch.eye(C)).requires_grad_())
    assert torch.equal(half, lend.Selector(noisy, k=K, beta=0.0)(index, V.bfloat16()))
    assert torch.equal(lend.Selector(noisy.numpy(), k=K, beta=0.0)(index.numpy(), V.double().numpy()), expected)
    assert torch.equal(lend.Selector(pd.Series(noisy), k=K, beta=0.0)(index, V.clone().requires_grad_()), expected)


def test_within_a_compiled_network():
    V, _, noisy = clusters()

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.selector = lend.Selector(noisy, C, k=K, beta=0.5)

        def forward(self, index, x):
            return x * self.selector(index, x)[:, None]

    plain, compiled = Network(), Network()
    turned = torch.compile(compiled, backend="eager")
    for part in torch.arange(N).split(20):
        assert torch.equal(turned(part, V[part]), plain(part, V[part]))
    assert torch.equal(compiled.selector.diluted, plain.selector.diluted)


def test_an_unlabelled_example_has_no_vote_and_is_never_kept():
    V, true, noisy = clusters(noise=0.0)
    noisy[:6] = -1
    selector = lend.Selector(noisy, C, beta=0.0, k=K)
    kept = selector(torch.arange(N), V)
    assert not kept[:6].any() and kept[6:].float().mean() > 0.9
    assert torch.equal(selector.weights(torch.arange(6)), torch.zeros(6))
    assert (selector.targets(torch.arange(6)).argmax(dim=1) == true[:6]).float().mean() > 0.8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, V: s(torch.tensor([0, 60]), V[:2]), r"index must be inside 0\.\.59"),
        (lambda s, V: s(torch.tensor([1, 1]), V[:2]), "index must be of different examples .* more than once"),
        (lambda s, V: s(torch.arange(10), V[:9]), r"embeddings must be of shape \(10, 3\)"),
        (lambda s, V: s(torch.arange(10), V[:10] * torch.nan), "embeddings must be finite"),
        (lambda s, V: s(torch.arange(4), V[:4]), "embeddings must be of more than k = 4 examples, got 4"),
        (lambda s, V: lend.Selector(s.labels, 2), r"labels must be inside 0\.\.1"),
        (lambda s, V: lend.Selector(s.labels, beta=2), r"beta must be inside \[0, 1\]"),
        (lambda s, V: lend.Selector(s.labels, gama=2), "dilution must be of the settings .* got 'gama'"),
        (lambda s, V: lend.Selector(s.labels, scope="all"), "scope must be 'batch' or 'dataset'"),
        (lambda s, V: lend.Selector(3), "labels must be"),
        (lambda s, V: lend.Selector([0, 1] * 4), "k must be below 8, the number of labels, got 8"),
        (lambda s, V: s.targets([60]), r"index must be inside 0\.\.59"),
        (lambda s, V: s.weights(torch.tensor([-1])), r"index must be inside 0\.\.59"),
        (lambda s, V: s.targets(torch.tensor([0.5])), "index must be integers"),
        (
            lambda s, V: lend.Selector(s.labels, k=4, scope="dataset").after_epoch(),
            "examples of the epoch must be more than k = 4, got 0",
        ),
    ],
)
def test_bad_input_is_named_and_changes_nothing(call, message):
    V, _, noisy = clusters()
    selector = lend.Selector(noisy, C, k=K)
    before = {name: values.clone() for name, values in selector.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        call(selector, V)
    assert all(torch.equal(values, selector.state_dict()[name]) for name, values in before.items())


def test_an_epoch_has_embeddings_of_one_width():
    V, _, noisy = clusters()
    selector = lend.Selector(noisy, C, k=K, scope="dataset")
    selector(torch.arange(30), V[:30])
    with pytest.raises(ValueError, match="embeddings must be of 3 numbers as before in this epoch, got 2"):
        selector(torch.arange(30, 60), V[30:, :2])
    selector(torch.arange(30, 60), V[30:])
    selector.after_epoch()
    selector(torch.arange(60), V[:, :2])  # another epoch
    selector.after_epoch()
    index = torch.tensor([5, 5, 0])
    assert torch.equal(selector.targets([5, 5, 0]), selector.targets(index))
    assert torch.equal(selector.weights(index.numpy()), selector.weights(index))


def _process(rank, address, scope, results):
    """Two halves of each epoch, as by a distributed sampler; example 0 is seen by both."""
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    V, _, noisy = clusters()
    selector = lend.Selector(noisy, C, beta=0.4, k=K, scope=scope)
    for epoch in range(3):
        order = torch.randperm(N, generator=torch.Generator().manual_seed(epoch))
        part = order[rank::2]
        part = part if (part == 0).any() else torch.cat([part[:-1], torch.tensor([0])])
        selector(part, V[part] + rank * (part == 0)[:, None])
        selector.after_epoch()
    results.put((rank, {name: values.numpy() for name, values in selector.state_dict().items()}))
    distributed.destroy_process_group()


@pytest.mark.parametrize("scope", ["batch", "dataset"])
def test_processes_agree(tmp_path, scope):
    context = context_of_children()
    results = context.SimpleQueue()
    address = f"file://{tmp_path}/together"
    children = [context.Process(target=_process, args=(rank, address, scope, results)) for rank in range(2)]
    for child in children:
        child.start()
    found = dict(results.get() for _ in children)
    for child in children:
        child.join()
    assert all(np.array_equal(values, found[1][name]) for name, values in found[0].items())
    assert 0 < found[0]["kept"].mean() < 1 and not np.allclose(found[0]["diluted"].max(axis=1), 1)
