"""The callback in real trainings by Lightning: what it records is what the training saw, whole or killed."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lend

pytest.importorskip("lightning")

import lightning_training as training  # noqa: E402
from lightning.pytorch import LightningModule  # noqa: E402
from seen import C, compare, digits, same, settings  # noqa: E402

from lend.integrations.lightning import LendCallback  # noqa: E402

pytestmark = [pytest.mark.integrations, pytest.mark.filterwarnings("default")]  # the library warns of its own


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *training.fit(folder)


def test_the_run_is_what_the_training_saw(whole):
    folder, seen, trainer = whole
    run = lend.Run.open(folder / "run")
    compare(run, seen)
    assert run.history["test_accuracy"].iloc[-1] == pytest.approx(float(trainer.callback_metrics["val_acc"]))
    assert run.history["test_accuracy"].notna().all() and run.history["test_accuracy"].nunique() > 1


def test_the_model_is_left_as_it_was(whole):
    _, _, trainer = whole
    assert not any(layer._forward_hooks for layer in trainer.lightning_module.modules())


def test_tuples_and_accumulated_gradients_and_no_validation(tmp_path):
    seen, _ = training.fit(tmp_path, form=tuple, validate=False, accumulate_grad_batches=2)
    run = lend.Run.open(tmp_path / "run")
    compare(run, seen)
    assert run.history["test_accuracy"].isna().all()


def test_an_epoch_without_validation_has_no_accuracy(tmp_path):
    """The trainer's metrics still hold that of the epoch before."""
    training.fit(tmp_path, check_val_every_n_epoch=2)
    assert lend.Run.open(tmp_path / "run").history["test_accuracy"].isna().tolist() == [True, False, True]


def test_validation_within_an_epoch(tmp_path):
    seen, trainer = training.fit(tmp_path, val_check_interval=2)
    run = lend.Run.open(tmp_path / "run")
    compare(run, seen)
    assert run.history["test_accuracy"].iloc[-1] == pytest.approx(float(trainer.callback_metrics["val_acc"]))


@pytest.mark.parametrize("checkpoints", ["epoch end", "validation"])
def test_killed_and_resumed_is_as_if_nothing_had_been(whole, tmp_path, checkpoints):
    script = Path(training.__file__)
    killed = subprocess.run(
        [sys.executable, script, tmp_path, checkpoints, "10"], cwd=script.parent, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert lend.Run.open(tmp_path / "run").epochs_done == 2
    training.fit(tmp_path, checkpoints, ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    same(lend.Run.open(tmp_path / "run"), lend.Run.open(whole[0] / "run"))


def test_an_older_checkpoint_removes_later_epochs(whole, tmp_path):
    training.fit(tmp_path, "within an epoch")
    checkpoints = sorted((tmp_path / "checkpoints").glob("*.ckpt"))
    assert lend.Run.open(tmp_path / "run").epochs_done == 3 and checkpoints
    training.fit(tmp_path, "within an epoch", ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    run = lend.Run.open(tmp_path / "run")
    assert run.epochs_done == 3 and run.predicted(1).tolist() == lend.Run.open(whole[0] / "run").predicted(1).tolist()


def test_a_trainer_that_fits_again_goes_on(whole, tmp_path):
    callback = LendCallback(tmp_path / "run", **settings())
    made = training.trainer(tmp_path, callback, epochs=2)
    training.L.seed_everything(0, verbose=False)
    model = training.Model()
    loaders = training.DataLoader(training.Digits(dict), batch_size=training.BATCH), training.tests()
    made.fit(model, *loaders)
    assert lend.Run.open(tmp_path / "run").epochs_done == 2
    made.fit_loop.max_epochs = 3
    made.fit(model, *loaders)
    same(lend.Run.open(tmp_path / "run"), lend.Run.open(whole[0] / "run"))


def test_a_training_that_fails_keeps_its_epochs(tmp_path, monkeypatch):
    step = training.Model.training_step

    def fail(self, batch, batch_idx):
        if self.current_epoch == 1 and batch_idx == 2:
            raise ZeroDivisionError("mine")
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(training.Model, "training_step", fail)
        with pytest.raises(ZeroDivisionError, match="mine"):
            training.fit(tmp_path)
    assert lend.Run.open(tmp_path / "run").epochs_done == 1
    with pytest.raises(FileExistsError, match="already exists"):
        training.fit(tmp_path)
    seen, _ = training.fit(tmp_path, callback=LendCallback(tmp_path / "run", **settings(resume=True)))
    compare(lend.Run.open(tmp_path / "run"), seen)


def test_a_checkpoint_without_its_run(tmp_path):
    training.fit(tmp_path, "epoch end", epochs=1)
    callback = LendCallback(tmp_path / "other", **settings())
    last = tmp_path / "checkpoints" / "last.ckpt"
    with pytest.raises(ValueError, match="folder must be that of the run with the first 1 epochs, got"):
        training.fit(tmp_path, ckpt_path=last, callback=callback)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"index": "position"},
            ValueError,
            "index must be a key of the batch.*got .'position.* for a batch that is the keys",
        ),
        ({"index": 2}, ValueError, "index must be a key of the batch"),
        ({"head": "heads"}, ValueError, "head must be the name of a layer, such as head.*got 'heads'"),
        ({"head": "body"}, ValueError, "logits must be of shape"),
        ({"class_names": range(12)}, ValueError, r"no linear layer of the model has 12 outputs.*head \(10\)"),
        ({"accuracy": "top5"}, ValueError, r"accuracy must be one of the trainer's metrics \(val_acc\), got 'top5'"),
        ({"labels": digits()[2][:100]}, ValueError, "true_labels must be of length 100"),
        ({"snapshots": (0, 1)}, ValueError, "snapshots must be epochs, counted from 1"),
        ({"lables": None}, TypeError, "lables"),
    ],
)
def test_errors_name_the_argument(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        training.fit(tmp_path, callback=LendCallback(tmp_path / "run", **settings(**options)))


def test_two_heads_must_be_told_apart(tmp_path, monkeypatch):
    made = training.Model.__init__

    def with_another(self, *given):
        made(self, *given)
        self.other = training.nn.Linear(3, C)

    monkeypatch.setattr(training.Model, "__init__", with_another)
    with pytest.raises(ValueError, match="head must be given: head, other are linear layers of 10 outputs"):
        training.fit(tmp_path / "a")
    seen, _ = training.fit(tmp_path / "b", callback=LendCallback(tmp_path / "b" / "run", **settings(head="head")))
    compare(lend.Run.open(tmp_path / "b" / "run"), seen)
    with pytest.raises(
        ValueError, match="head must be a layer that every training step calls, got .*other.*not called"
    ):
        training.fit(tmp_path / "c", callback=LendCallback(tmp_path / "c" / "run", **settings(head="other")))


def test_manual_optimisation(tmp_path, monkeypatch):
    """The training step returns nothing: no loss is known, everything else is."""
    made, step = training.Model.__init__, training.Model.training_step

    def manual(self, *given):
        made(self, *given)
        self.automatic_optimization = False

    def by_hand(self, batch, batch_idx):
        loss = step(self, batch, batch_idx)
        self.optimizers().zero_grad()
        self.manual_backward(loss)
        self.optimizers().step()

    monkeypatch.setattr(training.Model, "__init__", manual)
    monkeypatch.setattr(training.Model, "training_step", by_hand)
    seen, trainer = training.fit(tmp_path)
    assert isinstance(trainer.lightning_module, LightningModule)
    run = lend.Run.open(tmp_path / "run")
    assert run.history["train_loss"].isna().all()
    assert np.array_equal(run.predicted(3), seen.gather(3)[1].argmax(axis=1))
