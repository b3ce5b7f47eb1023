"""Duplicates and outliers, from the neighbours that an audit finds."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import lend
from lend.auditing import FORMAT
from lend.auditing.duplicates import duplicates_table
from lend.auditing.outliers import outlier_scores


def clusters(n=600, d=12, seed=0):
    rng = np.random.default_rng(seed)
    given = rng.integers(0, 3, n)
    return (3 * np.eye(d)[given] + rng.normal(size=(n, d))).astype(np.float32), np.array(["a", "b", "c"])[given], rng


def groups(table):
    return sorted(sorted(part.index.tolist()) for _, part in table.groupby("group"))


def test_no_duplicates_among_random_points():
    found = [len(lend.audit(*clusters(seed=seed)[:2], progress=False).duplicates) / 2 for seed in range(3)]
    assert np.mean(found) <= 2  # one pair is expected by chance


def test_equal_and_near_rows_are_groups_and_differing_labels_come_first():
    V, given, rng = clusters()
    V[10], V[11] = V[12], 2 * V[12]
    V[20] = V[21] + 1e-3 * rng.normal(size=12)
    given[10:13], given[20:22] = "a", ["b", "c"]
    table = lend.audit(V, given, progress=False).duplicates
    assert list(table.columns) == ["group", "given_label", "cosine", "labels_differ"]
    assert [10, 11, 12] in groups(table) and [20, 21] in groups(table) and len(groups(table)) <= 4
    assert table.index[:2].tolist() == [20, 21] and table["labels_differ"].tolist()[:2] == [True, True]
    assert table.loc[[10, 11, 12], "labels_differ"].tolist() == [False] * 3
    assert table["group"].is_monotonic_increasing and (table["cosine"] > 0.99).all()


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_groups_larger_than_k_are_whole(kind):
    V, given, rng = clusters()
    many = rng.choice(600, 60, replace=False)
    V[many[:40]], V[many[40:]] = V[0], V[1]
    given = given.astype(object)
    given[many[0]] = None
    found = lend.audit(sparse.csr_array(V) if kind == "sparse" else V, given, k=5, progress=False)
    first = found.duplicates.loc[[*many[:40]]]
    assert first["group"].nunique() == 1 and found.duplicates.loc[many[40:], "group"].nunique() == 1
    assert first["cosine"].to_numpy() == pytest.approx(1) and pd.isna(first["given_label"].iloc[0])


def test_nearly_parallel_rows_are_duplicates_only_if_equal():
    V, given, _ = clusters()
    V = V.astype(np.float64) + 1e5
    V[3] = V[4]
    with pytest.warns(UserWarning, match="nearly parallel"):
        table = lend.audit(V, given, progress=False).duplicates
    assert groups(table) == [[3, 4]]


def test_zero_rows_are_no_duplicates():
    V, given, _ = clusters()
    V[:30] = 0
    assert not set(lend.audit(V, given, progress=False).duplicates.index) & set(range(30))


def test_several_embeddings_must_agree():
    V, given, rng = clusters()
    W = rng.normal(size=V.shape)
    V[3], V[5], W[5] = V[4], V[6], W[6]
    assert [3, 4] in groups(lend.audit(V, given, progress=False).duplicates)
    assert groups(lend.audit([V, W], given, progress=False).duplicates) == [[5, 6]]


def test_from_a_graph_alone():
    V, given, _ = clusters()
    V[3] = V[4]
    graph = lend.knn_graph(V, 8, progress=False)
    assert [3, 4] in groups(lend.audit(None, given, knn_graph=graph, progress=False).duplicates)
    table = duplicates_table([graph.first(1)], [V], np.zeros(600, np.int64), ["a"], pd.RangeIndex(600))
    assert groups(table) == [[3, 4]]


# --- outliers


def by_loops(V, k):
    """LoOP by its paper, an example at a time."""
    U = V / np.linalg.norm(V, axis=1, keepdims=True)
    away = np.linalg.norm(U[:, None] - U[None], axis=2)
    near = [[j for j in np.argsort(row) if j != i][:k] for i, row in enumerate(away)]
    sigma = [np.sqrt(np.mean([away[i, j] ** 2 for j in near[i]])) for i in range(len(V))]
    plof = [sigma[i] / np.mean([sigma[j] for j in near[i]]) - 1 for i in range(len(V))]
    scale = 3 * math.sqrt(np.mean(np.square(plof)))
    return [max(0, math.erf(value / (scale * math.sqrt(2)))) for value in plof]


def test_the_score_is_that_of_the_paper():
    V = np.random.default_rng(0).normal(size=(60, 5))
    scores = outlier_scores([lend.knn_graph(V, 6, progress=False)])
    assert scores == pytest.approx(by_loops(V, 6), abs=2e-4)


def test_outliers_are_found_and_few_others():
    V, given, rng = clusters()
    V += 6 * np.eye(12, dtype=np.float32)[np.unique(given, return_inverse=True)[1]]  # far apart
    V[:6] = rng.normal(size=(6, 12)) / 4 - 6 * np.eye(12)[3:9]
    found = lend.audit(V, given, progress=False)
    scores = found.issues["outlier_score"]
    assert scores.between(0, 1).all() and scores[:6].min() > np.quantile(scores[6:], 0.99)
    assert set(range(6)) <= set(found.outliers.index) and len(found.outliers) <= 18
    assert found.outliers["outlier_score"].is_monotonic_decreasing


def test_equal_rows_are_no_outliers():
    V, given, _ = clusters()
    V[:200] = V[0]
    scores = lend.audit(V, given, progress=False).issues["outlier_score"]
    assert np.isfinite(scores).all() and (scores[:200] == 0).all()
    assert (outlier_scores([lend.knn_graph(np.eye(2)[[0] * 9 + [1] * 9], 3, progress=False)]) == 0).all()


# --- saved


def test_saved_and_loaded_also_without_duplicates_and_from_format_1(tmp_path):
    V, given, _ = clusters()
    V[3] = V[4]
    for matrix in (V, V[10:]):
        found = lend.audit(matrix, given[: len(matrix)], progress=False)
        back = lend.Audit.load(found.save(tmp_path / "new"))
        pd.testing.assert_frame_equal(back.duplicates, found.duplicates)
        pd.testing.assert_frame_equal(back.outliers, found.outliers)
    record = json.loads((tmp_path / "new" / "audit.json").read_text())
    assert record["format"] == FORMAT
    old = lend.Audit(
        found.issues.drop(columns=["outlier_score", "is_outlier"]),
        *(getattr(found, name) for name in ("distributions", "estimate", "transition_matrix", "classes", "settings")),
    )
    folder = old.save(tmp_path / "old")
    record = json.loads((folder / "audit.json").read_text())
    del record["files"]["duplicates.parquet"], record["seal"]
    lend.storage.write_json(folder / "audit.json", record | {"format": 1})
    (folder / "duplicates.parquet").unlink()
    back = lend.Audit.load(folder)
    assert len(back.duplicates) == len(back.outliers) == 0 and back.check(30).index.equals(found.check(30).index)
    lend.storage.write_json(folder / "audit.json", record | {"format": 3})
    with pytest.raises(ValueError, match="an audit of format 2 or before"):
        lend.Audit.load(folder)
