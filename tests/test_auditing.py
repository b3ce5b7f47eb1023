"""An audit finds the wrong labels, counts them honestly, and no example votes for itself."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

import lend
from lend import noise, storage
from lend.auditing import Audit, audit, audit_files
from lend.auditing.transition import Transition, count_transitions, true_shares, unmix
from lend.dilution import Graph, cross_fitted, diffuse, leave_one_out, one_hot
from lend.dilution.leaveoneout import closed_walks, own_shares
from lend.inputs import Dilution, read_table, safe_table
from lend.neighbors import knn_graph, nearest
from lend.noise.matrices import flip_matrix
from lend.storage import DamagedFileError

RNG = np.random.default_rng


def clusters(n=300, c=4, d=12, seed=0, spread=2.0):
    """Embeddings around c centres and their true classes."""
    rng = RNG(seed)
    true = np.arange(n) % c
    return spread * rng.normal(size=(c, d))[true] + rng.normal(size=(n, d)), true


def graph_of(V, k=5, affinity="product"):
    return Graph.build(*nearest(torch.from_numpy(V), k), 3.0, affinity)


# --- No vote for itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("affinity", ["product", "sum"])
@pytest.mark.parametrize("reserve", ["previous", "initial"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_leaving_one_out_is_removing_its_label(affinity, reserve, steps):
    V, true = clusters(n=60, d=3, spread=1.0)
    settings = Dilution(k=5, alpha=0.9, steps=steps, affinity=affinity, reserve=reserve)
    graph, onehot = graph_of(V, 5, affinity), one_hot(torch.from_numpy(true), 4, torch.float64)
    found = leave_one_out(graph, onehot, settings)
    assert found.dtype == torch.float64
    for i in range(len(V)):
        without = onehot.clone()
        without[i] = 0
        removed = diffuse(graph, without, settings.alpha, steps, reserve)[i]
        torch.testing.assert_close(found[i], removed, atol=1e-14, rtol=1e-12)


@pytest.mark.parametrize("affinity", ["product", "sum"])
def test_walks_are_the_diagonals_of_the_powers(affinity, monkeypatch):
    V, _ = clusters(n=70)
    W = lend.similarity(V, k=5, affinity=affinity)
    monkeypatch.setattr("lend.dilution.leaveoneout.ROWS", 17)
    walks = closed_walks(graph_of(V, 5, affinity), 5)
    for t, row in enumerate(walks):
        np.testing.assert_allclose(row, np.diag(np.linalg.matrix_power(W, t)), atol=1e-14)


def test_two_steps_by_the_sum_of_squares(monkeypatch):
    V, _ = clusters(n=200)
    M = 0.99 * lend.similarity(V, k=5) + 0.01 * np.eye(200)
    expected = (M**2).sum(axis=1)
    np.testing.assert_allclose(own_shares(graph_of(V), Dilution(k=5)), expected, atol=1e-14)
    monkeypatch.setattr("lend.dilution.equations.DENSE", 100)
    np.testing.assert_allclose(own_shares(graph_of(V), Dilution(k=5)), expected, atol=1e-14)


def test_a_sparse_graph_is_not_changed_by_a_copy_without_its_zeros(monkeypatch):
    monkeypatch.setattr("lend.dilution.equations.DENSE", 100)
    A = (graph := graph_of(np.random.default_rng(0).normal(size=(200, 3)), 120, "sum")).A
    before = [part.clone() for part in (A.crow_indices(), A.col_indices(), A.values())]
    assert 0 < graph.to_scipy().nnz < len(A.values())
    assert all(map(torch.equal, before, (A.crow_indices(), A.col_indices(), A.values())))


def test_nobody_has_a_say_on_a_lonely_example():
    V, true = clusters(n=40)
    V[3] = 0
    onehot = one_hot(torch.from_numpy(true), 4, torch.float64)
    for affinity in ("product", "sum"):
        assert (leave_one_out(graph_of(V, 5, affinity), onehot, Dilution(k=5, affinity=affinity))[3] == 0).all()
    with pytest.raises(ValueError, match="steps must be a number"):
        leave_one_out(graph_of(V), onehot, Dilution(k=5, steps="converged"))


def test_a_fold_says_nothing_of_itself():
    V, true = clusters(n=80)
    settings, graph, folds = Dilution(k=5, affinity="sum"), graph_of(V, 5, "sum"), torch.arange(80) % 3
    onehot = one_hot(torch.from_numpy(true), 4, torch.float64)
    rows = cross_fitted(graph, onehot, settings, folds)
    changed = onehot.clone()
    changed[folds == 1] = changed[folds == 1].flip(1)
    again = cross_fitted(graph, changed, settings, folds)
    torch.testing.assert_close(again[folds == 1], rows[folds == 1])
    assert not torch.allclose(again[folds == 0], rows[folds == 0])


@pytest.mark.parametrize("class_prior", [None, [0.1, 0.2, 0.3, 0.4], "estimated"])
def test_the_own_label_does_not_move_its_own_row(class_prior):
    V, true = clusters(spread=1.0)
    before = audit(V, true, k=6, class_prior=class_prior, progress=False)
    labels = true.copy()
    labels[7] = (labels[7] + 1) % 4
    after = audit(V, labels, k=6, class_prior=class_prior, progress=False)
    moved = 1e-12 if class_prior is None else 0.02  # the class weights know the given shares, 1 label in 300 changed
    np.testing.assert_allclose(after.distributions[7], before.distributions[7], atol=moved)
    assert after.issues.loc[7, "predicted_label"] == before.issues.loc[7, "predicted_label"]


# --- The noise --------------------------------------------------------------------------------------------------------


def test_true_shares_solve_the_mixture():
    T, prior = noise.pair(4, 0.2), np.array([0.4, 0.3, 0.2, 0.1])
    np.testing.assert_allclose(true_shares(T, prior @ T), prior, atol=0.01)
    np.testing.assert_allclose(true_shares(np.eye(4), prior), prior)


def test_unmixing_finds_the_class_behind_the_votes():
    """Of labels exchanged in a ring, 45 % of class 1's votes are for class 2 and look like class 2's own."""
    T = noise.pair(3, 0.45)
    transition = Transition(1e6 * T, np.full(3, 1 / 3))
    assert list(unmix(T, transition).argmax(axis=1)) == [0, 1, 2]
    assert list(unmix(np.array([[0.0, 0.49, 0.51]]), transition).argmax(axis=1)) == [1]  # the largest vote is for 2


def test_transitions_are_counted_where_neighbours_are_sure():
    rng, T = RNG(0), noise.asymmetric("digits", 0.3)
    true = rng.integers(0, 10, 20_000)
    votes = 0.9 * T[true] + 0.1 * rng.dirichlet(np.ones(10), len(true))
    given, folds = noise.corrupt(true, T, 0), np.arange(len(true)) % 5
    surest, every = count_transitions(votes, given, folds)
    np.testing.assert_allclose(surest.matrix, T, atol=0.06)
    np.testing.assert_allclose(every.matrix, T, atol=0.04)
    assert surest.rate == pytest.approx((true != given).mean(), abs=0.02)
    np.testing.assert_allclose(surest.smoothed.sum(axis=1), 1)
    assert (surest.smoothed > 0).all() and (surest.matrix == 0).any()


# --- Known noise ------------------------------------------------------------------------------------------------------

MATRICES = {
    "symmetric": lambda rate: noise.symmetric(10, rate),
    "pair": lambda rate: noise.pair(10, rate),
    "asymmetric": lambda rate: noise.asymmetric("digits", rate),
}
SETTINGS = [
    *[("symmetric", rate) for rate in (0.05, 0.2, 0.45)],
    *[("asymmetric", rate) for rate in (0.2, 0.4)],
    *[("pair", rate) for rate in (0.1, 0.3, 0.45)],
    *[("instance", rate) for rate in (0.2, 0.4)],
]


@pytest.fixture(scope="module")
def digits():
    """Pixels, true classes and a graph; neighbours agree with the truth in 98 of 100."""
    X, y = load_digits(return_X_y=True)
    return X, y.astype(np.int64), knn_graph(X.astype(np.float32), 16, progress=False)


@pytest.fixture(scope="module")
def overlapping():
    """Six overlapping classes, the largest ten times the smallest: neighbours err on 9 of 100."""
    rng = RNG(1)
    true = rng.choice(6, 3000, p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    centres = rng.normal(size=(6, 10))
    V = 3.5 * (centres / np.linalg.norm(centres, axis=1, keepdims=True))[true] + rng.normal(size=(3000, 10))
    return V, true, knn_graph(V.astype(np.float32), 16, progress=False)


def given_labels(V, true, kind, rate, seed=0):
    c = int(true.max()) + 1
    if kind == "instance":
        return noise.instance_dependent(V, true, rate, seed)
    matrices = MATRICES if c == 10 else MATRICES | {"symmetric": lambda r: noise.symmetric(c, r)}
    if c != 10:
        matrices |= {"pair": lambda r: noise.pair(c, r)}
        matrices |= {"asymmetric": lambda r: flip_matrix({0: 1, 1: 0, 2: 3}, c, r)}
    return noise.corrupt(true, matrices[kind](rate), seed)


@pytest.mark.parametrize("data", ["digits", "overlapping"])
def test_the_interval_holds_the_true_number(data, request):
    V, true, graph = request.getfixturevalue(data)
    inside, width = [], []
    for kind, rate in SETTINGS:
        given = given_labels(V, true, kind, rate)
        found = audit(None, given, knn_graph=graph).estimate
        inside.append(found.low <= (given != true).sum() <= found.high)
        width.append((found.high - found.low) / len(true))
        assert abs(found.share - (given != true).mean()) < 0.05
    assert sum(inside) >= 9 and np.mean(width) < 0.2


@pytest.mark.parametrize(
    ("kind", "rate", "least"), [("symmetric", 0.2, 0.98), ("asymmetric", 0.4, 0.9), ("pair", 0.4, 0.98)]
)
def test_wrong_labels_have_low_scores(digits, kind, rate, least):
    V, true, graph = digits
    given = given_labels(V, true, kind, rate)
    found, wrong = audit(None, given, knn_graph=graph), given != true
    assert average_precision_score(wrong, -found.issues["label_score"]) > least
    flagged = found.issues["is_label_issue"].to_numpy()
    assert 2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum()) > least - 0.1
    assert (found.issues["predicted_label"] == true).mean() > 0.93


def test_a_weak_embedding_does_not_overrule_most_labels():
    """Where classes overlap the others contradict many right labels; the likeliest class heeds the given one too."""
    V, true = clusters(n=2000, spread=0.6)
    given = given_labels(V, true, "symmetric", 0.2)
    found = audit(V, given, progress=False)
    issues, others = found.issues, found.distributions.argmax(axis=1)
    likeliest = (issues["predicted_label"] == true).mean()
    assert likeliest > (given == true).mean() > (others == true).mean()
    doubts = issues["is_label_issue"] & (issues["predicted_label"] == issues["given_label"])
    assert doubts.any() and (issues.loc[doubts, "label_score"] < 0.7).all()


def test_an_uneven_prior_is_not_bent(overlapping):
    """Balancing votes drowns the small classes' neighbours; the estimated prior does not."""
    V, true, graph = overlapping
    given = given_labels(V, true, "symmetric", 0.1)
    accuracy = {
        prior: (audit(None, given, knn_graph=graph, class_prior=prior).issues["predicted_label"] == true).mean()
        for prior in ("estimated", None, "balanced")
    }
    assert accuracy["estimated"] > accuracy["balanced"] + 0.02
    assert accuracy["estimated"] > accuracy[None] - 0.005
    found = audit(None, given, knn_graph=graph)
    np.testing.assert_allclose(found.classes["true"] / len(true), np.bincount(true) / len(true), atol=0.02)


def test_clean_labels_of_separate_classes_have_no_issue():
    V, true = clusters(n=400, spread=6.0)
    found = audit(V, true, progress=False)
    assert not found.issues["is_label_issue"].any() and found.estimate.errors == 0
    assert 0 < found.estimate.high < 20  # none was seen, which does not exclude a few
    assert (found.issues["label_score"] > 0.9).all()
    np.testing.assert_array_equal(found.transition_matrix, np.eye(4))


# --- What comes out ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example():
    """Names as labels, ids as strings, images."""
    V, true = clusters(n=240, spread=2.5)
    names = np.array(["ant", "bee", "cat", "dog"])
    given = noise.corrupt(true, noise.pair(4, 0.2), 0)
    ids = [f"x{i}" for i in range(240)]
    images = RNG(0).integers(0, 256, (240, 3, 8, 8)).astype(np.uint8)
    return audit(V, list(names[given]), sample_ids=ids, k=8, images=images, progress=False), names[true], names[given]


def test_the_tables(example):
    found, true, given = example
    issues = found.issues
    columns = ["given_label", "predicted_label", "label_score", "is_label_issue", "neighbor_agreement", "is_unlabelled"]
    assert list(issues) == [*columns, "outlier_score", "is_outlier", "neighbors_score", "classifier_score"]
    assert issues.index.name == "sample_id" and issues.index[3] == "x3"
    assert list(issues["given_label"]) == list(given) and issues["is_label_issue"].dtype == bool
    assert issues["label_score"].between(0, 1).all() and issues["neighbor_agreement"].between(0, 1).all()
    said = np.array(found.class_names)[found.distributions.argmax(axis=1)]
    flagged = issues["is_label_issue"].to_numpy()
    assert (said[flagged] != given[flagged]).all() and flagged.any()
    np.testing.assert_allclose(found.distributions.sum(axis=1), 1)
    assert found.class_names == ["ant", "bee", "cat", "dog"] == list(found.transition_matrix.columns)
    assert set(issues.loc[issues["predicted_label"] != said, "predicted_label"].index) <= set(
        issues.index[issues["predicted_label"] == given]
    )  # the given label is the only further evidence
    np.testing.assert_allclose(found.transition_matrix.sum(axis=1), 1)
    assert found.classes["given"].sum() == 240 and found.classes["true"].sum() == pytest.approx(240)
    assert found.classes["issues"].sum() == issues["is_label_issue"].sum()
    assert found.classes.loc["bee", "confused_with"] == "ant"
    assert "Audit(240 labels of 4 classes" in repr(found) and "90 % interval" in str(found.estimate)


def test_neighbor_agreement_by_hand():
    V, true = clusters(n=60)
    V[5] = 0
    found = audit(V, true, k=4, progress=False).issues["neighbor_agreement"]
    indices, _ = nearest(torch.from_numpy(V), 4)
    np.testing.assert_allclose(found[0], (true[indices[0]] == true[0]).mean())
    assert np.isnan(found[5])


def test_save_and_load(example, tmp_path):
    found, _, _ = example
    back = Audit.load(found.save(tmp_path / "audit"))
    for name in ("issues", "transition_matrix", "classes"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(found, name))
    np.testing.assert_array_equal(back.distributions, found.distributions)
    assert back.estimate == found.estimate and back.settings == found.settings and back.images is None
    assert sorted(path.suffix for path in (tmp_path / "audit").iterdir()) == [".json"] + [".parquet"] * 5
    (tmp_path / "audit" / "issues.parquet").write_bytes(b"PAR1")
    with pytest.raises(DamagedFileError, match="issues.parquet"):
        Audit.load(tmp_path / "audit")


def test_integer_labels_survive_saving(tmp_path):
    V, true = clusters()
    found = audit(V, 3 * true - 3, class_prior=[0.25] * 4, progress=False)
    back = Audit.load(found.save(tmp_path))
    assert back.class_names == [-3, 0, 3, 6] == list(back.transition_matrix.columns)
    pd.testing.assert_frame_equal(back.issues, found.issues)
    assert back.settings["class_prior"] == [0.25] * 4


def test_patch_lists_the_issues_worst_first(example, tmp_path):
    found, _, _ = example
    table = pd.read_csv(found.patch(tmp_path / "new" / "patch.csv"))
    assert list(table) == ["sample_id", "given_label", "suggested_label", "label_score"]
    suggested = found.issues["is_label_issue"] & (found.issues["predicted_label"] != found.issues["given_label"])
    assert len(table) == suggested.sum() > 10
    assert table["label_score"].is_monotonic_increasing and (table["given_label"] != table["suggested_label"]).all()


def test_names_that_look_like_formulas_come_back_from_every_file(tmp_path):
    V, true = clusters(n=80)
    names = np.array(["=1+1", "-x", "@a", "'=quoted'"])
    given = names[np.where(np.arange(80) % 20 == 0, (true + 1) % 4, true)]
    found = audit(V, given, k=5, sample_ids=[f"+{i}" for i in range(80)], progress=False)
    back = Audit.load(found.save(tmp_path / "saved"))
    pd.testing.assert_frame_equal(back.issues, found.issues)
    assert back.class_names == found.class_names == sorted(names)
    patch = read_table(found.patch(tmp_path / "patch.csv"))
    worst = found.worst.query("given_label != predicted_label")
    assert len(worst) >= 4 and patch["sample_id"].tolist() == worst.index.tolist()
    assert patch["given_label"].tolist() == worst["given_label"].tolist()
    assert patch["suggested_label"].tolist() == worst["predicted_label"].tolist()

    np.save(tmp_path / "V.npy", V)
    storage.write_csv(tmp_path / "labels.csv", safe_table(found.issues[["given_label"]]))
    options = {"column": "given_label", "id_column": "sample_id", "k": 5, "progress": False}
    of_files = audit_files(tmp_path / "V.npy", tmp_path / "labels.csv", tmp_path / "issues.csv", **options)
    again = audit_files(tmp_path / "V.npy", tmp_path / "issues.csv", tmp_path / "again.csv", **options)
    for other in (of_files, again):
        pd.testing.assert_frame_equal(other.issues, found.issues)


def test_texts_that_no_table_can_hold_are_named():
    V, true = clusters(n=40)
    names = np.array(["a", "b", "c", "\udc80"], dtype=object)[true]
    for labels in (names, names.tolist()):
        with pytest.raises(ValueError, match=r"labels must be of texts that UTF-8 can encode, got '\\udc80'"):
            audit(V, labels, k=5, progress=False)
    with pytest.raises(ValueError, match=r"sample_ids must be of texts that UTF-8 can encode, got '7\\udc80'"):
        audit(V, true, k=5, sample_ids=[f"{i}\udc80" if i == 7 else str(i) for i in range(40)], progress=False)


def test_cleanlab_takes_the_distributions(example):
    pytest.importorskip("cleanlab")
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    found, true, given = example
    codes = np.searchsorted(found.class_names, given)
    theirs = find_label_issues(codes, found.distributions, n_jobs=1)
    assert ((given != true) == theirs).mean() > 0.9
    quality = get_label_quality_scores(codes, found.distributions)
    np.testing.assert_allclose(quality, found.distributions[np.arange(240), codes])


# --- What goes in -----------------------------------------------------------------------------------------------------


def test_arrays_tensors_graphs_and_matrices_agree(tmp_path):
    V, true = clusters(n=200)
    V = V.astype(np.float32)
    np.save(tmp_path / "V.npy", V)
    graph = knn_graph(V, 6, progress=False)
    first = audit(V, true, k=6, method="neighbors", progress=False).issues
    ways = (
        (torch.from_numpy(V), None),
        (np.load(tmp_path / "V.npy", mmap_mode="r"), None),
        ([V, V], None),
        ({"epoch 1": V}, None),
        (None, graph),
        (None, graph.to_csr()),
    )
    for embeddings, given in ways:
        options = {"k": 6, "knn_graph": given, "method": "neighbors", "progress": False}
        other = audit(embeddings, torch.from_numpy(true), **options).issues
        pd.testing.assert_frame_equal(other, first, atol=1e-6)


def test_several_embeddings_are_averaged():
    V, true = clusters(n=200, spread=1.0)
    U = clusters(n=200, seed=1, spread=1.0)[0]
    options = {"k": 6, "class_prior": None, "progress": False}
    both = audit([V, U], true, **options)
    apart = [audit(part, true, **options).distributions for part in (V, U)]
    np.testing.assert_allclose(both.distributions, sum(apart) / 2, atol=1e-12)
    assert np.array_equal(audit(None, true, knn_graph=both.graphs, **options).distributions, both.distributions)


def test_neighbours_that_are_known_are_not_searched_again(monkeypatch):
    V, true = clusters(n=100)
    found = audit(V, true, gamma=2, progress=False)
    monkeypatch.setattr("lend.auditing.inputs.find_neighbors", None)
    again = audit(V, true, gamma=2, knn_graph=found.graphs, progress=False)
    pd.testing.assert_frame_equal(again.issues, found.issues)
    assert again.settings == found.settings and found.settings["method"] == "joined"
    assert found.settings["neighbors"] == "exact"
    told = audit(V, true, knn_graph=found.graphs[0].to_csr(), progress=False).settings
    assert told["method"] == "joined" and told["neighbors"] == "given, recall not known"


def test_a_graph_of_other_rows_is_refused():
    V, true = clusters(n=100)
    graph = knn_graph(V.astype(np.float32), 16, progress=False)
    others = V[np.random.default_rng(0).permutation(100)]
    for given in (others, csr_array(others), torch.from_numpy(others)):
        with pytest.raises(ValueError, match="knn_graph must be of these embeddings, in their order, got 'cosine 0.*'"):
            audit(given, true, knn_graph=graph, progress=False)
        with pytest.raises(ValueError, match="knn_graph must be of these embeddings"):
            audit([V, given], true, knn_graph=[graph, graph], progress=False)
    assert audit(V.astype(np.float16), true, knn_graph=graph, progress=False).settings["k"] == 16


def test_the_number_of_neighbours_follows_a_given_graph():
    V, true = clusters(n=100)
    graph = knn_graph(V.astype(np.float32), 10, progress=False)
    assert audit(None, true, knn_graph=graph).settings["k"] == 10
    assert audit(V, true, progress=False).settings["k"] == 16
    with pytest.raises(ValueError, match="k must be an integer from 1 to 10"):
        audit(None, true, knn_graph=graph, k=12)


def test_few_examples_of_a_class_and_examples_without_neighbours():
    V, true = clusters(n=101)
    labels = np.array(["ant", "bee", "cat", "dog"])[true]
    labels[0], V[4] = "emu", 0
    with pytest.warns(UserWarning, match="1 of 5 classes, with 1 of 101 examples"):
        issues = audit(V, labels, k=5, progress=False).issues
    assert issues.loc[0, "label_score"] < 0.1 and issues.loc[0, "predicted_label"] == "ant"
    assert issues.loc[4, "predicted_label"] == labels[4] and not issues.loc[4, "is_label_issue"]


def test_equal_embeddings_tell_nothing_and_break_nothing():
    with pytest.warns(UserWarning, match="nearly parallel"):
        found = audit(np.ones((60, 3)), np.arange(60) % 3, k=5, progress=False)
    assert np.isfinite(found.distributions).all() and found.issues["label_score"].between(0, 1).all()
    with pytest.raises(ValueError, match="embeddings must be rows of which some are similar"):
        audit(np.zeros((60, 3)), np.arange(60) % 3, k=5, progress=False)


def test_rows_of_zeros_are_not_counted_and_somebody_is_told():
    V, true = clusters(n=200)
    given = np.where(np.arange(200) < 10, (true + 1) % (true.max() + 1), true)
    V[::2] = 0
    with pytest.warns(UserWarning, match="100 of 200 rows are similar to no labelled one"):
        found = audit(V, given, k=5, progress=False)
    assert found.estimate.low <= 10 <= found.estimate.high and found.estimate.errors < 30
    assert not found.issues["is_label_issue"].iloc[::2].any()
    assert found.issues["is_label_issue"].iloc[1:10:2].all() and not found.issues["is_label_issue"].iloc[11::2].any()


def test_an_index_with_repeated_entries_must_be_the_same_one():
    V, true = clusters(n=50)
    twice = np.tile(np.arange(25), 2)
    labels, frame = pd.Series(true, index=twice), pd.DataFrame(V, index=twice)
    plain = audit(V, true, k=5, progress=False).issues
    for rows in (frame, V, frame.set_axis([f"r{i}" for i in twice])):  # the last shares no example with the labels
        pd.testing.assert_frame_equal(audit(rows, labels, k=5, progress=False).issues, plain)
    for rows, of in ((frame[::-1], labels), (pd.DataFrame(V)[::-1], labels), (frame, pd.Series(true))):
        with pytest.raises(ValueError, match="embeddings must be indexed by the index of the labels"):
            audit(rows, of, k=5, progress=False)


def test_bad_input():
    V, true = clusters(n=50)
    nan = V.copy()
    nan[3, 1] = np.nan
    graph = knn_graph(V.astype(np.float32), 8, progress=False)
    cases = [
        ((nan, true), {}, "finite"),
        ((V, true[:-1]), {}, "embeddings must be of 49 rows"),
        ((V[:16], true[:16]), {}, "k must be an integer from 1 to 15, got 16"),
        ((V, true), {"k": 0}, "k must be"),
        ((V, np.zeros(50, int)), {}, "labels must be of at least 2 classes"),
        ((V, np.arange(50)), {}, "labels must be of classes with several examples, got '50 different ones for 50"),
        ((V, true + 0.5), {}, r"labels must be all integers or all strings, got \[\d.5\]"),
        ((V, [*map(str, true[:-1]), 3]), {}, "got 'int and str'"),
        ((V, [None] * 50), {}, "labels must be .* at least one that is known"),
        ((V, np.stack([true, true], axis=1)), {}, r"labels must be of shape \(n,\)"),
        ((V, true), {"sample_ids": [*range(49), 7]}, r"sample_ids must be all different, got '\[7\] more than once'"),
        ((V, true), {"sample_ids": range(49)}, "sample_ids must be of length 50"),
        ((V, true), {"images": np.zeros((49, 2, 2))}, "images must be of length 50"),
        ((None, true[:-1]), {"knn_graph": graph}, "knn_graph must be of 49 examples"),
        ((V, true), {"knn_graph": [graph, graph]}, "knn_graph must be 1, one for each set of embeddings, got 2"),
        ((None, true), {"knn_graph": []}, "knn_graph must be 1, one for each set of embeddings, got 0"),
        ((None, true), {}, "got 'neither'"),
        ((V[0], true), {}, r"embeddings must be of shape \(n, d\)"),
        (([], true), {}, "at least one array"),
        ((V, true), {"steps": "converged"}, "steps must be a number"),
        ((V, true), {"confidence": 1.0}, "confidence must be inside"),
        ((V, true), {"class_prior": "even"}, "class_prior must be None, 'estimated'"),
        ((V, true), {"class_prior": [0.5, 0.5]}, "class_prior must be 4 shares"),
        ((V, true), {"affinity": "mean"}, "affinity must be"),
    ]
    for arguments, options, message in cases:
        with pytest.raises(ValueError, match=message):
            audit(*arguments, **({"progress": False} | options))


def test_the_same_seed_gives_the_same_audit():
    V, true = clusters(spread=1.0)
    first, again, other = (audit(V, true, seed=seed, progress=False) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first.issues, again.issues)
    assert first.estimate == again.estimate != other.estimate


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    V, true = clusters(n=80)
    np.save(tmp_path / "V.npy", V.astype(np.float16))
    np.save(tmp_path / "y.npy", true)
    names = np.array(["ant", "bee", "cat", "dog"])[true]
    pd.DataFrame({"file": [f"{i}.png" for i in range(80)], "label": names}).to_csv(tmp_path / "y.csv", index=False)
    pd.DataFrame({"name": names}).to_csv(tmp_path / "one.csv", index=False)
    return tmp_path


def test_audit_of_files(files, capfd):
    found = audit_files(files / "V.npy", files / "y.npy", files / "out" / "issues.csv", k=5, progress=False)
    table = pd.read_csv(files / "out" / "issues.csv", index_col="sample_id")
    pd.testing.assert_frame_equal(table, found.issues, check_exact=False)
    assert capfd.readouterr() == ("", "")
    named = audit_files(files / "V.npy", files / "y.csv", files / "a.csv", id_column="file", k=5, progress=False)
    assert named.issues.index[2] == "2.png" and named.class_names == ["ant", "bee", "cat", "dog"]
    one = audit_files(files / "V.npy", files / "one.csv", files / "b.csv", k=5, progress=False)
    assert list(one.issues["given_label"]) == list(named.issues["given_label"])


def test_bad_files(files):
    np.save(files / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (files / "text.npy").write_text("no array")
    cases = [
        ((files / "none.npy", files / "y.npy"), {}, FileNotFoundError, "embeddings: .*none.npy: no such file"),
        ((files / "V.npy", files / "none.csv"), {}, FileNotFoundError, "labels: .*none.csv: no such file"),
        ((files / "V.npy", files / "objects.npy"), {}, ValueError, "labels: .*objects.npy: expected an array"),
        ((files / "text.npy", files / "y.npy"), {}, ValueError, "embeddings: .*text.npy: expected an array"),
        ((files / "V.npy", files / "y.csv"), {"column": "none"}, ValueError, "column must be one of file, label"),
        ((files / "V.npy", files / "y.npy"), {"column": "label"}, ValueError, "column must be given for a table only"),
    ]
    for paths, options, error, message in cases:
        with pytest.raises(error, match=message):
            audit_files(*paths, files / "out.csv", progress=False, **options)
    assert not (files / "out.csv").exists()


def test_the_record_is_plain_json(example, tmp_path):
    record = json.loads((example[0].save(tmp_path) / "audit.json").read_text())
    assert record["format"] == 2 and record["settings"]["k"] == 8 and record["estimate"]["confidence"] == 0.9
