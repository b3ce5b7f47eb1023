"""A recorder in anybody's loop: the run that it leaves, what is missing in it, kills, several processes, bad input."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import jaxtyping
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from torch import distributed, multiprocessing

import lend
from lend import analysis, plots
from lend.analysis import make_maps
from lend.storage import DamagedFileError, InUseError
from lend.training.child import context_of_children

pytestmark = pytest.mark.usefixtures("short_maps")

N, C, D = 240, 10, 16
DILUTION = lend.Dilution(k=5)
TESTS = Path(__file__).parent


def digits():
    """Images, true labels and labels of which 40 % are wrong."""
    X, true = load_digits(return_X_y=True)
    true = true[:N]
    return X[:N], true, lend.noise.corrupt(true, lend.noise.symmetric(C, 0.4), seed=0)


def features(epoch, X=None):
    """Embeddings (n, d) and logits (n, c) of an epoch: other ones in each, float16 holds them exactly."""
    stream = np.random.default_rng(epoch)
    X = digits()[0] if X is None else X
    V = np.maximum(X @ stream.standard_normal((X.shape[1], D)) / 16, 0) + 0.01
    V = V.astype(np.float16).astype(np.float32)
    return V, (V @ stream.standard_normal((D, C))).astype(np.float32)


def parts(epoch, batch=80, n=N):
    """The batches of an epoch: a permutation, in parts."""
    return np.random.default_rng(100 + epoch).permutation(n).reshape(-1, batch)


def record(recorder, epochs, snapshots=(1, 3), logits=True, batches=parts, **numbers):
    for epoch in epochs:
        V, outputs = features(epoch)
        for index in batches(epoch):
            recorder.batch(index, embeddings=V[index], logits=outputs[index] if logits else None)
        recorder.epoch(snapshot=epoch in snapshots, **numbers)


def settings(**others):
    _, true, noisy = digits()
    return {"labels": noisy, "true_labels": true, "dilution": DILUTION} | others


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A recorded run of which everything is known; read it, do not change it."""
    folder = tmp_path_factory.mktemp("runs") / "full"
    names = [f"digit {i}" for i in range(C)]
    with lend.Recorder(folder, **settings(class_names=names, note="projections", method="mine")) as recorder:
        record(recorder, (1, 2, 3), train_loss=1.5, test_accuracy=0.25, learning_rate=0.1)
    return lend.Run.open(folder)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """One of which only embeddings and some labels are known, and which leaves out a few examples of each epoch."""
    folder = tmp_path_factory.mktemp("runs") / "bare"
    labels = digits()[2].copy()
    labels[::7] = -1
    with lend.Recorder(folder, labels=labels, dilution=DILUTION) as recorder:
        record(recorder, (1, 2, 3), logits=False, batches=lambda epoch: parts(epoch)[:, :-2])
    return lend.Run.open(folder)


def same(one, other):
    """Whether two runs hold the same, but for the clock."""
    pd.testing.assert_frame_equal(one.labels, other.labels)
    pd.testing.assert_frame_equal(one.history.drop(columns="seconds"), other.history.drop(columns="seconds"))
    assert one.epochs == other.epochs
    for epoch in range(1, one.epochs_done + 1):
        here, there = one.epoch_labels(epoch), other.epoch_labels(epoch)
        assert here.keys() == there.keys() and all(np.array_equal(here[name], there[name]) for name in here)
    for epoch in one.epochs:
        assert one.snapshot(epoch).equals(other.snapshot(epoch))


# --- What is recorded -------------------------------------------------------------------------------------------------


def test_labels_are_those_of_each_batch(full):
    _, true, noisy = digits()
    for epoch in (1, 2, 3):
        V, outputs = features(epoch)
        assert np.array_equal(full.predicted(epoch), outputs.argmax(axis=1))
        diluted, dominant = np.zeros(N, int), np.zeros(N, int)
        for index in parts(epoch):
            diluted[index] = lend.dilute(V[index], noisy[index], num_classes=C, k=5).argmax(axis=1)
            dominant[index] = lend.dominant_labels(V[index], noisy[index], num_classes=C, k=5)
        assert np.array_equal(full.diluted(epoch), diluted) and np.array_equal(full.dominant(epoch), dominant)
        assert full.kept(epoch).all() and full.seen(epoch).all()
        row = full.history.loc[epoch]
        assert row["diluted_label_accuracy"] == pytest.approx((diluted == true).mean())
        assert row["noisy_label_accuracy"] == pytest.approx((noisy == true).mean())
        assert (row["train_loss"], row["test_accuracy"], row["learning_rate"]) == (1.5, 0.25, 0.1)


def test_snapshots_hold_what_was_recorded(full):
    _, _, noisy = digits()
    assert full.epochs == (1, 3)
    for epoch in full.epochs:
        V, outputs = features(epoch)
        snapshot = full.snapshot(epoch)
        assert np.array_equal(full.embeddings(epoch), V) and np.array_equal(snapshot["logits"], outputs)
        assert np.allclose(snapshot["diluted"], lend.dilute(V, noisy, num_classes=C, k=5), atol=1e-6)


def test_dilution_among_the_data_set(tmp_path):
    _, _, noisy = digits()
    prior = lend.Dilution(k=5, class_prior="balanced")
    with lend.Recorder(tmp_path / "run", **settings(scope="dataset", dilution=prior)) as recorder:
        record(recorder, (1,))
    V, _ = features(1)
    run = lend.Run.open(tmp_path / "run")
    Z = lend.dilute(V, noisy, num_classes=C, k=5, class_prior="balanced")
    assert np.array_equal(run.diluted(1), Z.argmax(axis=1))
    assert np.array_equal(run.dominant(1), lend.dominant_labels(V, noisy, num_classes=C, k=5))
    assert run.recorded == {"scope": "dataset"} and run.config.dilution == prior


@pytest.mark.parametrize("scope", ["batch", "dataset"])
def test_what_the_trainer_saw_gives_what_the_trainer_saved(tiny, tmp_path, monkeypatch, scope):
    """A method that also records its batches, in lend's own loop."""
    from lend.methods import LEND

    class Recorded(LEND):
        def loss(self, outputs, batch, memory, epoch):
            while recorder.epochs_done + 1 < epoch:
                recorder.epoch()
            loss = super().loss(outputs, batch, memory, epoch)
            V, logits = outputs[0]
            recorder.batch(batch.index, embeddings=V, logits=logits, kept=memory["kept"][batch.index])
            return loss

    monkeypatch.setitem(lend.METHODS, "recorded", Recorded)
    config = tiny(method="recorded", options={"beta": 0.5, "scope": scope})
    labels = lend.train(tiny(method="standard", epochs=1, snapshots=()), progress=False).labels
    run_settings = {"labels": labels["noisy"], "true_labels": labels["true"], "dilution": config.dilution}
    with lend.Recorder(tmp_path / "mine", **run_settings, scope=scope) as recorder:
        trained = lend.train(config, progress=False)
        recorder.epoch()
    recorded = lend.Run.open(tmp_path / "mine")
    assert recorded.epochs_done == 4
    for epoch in range(1, 5):
        here, there = recorded.epoch_labels(epoch), trained.epoch_labels(epoch)
        assert all(np.array_equal(here[name], there[name]) for name in there)
    shared = [name for name in trained.history if name.endswith("_label_accuracy") or name.startswith("kept")]
    pd.testing.assert_frame_equal(recorded.history[shared], trained.history[shared])


def test_the_last_row_of_an_example_counts(tmp_path):
    """As with a sampler that draws with replacement."""
    with lend.Recorder(tmp_path / "run", **settings()) as recorder:
        V, outputs = features(1)
        wrong = np.roll(outputs, 1, axis=1)
        recorder.batch(np.arange(100), embeddings=V[:100] * 2, logits=wrong[:100], kept=np.ones(100, bool))
        recorder.batch(np.arange(50, N), embeddings=V[50:], logits=outputs[50:], kept=np.zeros(N - 50, bool))
        recorder.epoch(snapshot=True)
    run = lend.Run.open(tmp_path / "run")
    assert np.array_equal(run.predicted(1)[50:], outputs[50:].argmax(axis=1))
    assert np.array_equal(run.predicted(1)[:50], wrong[:50].argmax(axis=1))
    assert np.array_equal(run.embeddings(1)[50:], V[50:]) and np.array_equal(run.embeddings(1)[:50], 2 * V[:50])
    assert np.array_equal(run.kept(1), np.arange(N) < 50) and run.history["kept_share"][1] == pytest.approx(50 / N)


@pytest.mark.parametrize(
    "kind", ["list", "float64", "bfloat16", "gradient", "inference", "autocast", "cuda-like-int32"]
)
def test_rows_of_any_kind(tmp_path, kind):
    _, _, noisy = digits()
    V, outputs = features(1)
    tensor = torch.from_numpy(V)
    V = {
        "list": V.tolist(),
        "float64": V.astype(float),
        "bfloat16": tensor.bfloat16(),
        "gradient": tensor.requires_grad_(),
    }.get(kind, tensor)
    index = torch.arange(N, dtype=torch.int32) if "int32" in kind else np.arange(N)
    with lend.Recorder(tmp_path / "run", labels=pd.Series(noisy), dilution=DILUTION) as recorder:
        with torch.inference_mode(kind == "inference"), torch.autocast("cpu", enabled=kind == "autocast"):
            recorder.batch(index, embeddings=V + 0 if kind == "inference" else V, logits=outputs)
            recorder.epoch(train_loss=torch.tensor(2.0), snapshot=True)
        recorder.batch(index, embeddings=V, logits=outputs)
        recorder.epoch(train_loss=np.float32(1))
    run = lend.Run.open(tmp_path / "run")
    if kind != "bfloat16":
        expected = lend.dilute(features(1)[0], noisy, num_classes=C, k=5).argmax(axis=1)
        assert np.array_equal(run.diluted(1), expected)
    assert np.array_equal(run.diluted(1), run.diluted(2)) and list(run.history["train_loss"]) == [2, 1]


def test_names_and_ids(tmp_path):
    _, true, noisy = digits()
    names = np.array([f"d{i}" for i in range(C)])
    ids = [f"{i}.png" for i in range(N)]
    with lend.Recorder(
        tmp_path / "run", labels=names[noisy], true_labels=names[true], class_names=names[::-1], sample_ids=ids,
        noise="symmetric", noise_rate=0.4, dataset="my digits", seed=3,
    ) as recorder:  # fmt: skip
        record(recorder, (1,), snapshots=())
    run = lend.Run.open(tmp_path / "run")
    assert np.array_equal(run.labels["noisy"], C - 1 - noisy) and np.array_equal(run.labels["true"], C - 1 - true)
    assert list(run.labels.index) == ids and run.class_names == tuple(names[::-1])
    assert (run.config.noise, run.config.noise_rate, run.config.dataset, run.config.seed) == (
        "symmetric", 0.4, "my digits", 3,
    )  # fmt: skip
    assert run.check() == []


# --- Who reads it -----------------------------------------------------------------------------------------------------


def test_every_reader_of_a_full_run(full, tmp_path):
    assert full.check() == [] and full.complete and full.config.epochs == 3
    assert (full.best, full.last) == (0.25, 0.25) and np.isnan(full.chosen)
    (line,) = lend.table([full]).to_dict("records")
    assert (line["method"], line["epochs"], line["epochs_done"], line["note"]) == ("mine", 3, 3, "projections")
    assert line["width"] is None and line["batch_size"] is None and line["noise_rate"] is None
    assert "labels as given (42.9 %" in analysis.describe(full) and "3 epochs" in analysis.describe(full)
    assert list(analysis.noise_matrices(full)) == ["drawn"]
    assert lend.memorisation.by_class(full, 3)["right_kept"].eq(1).all()
    assert lend.memorisation.by_epoch(full)["kept"].eq(1).all()
    make_maps(full, progress=False)
    assert full.dataset.sizes["sample"] == N
    inspection = lend.Inspection.of_run(full)
    assert set(inspection.colorings) > {"true", "predicted", "noisy", "diluted"} and inspection.image(0) is None
    copy = lend.compact(full, tmp_path / "copies")
    assert copy.path.name == "full" and copy.check() == [] and copy.epochs == (1, 3) and copy.epochs_done == 3
    assert analysis.changes(full, copy)["labels"].min() > 0.5


def test_the_notebooks_open_it(full, tmp_path):
    """Their own code, with the recorded run in the place of the planned one."""
    make_maps(full, progress=False)
    cells = []
    for name in ("tsne_snapshots", "explore", "label_accuracy", "dilution_steps"):
        notebook = json.loads((TESTS.parent / "notebooks" / f"{name}.ipynb").read_text())
        cells += ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code = "\n".join(cells)
    assert code.count("entry.config.folder") == 4
    code = code.replace("entry.config.folder", repr(str(full.path))).replace("../output/figures", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pictures = {path.stem for path in tmp_path.rglob("*.png")}
    assert {"tsne_overview", "tsne_epoch_003", "explore_epoch_003", "label_accuracy", "dilution_steps"} <= pictures


def test_what_is_missing_is_missing(bare):
    """No true labels, no test set, no images, no logits, unlabelled examples, examples that were not seen."""
    assert bare.check() == [] and bare.complete
    history = bare.history
    unknown = ["train_loss", "test_accuracy", "kept_precision", *(name for name in history if "_label_acc" in name)]
    assert history[unknown].isna().all(axis=None) and np.isnan(list(bare.scores.values())).all()
    assert history["kept_share"].eq(1).all()
    for epoch in (1, 2, 3):
        seen = np.isin(np.arange(N), parts(epoch)[:, :-2])
        labels = bare.epoch_labels(epoch)
        assert np.array_equal(labels["seen"], seen) and np.array_equal(labels["kept"], seen)
        assert (labels["predicted"] == -1).all() and (labels["diluted"][~seen] == -1).all()
        assert (labels["diluted"][seen] >= 0).mean() > 0.95 and (labels["dominant"][seen] >= 0).mean() > 0.95
    assert (bare.labels["true"] == -1).all() and (bare.labels["noisy"][::7] == -1).all()


def test_snapshots_of_examples_that_were_seen(bare):
    both = np.isin(np.arange(N), parts(1)[:, :-2]) & np.isin(np.arange(N), parts(3)[:, :-2])
    assert np.array_equal(bare.snapshot_samples, np.flatnonzero(both)) and both.sum() < N - 6
    for epoch in (1, 3):
        assert np.array_equal(bare.embeddings(epoch), features(epoch)[0][both])
    assert bare.dataset.sizes == {"epoch": 2, "sample": both.sum(), "class": C, "feature": D}
    assert np.isnan(bare.snapshot(1)["logits"].values).all()
    assert np.isfinite(bare.snapshot(1)["diluted"].values).mean() > 0.95  # no vote reaches some unlabelled ones


def test_every_reader_of_a_bare_run(bare, tmp_path):
    (line,) = lend.table([bare]).to_dict("records")
    assert np.isnan(line["best"]) and line["note"] == ""
    assert "labels as given;" in analysis.describe(bare)
    make_maps(bare, progress=False)
    points = analysis.snapshot_points(bare, 1)
    assert (points["predicted"] == -1).all() and (points["diluted"] >= 0).mean() > 0.95 and (points["true"] == -1).all()
    numbers = analysis.snapshot_table(bare)
    assert numbers.filter(like="accuracy").isna().all(axis=None) and numbers["diluted_purity"].notna().all()
    assert analysis.noise_matrices(bare) == {}
    assert analysis.step_accuracy(bare, steps=(1, "converged")).isna().all(axis=None)
    with pytest.raises(ValueError, match="true labels are known"):
        lend.memorisation.by_epoch(bare)
    curves = {"mine": analysis.label_accuracy(bare)}
    summary = analysis.accuracy_summary(curves)
    assert summary["best_diluted"].isna().all()
    for figure in (
        plots.label_accuracy_curves(curves),
        plots.overview({1: points}, numbers, bare.class_names),
        plots.snapshot_panels(points, numbers.loc[1], bare.class_names),
    ):
        plots.save(figure, "figure", tmp_path)
    explorer = lend.explore(bare)
    inspection = explorer.inspection
    assert "true" not in inspection.colorings
    unlabelled = inspection.values("noisy", 1) < 0
    assert unlabelled.any() and np.array_equal(np.isnan(inspection.values("score", 1)), unlabelled)
    assert np.array_equal(np.isnan(inspection.values("agreement", 1)), unlabelled)
    assert inspection.label_accuracy(3)["kept"] == 1 and inspection.image(0) is None
    explorer.save(tmp_path / "explorer.png")
    redilution = inspection.redilute(k=5)
    assert np.isnan(redilution.accuracy) and (redilution.labels >= 0).mean() > 0.95
    assert lend.compact(bare, tmp_path / "copies").check() == []


def test_maps_of_earlier_snapshots_ask_to_be_made_again(tmp_path):
    """A later snapshot without some of their examples: the explorer says so."""
    folder = tmp_path / "run"
    with lend.Recorder(folder, **settings()) as recorder:
        record(recorder, (1,))
    make_maps(lend.Run.open(folder), progress=False)
    with lend.Recorder(folder, **settings(), resume=True) as recorder:
        record(recorder, (2, 3), batches=lambda epoch: parts(epoch)[:2])
    run = lend.Run.open(folder)
    with pytest.raises(lend.explorer.inspection.NoMapsError, match="lend tsne"):
        lend.Inspection.of_run(run)
    make_maps(run, progress=False)
    assert len(lend.Inspection.of_run(run).sample_ids) == 160


def test_command_line(full):
    def lend_says(*words):
        done = subprocess.run([sys.executable, "-m", "lend", *words], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    code, text = lend_says("list", "--runs", str(full.path.parent), "--check")
    assert code == 0 and "mine" in text and "1,3" in text and " 3/" not in text
    code, text = lend_says("train", "--like", str(full.path))
    assert code == 2 and "is a recorded run" in text and "resume=True" in text and "Traceback" not in text


def test_lend_does_not_go_on_with_it(full, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="unknown method 'mine'"):
        lend.train(full.config, progress=False)
    with pytest.raises(KeyError, match="snapshot=True"):
        full.embeddings(2)
    config = lend.RunConfig(runs=str(tmp_path), epochs=1, snapshots=())
    with lend.Recorder(config.folder, **settings()):
        pass
    with pytest.raises(FileExistsError, match="recorded run"):
        lend.train(config, progress=False)


# --- The folder -------------------------------------------------------------------------------------------------------


def test_going_on(tmp_path, full):
    folder = tmp_path / "full"
    names = [f"digit {i}" for i in range(C)]
    options = settings(class_names=names, note="projections", method="mine")
    numbers = {"train_loss": 1.5, "test_accuracy": 0.25, "learning_rate": 0.1}
    with lend.Recorder(folder, **options, resume=True) as recorder:  # nothing is there yet
        assert recorder.epochs_done == 0
        record(recorder, (1,), **numbers)
        recorder.wait()
        assert lend.Run.open(folder).epochs_done == 1
        with pytest.raises(InUseError, match="recorded by another"):
            lend.Recorder(folder, **options, resume=True)
    with pytest.raises(FileExistsError, match="already exists: go on with it by resume=True"):
        lend.Recorder(folder, **options)
    with lend.Recorder(folder, **options, resume=True) as recorder:
        assert recorder.epochs_done == 1
        record(recorder, (2, 3), **numbers)
    same(lend.Run.open(folder), full)
    with lend.Recorder(folder, **options, resume=1) as recorder:  # the loop's own checkpoint is older
        assert recorder.epochs_done == 1 and lend.Run.open(folder).epochs_done == 1
        record(recorder, (2, 3), **numbers)
    same(lend.Run.open(folder), full)
    with pytest.raises(ValueError, match="resume must be True, or from 0 to 3"):
        lend.Recorder(folder, **options, resume=4)


def test_nothing_recorded_leaves_a_run_without_epochs(tmp_path):
    with lend.Recorder(tmp_path / "run", **settings()):
        pass
    run = lend.Run.open(tmp_path / "run")
    assert (run.epochs_done, run.epochs, run.complete, run.check()) == (0, (), False, []) and run.history.empty
    assert lend.table(tmp_path)["epochs"].tolist() == [0] and repr(run) == "Run(run: 0 epochs, snapshots [])"


def test_an_epoch_that_was_not_ended_is_not_saved(tmp_path):
    recorder = lend.Recorder(tmp_path / "run", **settings())
    record(recorder, (1,), snapshots=())
    recorder.batch([0, 1, 2, 3, 4, 5, 6], embeddings=features(2)[0][:7])
    with pytest.warns(UserWarning, match="after epoch 1 are not saved"):
        recorder.close()
    recorder.close()
    assert lend.Run.open(tmp_path / "run").epochs_done == 1
    for again in (recorder.epoch, recorder.wait, recorder.__enter__):
        with pytest.raises(ValueError, match="recorder must be open"):
            again()


def test_a_loop_that_fails_keeps_its_epochs(tmp_path):
    with pytest.raises(ZeroDivisionError), lend.Recorder(tmp_path / "run", **settings()) as recorder:
        record(recorder, (1,))
        recorder.batch(np.arange(N), embeddings=features(2)[0])
        raise ZeroDivisionError
    with lend.Recorder(tmp_path / "run", **settings(), resume=True) as recorder:
        assert recorder.epochs_done == 1


def test_a_folder_of_something_else_is_left_alone(tmp_path, saved):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_text("a picture")
    for resume in (False, True):
        with pytest.raises(FileExistsError, match=r"it holds 1\.jpg"):
            lend.Recorder(tmp_path / "photos", **settings(), resume=resume)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["1.jpg"]
    with pytest.raises(ValueError, match="folder must be .* lend trained"):
        lend.Recorder(saved.path, **settings(), resume=True)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"labels": np.zeros(N, int)}, "labels must be those of .*run, which goes on, got .* of 240 differ"),
        ({"true_labels": None}, "true_labels must be those of"),
        ({"sample_ids": np.arange(N) + 1}, "sample_ids must be those of"),
        ({"class_names": list("abcdefghij")}, "class_names must be those of"),
        ({"scope": "dataset"}, "scope must be that of .*, 'batch', got 'dataset'"),
        ({"dilution": lend.Dilution(k=6)}, "dilution must be that of"),
    ],
)
def test_a_run_goes_on_with_its_own_settings_alone(tmp_path, others, message):
    with lend.Recorder(tmp_path / "run", **settings()) as recorder:
        record(recorder, (1,))
    with pytest.raises(ValueError, match=message):
        lend.Recorder(tmp_path / "run", **settings(**others), resume=True)
    with lend.Recorder(tmp_path / "run", **settings(), resume=True) as recorder:
        with pytest.raises(ValueError, match=r"embeddings must be of shape \(7, 16\), got \(7, 5\)"):
            recorder.batch(np.arange(7), embeddings=np.ones((7, 5)))


def test_a_damaged_epoch_stops_it(tmp_path):
    with lend.Recorder(tmp_path / "run", **settings()) as recorder:
        record(recorder, (1, 2, 3))
    run = lend.Run.open(tmp_path / "run")
    run.labels_path(2).write_bytes(b"nothing")
    with pytest.raises(DamagedFileError, match=r"0002\.npz is damaged.*resume=1 keeps"):
        lend.Recorder(tmp_path / "run", **settings(), resume=True)
    assert lend.Run.open(tmp_path / "run").epochs_done == 3
    with lend.Recorder(tmp_path / "run", **settings(), resume=1) as recorder:
        record(recorder, (2, 3))
    assert lend.Run.open(tmp_path / "run").check() == []


def test_a_write_that_fails_is_told(tmp_path, monkeypatch):
    with pytest.raises(OSError, match="no space"), lend.Recorder(tmp_path / "run", **settings()) as recorder:
        record(recorder, (1,))
        recorder.wait()
        with monkeypatch.context() as patch:

            def full_disk(*_):
                raise OSError(28, "no space")

            patch.setattr("lend.run.writing.storage.write_arrays", full_disk)
            record(recorder, (2,))
            recorder.wait()
    assert lend.Run.open(tmp_path / "run").epochs_done == 1


def test_killed_at_any_write_it_goes_on(tmp_path):
    """Real processes, killed by the system."""
    script = TESTS / "attacks" / "killed_recorder.py"
    done = subprocess.run([sys.executable, script, tmp_path, "5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "5 of 5 kills survived\n"


# --- Several processes ------------------------------------------------------------------------------------------------


def in_process(rank, folder, scope, failing):
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    with lend.Recorder(folder / "together", **settings(scope=scope), resume=True) as recorder:
        for epoch in range(recorder.epochs_done + 1, 4):
            V, outputs = features(epoch)
            for number, index in enumerate(parts(epoch, 60)):
                if number % 2 == rank or number == 1:  # the second batch is seen by both
                    shifted = V[index] + (rank == 0 and number == 1)
                    recorder.batch(index, embeddings=shifted, logits=outputs[index])
            if failing and epoch == 2:
                with pytest.raises((ValueError, RuntimeError), match="test_accuracy must be a fraction"):
                    recorder.epoch(test_accuracy=99 if rank else 0.5)
            recorder.epoch(train_loss=rank, snapshot=epoch in (1, 3))
        assert lend.Run.open(folder / "together").epochs_done >= 0
    assert lend.Run.open(folder / "together").epochs_done == 3
    if failing:
        with pytest.raises((FileExistsError, RuntimeError), match="already exists"):
            lend.Recorder(folder / "together", **settings(scope=scope))
    distributed.destroy_process_group()


@pytest.mark.parametrize(("scope", "failing"), [("batch", False), ("dataset", True)])
def test_two_processes_record_one_run(tmp_path, scope, failing):
    context_of_children()  # the server of these processes has imported lend
    multiprocessing.start_processes(in_process, (tmp_path, scope, failing), nprocs=2, start_method="forkserver")
    with lend.Recorder(tmp_path / "alone", **settings(scope=scope)) as recorder:
        record(recorder, (1, 2, 3), batches=lambda epoch: parts(epoch, 60), train_loss=0)
    same(lend.Run.open(tmp_path / "together"), lend.Run.open(tmp_path / "alone"))


# --- Bad input --------------------------------------------------------------------------------------------------------


def changed(array, where, value):
    array = np.array(array)
    array[where] = value
    return array


BATCHES = {
    "index must be inside 0..239, positions in the labels, got '0 to 240'": {"index": [*range(9), 240]},
    "index must be inside 0..239, positions in the labels, got '-1 to 8'": {"index": [-1, *range(9)]},
    r"index must be of different examples in one batch, got '\[3\] more than once'": {"index": [*range(9), 3]},
    r"index must be integers of shape \(b,\), positions in the labels, got 'float64": {"index": np.arange(10.0)},
    r"index must be integers of shape \(b,\), positions in the labels, got 'bool": {"index": np.ones(10, bool)},
    r"index must be integers .*, got 'ndarray of <U1'": {"index": list("abcdefghij")},
    r"index must be integers .*, got 'ndarray of object'": {"index": slice(0, 10)},
    r"kept must be bool of shape \(10,\), got 'MaskedArray of bool'": {"kept": np.ma.masked_array(np.ones(10, bool))},
    "embeddings must be finite": {"embeddings": changed(np.ones((10, D)), (3, 2), np.nan)},
    r"embeddings must be of shape \(10, 16\), got \(9, 16\)": {"embeddings": np.ones((9, D))},
    r"embeddings must be of shape \(10, 16\), got \(10, 15\)": {"embeddings": np.ones((10, D - 1))},
    r"embeddings must be of shape \(n, d\)": {"embeddings": np.ones(10)},
    "embeddings must be real numbers": {"embeddings": np.full((10, D), "a")},
    "logits must be finite": {"logits": changed(np.ones((10, C)), 0, np.inf)},
    r"logits must be of shape \(10, 10\), got \(10, 9\)": {"logits": np.ones((10, C - 1))},
    r"kept must be bool of shape \(10,\), got 'int64 of shape \(10,\)'": {"kept": np.ones(10, int)},
    r"kept must be bool of shape \(10,\), got 'bool of shape \(9,\)'": {"kept": np.ones(9, bool)},
    "logits must be given in all batches of an epoch or in none": {"logits": None},
}


@pytest.mark.parametrize("message", BATCHES)
def test_a_bad_batch_is_refused_and_leaves_nothing(tmp_path, message):
    good = {"index": np.arange(10), "embeddings": np.ones((10, D)), "logits": np.ones((10, C))}
    with lend.Recorder(tmp_path / "run", **settings()) as recorder:
        record(recorder, (1,), snapshots=())
        V, outputs = features(2)
        for index in parts(2):
            recorder.batch(index, embeddings=V[index], logits=outputs[index])
        bad = good | BATCHES[message]
        with pytest.raises(ValueError, match=message):
            recorder.batch(bad.pop("index"), **bad)
        recorder.epoch()
        record(recorder, (3,), snapshots=())
    with lend.Recorder(tmp_path / "whole", **settings()) as recorder:
        record(recorder, (1, 2, 3), snapshots=())
    same(lend.Run.open(tmp_path / "run"), lend.Run.open(tmp_path / "whole"))


NUMBERS = {
    "test_accuracy must be a fraction": {"test_accuracy": 93.5},
    "train_loss must be a number": {"train_loss": "low"},
    "snapshots must be a number; the embeddings are kept with snapshot=True": {"snapshots": True},
    "train_loss must be finite": {"train_loss": float("inf")},
    "kept_share must be left out": {"kept_share": 0.5},
    "diluted_label_accuracy must be left out": {"diluted_label_accuracy": 0.5},
}


@pytest.mark.parametrize("message", NUMBERS)
def test_a_bad_number_is_refused_and_the_epoch_can_still_be_ended(tmp_path, message):
    with lend.Recorder(tmp_path / "run", **settings()) as recorder:
        V, _ = features(1)
        recorder.batch(np.arange(N), embeddings=V)
        with pytest.raises(ValueError, match=message):
            recorder.epoch(**NUMBERS[message])
        recorder.epoch()
        with pytest.raises(ValueError, match="epoch must be called after its batches"):
            recorder.epoch()
    assert lend.Run.open(tmp_path / "run").epochs_done == 1


ARGUMENTS = {
    "labels must be 0 to 9, the indices of 10 class names": {"labels": np.full(N, 10), "class_names": range(10)},
    "labels must be of the class names": {"labels": np.array(["x"] * N), "class_names": range(10)},
    "labels must be known of one example": {"labels": np.full(N, -1)},
    "true_labels must be of length 240": {"true_labels": [0, 1]},
    "true_labels must be of the kind of labels": {"true_labels": ["a"] * N},
    "class_names must be all different": {"class_names": ["a"] * C},
    "resume must be True, False, or the number of epochs to keep, got -1": {"resume": -1},
    "folder must be that of the run with the first 3 epochs, got .*which holds none": {"resume": 3},
    "sample_ids must be all different": {"sample_ids": [1] * N},
    "unknown scope 'epoch'": {"scope": "epoch"},
    "method must be a name": {"method": " "},
    "seed must be": {"seed": -1},
    "noise_rate must be given where the noise has a rate": {"noise": "pair"},
    "class_prior must be": {"dilution": lend.Dilution(class_prior=[0.5, 0.5])},
}


@pytest.mark.parametrize("message", ARGUMENTS)
def test_bad_arguments_write_nothing(tmp_path, message):
    with pytest.raises(ValueError, match=message):
        lend.Recorder(tmp_path / "run", **settings(**ARGUMENTS[message]))
    assert not list(tmp_path.iterdir())


def test_values_of_other_types_are_told_where_nothing_checks_annotations(tmp_path, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    monkeypatch.chdir(tmp_path)
    for folder, others, message in (
        (3, {}, "folder must be a path, got 3"),
        ("run", {"class_names": C}, "class_names must be a list of names, got 10"),
        ("run", {"resume": "yes"}, "resume must be True, False, or the number of epochs to keep, got 'yes'"),
        ("run", {"resume": 1.5}, "resume must be True, False, or the number of epochs to keep, got 1.5"),
    ):
        with pytest.raises(ValueError, match=message):
            lend.Recorder(folder, **settings(**others))
    assert not list(tmp_path.iterdir())
    with lend.Recorder("run", **settings()) as recorder:
        recorder.batch(np.arange(N), embeddings=features(1)[0])
        with pytest.raises(ValueError, match="snapshot must be True or False, got 'no'"):
            recorder.epoch(snapshot="no")
        recorder.epoch(snapshot=np.True_)
    assert lend.Run.open("run").epochs == (1,)


@pytest.mark.parametrize("scope", ["batch", "dataset"])
def test_too_few_for_neighbours(tmp_path, scope):
    with lend.Recorder(tmp_path / "run", **settings(scope=scope)) as recorder:
        V, outputs = features(1)
        with pytest.warns(UserWarning, match="of 5 examples, none with k = 5 neighbours"):
            recorder.batch(np.arange(5), embeddings=V[:5], logits=outputs[:5])
            recorder.epoch(snapshot=True)
        recorder.batch(np.arange(5), embeddings=V[:5], logits=outputs[:5])  # told once
        recorder.epoch()
    run = lend.Run.open(tmp_path / "run")
    assert (run.diluted(1) == -1).all() and (run.dominant(1) == -1).all()
    assert np.array_equal(run.predicted(1)[:5], outputs[:5].argmax(axis=1)) and (run.predicted(1)[5:] == -1).all()
    assert np.isnan(run.snapshot(1)["diluted"]).all() and len(run.snapshot_samples) == 5
    assert np.isnan(run.history["diluted_label_accuracy"]).all() and run.history["kept_share"].eq(1).all()
    assert run.history["predicted_label_accuracy"].notna().all() and run.check() == []


def test_checks_of_another_device_wait_for_the_end_of_the_epoch():
    """Here without one: flags that say they are elsewhere."""
    from lend.inputs import Checks

    class Elsewhere(torch.Tensor):
        device = torch.device("cuda")

    checks = Checks()
    for bad in (False, True):
        checks.refuse(torch.tensor(bad).as_subclass(Elsewhere), "index", "inside", lambda: "outside")
    with pytest.raises(ValueError, match="index must be inside, got 'outside'"):
        checks.settle()
    checks.settle()  # forgotten


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu(tmp_path):
    with lend.Recorder(tmp_path / "gpu", **settings()) as recorder:
        for epoch in (1, 2, 3):
            V, outputs = (torch.from_numpy(part).cuda() for part in features(epoch))
            for index in parts(epoch):
                where = torch.from_numpy(index).cuda()
                recorder.batch(where, embeddings=V[where], logits=outputs[where])
            recorder.epoch(snapshot=epoch in (1, 3))
        recorder.batch(torch.tensor([*range(9), N]).cuda(), embeddings=V[:10])
        with pytest.raises(ValueError, match="index must be inside 0..239, positions in the labels, got '0 to 240'"):
            recorder.epoch()
    with lend.Recorder(tmp_path / "cpu", **settings()) as recorder:
        record(recorder, (1, 2, 3))
    one, other = (lend.Run.open(tmp_path / name) for name in ("gpu", "cpu"))
    for epoch in (1, 2, 3):
        assert np.array_equal(one.predicted(epoch), other.predicted(epoch))
        assert (one.diluted(epoch) == other.diluted(epoch)).mean() > 0.99


# --- Examples ---------------------------------------------------------------------------------------------------------

EXAMPLES = [
    TESTS.parent / "examples" / f"{name}.py" for name in ("plain_pytorch", "scikit_learn")
]  # without further libraries


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples(path, tmp_path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 60
    done = subprocess.run(
        [sys.executable, path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 0, done.stderr
    (run,) = lend.runs(tmp_path / "runs")
    assert run.check() == [] and run.complete and len(run.epochs) == 2
    last = run.history.iloc[-1]
    assert last["diluted_label_accuracy"] > last["noisy_label_accuracy"] + 0.2 and last["test_accuracy"] > 0.7
