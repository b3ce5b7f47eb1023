"""A method of one's own: all that the interface lends, in a file that the library has never seen."""

import os
import signal
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

import lend
from lend.inputs import plugins
from lend.inputs.settings.own import METHODS
from lend.training import train
from lend.training.child import train_in_child

SOURCE = '''
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lend.methods import Method


class Own(nn.Module):
    """A second head, and a temperature of each example."""

    def __init__(self, n, features, classes):
        super().__init__()
        self.head = nn.Linear(features, classes)
        self.heat = nn.Parameter(torch.zeros(n))
        self.register_buffer("epochs", torch.zeros(()))


@dataclass(frozen=True)
class Mine(Method):
    views: ClassVar[int] = 2
    average_decay: ClassVar[float] = 0.9
    rate: float = 0.5

    def initial_memory(self, labels, num_classes):
        return {"targets": torch.zeros(len(labels), num_classes)}

    def build_own(self, labels, num_classes, features):
        return Own(len(labels), features, num_classes)

    def parameter_groups(self, own):
        return [{"params": list(own.head.parameters())}, {"params": [own.heat], "lr": self.rate, "weight_decay": 0.0}]

    def loss(self, outputs, batch, memory, epoch):
        first, teacher = outputs[0], batch.averages[0]
        assert not torch.equal(*batch.views) and not teacher.logits.requires_grad
        targets = 0.5 * memory["targets"][batch.index] + 0.5 * teacher.logits.softmax(1)
        memory["targets"][batch.index] = targets
        second = batch.forward(0, batch.views[1])
        heads = first.logits + batch.own.head(second.embeddings) * batch.own.heat[batch.index].exp()[:, None]
        noise = torch.rand((), generator=batch.generator)
        return cross_entropy(heads, batch.labels) - noise * (targets * heads.log_softmax(1)).sum(1).mean()

    def after_epoch(self, epoch, memory):
        assert epoch.features(0).logits.shape == memory["targets"].shape
        epoch.own.epochs += 1
        epoch.own.heat.data.clamp_(-1, 1)
'''


@pytest.fixture
def own(tmp_path, monkeypatch, tiny):
    """A configuration of the method in mine.py, in a folder where the program is."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(SOURCE)
    return lambda **settings: tiny(
        **{"method": "mine.py:Mine", "augment": True, "epochs": 3, "snapshots": (2,), **settings}
    )


def state(run):
    from lend.run import writing

    return writing.restore(run)[1]


def same(first, second):
    for epoch in (1, 2):
        for name in ("predicted", "diluted", "kept"):
            assert np.array_equal(first.epoch_labels(epoch)[name], second.epoch_labels(epoch)[name])
    columns = ["train_loss", "test_accuracy"]
    assert first.history[columns].equals(second.history[columns])
    assert np.array_equal(first.embeddings(2), second.embeddings(2))


def test_everything_that_the_interface_lends_is_trained_and_goes_on(own, tmp_path):
    whole = train(own(), progress=False)
    assert whole.config.sources == {"mine.py:Mine": plugins.source_digest("mine.py:Mine")}
    config = own(runs=str(tmp_path / "killed"))
    child = os.fork()
    if child == 0:  # die when the second epoch has been written
        from lend.run import writing

        commit = writing.commit

        def dying(run, epochs, checkpoint):
            commit(run, epochs, checkpoint)
            if epochs[-1].epoch == 2:
                os.kill(os.getpid(), signal.SIGKILL)

        writing.commit = dying
        train(config, progress=False)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    again = train(config, progress=False)
    same(again, whole)
    mine, theirs = state(again), state(whole)
    assert set(mine) == {"networks", "optimizer", "memory", "own", "averages"}
    for part in ("networks", "own", "averages"):
        assert all(torch.equal(value, theirs[part][name]) for name, value in mine[part].items())
    assert mine["own"]["epochs"] == 3 and mine["own"]["heat"].abs().sum() > 0
    moved = mine["averages"]["module.0.head.weight"] - mine["networks"]["0.head.weight"]
    assert 0 < moved.abs().max() < 1


def test_options_and_processes(own):
    whole = train(own(options={"rate": 2}), progress=False)
    elsewhere = own(options={"rate": 2}, runs="child")
    train_in_child(asdict(elsewhere), 1, str(Path.cwd()))
    same(lend.Run.open(elsewhere.folder), whole)
    assert whole.history["train_loss"].iloc[-1] != train(own(), progress=False).history["train_loss"].iloc[-1]


def test_two_shards_share_what_the_method_owns(own):
    run = train(own(shards=2), progress=False)
    assert run.complete and np.isfinite(run.history["train_loss"]).all()


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("mine.py:Mine", {"speed": 1}, "unknown option 'speed' of method mine.py:Mine; .*rate"),
        ("mine.py:Own", {}, "method mine.py:Own must be a subclass of lend.methods.Method"),
        ("mine.py:Missing", {}, "method mine.py:Missing: mine.py has no 'Missing'; it has .*Mine"),
        ("mine.py:needs", {}, "method mine.py:needs must be a subclass"),
        ("mine.py:Needs", {}, "method mine.py:Needs needs the option 'strength'"),
        ("standart", {}, "unknown method 'standart'"),
    ],
)
def test_what_cannot_be_trained_is_one_error_and_no_folder(own, method, options, message):
    with open("mine.py", "a") as file:
        file.write("\n\ndef needs(): pass\n\n\n@dataclass(frozen=True)\nclass Needs(Method):\n    strength: float\n")
    config = own(method=method, options=options)
    with pytest.raises(ValueError, match=message):
        train(config, progress=False)
    assert not config.folder.exists()


HELPERS = """

def losses(self, outputs, batch, *others):
    return cross_entropy(outputs[0].logits, batch.labels, reduction="none")

def good(*given):
    return losses(*given).mean()

def spoiled(self, outputs, *others):
    e = outputs[0].logits.exp()
    return e.mul_(e).sum()

class Bad(Method):
    loss = good
    BODY
"""
BAD = {
    "must be a class with a loss, got 'Bad'": "loss = Method.loss",
    "must be decorated with @dataclass.*, got 'share'": "share: float = 0.5",
    "TypeError: .*missing 1 required positional argument: 'speed'": "def __init__(self, speed): pass",
    r"loss must be one number, a tensor of shape \(\), got 'float32 of shape \(32,\)'": "loss = losses",
    "loss must be one number, a tensor of shape .*, got 'float'": "loss = lambda *given: 0.5",
    "loss must be one number, a tensor of shape .*, got 'NoneType'": "loss = lambda *given: None",
    "loss must be a number that has a gradient": "loss = lambda *given: good(*given).detach()",
    "loss must be finite in the first batch, got nan": "loss = lambda *given: good(*given) * torch.nan",
    r"line \d+: KeyError: 'my key'": "loss = lambda *given: {}['my key']",
    "TypeError: .*takes 1 positional argument but 5": "loss = lambda self: 1",
    "no gradient of its loss: .*inplace": "loss = spoiled",
    r"memory\['x'\] must be a tensor of 240 rows, .*, got 'float32 of shape \(3,\)'": "x = torch.zeros(3)",
    r"memory\['x'\] must be a tensor of 240 rows, .*, got 'list'": "x = [0] * 240",
    r"memory\['kept'\] must be bool of shape \(240,\)": "kept = torch.ones(240)",
    "initial_memory must be a dictionary, got 'NoneType'": "initial_memory = lambda *given: None",
    "build_own must be a torch.nn.Module or None, got 'int'": "build_own = lambda *given: 3",
    "networks must be an integer of at least 1, got 0": "networks: ClassVar[int] = 0",
    r"average_decay must be None, or inside \(0, 1\), got 2": "average_decay: ClassVar[int] = 2",
    "neighbors must be 0 with scope 'batch', where none are found, got 5": "neighbors: ClassVar[int] = 5",
    "scope must be 'batch' or 'dataset', got 'all'": "scope: ClassVar[str] = 'all'",
}


@pytest.mark.parametrize("message", BAD)
def test_a_method_that_is_none_is_one_line_and_no_folder(own, message):
    """It is tried on copies of everything before a run begins."""
    body = BAD[message]
    if body.startswith(("x = ", "kept = ")):
        body = f"initial_memory = lambda *given: dict({body})"
    with open("mine.py", "a") as file:
        file.write(HELPERS.replace("BODY", body))
    config = own(method="mine.py:Bad")
    with pytest.raises(ValueError, match=message) as caught:
        train(config, progress=False)
    assert not config.folder.exists() and "\n" not in str(caught.value) and "method mine.py:Bad" in str(caught.value)


@pytest.mark.parametrize("name", ["sop", "dividemix"])
def test_being_tried_and_guarded_changes_no_number(own, name):
    """A method of lend, named by its place as if it were somebody's own."""
    kind = lend.METHODS[name]
    usual, placed = (
        train(own(method=method), progress=False) for method in (name, f"{kind.__module__}:{kind.__name__}")
    )
    assert placed.config.sources and placed.path != usual.path
    same(usual, placed)


@pytest.mark.parametrize("failing", [1, 2])
def test_an_error_after_an_epoch_names_its_line(own, failing):
    """In the first epoch it leaves no folder; later, the epochs that are saved."""
    Path("mine.py").write_text(SOURCE.replace("epochs += 1", f"epochs += [1, []][epoch.number == {failing}]"))
    config = own()
    with pytest.raises(ValueError, match=r"method mine\.py:Mine: line \d+: TypeError: "):
        train(config, progress=False)
    assert config.folder.exists() == (failing > 1)
    assert [run.epochs_done for run in lend.runs(config.folder.parent)] == [1] * (failing - 1)


def test_a_memory_that_lost_its_rows_is_one_line_and_no_folder(own):
    Path("mine.py").write_text(
        SOURCE.replace("        epoch.own.epochs += 1", "        memory['targets'] = memory['targets'][:5]")
    )
    config = own()
    with pytest.raises(
        ValueError, match=r"mine\.py:Mine: memory\['targets'\] must be a tensor of \d+ rows, one per example"
    ):
        train(config, progress=False)
    assert not config.folder.exists()


def test_a_changed_method_is_a_new_run_and_said_so(own, capsys):
    first = train(own(epochs=1, snapshots=()), progress=False)
    Path("mine.py").write_text(SOURCE + "\n# a better idea\n")
    second = train(own(epochs=1, snapshots=()), progress=False)
    assert first.path != second.path
    assert f"mine.py has changed since {first.shown}: this is a new run" in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"mine\.py is not the file that this was set up with"):
        train(lend.RunConfig.from_dict({**vars(first.config), "epochs": 2, "snapshots": ()}), progress=False)


def test_an_installed_package_names_its_method(own, tmp_path, monkeypatch):
    (tmp_path / "theirs.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "theirs-1.0.dist-info").mkdir()
    (tmp_path / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (tmp_path / "theirs-1.0.dist-info" / "entry_points.txt").write_text("[lend.methods]\nbetter = theirs:Mine\n")
    config = own(method="better", epochs=1, snapshots=())
    assert config.method == "theirs:Mine" and list(config.sources) == ["theirs:Mine"]
    assert train(config, progress=False).complete


def test_the_names_that_need_no_import():
    assert set(METHODS) == set(lend.METHODS)
