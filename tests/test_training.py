"""The loop: resume, identity of runs, bad input. Every exact comparison is bit for bit, on the CPU."""

import errno
import os
import random
import shutil
import signal
import time

import numpy as np
import pytest
import torch
from test_storage import flip_byte

import lend
from lend import storage
from lend.inputs import Dilution
from lend.methods import Features
from lend.run import Run, epochs_done
from lend.storage import DamagedFileError
from lend.training import sweep, train
from lend.training.child import context_of_children
from lend.training.trainer import Trainer


def outcome(run):
    """Everything that must not depend on how often the run was stopped."""
    history = run.history.drop(columns="seconds")
    labels = [storage.read_arrays(run.path / "labels" / f"{epoch:04}.npz") for epoch in history.index]
    snapshots = [run.snapshot(epoch).load() for epoch in run.epochs]
    final = max((run.path / "checkpoint").glob("*.pt"))
    return history, labels, snapshots, torch.load(final, weights_only=True)


def assert_same(run, other, loss=0.0):
    """Bit for bit; the mean loss within a relative difference."""
    (history, labels, snapshots, state), (history2, labels2, snapshots2, state2) = outcome(run), outcome(other)
    assert np.allclose(history["train_loss"], history2["train_loss"], rtol=loss, atol=0)
    assert history.drop(columns="train_loss").equals(history2.drop(columns="train_loss"))
    for a, b in zip(labels, labels2, strict=True):
        assert a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
    assert len(snapshots) == len(snapshots2) and all(a.identical(b) for a, b in zip(snapshots, snapshots2, strict=True))
    assert_same_state(state, state2)


def assert_same_state(a, b):
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            assert_same_state(a[name], b[name])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same_state(x, y)
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    else:
        assert a == b


@pytest.fixture(autouse=True)
def save_every_epoch(monkeypatch):
    def settled(saver):
        saver.wait()
        return False

    monkeypatch.setattr("lend.training.loop.SAVING_SHARE", 1e9)
    monkeypatch.setattr("lend.recording.Saver.busy", property(settled))


class Killed(BaseException):
    """Stands for SIGKILL inside this process: no handler of the library may catch it."""


def train_killed_at(config, monkeypatch, moment, before):
    """Train until the given write, counted over the run, then die before or after it takes effect."""
    count, replace = 0, os.replace

    def dying_replace(source, target):
        nonlocal count
        ours = str(source).endswith(".tmp")  # zarr moves files of its own, inside a temporary folder
        count += ours
        if ours and count == moment and before:
            raise Killed
        replace(source, target)
        if ours and count == moment:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", dying_replace)
        try:
            train(config, progress=False)
        except Killed:
            return True
    return False


SOON = {"forward": {"warmup": 2}, "coteaching+": {"agreeing": 1, "warmup": 2}, "dividemix": {"warmup": 2}}


@pytest.mark.parametrize("method", ["lend", "sop"])
def test_killed_at_every_write(tiny, tmp_path, monkeypatch, method):
    """A run that dies at any of its writes and goes on ends as one that never died."""
    whole = train(tiny(method=method, augment=True), progress=False)
    moments = 0
    for moment in range(1, 100):
        config = tiny(method=method, augment=True, runs=str(tmp_path / f"killed{moment}"))
        if not train_killed_at(config, monkeypatch, moment, before=moment % 2 == 0):
            break
        moments += 1
        assert_same(train(config, progress=False), whole)
        assert not list(config.folder.rglob(".*"))
        shutil.rmtree(tmp_path / f"killed{moment}")
    assert moments == 2 + 4 * 3 + 3  # given labels, config; labels, state, record of 4 epochs; 3 snapshots


@pytest.mark.parametrize("method", sorted(set(lend.METHODS) - {"lend", "sop"}))
def test_killed_in_the_third_epoch(tiny, tmp_path, monkeypatch, method):
    settings = {"method": method, "options": SOON.get(method, {}), "augment": True}
    whole = train(tiny(**settings), progress=False)
    config = tiny(**settings, runs=str(tmp_path / "killed"))
    assert train_killed_at(config, monkeypatch, 13, before=True)
    assert 2 <= lend.Run.open(config.folder).epochs_done < 4
    assert_same(train(config, progress=False), whole)


def test_sigkill_at_random_moments(tiny, tmp_path):
    """A real process, killed by the kernel, until it is done."""
    settings = {"epochs": 20, "snapshots": (6, 20)}
    config, clock, ends = tiny(**settings), random.Random(0), []
    for epochs in (1, 6, 21):
        process = context_of_children().Process(target=train, args=(config,), kwargs={"progress": False})
        process.start()
        while process.is_alive() and epochs_done(config.folder) < epochs:
            time.sleep(0.002)
        time.sleep(clock.random() * 0.05)
        process.kill()
        process.join()
        ends.append(process.exitcode)
    assert ends[-1] == 0 and -signal.SIGKILL in ends  # a busy machine may let one of them end before its kill
    whole = train(tiny(**settings, runs=str(tmp_path / "whole")), progress=False)
    assert_same(Run.open(config.folder), whole)


def test_saving_less_often_changes_nothing(tiny, tmp_path, monkeypatch):
    whole = train(tiny(), progress=False)
    monkeypatch.setattr("lend.training.loop.SAVING_SHARE", 0.0)
    rare = tiny(runs=str(tmp_path / "rare"))
    assert_same(train(rare, progress=False), whole)


def interrupted(config, monkeypatch, epochs):
    """A run stopped after some epochs."""
    from lend.training import trainer

    original = trainer.Trainer.epoch

    def stop(self, epoch, *others):
        if epoch > epochs:
            raise KeyboardInterrupt
        return original(self, epoch, *others)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            train(config, progress=False)
    return Run.open(config.folder)


@pytest.fixture
def reads_late(monkeypatch):
    """Each epoch is read and saved when the first steps of the next are done, as on a card."""
    return lambda: monkeypatch.setattr("lend.training.loop._ahead", lambda device: True)


@pytest.mark.parametrize("settings", [{"method": "lend"}, {"method": "coteaching+"}])
def test_an_epoch_that_is_read_late_is_the_same(tiny, tmp_path, monkeypatch, reads_late, settings):
    """What the steps of the next one change is none of its numbers, labels, snapshots and states."""
    whole = train(tiny(**settings, runs=str(tmp_path / "whole")), progress=False)
    reads_late()
    assert_same(train(tiny(**settings, runs=str(tmp_path / "late")), progress=False), whole)
    run = interrupted(tiny(**settings), monkeypatch, epochs=2)
    assert run.epochs_done == 1  # the third had not begun
    assert_same(train(tiny(**settings), progress=False), whole)


def test_a_divergence_that_is_read_late_is_not_saved(tiny, reads_late):
    reads_late()
    config = tiny(learning_rate=1e30, snapshots=())
    with pytest.raises(FloatingPointError, match="in epoch 1 .*saved up to epoch 0"):
        train(config, progress=False)
    assert Run.open(config.folder).epochs_done == 0 and not list(config.folder.glob("checkpoint/*.pt"))


@pytest.mark.parametrize("name", ["checkpoint/0003.pt", "labels/0003.npz", "snapshots/0003.zarr.zip"])
def test_damage_falls_back_to_the_state_before_it(tiny, tmp_path, monkeypatch, capsys, name):
    whole = train(tiny(runs=str(tmp_path / "whole")), progress=False)
    run = interrupted(tiny(), monkeypatch, epochs=3)
    flip_byte(run.path / name)
    assert_same(train(tiny(), progress=False), whole)
    assert f"{name} is damaged" in capsys.readouterr().err


def test_damage_before_every_checkpoint_is_an_error_and_removes_nothing(tiny, monkeypatch):
    run = interrupted(tiny(), monkeypatch, epochs=3)
    flip_byte(run.path / "labels" / "0001.npz")
    before = sorted(run.path.rglob("*"))
    with pytest.raises(DamagedFileError, match=r"0001\.npz is damaged.*no older state is left"):
        train(tiny(), progress=False)
    assert sorted(run.path.rglob("*")) == before


def test_lost_checkpoints_do_not_restart_the_run(tiny, monkeypatch):
    run = interrupted(tiny(), monkeypatch, epochs=3)
    shutil.rmtree(run.path / "checkpoint")
    with pytest.raises(DamagedFileError, match="checkpoint is missing"):
        train(tiny(), progress=False)
    assert run.epochs_done == 3


def test_a_finished_run_is_returned_as_it_is(tiny):
    run = train(tiny(), progress=False)
    times = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    assert train(tiny(), progress=False).complete
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == times


def test_a_run_of_a_version_with_other_defaults_is_none_of_todays_method(tiny):
    config = tiny(method="gce", options={"q": 0.5}, epochs=1, snapshots=())
    path = train(config, progress=False).path / "config.json"
    record = storage.read_json(path)
    assert record["info"]["defaults"] == {"truncation": None, "truncate_from": 41, "truncate_every": 10}
    record["info"]["defaults"]["truncate_from"] = 40
    storage.write_json(path, record)
    error = "was begun with other defaults of gce: truncate_from 40, now 41; move it away to train anew, or give its"
    with pytest.raises(ValueError, match=error):
        train(config, progress=False)
    (failure,) = sweep([config], workers=0, progress=False)
    assert error in failure.error
    del record["info"]["defaults"]  # as early versions did
    storage.write_json(path, record)
    assert train(config, progress=False).complete and sweep([config], workers=0, progress=False) == []


def test_another_run_in_the_way_is_not_overwritten(tiny, tmp_path):
    run = train(tiny(epochs=1, snapshots=()), progress=False)
    config = tiny(epochs=1, snapshots=(), seed=1)
    shutil.copytree(run.path, config.folder)
    with pytest.raises(
        FileExistsError, match="already exists, with a run of other settings: noise_seed is 0 there, 1 here"
    ):
        train(config, progress=False)
    other = tiny(epochs=1, snapshots=(), seed=2)
    other.folder.mkdir(parents=True)
    (other.folder / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"already exists: it holds thesis\.txt"):
        train(other, progress=False)


def test_changed_data_is_refused(tiny, monkeypatch):
    interrupted(tiny(), monkeypatch, epochs=2)
    load = lend.data.load

    def changed(*arguments):
        dataset = load(*arguments)
        dataset.train_labels[:50] = 0
        return dataset

    monkeypatch.setattr("lend.data.load", changed)
    with pytest.raises(ValueError, match="is not the one that"):
        train(tiny(), progress=False)


def test_training_learns_and_lend_drops_wrong_labels(tiny):
    settings = {"train_size": 1000, "epochs": 12, "snapshots": (), "width": 16, "noise": "symmetric"}
    run = train(tiny(options={"beta": 0.5}, **settings), progress=False)
    assert run.history["test_accuracy"].iloc[-1] > 0.8
    assert run.history["diluted_label_accuracy"].iloc[-1] > run.history["noisy_label_accuracy"].iloc[-1] + 0.2
    assert run.history["kept_precision"].iloc[-1] > run.history["noisy_label_accuracy"].iloc[-1] + 0.2


def test_a_run_goes_on_in_the_precision_that_it_was_started_in(tiny, tmp_path, monkeypatch):
    whole = train(tiny(precision="bf16"), progress=False)
    again = tiny(runs=str(tmp_path / "again"))
    monkeypatch.setattr("lend.training.loop._precision", lambda name, device: "bf16")
    interrupted(again, monkeypatch, epochs=2)
    monkeypatch.setattr("lend.training.loop._precision", lambda name, device: "fp32")
    run = train(again, progress=False)
    assert run.info["precision"] == whole.info["precision"] == "bf16"
    assert_same(run, whole)


def test_a_run_that_another_process_started_in_another_precision_is_left_alone(tiny, monkeypatch):
    """It appears after this process has looked for it and before it holds the lock."""
    config, find = tiny(), Run.find
    interrupted(config, monkeypatch, epochs=2)
    answers = [None]
    monkeypatch.setattr(Run, "find", lambda config: answers.pop() if answers else find(config))
    other = "fp32" if find(config).info["precision"] == "bf16" else "bf16"
    monkeypatch.setattr("lend.training.loop._precision", lambda name, device: other)
    with pytest.raises(storage.InUseError, match="just started by another process, in "):
        train(config, progress=False)
    assert find(config).epochs_done == 2
    assert train(config, progress=False).complete


def test_beta_one_is_standard(tiny, tmp_path):
    lend_run = train(tiny(options={"beta": 1.0}), progress=False)
    standard = train(tiny(method="standard"), progress=False)
    for name, value in torch.load(max((lend_run.path / "checkpoint").glob("*")), weights_only=True)["networks"].items():
        other = torch.load(max((standard.path / "checkpoint").glob("*")), weights_only=True)["networks"][name]
        assert torch.allclose(value, other, atol=1e-4), name


def test_scope_of_the_data_set(tiny, tmp_path, monkeypatch):
    """One graph of all examples per epoch, from the passes' embeddings; what it says selects in the next epoch."""
    config = tiny(options={"beta": 0.5, "scope": "dataset"}, augment=True)
    whole = train(config, progress=False)
    noisy = whole.labels["noisy"].to_numpy()
    memory = np.eye(10)[noisy]
    assert whole.kept(1).all()
    for epoch in (1, 2, 3):
        memory = lend.momentum(np.eye(10)[whole.diluted(epoch)], memory, beta=0.5)
        assert np.array_equal(lend.select(memory, noisy), whole.kept(epoch + 1))
    assert not whole.kept(4).all()
    kept = whole.history["kept_share"].to_numpy()
    assert kept[0] == 1 and kept[1:] == pytest.approx([whole.kept(epoch).mean() for epoch in (2, 3, 4)])
    again = tiny(options=config.options, augment=True, runs=str(tmp_path / "stopped"))
    interrupted(again, monkeypatch, epochs=2)
    assert_same(train(again, progress=False), whole)


def test_the_graph_of_an_epoch_is_that_of_its_passes(tiny, monkeypatch):
    """With one batch an epoch, both scopes dilute the same embeddings."""
    batch = tiny(batch_size=240, epochs=2, snapshots=(), options={"beta": 0.0})
    dataset = tiny(batch_size=240, epochs=2, snapshots=(), options={"beta": 0.0, "scope": "dataset"})
    first, second = train(batch, progress=False), train(dataset, progress=False)
    assert np.array_equal(first.diluted(1), second.diluted(1)) and np.array_equal(first.dominant(1), second.dominant(1))
    assert np.array_equal(first.kept(1), second.kept(2))


def test_learning_rate_drops_once(tiny):
    from lend.training import trainer

    rates = []
    original = trainer.Trainer.epoch

    def record(self, *given):
        result = original(self, *given)
        rates.append(self.learner.optimizer.param_groups[0]["lr"])
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.Trainer, "epoch", record)
        train(tiny(), progress=False)
    assert rates == pytest.approx([0.05, 0.05, 0.005, 0.005])


def test_a_run_is_trained_by_one_process_alone(tiny):
    config = tiny()
    with storage.lock(config.folder / "lock"), pytest.raises(storage.InUseError, match="by another process"):
        train(config, progress=False)
    assert [path.name for path in config.folder.iterdir()] == ["lock"]
    assert train(config, progress=False).complete


def test_two_networks_report_their_mean_and_their_ensemble(tiny):
    """From the saved weights: the mean of the two accuracies, and the accuracy of the mean softmax."""
    from lend.training import examples
    from lend.training.images import normalise
    from lend.training.networks import Small

    run = train(tiny(method="coteaching", precision="fp32"), progress=False)  # as it is computed again below
    state = torch.load(max((run.path / "checkpoint").glob("*.pt")), weights_only=True)["networks"]
    dataset = examples.load(run.config).dataset
    pixels = normalise(dataset.test_images, *dataset.mean_std())
    shares = []
    for number in ("0", "1"):
        network = Small(1, 10, 8).eval()
        network(pixels[:1])
        network.load_state_dict({k[2:]: v for k, v in state.items() if k.startswith(f"{number}.")})
        shares.append(network(pixels).logits.softmax(dim=1))
    hits = [(share.argmax(dim=1) == dataset.test_labels).float().mean().item() for share in (*shares, sum(shares))]
    last = run.history.iloc[-1]
    assert last["test_accuracy"] == pytest.approx((hits[0] + hits[1]) / 2, abs=1e-6)
    assert last["ensemble_accuracy"] == pytest.approx(hits[2], abs=1e-6) and hits[0] != hits[1]
    assert run.ensemble == pytest.approx(run.history["ensemble_accuracy"].mean())


def test_one_network_is_its_own_ensemble(saved):
    assert saved.history["ensemble_accuracy"].equals(saved.history["test_accuracy"].rename("ensemble_accuracy"))
    assert saved.history["validation_accuracy"].isna().all() and np.isnan(saved.chosen)


def test_chosen_on_held_out_noisy_labels(tiny):
    run = train(tiny(validation=0.25, epochs=8, snapshots=()), progress=False)
    assert run.info["examples"] == 180 and run.info["held_out"] == 60 and len(run.labels) == 180
    assert run.chosen == run.history["test_accuracy"][run.history["validation_accuracy"].idxmax()] <= run.best
    right = 60 * run.history["validation_accuracy"]
    assert np.allclose(right, right.round(), atol=1e-4) and right.between(0, 60).all()
    whole = train(tiny(epochs=1, snapshots=()), progress=False)
    assert run.labels.index.isin(whole.labels.index).all()
    assert run.labels["noisy"].equals(whole.labels["noisy"].loc[run.labels.index])  # the noise comes before the split


def test_seeds(tiny):
    a = train(tiny(epochs=1, snapshots=()), progress=False)
    other_noise = train(tiny(epochs=1, snapshots=(), noise_seed=7), progress=False)
    other_seed = train(tiny(epochs=1, snapshots=(), seed=7, noise_seed=0), progress=False)
    assert not a.labels.equals(other_noise.labels) and a.labels.equals(other_seed.labels)
    assert a.history["train_loss"].iloc[0] != other_seed.history["train_loss"].iloc[0]


@pytest.mark.parametrize("snapshots", [(), (1, 2, 3)])
def test_divergence_is_one_clear_error(tiny, snapshots):
    with pytest.raises(FloatingPointError, match=r"diverged in epoch \d \(train loss nan\), .*learning_rate below"):
        train(tiny(learning_rate=1e25, snapshots=snapshots), progress=False)


def test_a_divergence_that_a_snapshot_finds_loses_nothing(tiny, tmp_path, monkeypatch):
    """The last step of an epoch may spoil the networks when the losses of all its steps are finite."""
    whole = train(tiny(runs=str(tmp_path / "whole")), progress=False)
    interrupted(tiny(), monkeypatch, epochs=2)
    features = Trainer._features
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_features", lambda *given: Features(*(x * torch.inf for x in features(*given))))
        with pytest.raises(
            FloatingPointError, match=r"epoch 3 \(embeddings that are not finite\), saved up to epoch 2;"
        ):
            train(tiny(), progress=False)
    run = Run.find(tiny())
    assert run.epochs_done == 2 and run.check() == []
    assert_same(train(tiny(), progress=False), whole)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"method": "lendd"},
            "unknown method 'lendd'; allowed: coteaching, coteaching\\+, dividemix, elr, forward, gce, jocor, lend, "
            "lend2, sigua, sop, standard; did you mean 'lend'",
        ),
        ({"options": {"gama": 1}}, "unknown option 'gama' of method lend"),
        ({"options": {"beta": 1.5}}, "beta must be inside"),
        ({"options": {"memory": "firm"}}, "memory must be 'hard' or 'soft'"),
        ({"dataset": "digit"}, "digits"),
        ({"noise": "symetric"}, "symmetric"),
        ({"batch_size": 5}, "k must be below the 5 examples of a batch, got 5"),
        (
            {"options": {"scope": "dataset"}, "dilution": Dilution(k=240)},
            "k must be below the 240 examples of the training set, got 240",
        ),
        ({"train_size": 10**6}, "train_size must be an integer from 1 to 1438"),
        ({"dilution": Dilution(class_prior=[0.5, 0.5])}, "class_prior must be 10 shares"),
    ],
)
def test_bad_settings_write_nothing(tiny, settings, message):
    config = tiny(**settings)
    with pytest.raises(ValueError, match=message):
        train(config, progress=False)
    assert not config.folder.exists()


def test_with_one_graph_over_all_examples_a_batch_may_be_smaller_than_k(tiny):
    run = train(tiny(epochs=1, snapshots=(), batch_size=5, options={"scope": "dataset"}), progress=False)
    assert run.complete and set(run.diluted(1)) <= set(range(10))


def test_a_full_disk_is_one_error_and_what_was_saved_stays(tiny, tmp_path, monkeypatch, capsys):
    """The third epoch does not fit; later the run goes on from the second."""
    from lend.__main__ import main

    arguments = "train --train-size 240 --width 8 --batch-size 80 --epochs 4 --snapshots 1,4 --dilution.k 5".split()
    arguments += ["--runs", str(tmp_path / "runs")]
    synced, real = 0, os.fsync

    def full(descriptor):
        nonlocal synced
        synced += 1
        if synced > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        assert main(arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("lend: error: [Errno 28] No space left on device: ") and str(tmp_path) in error
    (run,) = lend.runs(tmp_path / "runs")
    assert run.epochs_done == 2 and run.check() == [] and run.epochs == (1,) and not list(run.path.rglob("*.tmp"))
    assert main(arguments) == 0 and lend.Run.open(run.path).complete


def test_read_only_folder_is_one_error(tiny, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        train(tiny(runs=str(tmp_path / "file" / "runs")), progress=False)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_cpu(tiny, tmp_path):
    on_cpu = train(tiny(precision="fp32"), progress=False)
    on_gpu = train(tiny(precision="fp32", device="cuda", runs=str(tmp_path / "gpu")), progress=False)
    difference = (on_cpu.history - on_gpu.history).drop(columns="seconds").abs()
    assert difference["train_loss"].max() < 0.02 and difference["test_accuracy"].max() < 0.03
