"""Training on a card: nothing waits in a step, runs go on where they were stopped, here or on a CPU."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from test_training import assert_same, interrupted, save_every_epoch  # noqa: F401 (a fixture of every test)
from tqdm.auto import tqdm

import lend
from lend.methods import build
from lend.training import Source, examples, train
from lend.training.parallel import Processes
from lend.training.trainer import Trainer

pytestmark = pytest.mark.cuda


@pytest.mark.parametrize("method", ["standard", "lend"])
def test_a_run(tiny, device, method):
    run = train(tiny(device=device.type, method=method, epochs=8, snapshots=(1, 8)), progress=False)
    assert run.complete and run.history["train_loss"].iloc[-1] < run.history["train_loss"].iloc[0]
    assert run.history["test_accuracy"].iloc[-1] > 0.3
    assert run.check() == []
    for epoch in run.epochs:  # what was copied without waiting is what was computed
        V, given = run.embeddings(epoch).astype(np.float32), run.labels["noisy"].to_numpy()
        again = lend.dilute(V, given, num_classes=10, k=run.config.dilution.k)
        differences = np.abs(again - run.snapshot(epoch)["diluted"].values).max(axis=1)
        assert (differences < 1e-2).mean() > 0.98
        assert np.isfinite(run.snapshot(epoch)["logits"].values).all()


@pytest.mark.parametrize("method", ["standard", "lend", "dividemix"])
def test_resumed_on_one_card_is_the_same_bit_for_bit(tiny, tmp_path, monkeypatch, device, deterministic, method):
    options = {"warmup": 1} if method == "dividemix" else {}
    settings = {"device": device.type, "method": method, "options": options, "augment": True}
    whole = train(tiny(**settings, runs=str(tmp_path / "whole")), progress=False)
    interrupted(tiny(**settings), monkeypatch, epochs=2)
    assert_same(train(tiny(**settings), progress=False), whole)


def test_a_run_from_a_card_goes_on_on_a_cpu(tiny, monkeypatch, device):
    run = interrupted(tiny(device=device.type), monkeypatch, epochs=2)
    newest = max((run.path / "checkpoint").glob("*.pt"))
    state = torch.load(newest, weights_only=True)  # no map_location: nothing in it is of a card
    assert all(values.device.type == "cpu" for values in state["networks"].values())
    assert state["memory"]["diluted"].device.type == "cpu"
    assert train(tiny(device="cpu"), progress=False).complete


def test_cpu_and_card_learn_alike(tiny, tmp_path, device):
    """The same draws on both: the first epoch differs by rounding alone, later ones by what rounding grows into."""
    settings = {"epochs": 1, "snapshots": (1,), "precision": "fp32", "augment": True}
    here = train(tiny(device="cpu", runs=str(tmp_path / "cpu"), **settings), progress=False)
    there = train(tiny(device=device.type, runs=str(tmp_path / "card"), **settings), progress=False)
    assert np.array_equal(here.labels["noisy"], there.labels["noisy"])
    assert here.history["train_loss"].iloc[0] == pytest.approx(there.history["train_loss"].iloc[0], rel=1e-2)
    assert (here.predicted(1) == there.predicted(1)).mean() > 0.9


@pytest.fixture
def loop(tiny, device):
    def make(method, **settings):
        config = tiny(device=device.type, method=method, augment=True, epochs=40, snapshots=(), **settings)
        source: Source = examples.load(config)
        made = build(method, {}).with_noise_rate(0.4)
        return Trainer(config, made, source, device, Processes(), bf16=device.type == "cuda")

    return make


@contextmanager
def waits_are_errors(device):
    if device.type != "cuda":
        yield
        return
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("method", sorted(lend.METHODS))
def test_no_step_waits_for_the_device(loop, device, method):
    trainer = loop(method)
    current, generator = trainer._new_pass(30), torch.Generator().manual_seed(1)
    trainer.learner.begin(1)
    index = torch.arange(80, device=device)
    parts = [(trainer.learner.shards[0], index, generator)]
    for _ in range(2):  # libraries begin with waits of their own
        trainer._step(0, parts, current)
    with waits_are_errors(device):
        trainer._step(1, parts, current)
    assert torch.isfinite(trainer._step(2, parts, current))


def test_no_epoch_waits_for_the_device(loop, device):
    """Neither its beginning nor its end, evaluation among it: the next one is asked for while the card is at work."""
    trainer, bar = loop("lend"), tqdm(disable=True)
    trainer.read(trainer.epoch(1, bar))
    with waits_are_errors(device):
        second = trainer.epoch(2, bar)
        third = trainer.epoch(3, bar)
    rows = [trainer.read(ending).row for ending in (second, third)]
    assert all(np.isfinite(row["train_loss"]) and row["test_accuracy"] > 0 and row["seconds"] > 0 for row in rows)
    assert rows[0]["train_loss"] != rows[1]["train_loss"]


def test_images_and_memory_live_on_the_device(loop, device):
    trainer = loop("lend")
    trainer.load({**trainer.state(), "memory": {name: t.cpu() for name, t in trainer.memory.items()}})
    held = (trainer.images, trainer.noisy, *trainer.memory.values(), *trainer.learner.networks.parameters())
    assert {tensor.device.type for tensor in held} == {device.type}
    assert trainer.images.dtype == torch.uint8 and trainer.memory["diluted"].shape == (240, 10)
