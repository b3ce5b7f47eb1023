"""Any input to the public functions: a finite right answer, or a ValueError or TypeError that names the argument."""

import os
import re
import warnings
from dataclasses import fields

import jaxtyping
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

import lend
from lend import noise, plots

LONG = os.environ.get("LEND_ATTACKS") == "hours"
EXAMPLES = 2_000 if LONG else 150  # of each function

fuzzed = settings(max_examples=EXAMPLES, deadline=None, derandomize=not LONG, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def as_users_call(monkeypatch):
    """Without the checks of types that the tests add to the library; warnings are answers, too."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# --- Inputs -----------------------------------------------------------------------------------------------------------


@st.composite
def matrices(draw, n):
    """Embeddings of every kind, most of them right."""
    rows = draw(st.sampled_from([n, n, n, n, n, n, n, 0, n + 1]))
    d = draw(st.sampled_from([1, 2, 3, 8, 0]) if rows != n else st.sampled_from([1, 2, 3, 8]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    V = rng.normal(size=(rows, d)) * draw(st.sampled_from([1.0, 1.0, 1e-30, 1e30, 1e-310, 1e300]))
    V = V + draw(st.sampled_from([0.0, 0.0, 0.0, 1000.0]))
    for spoil in draw(st.lists(st.sampled_from(["zero", "same", "nan", "inf", "twice"]), max_size=1)):
        if V.size:
            V[: {"twice": 2}.get(spoil, None if spoil == "same" else 1)] = {
                "zero": 0.0, "same": 1.0, "nan": np.nan, "inf": np.inf, "twice": V[0],
            }[spoil]  # fmt: skip
    return draw(st.sampled_from(MATRICES))(V)


def _masked(V):
    return np.ma.array(V, mask=np.arange(V.size).reshape(V.shape) == 0)


MATRICES = [
    lambda V: V,
    lambda V: V,
    lambda V: V.astype(np.float32),
    lambda V: V.clip(-1e4, 1e4).astype(np.float16),
    lambda V: V.astype(">f4"),
    lambda V: V.astype(np.longdouble),
    lambda V: V[::-1],
    lambda V: np.asfortranarray(V),
    lambda V: np.nan_to_num(V).clip(-100, 100).astype(np.int16),
    lambda V: V.astype(object),
    lambda V: V.tolist(),
    lambda V: torch.tensor(np.ascontiguousarray(V), requires_grad=True),
    lambda V: torch.tensor(np.ascontiguousarray(V)).bfloat16(),
    lambda V: torch.tensor(np.ascontiguousarray(V)).to_sparse(),
    lambda V: pd.DataFrame(V, index=np.arange(len(V))[::-1] * 3),
    lambda V: sparse.csr_matrix(V),
    lambda V: sparse.coo_array(V),
    _masked,
    lambda V: V.astype(str),
    lambda V: V + 1j,
    lambda V: V.reshape(-1),
    lambda V: None,
    lambda V: "embeddings",
    lambda V: 3,
    lambda V: {"a": V},
    lambda V: [[1, 2], [3]],
]


@st.composite
def labels(draw, n):
    """Labels of every kind, most of them right."""
    length = draw(st.sampled_from([n, n, n, n, n, n, n, 0, n + 1]))
    y = np.random.default_rng(draw(st.integers(0, 99))).integers(0, draw(st.integers(1, 4)), length)
    return draw(st.sampled_from(LABELS))(y)


LABELS = [
    lambda y: y,
    lambda y: y,
    lambda y: y,
    lambda y: y.astype(np.uint8),
    lambda y: y.astype(np.uint64),
    lambda y: y.astype(">i4"),
    lambda y: y[::-1],
    lambda y: y[:, None],
    lambda y: y.tolist(),
    lambda y: y.astype(float),
    lambda y: np.where(y == 0, np.nan, y),
    lambda y: y - 1,
    lambda y: y.astype(bool),
    lambda y: torch.tensor(y),
    lambda y: torch.tensor(y.astype(np.uint8)),
    lambda y: pd.Series(y, index=np.arange(len(y))[::-1] * 5, dtype="Int64"),
    lambda y: pd.Series(y, dtype="category"),
    lambda y: pd.Categorical.from_codes(y - 1, ["a", "b", "c", "d"]),
    lambda y: [f"name {code}" for code in y],
    lambda y: np.array(["a", "", "nan", "$"])[y],
    lambda y: [None if code == 0 else int(code) for code in y],
    lambda y: np.ma.array(y, mask=y == 0),
    lambda y: y + 10**12,
    lambda y: y - 5,
    lambda y: y + 0.5,
    lambda y: np.eye(4)[y],
    lambda y: y.astype("M8[D]"),
    lambda y: [1, "a", *y][: len(y)],
    lambda y: [object() for _ in y],
    lambda y: None,
    lambda y: "labels",
    lambda y: 3,
]

sizes = st.sampled_from([1, 2, 3, 5, 20, 40])
odd = st.sampled_from([None, "3", 2.5, 2.0, True, -1, 0, 10**9, np.int64(2), np.float32(0.5), float("nan"), [1], "x"])


def mostly(usual):
    """Usual values of an argument, and now and then an odd one."""
    return st.one_of(*[st.sampled_from(usual)] * 6, odd)


OPTIONS = {
    "k": mostly([1, 2, 3]),
    "gamma": mostly([0, 1.0, 3.0]),
    "alpha": mostly([0.5, 0.99]),
    "steps": mostly([1, 2, "converged"]),
    "affinity": mostly(["product", "sum"]),
    "reserve": mostly(["previous", "initial"]),
    "class_prior": mostly([None, "balanced", [0.5, 0.5], {"a": 1}]),
}


REST = {name: values for name, values in OPTIONS.items() if name != "k"}


def options(**further):
    return st.fixed_dictionaries({"k": OPTIONS["k"]}, optional={**REST, **further})


# --- Answers ----------------------------------------------------------------------------------------------------------

NAMES = set(
    "embeddings labels num_classes k gamma alpha steps affinity reserve class_prior confidence seed images sample_ids "
    "true_labels knn_graph indices method diluted new old beta matrix rate clean noisy c X y".split()
)
THEIRS = ("Unknown label type", "Found input variables")


def answer(function, *arguments, **keywords):
    """The answer; None where an error names an argument, or is one of scikit-learn's about both X and y."""
    try:
        return function(*arguments, **keywords)
    except (ValueError, TypeError) as error:
        named = NAMES & set(re.findall(r"\w+", str(error)))
        assert named or str(error).startswith(THEIRS), f"{type(error).__name__} names no argument: {error}"
        return None


def numbers(values):
    return np.asarray(values.detach().double() if isinstance(values, torch.Tensor) else values, dtype=float)


def check_distributions(found):
    if found is not None:
        Z = numbers(found)
        assert np.isfinite(Z).all() and (Z >= 0).all() and np.allclose(Z.sum(axis=1), 1, atol=1e-2)


@given(st.data(), sizes, options(num_classes=mostly([3, 4])))
@fuzzed
def test_dilute(data, n, given_options):
    check_distributions(answer(lend.dilute, data.draw(matrices(n)), data.draw(labels(n)), **given_options))


@given(st.data(), sizes, OPTIONS["k"])
@fuzzed
def test_dominant_labels(data, n, k):
    y = data.draw(labels(n))
    found = answer(lend.dominant_labels, data.draw(matrices(n)), y, k=k)
    assert found is None or len(found) == len(y)


@given(st.data(), sizes, OPTIONS["k"], OPTIONS["gamma"], OPTIONS["affinity"])
@fuzzed
def test_similarity(data, n, k, gamma, affinity):
    found = answer(lend.similarity, data.draw(matrices(n)), k=k, gamma=gamma, affinity=affinity)
    assert found is None or np.isfinite(numbers(found)).all()


@given(st.data(), sizes, options(confidence=mostly([0.9]), seed=mostly([0, 7])))
@fuzzed
def test_audit(data, n, given_options):
    y = data.draw(labels(n))
    found = answer(lend.audit, data.draw(matrices(n)), y, **given_options, progress=False)
    if found is not None:
        check_distributions(found.distributions)
        scores = found.issues["label_score"]
        assert len(found.issues) == len(y) and scores[~found.issues["is_unlabelled"]].between(0, 1).all()
        assert 0 <= found.estimate.low <= found.estimate.errors <= found.estimate.high <= len(y)


@given(st.data(), sizes, options())
@fuzzed
def test_the_estimator(data, n, given_options):
    X = data.draw(matrices(n))
    model = answer(lambda: lend.LabelDilution(**given_options).fit(X, data.draw(labels(n))))
    if model is not None:
        check_distributions(model.label_distributions_)
        check_distributions(answer(model.predict_proba, X))
        assert set(answer(model.predict, X)) <= set(model.classes_)


@given(st.data(), sizes, options(true_labels=st.sampled_from([None, [0, 1, 2], "x"])))
@fuzzed
def test_the_trace(data, n, given_options):
    found = answer(lend.dilution_trace, data.draw(matrices(n)), data.draw(labels(n)), **given_options)
    assert found is None or np.isfinite(found[["change", "changed_labels"]].to_numpy()).all()


@given(st.data(), sizes)
@fuzzed
def test_select_and_momentum(data, n):
    Z = data.draw(matrices(n))
    y = data.draw(labels(n))
    found = answer(lend.select, Z, y)
    assert found is None or (len(found) == len(y) and str(found.dtype).endswith("bool"))
    answer(lend.momentum, Z, data.draw(matrices(n)), data.draw(mostly([0.5])))


@given(st.data(), sizes, OPTIONS["k"], mostly(["auto", "exact"]), options())
@fuzzed
def test_graphs(data, n, k, method, given_options):
    found = answer(lend.knn_graph, data.draw(matrices(n)), k, method=method, progress=False)
    if found is not None:
        assert found.indices.shape == found.cosines.shape == (found.n, found.k)
        if found.cosines.any():  # distances of one alone, as of zero rows, are refused: they look like connectivity
            again = lend.KnnGraph.from_csr(found.to_csr())
            assert (again.n, again.k) == (found.n, found.k)
    graph = data.draw(matrices(n)) if found is None else found
    check_distributions(answer(lend.dilute, None, data.draw(labels(n)), knn_graph=graph, **given_options))
    answer(lend.KnnGraph.from_csr, data.draw(matrices(n)))


@given(st.sampled_from([lend.RunConfig, lend.Dilution]), st.data())
@fuzzed
def test_settings(kind, data):
    name = data.draw(st.sampled_from([field.name for field in fields(kind)]))
    value = data.draw(st.one_of(odd, st.sampled_from([{}, {"k": 2}, (1, 2), b"x", 1 << 70, -0.5, "lend", "a/b"])))
    try:
        made = kind(**{name: value})
    except (ValueError, TypeError) as error:
        assert name in str(error) or name in ("epochs", "method", "options")  # snapshots and methods depend on them
    else:
        assert kind(**{field.name: getattr(made, field.name) for field in fields(kind)}) == made


@given(st.data(), sizes, st.sampled_from([(0, 1), (1, 0)]))
@fuzzed
def test_images(data, n, axes):
    image = data.draw(matrices(n))
    found = answer(plots.as_rgb, image.transpose(axes) if isinstance(image, np.ndarray) and image.ndim == 2 else image)
    assert found is None or (found.dtype == np.uint8 and found.shape[2] == 3)


@given(st.data(), sizes, mostly([0.2, 0.5]), mostly([0, 3]))
@fuzzed
def test_noise(data, n, rate, seed):
    y = data.draw(labels(n))
    matrix = answer(noise.symmetric, 4, rate)
    noisy = answer(noise.corrupt, y, matrix if matrix is not None else data.draw(matrices(4)), seed)
    if noisy is not None:
        assert len(noisy) == len(y) and set(np.asarray(noisy).tolist()) <= {0, 1, 2, 3}
        assert 0 <= answer(noise.realised_rate, y, noisy) <= 1
    found = answer(noise.instance_dependent, data.draw(matrices(n)), y, rate, seed)
    assert found is None or len(found) == len(y)
