"""The gate: labels, names, ids, matrices and tables of people come in right, or one error names them."""

import enum
import os
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from scipy import sparse

import lend
from lend import storage
from lend.inputs import (
    align,
    as_codes,
    as_count,
    as_ids,
    as_labels,
    as_matrix,
    is_real,
    read_table,
    safe_table,
    sort_names,
    text_or_numbers,
)
from lend.neighbors import nearest

CODES = np.array([2, 0, 1, 2])
TEXT = ["cat", "ant", "bee", "cat"]


def kinds_of_integers():
    """The labels 2, 0, 1, 2 in every way that people hold them."""
    for dtype in "int8 uint8 int16 uint16 int32 uint32 int64 uint64 >i2 >u4 >i8 float32".split():
        yield dtype, CODES.astype(dtype)
    yield "negative strides", CODES[::-1].copy()[::-1]
    yield "read-only", np.frombuffer(CODES.tobytes(), CODES.dtype)
    yield "a column", CODES[:, None]
    yield "objects", CODES.astype(object)
    yield "list", CODES.tolist()
    yield "tuple of NumPy scalars", tuple(CODES)
    yield "list of one-lists", [[int(code)] for code in CODES]
    for dtype in "uint8 int8 int16 int32 int64 uint16 uint32 uint64".split():
        yield f"torch {dtype}", torch.tensor(CODES.tolist()).to(getattr(torch, dtype))
    yield "Series, odd index", pd.Series(CODES, index=[9, 9, -1, 3])
    yield "nullable", pd.Series(CODES, dtype="Int64")
    yield "categorical", pd.Series(CODES, dtype="category")
    yield "categorical alone", pd.Categorical(CODES, categories=[5, 2, 1, 0])
    yield "arrow column", pd.Series(CODES, dtype=pd.ArrowDtype(pa.int32()))
    yield "arrow array", pa.array(CODES.tolist())
    yield "arrow chunks", pa.chunked_array([[2, 0], [1, 2]])
    yield "frame of one column", pd.DataFrame({"y": CODES})
    yield "masked, nothing hidden", np.ma.array(CODES)


@pytest.mark.parametrize(("kind", "labels"), [*kinds_of_integers()])
def test_integers_of_every_kind(kind, labels):
    found = as_labels(labels)
    assert found.codes.tolist() == CODES.tolist() and found.names == [0, 1, 2]
    assert {type(name) for name in found.names} == {int}
    y, c = as_codes(labels, 4)
    assert y.tolist() == CODES.tolist() and c == 3 and y.dtype == torch.int64


def kinds_of_text():
    yield "list", TEXT
    yield "NumPy", np.array(TEXT)
    yield "objects", np.array(TEXT, dtype=object)
    yield "bytes", np.array(TEXT).astype("S")
    yield "a column", np.array(TEXT)[:, None]
    yield "Series", pd.Series(TEXT, index=list("zyxw"))
    yield "object Series", pd.Series(TEXT, dtype=object)
    yield "categorical with an unused class", pd.Categorical(TEXT, categories=["dog", "cat", "bee", "ant"])
    yield "arrow column", pd.Series(TEXT, dtype=pd.ArrowDtype(pa.string()))
    yield "arrow dictionary", pa.array(TEXT).dictionary_encode()


@pytest.mark.parametrize(("kind", "labels"), [*kinds_of_text()])
def test_text_of_every_kind(kind, labels):
    found = as_labels(labels)
    assert found.codes.tolist() == CODES.tolist() and found.names == ["ant", "bee", "cat"]


@pytest.mark.parametrize(
    "labels",
    [
        ["cat", None, "bee", "cat"],
        np.array(["cat", np.nan, "bee", "cat"], dtype=object),
        pd.Series(["cat", pd.NA, "bee", "cat"]),
        pd.Categorical(["cat", None, "bee", "cat"]),
        pd.Categorical.from_codes([1, -1, 0, 1], ["bee", "cat"]),
        np.ma.array(["cat", "cat", "bee", "cat"], mask=[0, 1, 0, 0]),
        pa.array(["cat", None, "bee", "cat"]),
    ],
)
def test_what_is_missing_is_no_class(labels):
    found = as_labels(labels)
    assert found.codes.tolist() == [1, -1, 0, 1] and found.names == ["bee", "cat"]
    assert found.missing.tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    "labels",
    [
        [1, None, 0],
        np.array([1, np.nan, 0]),
        pd.array([1, None, 0], dtype="Int64"),
        np.ma.array([1, 1, 0], mask=[0, 1, 0]),
    ],
)
def test_missing_integers(labels):
    assert as_labels(labels).codes.tolist() == [1, -1, 0] and as_codes(labels, 3)[0].tolist() == [1, -1, 0]


def test_minus_one_is_unlabelled_among_codes_and_a_class_otherwise():
    with pytest.warns(UserWarning, match="labels: -1, in 1 of 4, is taken as unlabelled"):
        assert as_labels([1, -1, 0, 1]).codes.tolist() == [1, -1, 0, 1]
    found = as_labels([1, -1, -1, 1])  # as of a support vector machine
    assert found.codes.tolist() == [1, 0, 0, 1] and found.names == [-1, 1]
    assert as_labels(["1", "-1", "0"]).names == ["-1", "0", "1"]


def test_text_that_looks_like_nothing_or_a_number_stays_a_class():
    names = ["NA", "None", "null", "nan", "True", "3.10", "007", "9223372036854775808", ""]
    assert as_labels(names).names == sorted(names)
    assert as_labels([True, False, True]).names == [False, True]
    assert as_labels(np.array([2**63, 1], np.uint64)).names == [1, 2**63]
    assert as_labels(np.array([2**64 - 1, 0], np.uint64)).names == [0, 2**64 - 1]


def test_names_of_digits_sort_as_numbers():
    assert sort_names(["10", "9", "2", "02"]) == ["02", "2", "9", "10"]
    assert sort_names(["10", "9", "x"]) == ["10", "9", "x"]
    assert as_labels(["10", "9", "2"]).codes.tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, "a"], "all integers or all strings, got 'int and str'"),
        ([1, True], "got 'bool and int'"),
        ([0.5, 1.5], r"got \[0.5\]"),
        ([np.inf, 1.0], r"got \[inf\]"),
        (np.zeros((3, 2), int), r"of shape \(n,\), .* \(multi-label\) are not supported, got \(3, 2\)"),
        ([[1, 2], [3]], r"\(multi-label\) are not supported, got 'a list of lists'"),
        ([{"a", "b"}, {"a"}], r"\(multi-label\) are not supported, got 'set as a label'"),
        (pd.Series([["a", "b"], ["a"]]), r"\(multi-label\) are not supported, got 'list as a label'"),
        (np.array(["2020-01-01"], "M8[D]"), "Timestamp"),
        (np.array([1 + 2j]), "complex"),
        (sparse.eye_array(3).tocsr(), "dense"),
        (torch.eye(3).to_sparse(), "dense"),
        ([], "at least one that is known"),
        (None, "an array or a list, got NoneType"),
        ("abc", "an array or a list, got str"),
        (3, r"of shape \(n,\)"),
        ({"a": 1}, "got dict"),
        ([2**70, 1], "inside 64 bits"),
    ],
)
def test_labels_that_are_none_are_refused_by_name(labels, message):
    with pytest.raises(ValueError, match=rf"^labels must be .*{message}"):
        as_labels(labels)


def test_codes_out_of_range():
    for labels, message in (
        ([0, 10**12, 0], "codes 0..c-1 of classes that occur, got '1000000000000, the largest"),
        ([0, -2, 0], "inside 0..0, or -1 where unlabelled, got '-2..0'"),
        (["a", "b", "c"], "integers 0..c-1; lend.audit and lend.LabelDilution take names"),
        (np.array([2**63] * 3, np.uint64), "codes 0..c-1 of classes that occur"),
    ):
        with pytest.raises(ValueError, match=f"labels must be {message}"):
            as_codes(labels, 3)
    for wrong in ("3", 2.5, True, 0):
        with pytest.raises(ValueError, match="num_classes must be an integer of at least 1"):
            as_codes([0, 1], 2, wrong)


# --- Matrices ---------------------------------------------------------------------------------------------------------


def kinds_of_matrices(V):
    for dtype in ("float16", "float32", "float64", ">f4", ">f8", "longdouble"):
        yield dtype, V.astype(dtype)
    yield "Fortran", np.asfortranarray(V)
    yield "objects", V.astype(object)
    yield "lists", V.tolist()
    yield "frame", pd.DataFrame(V, index=np.arange(len(V)) * 7)
    yield "requires grad", torch.tensor(V, requires_grad=True)
    yield "half", torch.tensor(V).half()
    yield "bfloat16", torch.tensor(V).bfloat16()
    yield "CSR", sparse.csr_matrix(V)
    yield "COO", sparse.coo_array(V)
    yield "torch sparse", torch.tensor(V).to_sparse()
    yield "masked, nothing hidden", np.ma.array(V)


SMALL = np.abs(np.random.default_rng(0).normal(size=(60, 5))) * (np.random.default_rng(1).random((60, 5)) > 0.3)


@pytest.mark.parametrize(("kind", "embeddings"), [*kinds_of_matrices(SMALL)])
def test_embeddings_of_every_kind_give_the_same(kind, embeddings):
    labels = np.arange(60) % 3
    tolerance = {"half": 2e-2, "float16": 2e-2, "bfloat16": 2e-1}.get(kind, 1e-5)
    expected, found = lend.dilute(SMALL, labels, k=5), lend.dilute(embeddings, labels, k=5)
    assert np.allclose(np.asarray(torch.as_tensor(found).float()), expected, atol=tolerance)
    assert isinstance(found, torch.Tensor) == isinstance(embeddings, torch.Tensor)
    scores = [lend.audit(V, labels, k=5, progress=False).issues["label_score"] for V in (SMALL, embeddings)]
    assert np.allclose(*scores, atol=5 * tolerance)


def test_integer_embeddings_and_reversed_ones():
    V = np.random.default_rng(0).integers(0, 256, (40, 6)).astype(np.uint8)
    labels = np.arange(40) % 2
    assert np.allclose(lend.dilute(V, labels), lend.dilute(V.astype(float), labels), atol=1e-6)
    assert np.allclose(lend.dilute(V[::-1], labels[::-1])[::-1], lend.dilute(V, labels), atol=1e-6)


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        (np.ma.array(np.ones((4, 2)), mask=[[1, 0]] * 4), "complete, got '4 masked entries'"),
        ([["1", "2"], ["3", "4"]], "real numbers"),
        ([[1, 2], [3]], "an array or a list of equal rows"),
        ([[1.0, None], [2.0, 3.0]], "real numbers"),
        (np.ones((4, 2), complex), "real numbers, got 'complex128'"),
        (np.ones((4, 2), "M8[s]"), "real numbers"),
        (torch.ones(4, 2, dtype=torch.complex64), "real numbers"),
        (np.ones(4), r"of shape \(n, d\), got \(4,\)"),
        (np.ones((0, 4)), r"of shape \(n, d\), got \(0, 4\)"),
        ("text", "an array or a list, got str"),
    ],
)
def test_embeddings_that_are_none_are_refused_by_name(embeddings, message):
    with pytest.raises(ValueError, match=f"^embeddings must be {message}"):
        as_matrix(embeddings)


def test_nearly_parallel_rows_lose_no_neighbour():
    rng = np.random.default_rng(0)
    V = (1000 + rng.normal(size=(6000, 16))).astype(np.float32)
    unit = V.astype(np.float64) / np.linalg.norm(V.astype(np.float64), axis=1, keepdims=True)
    for method in ("exact", "faiss", "clusters", "hnsw"):
        with pytest.warns(UserWarning, match="nearly parallel, with a mean cosine of 0.999999"):
            graph = lend.knn_graph(V, 10, method=method, progress=False)
        some = np.arange(0, 6000, 60)
        cosines = unit[some] @ unit.T
        cosines[np.arange(len(some)), some] = -np.inf
        true = np.argsort(-cosines, axis=1)[:, :10]
        found = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(true, graph.indices[some], strict=True)])
        assert abs(found - graph.recall) < 0.05, method
        if method in ("exact", "clusters"):
            assert found > 0.98
    with pytest.warns(UserWarning, match="nearly parallel"):
        near, _ = nearest(torch.from_numpy(V[:3000]), 10)
    cosines = unit[:3000] @ unit[:3000].T
    np.fill_diagonal(cosines, -np.inf)
    assert np.array_equal(np.sort(near.numpy()), np.sort(np.argsort(-cosines, axis=1)[:, :10]))


def test_a_graph_of_ones_is_no_graph_of_distances():
    from sklearn.neighbors import kneighbors_graph

    V, labels = SMALL, np.arange(60) % 3
    with pytest.raises(ValueError, match="of cosine distances .*got 'ones alone'"):
        lend.dilute(None, labels, k=5, knn_graph=kneighbors_graph(V, 5, mode="connectivity"))
    graph = kneighbors_graph(V, 5, mode="connectivity")
    graph.data[:] = 0.5
    with pytest.warns(UserWarning, match="all distances are 0.5, so every neighbour counts alike"):
        lend.dilute(None, labels, k=5, knn_graph=graph)


# --- Unlabelled -------------------------------------------------------------------------------------------------------


def clusters(n=300, c=3, seed=0):
    rng = np.random.default_rng(seed)
    true = np.arange(n) % c
    return np.eye(c)[true] + 0.1 * rng.normal(size=(n, c)), true


def test_unlabelled_examples_have_no_vote_and_get_a_label():
    V, true = clusters()
    labels = true.copy()
    labels[:60] = -1
    Z = lend.dilute(V, labels)
    assert np.allclose(Z.sum(axis=1), 1) and (Z.argmax(axis=1) == true).all()
    assert (lend.dominant_labels(V, labels) == true).all()
    assert not lend.select(Z, labels)[:60].any() and lend.select(Z, labels)[60:].all()
    alone = lend.dilute(np.vstack([V, np.zeros((1, 3))]), [*labels, -1])[-1]
    assert np.allclose(alone, np.bincount(true[60:]) / 240)


def test_an_audit_scores_the_labelled_and_suggests_for_the_others():
    V, true = clusters()
    names = np.array(["ant", "bee", "cat"], dtype=object)[true]
    names[:30] = None
    names[100] = "ant" if true[100] else "bee"
    found = lend.audit(V, names, k=8, progress=False)
    issues = found.issues
    assert issues["is_unlabelled"].tolist() == [True] * 30 + [False] * 270
    assert (issues["predicted_label"] == np.array(["ant", "bee", "cat"])[true]).all()
    assert issues["label_score"].isna().tolist() == issues["is_unlabelled"].tolist()
    assert issues.index[issues["is_label_issue"]].tolist() == [100]
    assert found.estimate.examples == 270 and found.classes["given"].sum() == 270
    assert "270 labels of 3 classes, 30 examples without: 1 issues" in repr(found)
    numbers = np.where(true == 0, 7, true).astype(object)
    numbers[:30] = None
    assert lend.audit(V, numbers, k=8, progress=False).issues["given_label"].dtype == "Int64"


def test_an_audit_with_gaps_is_drawn_and_saved(tmp_path):
    V, true = clusters()
    labels = [None, *true[1:]]
    found = lend.audit(V, labels, k=8, progress=False)
    found.plot().savefig(tmp_path / "a.png")
    pd.testing.assert_frame_equal(lend.Audit.load(found.save(tmp_path / "a")).issues, found.issues)


def test_the_estimator_knows_unlabelled_points_and_sparse_features():
    V, true = clusters()
    V = np.abs(V)
    y = true.astype(object)
    y[:50] = None
    for labels in (y, np.where(np.arange(300) < 50, -1, true)):
        model = lend.LabelDilution().fit(V, labels)
        assert model.classes_.tolist() == [0, 1, 2] and (model.transduction_ == true).all()
    model = lend.LabelDilution(class_prior={0: 0.2, 2: 0.5, 1: 0.3}).fit(sparse.csr_matrix(V), true)
    dense = lend.LabelDilution(class_prior=[0.2, 0.3, 0.5]).fit(V, true)
    assert np.allclose(model.predict_proba(sparse.csr_matrix(V[:9])), dense.predict_proba(V[:9]))


def test_one_check_of_single_numbers():
    for value in (3, np.int8(3), np.uint64(3), torch.tensor(3).item()):
        assert as_count(value, "k") == 3 and type(as_count(value, "k")) is int
    for value in (True, np.True_, 3.0, "3", None, [3], 0, -1, 10):
        with pytest.raises(ValueError, match="k must be an integer from 1 to 9, got"):
            as_count(value, "k", most=9)
    assert all(map(is_real, (0, 0.5, np.float32(1), np.int64(2))))
    assert not any(map(is_real, (True, np.True_, "1", None)))


@pytest.mark.parametrize(
    "wrong", [[0.5, 0.5], [0.5, 0.5, 0.5], [1.5, -0.5, 0], [np.nan, 0.5, 0.5], ["x", "y", "z"], "equal", [[1, 0, 0]]]
)
def test_shares_of_classes_are_checked_alike_everywhere(wrong):
    V, true = clusters(90)
    for call in (lend.dilute, partial(lend.audit, progress=False), lend.dilution_trace):
        with pytest.raises(ValueError, match=r"class_prior must be (3 shares that sum to 1|None, .* one share per)"):
            call(V, true, class_prior=wrong)
    with pytest.raises(ValueError, match="class_prior must be"):
        lend.LabelDilution(class_prior=wrong).fit(V, true)


# --- What has an index ------------------------------------------------------------------------------------------------


def test_arguments_with_an_index_go_by_it():
    V, true = clusters(60)
    labels = pd.Series(true, index=[f"id{i}" for i in range(60)])
    shuffled = np.random.default_rng(0).permutation(60)
    expected = lend.audit(V, true, k=5, progress=False).issues["label_score"]
    images = pd.Series([np.full((2, 2), i, np.uint8) for i in range(60)], index=labels.index).iloc[shuffled]
    frame = pd.DataFrame(V, index=labels.index).iloc[shuffled]
    found = lend.audit(frame, labels, k=5, images=dict(images), progress=False)
    assert found.issues.index.tolist() == labels.index.tolist()
    assert np.allclose(found.issues["label_score"], expected) and found.images[7][0, 0] == 7
    with pytest.raises(ValueError, match="images must be indexed by the index of the labels"):
        lend.audit(V, labels, k=5, images=pd.Series([0] * 60), progress=False)
    with pytest.raises(ValueError, match="embeddings must be indexed by the index of the labels"):
        lend.audit(frame.rename(index={"id3": "id99"}), labels, k=5, progress=False)
    unnamed = pd.DataFrame(V, index=np.arange(60) * 7)  # an index that means nothing goes by position
    assert np.allclose(lend.audit(unnamed, labels, k=5, progress=False).issues["label_score"], expected)


def test_shares_of_classes_go_by_name():
    V, true = clusters(90)
    names = np.array(["ant", "bee", "cat"])[true]
    prior = {"cat": 0.2, "ant": 0.5, "bee": 0.3}
    by_name, by_place = (lend.audit(V, names, class_prior=p, progress=False) for p in (prior, [0.5, 0.3, 0.2]))
    assert np.allclose(by_name.distributions, by_place.distributions)
    assert by_name.settings["class_prior"] == [0.5, 0.3, 0.2]
    for wrong in ({"cat": 0.5, "ant": 0.5}, pd.Series({"ant": 0.5, "bee": 0.2, "cat": 0.2, "dog": 0.1})):
        with pytest.raises(ValueError, match="class_prior must be of the classes"):
            lend.audit(V, names, class_prior=wrong, progress=False)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, "1", 2], "all integers or all strings, got 'int and text'"),
        ([1, 1, 2], r"all different, got '\[1\] more than once'"),
        ([1, None, 2], "all known"),
        ([1, 2], "of length 3"),
        (3, "of shape"),
    ],
)
def test_ids_that_tell_nothing_apart(ids, message):
    with pytest.raises(ValueError, match=f"sample_ids must be {message}"):
        as_ids(ids, 3)


def test_ids_follow_the_labels():
    index = pd.Index(["a", "b", "c"])
    assert as_ids(pd.Series([3, 1, 2], index=["c", "a", "b"]), 3, index).tolist() == [1, 2, 3]
    assert as_ids(None, 3, index).tolist() == ["a", "b", "c"] and as_ids(None, 3).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="x must be indexed by positions"):
        align(pd.Series([1, 2, 3], index=[4, 5, 6]), 3, None, "x")


# --- Tables in files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.filterwarnings("ignore:.*the likeliest encoding")
def test_tables_of_every_make(tmp_path, delimiter, encoding):
    frame = pd.DataFrame({"file": ["a,b.png", "é;x.png", 'q"uo|te.png'], "label": ["007", None, "NA"]})
    (tmp_path / "t.csv").write_bytes(frame.to_csv(index=False, sep=delimiter).encode(encoding))
    found = read_table(tmp_path / "t.csv")
    assert found["file"].tolist() == frame["file"].tolist() and found["label"].tolist() == ["007", None, "NA"]


OLD = {  # encoding, as it is named, and lines
    "german": ("latin-1", "cp1252", ["Löwe", "Gänse", "Bär", "Kühe", "große Füchse, schöne Vögel"] * 4),
    "short": ("latin-1", "cp1252", ["Das Gerät läuft", "Nicht schön"]),
    "french": ("cp1252", "cp1252", ["Une très belle journée d'été", "Il n’a pas aimé ça du tout"]),
    "polish": ("cp1250", "cp1250", ["Zażółć gęślą jaźń i coś jeszcze", "To jest bardzo słabe źródło"]),
    "russian": ("cp1251", "cp1251", ["Очень хороший товар", "Ужасное качество и долгая доставка"]),
    "japanese": ("cp932", "cp932", ["とても良い商品でした", "もう二度と買いません"]),
}


@pytest.mark.parametrize("language", OLD)
def test_old_encodings_are_guessed_aloud(tmp_path, language):
    encoding, name, lines = OLD[language]
    (tmp_path / "t.csv").write_bytes("\n".join(["label", *lines]).encode(encoding))
    with pytest.warns(UserWarning, match=f"read as {name}, the likeliest encoding"):
        assert read_table(tmp_path / "t.csv")["label"].tolist() == lines


def test_a_long_text_hides_no_column(tmp_path):
    (tmp_path / "t.csv").write_text(f"text;label\n{'long, ' * 50_000};a\nshort;b\n")  # beyond what csv takes by default
    assert read_table(tmp_path / "t.csv")["label"].tolist() == ["a", "b"]


def test_headers_are_known_by_the_number_of_rows(tmp_path):
    (tmp_path / "t.csv").write_text("cat\nant\n\nbee\n")
    assert read_table(tmp_path / "t.csv", rows=4)["1"].tolist() == ["cat", "ant", None, "bee"]
    assert read_table(tmp_path / "t.csv", rows=3)["cat"].tolist() == ["ant", None, "bee"]
    (tmp_path / "t.csv").write_text("a,b\n\n1,2\n3,4\n\n")
    assert read_table(tmp_path / "t.csv").to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_spaces_after_every_delimiter_are_no_part_of_a_label(tmp_path):
    path = tmp_path / "t.csv"
    for text, labels in (
        ("id, label\n1, cat\n2, dog\n3,\n4,  cat\n", ["cat", "dog", None, "cat"]),
        ("id,label\n1, cat\n2, dog\n", ["cat", "dog"]),
        ('id; label\n1; "cat; a small one"\n2; "dog"\n', ["cat; a small one", "dog"]),
        ("id, label\n1, cat\n2,dog\n", [" cat", "dog"]),  # not after every one
        ("id, label\n1,cat\n2,dog\n", ["cat", "dog"]),
        ("label\nfoxes, red\ncats\n", None),
    ):
        path.write_text(text)
        table = read_table(path)
        assert table["label"].tolist() == (labels or ["foxes, red", "cats"])
        assert labels is None or table["id"].tolist() == [str(1 + i) for i in range(len(labels))]


def test_guards_against_formulas_are_taken_away(tmp_path):
    path = tmp_path / "t.csv"
    names = ["=1+1", "-x", "'@a", "'quoted'", "cat", "+1"]
    storage.write_csv(path, safe_table(pd.DataFrame({"-label": names}, pd.Index(names, name="=id"))))
    table = read_table(path)
    assert table["-label"].tolist() == table["=id"].tolist() == names
    path.write_text("id,label\n-1,'-x\n-2,-x\n")  # not written with guards: two classes stay two
    assert read_table(path).to_numpy().tolist() == [["-1", "'-x"], ["-2", "-x"]]


def test_tables_that_are_none(tmp_path):
    path = tmp_path / "t.csv"
    for content, message in (
        ("a,b\n1,2\n1,2,3\n", "line 3 must be of 2 fields"),
        ("a,b\n1,2\n3\n", "line 3 must be of 2 fields"),
        ("a,a\n1,2\n", r"columns must be of different names, got \"\['a'\] more than once"),
        ("", "a table with rows"),
        ('a,b\n"1,2\n', "line 2: unexpected end"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match=f"t.csv.*{message}"):
            read_table(path)
    os.mkfifo(tmp_path / "pipe.csv")
    for wrong in (tmp_path / "pipe.csv", tmp_path):
        with pytest.raises(ValueError, match="is no file, but a folder, a pipe or a device"):
            read_table(wrong)


def test_numbers_only_where_all_read_back():
    def read(*cells):
        return text_or_numbers(pd.Series(cells, dtype=object)).tolist()

    assert read("1", None, "-20") == [1, None, -20]
    for cells in (["007", "1"], ["3.10", "3"], ["9223372036854775808"], ["+1"], ["1", "NA"], ["-0"], ["1_0"], ["١"]):
        assert read(*cells) == cells


def test_an_audit_of_files_keeps_what_was_written(tmp_path):
    V, true = clusters(90)
    np.save(tmp_path / "V.npy", V)
    names = np.array(["007", "NA", "3.10"])[true]
    pd.DataFrame({"id": [f"{i:03}" for i in range(90)], "label": names}).to_csv(
        tmp_path / "y.csv", index=False, sep=";"
    )
    found = lend.auditing.audit_files(
        tmp_path / "V.npy", tmp_path / "y.csv", tmp_path / "out.csv", id_column="id", progress=False
    )
    assert found.class_names == ["007", "3.10", "NA"] and found.issues.index[5] == "005"
    assert "005,3.10,3.10," in (tmp_path / "out.csv").read_text()
    pd.DataFrame({"label": names[:-2]}).to_csv(tmp_path / "y.csv", index=False)
    with pytest.raises(ValueError, match="y.csv must be of 90 rows, one per embedding, got 88"):
        lend.auditing.audit_files(tmp_path / "V.npy", tmp_path / "y.csv", tmp_path / "out.csv", progress=False)


@pytest.mark.parametrize(
    ("text", "rows", "expected"),
    [
        ("label\na\nb\na\n\n", 4, ["a", "b", "a", None]),  # the last one is missing
        ('label\na\nb\na\n""\n', 4, ["a", "b", "a", None]),
        ("a\nb\na\n\n", 3, ["a", "b", "a"]),  # no header, and a blank line at the end
        ("label\na\nb\na\n\n\n", 3, ["a", "b", "a"]),
        ("\nb\na\n", 3, [None, "b", "a"]),
    ],
)
def test_blank_lines_at_the_end(tmp_path, text, rows, expected):
    (tmp_path / "t.csv").write_text(text)
    assert read_table(tmp_path / "t.csv", rows).iloc[:, 0].tolist() == expected


def test_a_header_that_is_a_label_is_no_header(tmp_path):
    (tmp_path / "t.csv").write_text("a\nb\na\nb\n")
    with pytest.raises(ValueError, match="line 1 must be a header, or one row less in all"):
        read_table(tmp_path / "t.csv", rows=3)
    (tmp_path / "t.csv").write_bytes("label\nä\n".encode("utf-32"))
    assert read_table(tmp_path / "t.csv")["label"].tolist() == ["ä"]
    (tmp_path / "t.csv").write_bytes(b"label\na\0b\ncccccccc\n")
    with pytest.raises(ValueError, match="t.csv must be a table of text"), pytest.warns(UserWarning):
        read_table(tmp_path / "t.csv")


def test_what_newcomers_bring():
    """Each was wrong in silence, or an error of another library."""
    V, true = clusters(90)
    frame, labels = pd.DataFrame(V).sample(frac=1, random_state=3), pd.Series(true)
    assert np.allclose(lend.dilute(frame, labels), lend.dilute(V, true))
    assert (lend.dominant_labels(frame, labels) == lend.dominant_labels(V, true)).all()
    prior = pd.Series({2: 0.7, 0: 0.2, 1: 0.1})
    assert np.allclose(lend.dilute(V, true, class_prior=prior), lend.dilute(V, true, class_prior=[0.2, 0.1, 0.7]))
    assert lend.noise.realised_rate(labels, labels.sample(frac=1, random_state=0)) == 0

    class Kind(str, enum.Enum):  # noqa: UP042 (its str() is "Kind.a", unlike that of a StrEnum)
        a = "x"
        b = "y"

    assert as_labels([Kind.a, Kind.b, "y"]).names == ["x", "y"]
    assert len(lend.audit(list(V), true, progress=False).issues) == 90  # rows, not epochs
    structured = np.zeros(90, [("a", "i4")])
    index = pd.MultiIndex.from_arrays([true, np.arange(90)])
    for wrong, message in ((structured, "labels must be an array of one type"), (pd.Series(true, index), "one level")):
        with pytest.raises(ValueError, match=message):
            lend.audit(V, wrong, progress=False)
    with pytest.raises(ValueError, match="class_prior must be numbers"):
        lend.audit(V, true, class_prior={0: "x", 1: 0.5, 2: 0.5}, progress=False)
    with pytest.raises(ValueError, match="embeddings must be real numbers, got 'a tensor that is without content'"):
        lend.dilute(torch.zeros(90, 3, device="meta"), true)
