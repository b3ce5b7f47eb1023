"""Small copies of runs: they open, show the same, hold no path, and cannot be trained on."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from test_storage import flip_byte

import lend
from lend import analysis
from lend.analysis import changes, make_maps
from lend.inputs import Dilution
from lend.paper.results import ORIGINALS
from lend.run import Run, compact, writing
from lend.run.compacting import half, small_embeddings

pytestmark = pytest.mark.usefixtures("short_maps")

SHIPPED = sorted((Path(__file__).parent.parent / "saved").glob("*/config.json"))


@pytest.fixture(scope="module")
def mapped(saved, tmp_path_factory):
    """The finished tiny run with maps of 100 of its 240 examples."""
    run = Run.open(shutil.copytree(saved.path, tmp_path_factory.mktemp("mapped") / saved.path.name))
    make_maps(run, points=100, progress=False)
    return run


@pytest.fixture(scope="module")
def copy(mapped, tmp_path_factory):
    """Of all examples; read it, do not change it."""
    return compact(mapped, tmp_path_factory.mktemp("copies"))


@pytest.fixture(scope="module")
def part(mapped, tmp_path_factory):
    """Of 150 examples, 8 numbers each."""
    return compact(mapped, tmp_path_factory.mktemp("parts"), points=150, features=8, note="as JPEG")


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


@pytest.mark.parametrize("name", ["copy", "part"])
def test_labels_history_and_maps_are_those_of_the_run(name, mapped, request):
    copy = request.getfixturevalue(name)
    assert copy.complete and copy.epochs == mapped.epochs and copy.check() == []
    assert copy.labels.equals(mapped.labels) and copy.history.equals(mapped.history)
    for epoch in (1, 2, 3, 4):
        for kind in ("predicted", "diluted", "dominant", "kept"):
            assert np.array_equal(getattr(copy, kind)(epoch), getattr(mapped, kind)(epoch))
    assert np.array_equal(copy.map_samples(), mapped.map_samples())
    for epoch in copy.epochs:
        assert np.array_equal(copy.map(epoch), mapped.map(epoch))
        assert np.array_equal(copy.map_neighbors(epoch), mapped.map_neighbors(epoch))
        assert analysis.snapshot_points(copy, epoch).equals(analysis.snapshot_points(mapped, epoch))
    assert analysis.snapshot_table(copy).equals(analysis.snapshot_table(mapped))
    assert not (copy.path / "checkpoint").exists() and [run.path for run in lend.runs(copy.path.parent)] == [copy.path]
    assert not list(copy.path.parent.glob(".*"))


def test_snapshots_keep_cosines_and_the_argmax(copy, mapped):
    for epoch in copy.epochs:
        old, new = (run.embeddings(epoch).astype(np.float64) for run in (mapped, copy))
        assert copy.embeddings(epoch).dtype == np.float16 and np.isfinite(new).all()
        np.testing.assert_allclose(np.linalg.norm(new, axis=1), 1, atol=0.03)
        old /= np.linalg.norm(old, axis=1, keepdims=True)
        assert np.abs(new @ new.T - old @ old.T).max() < 0.05
        for name in ("logits", "diluted"):
            here, there = (run.snapshot(epoch)[name].values for run in (copy, mapped))
            assert here.dtype == np.float16 and np.array_equal(here.argmax(axis=1), there.argmax(axis=1))
            np.testing.assert_allclose(here, there, rtol=2e-3, atol=1e-4)
    table = changes(mapped, copy)
    assert list(table.index) == [1, 3, 4] and table["neighbors"].min() > 0.8 and table["labels"].min() > 0.9
    assert np.abs(table["accuracy_before"] - table["accuracy_after"]).max() < 0.05


def test_a_part_of_the_examples(part, mapped):
    samples = part.snapshot_samples
    assert len(samples) == 150 and np.array_equal(samples, np.unique(samples))
    assert set(part.map_samples()) <= set(samples) and np.array_equal(mapped.snapshot_samples, np.arange(240))
    assert part.embeddings(3).shape == (150, 8) and part.compact["features"] == 8
    logits = mapped.snapshot(3)["logits"].values[samples].argmax(axis=1)
    assert np.array_equal(part.snapshot(3)["logits"].values.argmax(axis=1), logits)
    assert np.array_equal(samples[part.snapshot_rows(samples[[7, 2]])], samples[[7, 2]])
    outside = np.setdiff1d(np.arange(240), samples)
    with pytest.raises(ValueError, match=rf"among the 150 examples in the snapshots of .*got \[{outside[-1]}\]"):
        part.snapshot_rows(np.array([samples[0], outside[-1]]))
    dataset = part.dataset
    assert dataset.sizes["sample"] == 150 and np.array_equal(dataset["noisy"], mapped.labels["noisy"].iloc[samples])
    assert changes(mapped, part)["neighbors"].between(0.3, 1).all()
    accuracy = analysis.step_accuracy(part, steps=(1, "converged"))
    assert accuracy.shape == (2, 3) and accuracy.notna().all(axis=None)


def test_accuracy_of_steps_is_over_the_examples_of_the_snapshots(part, mapped):
    samples = part.snapshot_samples
    labels = analysis.rediluted_labels(part, 3, (2,), samples)[2]
    expected = lend.dilute(part.embeddings(3), mapped.labels["noisy"].to_numpy()[samples], num_classes=10, k=5)
    assert np.array_equal(labels, expected.argmax(axis=1))
    right = (labels == mapped.labels["true"].to_numpy()[samples]).mean()
    assert analysis.step_accuracy(part, [3], steps=(2,)).loc[2, 3] == pytest.approx(right)


def test_maps_of_a_copy(part, mapped, tmp_path):
    run = Run.open(shutil.copytree(part.path, tmp_path / part.path.name))
    make_maps(run, [1], points=100, aligned=False, progress=False)
    assert set(run.map_samples("independent")) <= set(run.snapshot_samples)
    vectors = run.embeddings(1)[run.snapshot_rows(run.map_samples("independent"))].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    found = np.take_along_axis(cosines, run.map_neighbors(1, "independent"), axis=1)
    assert np.allclose(found, -np.sort(-cosines, axis=1)[:, :10], atol=1e-5)
    only_mapped = compact(mapped, tmp_path / "mapped", points=100)
    before = {path: path.stat().st_mtime_ns for path in only_mapped.path.rglob("*.npz")}
    make_maps(only_mapped, progress=False)  # all of them are there: those of the whole run
    assert {path: path.stat().st_mtime_ns for path in only_mapped.path.rglob("*.npz")} == before


def test_some_snapshots_or_none(mapped, tmp_path):
    two = compact(mapped, tmp_path / "two", snapshots=[4, 1])
    assert two.epochs == (1, 4) and two.config.hash == mapped.config.hash and two.check() == []
    with pytest.raises(KeyError, match=r"no snapshot of epoch 3; it has \[1, 4\]. It is a compact copy"):
        two.snapshot(3)
    none = compact(mapped, tmp_path / "none", snapshots=False)
    assert none.epochs == () and none.check() == [] and not (none.path / "maps").exists()
    assert none.history.equals(mapped.history) and size(none.path) < size(two.path) < size(mapped.path) / 2
    with pytest.raises(KeyError, match="no snapshot of epoch 4; it has .*It is a compact copy"):
        _ = none.dataset
    assert changes(mapped, none).empty


def test_no_path_and_another_name(mapped, tmp_path):
    there = tmp_path / "there" / "faces.npz"
    settings = {
        "dataset": f"npz:{there}",
        "noise": f"matrix:{there}",
        "data": str(tmp_path),
        "tracker": "tensorboard",
        "note": "small",
    }
    config = replace(mapped.config, **settings)
    given = {name: mapped.labels.reset_index()[name].to_numpy() for name in ("sample_id", "true", "noisy")}
    run = writing.write(tmp_path / "run", config, given, mapped.info)
    for epoch in (1, 2):
        writing.commit(run, [writing.EpochResult(epoch, {"test_accuracy": 0.5}, _arrays(mapped, epoch))], {})
    copy = compact(run, tmp_path / "copies")
    assert str(tmp_path) not in "".join(path.read_text() for path in copy.path.rglob("*.json"))
    assert copy.config.dataset == "npz:faces.npz" and copy.config.noise == "matrix:faces.npz"
    named = compact(run, tmp_path / "copies", dataset="digits", note="in grey")
    assert named.config == replace(copy.config, dataset="digits") and named.path == named.config.folder
    assert named.path.name.startswith("digits-") and analysis.describe(named).startswith("digits (in grey), 240")
    assert named.note == "in grey" and copy.note == run.note == "small"  # the run's own, unless another is given


def _arrays(run, epoch):
    return {name: getattr(run, name)(epoch) for name in ("predicted", "diluted", "dominant", "kept")}


def test_what_describes_a_copy(part, copy, mapped):
    expected = "embeddings of 150 examples (a compact copy, 8 numbers each) saved after epochs 1, 3, 4."
    assert analysis.describe(part).endswith(expected) and "digits (as JPEG), 240 training" in analysis.describe(part)
    assert "of 240 examples (a compact copy, 16 numbers each)" in analysis.describe(copy)
    assert "copy" not in analysis.describe(mapped)
    assert part.compact["hash"] == mapped.config.hash and mapped.compact is None


def test_a_copy_cannot_be_trained_on(part, tmp_path):
    run = Run.open(shutil.copytree(part.path, tmp_path / part.path.name))
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    for refuse in (partial(writing.restore, run), run.require_trainable):
        with pytest.raises(ValueError, match=r"is a compact copy.*cannot be trained on.*lend train --like .* --runs"):
            refuse()
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_damage_is_found_and_named(part, tmp_path):
    run = Run.open(shutil.copytree(part.path, tmp_path / part.path.name))
    flip_byte(run.path / "labels" / "0002.npz")
    flip_byte(run.path / "snapshots" / "0003.zarr.zip")
    run.samples_of_snapshots.unlink()
    found = run.check()
    assert len(found) == 3 and all(
        name in line for name, line in zip(("samples.npz is missing", "0002.npz", "0003.zarr"), found, strict=True)
    )
    with pytest.raises(ValueError, match=r"samples\.npz is missing"):
        _ = run.snapshot_samples
    (run.path / "snapshots" / "0004.zarr.zip").unlink()
    assert any("0004.zarr.zip is missing" in line for line in run.check())
    with pytest.raises(ValueError, match="0002.npz is damaged"):
        compact(Run.open(_whole_with_damage(part, run, tmp_path)), tmp_path / "copies")
    assert not list((tmp_path / "copies").iterdir()), "nothing is left of a copy that failed"


def _whole_with_damage(part, damaged, tmp_path):
    """A whole run whose second epoch cannot be read."""
    given = {name: part.labels.reset_index()[name].to_numpy() for name in ("sample_id", "true", "noisy")}
    info = {name: value for name, value in part.info.items() if name != "compact"}
    run = writing.write(tmp_path / "whole", part.config, given, info)
    for epoch in (1, 2):
        writing.commit(run, [writing.EpochResult(epoch, {"test_accuracy": 0.5}, _arrays(part, epoch))], {})
    shutil.copy(damaged.path / "labels" / "0002.npz", run.path / "labels" / "0002.npz")
    return run.path


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"points": 99}, "points must be from 100, those of the maps, to 240, got 99"),
        ({"points": 241}, "points must be from 100, those of the maps, to 240, got 241"),
        ({"points": 0, "snapshots": False}, "points must be from 1 to 240, got 0"),
        ({"features": 0}, "features must be at least 1, got 0"),
        ({"dataset": " "}, "dataset must be a name such as cifar10"),
    ],
)
def test_bad_input(settings, message, mapped, tmp_path):
    with pytest.raises(ValueError, match=message):
        compact(mapped, tmp_path / "copies", **settings)
    assert not (tmp_path / "copies").exists()


def test_nothing_is_overwritten_or_copied_twice(part, mapped, tmp_path):
    with pytest.raises(FileExistsError, match="already exists"):
        compact(mapped, mapped.path.parent)
    with pytest.raises(ValueError, match="run must be a whole run, got .*a compact copy"):
        compact(part, tmp_path)
    with pytest.raises(KeyError, match=r"no snapshot of epoch 2; it has \[1, 3, 4\]"):
        compact(mapped, tmp_path, snapshots=[1, 2])
    assert not list(tmp_path.iterdir())


def test_half_keeps_the_argmax():
    values = np.array([[0.1, 0.3333, 0.33335], [1, 0, 0], [2e5, 1e5, 3e5], [0.5, 0.5, 0]], dtype=np.float32)
    rounded = half(values)
    assert rounded.dtype == np.float16 and np.isfinite(rounded).all()
    assert rounded.argmax(axis=1).tolist() == [2, 0, 2, 0]
    np.testing.assert_allclose(rounded[[0, 1, 3]], values[[0, 1, 3]], rtol=2e-3)


def test_small_embeddings():
    rng = np.random.default_rng(0)
    V = (rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20))).astype(np.float32)
    V[7] = 0
    small = small_embeddings(V, 3)  # of rank 3: nothing is lost but by rounding
    assert small.dtype == np.int8 and small.shape == (50, 3) and not small[7].any()
    units = V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-9)
    np.testing.assert_allclose(small.astype(float) @ small.T / 128**2, units @ units.T, atol=0.03)


# --- The runs that come with the repository ---------------------------------------------------------------------------


def test_shipped_runs_are_the_ones_that_the_notebooks_ask_for():
    from lend.paper import experiments

    folder = SHIPPED[0].parent.parent
    for figure in ("figure1", "figure4"):
        for entry in experiments.plan(figure, "cifar10-thin", runs=str(folder)):
            assert Run.open(entry.config.folder).complete
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 25e6


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_shipped_runs_are_whole(path):
    run = Run.open(path.parent)
    assert run.check() == [] and run.complete and run.path == run.config.folder
    assert run.compact is not None and run.note == "" and run.info["data_digest"] in ORIGINALS
    text = "".join(file.read_text() for file in run.path.rglob("*.json"))
    for word in ("/home", "/root", "/work", "..", "\\\\"):
        assert word not in text
    for epoch in run.epochs:
        assert len(analysis.snapshot_points(run, epoch)) == len(run.map_samples())
        assert np.isfinite(run.embeddings(epoch)).all()
    assert isinstance(run.config.dilution, Dilution)
