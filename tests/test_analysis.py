"""The numbers of the figures against slow loops, on a small made-up run."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from lend import analysis, noise
from lend.dilution import Graph, diffuse, dilute, one_hot
from lend.inputs import Dilution, RunConfig
from lend.neighbors import nearest
from lend.run import Run

N, D, C, K = 60, 6, 4, 10


class FakeRun(Run):
    """What the analysis reads of a run, from arrays."""

    epochs = (2, 5)
    epochs_done = 5
    complete = False

    def __init__(self, seed=0, unknown=False, **settings):
        rng = np.random.default_rng(seed)
        config = RunConfig(**({"dilution": Dilution(k=5), "noise": "symmetric", "epochs": 8} | settings))
        info = {"class_names": list("abcd"), "examples": N, "realised_noise_rate": None if unknown else 0.4}
        true = rng.integers(0, C, N)
        noisy = np.where(rng.random(N) < 0.4, rng.integers(0, C, N), true)
        index = pd.Index(np.arange(100, 100 + N), name="sample_id")
        places = np.sort(rng.permutation(N)[:40])
        neighbors = np.array([rng.permutation(np.delete(np.arange(40), i))[:K] for i in range(40)], dtype=np.int32)
        for name, value in {
            "path": None,
            "config": config,
            "info": info,
            "labels": pd.DataFrame({"true": -1 if unknown else true, "noisy": noisy}, index=index),
            "places": places,
            "neighbors": neighbors,
            "coordinates": rng.normal(size=(40, 2)).astype(np.float32),
            "centres": rng.normal(size=(C, D))[true] + 0.4 * rng.normal(size=(N, D)),
            "logits": rng.normal(size=(N, C)).astype(np.float32),
        }.items():
            object.__setattr__(self, name, value)

    labels = None  # over the property of a real run

    @property
    def history(self):
        rows = {f"{kind}_label_accuracy": [0.1 * i, 0.2 * i] for i, kind in enumerate(analysis.CURVES, 1)}
        return pd.DataFrame(rows | {"seconds": [1.0, 1.0]}, index=pd.Index([1, 2], name="epoch"))

    def embeddings(self, epoch):
        return (self.centres * epoch).astype(np.float16)

    def snapshot(self, epoch):
        diluted = dilute(self.embeddings(epoch).astype(np.float32), self.labels["noisy"].to_numpy(), num_classes=C, k=5)
        arrays = {"logits": self.logits + epoch, "diluted": diluted, "embeddings": self.embeddings(epoch)}
        dims = {"logits": "class", "diluted": "class", "embeddings": "feature"}
        return xr.Dataset({name: (("sample", dims[name]), value) for name, value in arrays.items()})

    def map(self, epoch, kind="aligned"):
        return self.coordinates * epoch

    def map_samples(self, kind="aligned"):
        return self.places

    def map_neighbors(self, epoch, kind="aligned"):
        return self.neighbors


@pytest.fixture(scope="module")
def run():
    return FakeRun()


def test_description_names_data_noise_and_epochs(run):
    text = analysis.describe(run)
    for part in ("digits", "60 training examples", "4 classes", "symmetric", "40.0 %", "5 of 8 epochs", "2, 5"):
        assert part in text
    assert "wrong" not in analysis.describe(FakeRun(unknown=True))


def test_label_accuracy_and_its_summary(run):
    table = analysis.label_accuracy(run)
    assert list(table.columns) == ["predicted", "diluted", "dominant", "noisy"] and list(table.index) == [1, 2]
    np.testing.assert_allclose(table.loc[2], [0.2, 0.4, 0.6, 0.8])
    summary = analysis.accuracy_summary({"one": table}).loc["one"]
    assert summary["best_diluted_epoch"] == 2 and summary["last_predicted"] == 0.2 and summary["noisy"] == 0.4


def test_the_summary_shows_whole_epochs(run):
    unknown = analysis.label_accuracy(run) * np.nan
    summary = analysis.accuracy_summary({"one": analysis.label_accuracy(run), "unknown": unknown})
    assert summary["best_predicted_epoch"].dtype == summary["best_diluted_epoch"].dtype == "Int64"
    assert summary["best_diluted_epoch"].isna().tolist() == [False, True]
    shown = summary.round(3).astype(object).T.to_string()
    assert "2.0" not in shown and "0.2" in shown


def test_snapshot_points_are_the_mapped_examples(run):
    points = analysis.snapshot_points(run, 5)
    assert list(points.columns) == ["x", "y", "true", "noisy", "predicted", "diluted"]
    for row, place in enumerate(run.places):
        assert points.index[row] == 100 + place
        assert points["predicted"].iloc[row] == run.logits[place].argmax()
        assert points["noisy"].iloc[row] == run.labels["noisy"].iloc[place]
        assert points["x"].iloc[row] == run.coordinates[row, 0] * 5


def test_snapshot_numbers_are_those_of_a_loop(run):
    numbers, points = analysis.snapshot_numbers(run, 2), analysis.snapshot_points(run, 2)
    for kind in ("true", "predicted", "diluted", "noisy"):
        labels = list(points[kind])
        same = [labels[i] == labels[j] for i in range(40) for j in run.neighbors[i]]
        assert numbers[f"{kind}_purity"] == pytest.approx(sum(same) / len(same))
        if kind != "true":
            right = [labels[i] == points["true"].iloc[i] for i in range(40)]
            assert numbers[f"{kind}_label_accuracy"] == pytest.approx(sum(right) / 40)
    table = analysis.snapshot_table(run)
    assert list(table.index) == [2, 5] and table.index.name == "epoch"
    pd.testing.assert_series_equal(table.loc[2], numbers)


def test_unknown_truth_gives_nan():
    numbers = analysis.snapshot_numbers(FakeRun(unknown=True), 2)
    assert np.isnan([numbers["true_purity"], numbers["noisy_label_accuracy"]]).all()
    assert 0 <= numbers["noisy_purity"] <= 1
    assert analysis.step_accuracy(FakeRun(unknown=True)).isna().all(axis=None)


def test_purity_counts_known_pairs_only():
    neighbors = np.array([[1, 2], [0, 2], [0, 1]], dtype=np.int32)
    assert analysis.neighbor_purity(np.array([0, 0, -1]), neighbors) == 1.0
    assert analysis.neighbor_purity(np.array([0, 1, 0]), neighbors) == pytest.approx(2 / 6)


# --- Dilution -------------------------------------------------------------------------------------------------------


def test_toy_has_the_asked_share_of_wrong_labels():
    points = analysis.toy(n=50, noise_rate=0.3, boundary=0.2, seed=3)
    assert (points["true"] == (points["x"] > 0.2)).all() and (points["true"] != points["noisy"]).sum() == 15
    pd.testing.assert_frame_equal(points, analysis.toy(n=50, noise_rate=0.3, boundary=0.2, seed=3))


def test_toy_shares_are_those_of_dilute_and_collapse_at_convergence():
    points = analysis.toy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shares = analysis.toy_shares(points)
    assert list(shares) == ["given labels", "1 step", "2 steps", "10 steps", "converged"]
    V = np.array([[x, y, 2.0] for x, y in zip(points.x, points.y, strict=True)])
    np.testing.assert_allclose(shares["2 steps"], dilute(V, points.noisy.to_numpy(), steps=2)[:, 1])
    assert len(set(shares["converged"] > 0.5)) == 1 and np.ptp(shares["converged"]) < 1e-3
    accuracy = ((shares > 0.5).T == (points["true"] == 1)).mean(axis=1)
    assert accuracy["2 steps"] > accuracy["given labels"] > accuracy["converged"]  # the sentence of the notebook


def test_toy_edges_are_pairs_of_neighbours():
    points = analysis.toy(n=20)
    V = analysis.toy_embeddings(points)
    V /= np.linalg.norm(V, axis=1, keepdims=True)
    expected = set()
    for i in range(20):
        order = sorted((j for j in range(20) if j != i), key=lambda j: -(V[i] @ V[j]))
        expected |= {tuple(sorted((i, j))) for j in order[:3]}
    assert {tuple(pair) for pair in analysis.toy_edges(points, k=3)} == expected


@pytest.mark.parametrize("affinity", ["product", "sum"])
def test_limit_labels_are_where_the_iteration_ends(affinity):
    rng = np.random.default_rng(1)
    V = torch.from_numpy(np.repeat(np.eye(3), 12, axis=0) + 0.1 * rng.random((36, 3)))
    V[-1] = 0  # no neighbours: alone
    onehot = one_hot(torch.from_numpy(rng.integers(0, 3, 36)), 3, torch.float64)
    graph = Graph.build(*nearest(V, 3), 3.0, affinity)
    limit = analysis.limit_labels(graph, onehot.float(), torch.ones(3))
    Z = diffuse(graph, onehot, 0.9, 5000, "previous")
    alone = Z.sum(dim=1) < 1e-12
    expected = torch.where(alone, onehot.argmax(dim=1), Z.argmax(dim=1))
    assert (limit == expected.numpy()).all()
    parts = analysis.components(graph)
    for part in np.unique(parts):
        assert len(set(limit[parts == part])) == 1
    assert len(np.unique(parts)) >= 4


def test_step_accuracy_is_that_of_dilute(run):
    table = analysis.step_accuracy(run, steps=(1, 2, 7, "converged"))
    true, noisy = (run.labels[name].to_numpy() for name in ("true", "noisy"))
    for epoch in run.epochs:
        for steps in (1, 2, 7):
            Z = dilute(run.embeddings(epoch).astype(np.float32), noisy, num_classes=C, k=5, steps=steps)
            assert table.loc[steps, epoch] == pytest.approx(np.mean(Z.argmax(axis=1) == true))
    assert 0 <= table.loc["converged", 2] <= 1
    assert len(analysis.step_accuracy(run, epochs=[5], steps=(1,), points=30).columns) == 1


def test_steps_of_the_run_give_the_saved_labels(saved):
    own = saved.config.dilution.steps
    for epoch in saved.epochs:
        labels = analysis.rediluted_labels(saved, epoch, (own,), np.arange(len(saved.labels)))[own]
        assert (labels == saved.snapshot(epoch)["diluted"].values.argmax(axis=1)).all()


# --- Noise ----------------------------------------------------------------------------------------------------------


def test_asked_and_drawn_matrices():
    run = FakeRun(noise="symmetric", noise_rate=0.3)
    matrices = analysis.noise_matrices(run)
    assert list(matrices) == ["symmetric 30 %, asked", "drawn"]
    np.testing.assert_allclose(matrices["symmetric 30 %, asked"], noise.symmetric(C, 0.3))
    true, noisy = run.labels["true"], run.labels["noisy"]
    for i in range(C):
        for j in range(C):
            share = np.mean([given == j for t, given in zip(true, noisy, strict=True) if t == i])
            assert matrices["drawn"][i, j] == pytest.approx(share)
    assert list(analysis.noise_matrices(FakeRun(noise="instance"))) == ["drawn"]
    assert list(analysis.noise_matrices(FakeRun(unknown=True))) == ["symmetric 40 %, asked"]


def test_asymmetric_noise_is_looked_up_by_the_name_of_the_data_set(saved):
    np.testing.assert_array_equal(analysis.asked_matrix(saved), noise.asymmetric("digits", 0.4))


def test_matrix_table_is_the_matrices_in_long_form():
    matrices = {"T": noise.pair(3, 0.2), "U": np.eye(2)}
    table = analysis.matrix_table(matrices, {"T": "abc", "U": ["x", "y"]})
    assert list(table.columns) == ["matrix", "true", "given", "share"] and len(table) == 13
    chosen = table[(table.matrix == "T") & (table.true == "c") & (table.given == "a")]
    assert chosen["share"].item() == pytest.approx(0.2)
