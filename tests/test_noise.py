"""Transition matrices against their definitions, noisy labels against published ones."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from lend import data, noise
from lend.noise import checks
from lend.noise.flips import CIFAR100_SUPERCLASSES
from lend.noise.instance import truncated_normal

CIFAR10 = Path(__file__).parents[1].parent / "shared" / "data" / "cifar10-train.parquet"
MATRICES = [
    *(noise.symmetric(c, 0.3, include_true=inclusive) for c in (2, 10) for inclusive in (False, True)),
    *(noise.pair(c, 0.3) for c in (2, 10)),
    *(noise.asymmetric(name, 0.3) for name in noise.ASYMMETRIC),
]


@pytest.fixture(scope="module")
def labels():
    return np.random.RandomState(7).randint(0, 10, 20_000)


def toy(**changes):
    """What `draw` needs, and nothing else of a data set."""
    stream = np.random.RandomState(1)
    fields = {
        "name": "cifar10",
        "train_images": torch.from_numpy(stream.randint(0, 256, (400, 3, 4, 4)).astype(np.uint8)),
        "train_labels": torch.arange(400) % 10,
        "num_classes": 10,
        "class_names": data.CLASS_NAMES["cifar10"],
        "human_labels": {"worse_label": torch.arange(400) % 7, "noisy": torch.zeros(400, dtype=torch.int64)},
        "clean": True,
    }
    return SimpleNamespace(**{**fields, **changes})


@pytest.mark.parametrize("matrix", MATRICES)
def test_rows_are_distributions(matrix):
    assert matrix.dtype == np.float64 and matrix.shape == (len(matrix), len(matrix))
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)
    assert (matrix != np.eye(len(matrix))).any()


def test_symmetric_by_its_formula():
    for i in range(5):
        for j in range(5):
            assert noise.symmetric(5, 0.4)[i, j] == pytest.approx(0.6 if i == j else 0.1)
            assert noise.symmetric(5, 0.4, include_true=True)[i, j] == pytest.approx(0.68 if i == j else 0.08)


def test_pair_moves_to_the_next_class():
    np.testing.assert_allclose(noise.pair(3, 0.45), [[0.55, 0.45, 0], [0, 0.55, 0.45], [0.45, 0, 0.55]])


def test_rate_zero_is_the_identity_and_rate_one_leaves_every_flipping_class():
    assert (noise.symmetric(4, 0) == np.eye(4)).all() and (noise.pair(4, 0) == np.eye(4)).all()
    assert (noise.symmetric(4, 1).diagonal() == 0).all()
    assert noise.asymmetric("cifar10", 1).diagonal().tolist() == [1, 1, 0, 0, 0, 0, 1, 1, 1, 0]


def test_cifar10_map_row_by_row():
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    flips = {"truck": "automobile", "bird": "airplane", "cat": "dog", "dog": "cat", "deer": "horse"}
    expected = np.eye(10)
    for source, target in flips.items():
        expected[names.index(source), names.index(source)] = 0.6
        expected[names.index(source), names.index(target)] = 0.4
    np.testing.assert_allclose(noise.asymmetric("cifar10", 0.4), expected)


def test_cifar10_exchange_is_the_map_in_both_directions():
    matrix, usual = noise.asymmetric("cifar10-exchange", 0.4), noise.asymmetric("cifar10", 0.4)
    assert (matrix == matrix.T).all() and (matrix.sum(axis=0) == 1).all()
    assert {tuple(sorted(pair)) for pair in np.argwhere(np.isclose(matrix, 0.4)).tolist()} == {
        tuple(sorted(pair)) for pair in np.argwhere(np.isclose(usual, 0.4)).tolist()
    }


def test_cifar100_superclass_is_one_cycle_in_each_superclass():
    targets = noise.ASYMMETRIC["cifar100-superclass"]
    assert sorted(targets) == sorted(targets.values()) == list(range(100))
    groups = {frozenset(group) for group in CIFAR100_SUPERCLASSES}
    assert noise.flips.CIFAR100 == data.CLASS_NAMES["cifar100"] and noise.flips.CIFAR10 == data.CLASS_NAMES["cifar10"]
    for start in range(100):
        cycle = [start]
        while (following := targets[cycle[-1]]) != start:
            cycle.append(following)
        assert len(cycle) == 5 and frozenset(cycle) in groups
        assert sum(b < a for a, b in zip(cycle, [*cycle[1:], start], strict=True)) == 1  # always the next one up


def test_cifar100_block_stays_in_a_superclass_six_times():
    targets = noise.ASYMMETRIC["cifar100-block"]
    superclass = {fine: group for group in CIFAR100_SUPERCLASSES for fine in group}
    inside = {(i, j) for i, j in targets.items() if superclass[i] == superclass[j]}
    assert inside == {(6, 7), (19, 15), (42, 43), (63, 64), (86, 87), (89, 85)}
    assert sorted(targets.values()) == list(range(100)) and all(i // 5 == j // 5 and i != j for i, j in targets.items())
    assert (noise.asymmetric("cifar100", 0.2) == noise.asymmetric("cifar100-block", 0.2)).all()


def test_maps_are_those_of_the_saved_runs():
    """Written as names, read as numbers: not one flip has moved."""
    text = json.dumps({name: sorted(flips.items()) for name, flips in noise.ASYMMETRIC.items()})
    assert hashlib.md5(text.encode()).hexdigest() == "2425563ae91806ef6bf9241fa2d97f4c"
    assert {name: len(flips) for name, flips in noise.ASYMMETRIC.items()}["cifar100-superclass"] == 100
    assert noise.ASYMMETRIC_CLASSES["digits"] == 10 and noise.ASYMMETRIC_CLASSES["cifar100-superclass"] == 100


def test_digits_map_has_the_form_of_cifar10():
    for name in ("digits", "cifar10"):
        targets = noise.ASYMMETRIC[name]
        mutual = [i for i, j in targets.items() if targets.get(j) == i]
        assert len(targets) == len(set(targets.values())) == 5 and len(mutual) == 2
        assert all(i in mutual or j not in targets for i, j in targets.items())


@pytest.mark.parametrize(("matrix", "rate"), [(MATRICES[2], 0.3), (MATRICES[3], 0.27), (MATRICES[6], 0.15)])
def test_realised_rate(labels, matrix, rate):
    noisy = noise.corrupt(labels, matrix, 3)
    # Four standard deviations of a share of 20,000.
    assert noise.realised_rate(labels, noisy) == pytest.approx(rate, abs=4 * (rate * (1 - rate) / 20_000) ** 0.5)
    np.testing.assert_allclose(noise.empirical_matrix(labels, noisy, 10), matrix, atol=0.05)


def test_asymmetric_labels_follow_the_map_only(labels):
    noisy = noise.corrupt(labels, noise.asymmetric("cifar10", 0.4), 0)
    moved = noisy != labels
    assert {(int(a), int(b)) for a, b in zip(labels[moved], noisy[moved], strict=True)} == {
        (9, 1), (2, 0), (3, 5), (5, 3), (4, 7)
    }  # fmt: skip


def test_seed_repeats_and_matters(labels):
    matrix = noise.symmetric(10, 0.5)
    first = noise.corrupt(labels, matrix, 0)
    assert first.dtype == np.int64
    assert (first == noise.corrupt(labels, matrix, 0)).all()
    assert (first != noise.corrupt(labels, matrix, 1)).mean() > 0.3


def test_corrupt_is_the_stream_of_coteaching(labels):
    """The published loop, written out: one multinomial row per example, from one RandomState."""
    matrix, stream = noise.pair(10, 0.45), np.random.RandomState(5)
    expected = [int(np.flatnonzero(stream.multinomial(1, matrix[y, :], 1)[0])[0]) for y in labels[:500]]
    assert noise.corrupt(labels[:500], matrix, 5).tolist() == expected


@pytest.mark.skipif(not CIFAR10.exists(), reason=f"needs the CIFAR-10 labels in {CIFAR10.name}")
def test_published_cifar10_labels():
    """Co-teaching's symmetric 20 % labels of seed 0, and the realised rates of their other files."""
    pq = pytest.importorskip("pyarrow.parquet")
    labels = pq.ParquetFile(CIFAR10).read(columns=["label"])["label"].to_numpy()
    noisy = noise.corrupt(labels, noise.symmetric(10, 0.2), 0)
    assert hashlib.md5(noisy.astype("<i8").tobytes()).hexdigest() == "9128e84c6e21e948a56039ce5ada49cb"
    assert noisy[:10].tolist() == [6, 9, 4, 4, 8, 1, 2, 7, 4, 3]
    assert noise.realised_rate(labels, noise.corrupt(labels, noise.symmetric(10, 0.5), 0)) == 0.49676
    assert noise.realised_rate(labels, noise.corrupt(labels, noise.pair(10, 0.45), 0)) == 0.448


def test_corrupt_leaves_its_arguments_and_keeps_torch():
    labels, matrix = torch.arange(10), noise.symmetric(10, 1)
    noisy = noise.corrupt(labels, torch.from_numpy(matrix), 0)
    assert isinstance(noisy, torch.Tensor) and noisy.dtype == torch.int64
    assert (labels == torch.arange(10)).all() and (noisy != labels).all()
    assert noise.corrupt(labels.numpy(), matrix, 0).tolist() == noisy.tolist()


def test_rounded_matrix_is_accepted():
    """Rows that were saved as float32 miss one by more than NumPy's own multinomial allows."""
    matrix = np.eye(2) * (1 + 5e-7)
    with pytest.raises(ValueError, match="pvals"):
        np.random.RandomState(0).multinomial(1, matrix[0])
    assert noise.corrupt([0, 1, 0], matrix, 0).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 3)) / 3, r"matrix must be .*shape \(c, c\).*\(2, 3\)"),
        (np.array([[0.5, 0.5], [0.5, 0.4]]), r"matrix must be .*row 1 sums to 0\.9"),
        (np.array([[1.5, -0.5], [0, 1]]), "matrix must be .*at least 0"),
        (np.array([[np.nan, 1], [0, 1]]), "matrix must be .*finite"),
        (np.array([["a", "b"], ["c", "d"]]), "matrix must be real numbers"),
        (np.zeros((0, 0)), r"matrix must be real numbers of shape \(c, c\), c >= 1, got .*\(0, 0\)"),
        ([[1, 0], [1]], "matrix must be an array or a list of equal rows, got list of 2"),
        (np.ma.array(np.eye(2), mask=[[0, 1], [0, 0]]), "matrix must be complete, got '1 masked entries'"),
        (torch.eye(2).to_sparse(), "matrix must be dense, got 'a tensor of layout"),
    ],
)
def test_bad_matrix(matrix, message):
    with pytest.raises(ValueError, match=message):
        noise.corrupt(np.array([0, 1]), matrix, 0)


@pytest.mark.parametrize("labels", [[0, 10], [-1, 0], [0.5, 1.0], [[0, 1]], np.zeros(0, np.int64), ["a"]])
def test_bad_labels(labels):
    with pytest.raises(ValueError, match="^labels must be"):
        noise.corrupt(labels, noise.symmetric(10, 0.2), 0)


@pytest.mark.parametrize("rate", [-0.1, 1.1, 2, float("nan")])
def test_bad_rate(rate):
    calls = [
        lambda: noise.symmetric(10, rate),
        lambda: noise.pair(10, rate),
        lambda: noise.asymmetric("cifar10", rate),
        lambda: noise.instance_dependent(np.zeros((4, 2)), np.arange(4), rate, 0),
        lambda: noise.draw(toy(), "none", rate, 0),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"rate must be a number in \[0, 1\]"):
            call()


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match="seed must be an integer"):
        noise.corrupt(np.array([0]), np.eye(2), seed)


def test_bad_number_of_classes():
    for call in (lambda: noise.symmetric(1, 0.2), lambda: noise.pair(0, 0.2), lambda: noise.symmetric(True, 0.2)):
        with pytest.raises(ValueError, match="c must be an integer from 2 to 32768"):
            call()


def test_bad_number_of_classes_of_two_label_sets():
    with pytest.raises(ValueError, match="c must be an integer from 1 to 32768, got 0"):
        noise.empirical_matrix([0, 1], [0, 1], 0)
    for c in (1, True, 0):
        with pytest.raises(ValueError, match="num_classes must be an integer of at least 2"):
            noise.instance_dependent(np.zeros((2, 2)), [0, 1], 0.2, 0, c)


@pytest.mark.parametrize("value", [True, np.True_, "1", None, 1j, np.complex64(1), [1], float("nan")])
def test_numbers_of_another_kind(value):
    """Straight at the checks: the functions themselves promise their types."""
    for check, name in ((checks.check_rate, "rate"), (checks.random_stream, "seed")):
        with pytest.raises(ValueError, match=f"^{name} must be "):
            check(value)


def test_numbers_of_numpy_are_numbers():
    for rate in (np.float32(0.5), np.float64(1), np.int8(1)):
        checks.check_rate(rate)


LABELS = [0, 2, 1, 2, 0]
KINDS = {
    **{kind: np.array(LABELS, kind) for kind in "int8 uint8 int16 >i2 >u4 <i8 >i8 uint64".split()},
    "negative strides": np.array(LABELS[::-1])[::-1],
    "every second": np.repeat(LABELS, 2)[::2],
    "objects": np.array(LABELS, dtype=object),
    "list": LABELS,
    "tuple": tuple(LABELS),
    "column": np.array(LABELS)[:, None],
    "frame": pd.DataFrame({"label": LABELS}),
    "whole floats": np.array(LABELS, float),
    "Series with an index": pd.Series(LABELS, index=[5, 4, 3, 2, 1]),
    "nullable": pd.Series(LABELS, dtype="Int64"),
    "categorical": pd.Series(LABELS).astype("category"),
    "pyarrow Series": pd.Series(LABELS, dtype="int64[pyarrow]"),
    "pyarrow": pa.chunked_array([LABELS[:2], LABELS[2:]]),
    "torch": torch.tensor(LABELS, dtype=torch.int32),
    "nothing masked": np.ma.array(LABELS, mask=[0] * 5),
}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_every_kind(kind):
    given, images = KINDS[kind], np.random.RandomState(0).standard_normal((5, 3))
    matrix = noise.symmetric(3, 0.9)
    for result, expected in (
        (noise.corrupt(given, matrix, 1), noise.corrupt(np.array(LABELS), matrix, 1)),
        (noise.instance_dependent(images, given, 0.9, 1), noise.instance_dependent(images, np.array(LABELS), 0.9, 1)),
    ):
        assert result.tolist() == expected.tolist() != LABELS
        assert isinstance(result, torch.Tensor if kind == "torch" else np.ndarray) and "int64" in str(result.dtype)
    assert noise.realised_rate(given, [0, 1, 1, 2, 1]) == 0.4
    assert noise.empirical_matrix(given, [0, 1, 1, 2, 1], 3).tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5]]


def test_labels_of_two_kinds_are_zero_and_one():
    matrix, expected = noise.pair(2, 0.5), noise.corrupt([1, 0, 0, 1], noise.pair(2, 0.5), 0).tolist()
    for given in ([True, False, False, True], np.array([1, 0, 0, 1], bool), torch.tensor([True, False, False, True])):
        assert noise.corrupt(given, matrix, 0).tolist() == expected == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, None, 1], "complete, one label for every example, got '1 missing of 3'"),
        (np.array([0, np.nan, np.nan]), "complete, .*got '2 missing of 3'"),
        (pd.Series([0, None, 1], dtype="Int64"), "complete, .*1 missing"),
        (pd.Series([0, None, 1]).astype("category"), "complete, .*1 missing"),
        (np.array([0, pd.NA, 1], dtype=object), "complete, .*1 missing"),
        (pa.array([0, None, 1]), "complete, .*1 missing"),
        (np.ma.array([0, 1, 1], mask=[0, 1, 0]), "complete, .*1 missing of 3"),
        ([0, -1, 1], "complete, .*1 missing of 3"),
        ([1, -1, 2], "of values 0 .*got '-1 to 2'"),
        (["a", "b", "a"], "integers 0..c-1, got .'a', 'b'."),
        ([0, 0.5, 1], "all integers or all strings"),
        ([0, "1", 1], "all integers or all strings, got 'int and str'"),
        ([True, 1, 0], "all integers or all strings, got 'bool and int'"),
        ([], "of shape"),
        (np.zeros((3, 2), int), r"of shape \(n,\), .*multi-label.*got \(3, 2\)"),
        (pd.DataFrame({"label": [0, 1, 1], "other": 0}), r"of shape \(n,\), .*multi-label.*got \(3, 2\)"),
        ([0, 2**70, 1], "inside 64 bits"),
        (np.array([1, 2**64 - 1], np.uint64), "of values 0"),
        ([[0, 1], [1]], "of shape"),
        (torch.eye(3, dtype=torch.int64).to_sparse(), "dense"),
        (None, "an array or a list, got NoneType"),
        (3, r"of shape \(n,\), got \(\)"),
        ({0: 1}, "an array or a list, got dict"),
    ],
)
def test_labels_that_are_none(labels, message):
    for name, call in (
        ("labels", lambda: noise.corrupt(labels, np.eye(3), 0)),
        ("labels", lambda: noise.instance_dependent(np.zeros((3, 2)), labels, 0.2, 0)),
        ("clean", lambda: noise.realised_rate(labels, [0, 1, 1])),
        ("noisy", lambda: noise.empirical_matrix([0, 1, 1], labels, 3)),
        ("train_labels", lambda: noise.draw(toy(train_labels=labels), "pair", 0.2, 0)),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be {message}"):
            call()


def test_maps_go_by_the_names_of_the_classes():
    """The same data set with its classes in another order gets the same flips of the same images."""
    for name in noise.ASYMMETRIC:
        names = noise.flips.FLIPS[name][0]
        order = np.random.RandomState(4).permutation(len(names))
        shuffled = [names[i] for i in order]
        matrix = noise.asymmetric(name, 0.4, shuffled)
        assert (matrix == noise.asymmetric(name, 0.4)[np.ix_(order, order)]).all()
        assert (noise.asymmetric(name, 0.4, names) == noise.asymmetric(name, 0.4)).all()
        dataset = toy(name="mine", class_names=shuffled, num_classes=len(names))
        assert (noise.known_matrix(dataset, f"asymmetric:{name}", 0.4) == matrix).all()
    turned = toy(class_names=toy().class_names[::-1], train_labels=9 - toy().train_labels)
    moved = noise.draw(turned, "asymmetric", 1, 0)
    assert (9 - moved == noise.draw(toy(), "asymmetric", 1, 0)).all() and (moved != turned.train_labels.numpy()).any()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["cow", *data.CLASS_NAMES["cifar10"][1:]], "10 names, unknown: cow; missing: airplane"),
        (data.CLASS_NAMES["digits"], "unknown: 0, 1, .*, 9; missing: airplane, .*truck"),
        (data.CLASS_NAMES["cifar10"][:9], "9 names, missing: truck"),
        ([*data.CLASS_NAMES["cifar10"], "cat"], "11 names, repeated: cat"),
        (data.CLASS_NAMES["cifar100"], "100 names, unknown: apple, .* and 90 more; missing: "),
    ],
)
def test_maps_refuse_other_class_names(names, message):
    with pytest.raises(ValueError, match=f"class_names must be the 10 classes of .*'cifar10', in any order.*{message}"):
        noise.asymmetric("cifar10", 0.2, names)
    with pytest.raises(ValueError, match=f"noise: data set 'mine': class_names must be .*{message}"):
        noise.draw(toy(name="mine", class_names=names, num_classes=len(names)), "asymmetric:cifar10", 0.2, 0)


def test_unknown_map_names_the_nearest():
    with pytest.raises(
        ValueError, match="unknown asymmetric map 'cifar-10'; .*cifar100-superclass, digits; did you mean 'cifar10'"
    ):
        noise.asymmetric("cifar-10", 0.2)


def test_instance_dependent_rate_and_target():
    stream = np.random.RandomState(0)
    images, labels = stream.standard_normal((6000, 5, 4)), np.arange(6000) % 3
    noisy = noise.instance_dependent(images, labels, 0.4, 0)
    assert noisy.dtype == np.int64 and set(noisy.tolist()) == {0, 1, 2}
    # q has mean 0.4 (truncation at four standard deviations moves nothing); 4 standard deviations of a share.
    assert noise.realised_rate(labels, noisy) == pytest.approx(0.4, abs=0.026)
    matrix = noise.empirical_matrix(labels, noisy, 3)
    np.testing.assert_allclose(matrix.diagonal(), 0.6, atol=0.05)


def test_instance_dependent_flips_by_the_image():
    """All copies of an image have the same likely targets, other images have others."""
    stream = np.random.RandomState(0)
    kinds = stream.standard_normal((20, 300)).repeat(200, axis=0)
    noisy = noise.instance_dependent(kinds, np.zeros(4000, np.int64), 0.5, 0, num_classes=8).reshape(20, 200)
    shares = np.stack([np.bincount(row[row > 0], minlength=8) / (row > 0).sum() for row in noisy])
    assert shares.max(axis=1).mean() > 0.8  # a label-only noise would give about 1/7 to each target
    assert len(set(shares.argmax(axis=1).tolist())) > 2


def test_instance_dependent_against_a_slow_loop():
    stream = np.random.RandomState(3)
    images, labels = stream.standard_normal((50, 6)), stream.randint(0, 4, 50)
    fast = noise.instance_dependent(images, labels, 0.5, 9, num_classes=4)
    stream = np.random.RandomState(9)
    q = stream.normal(0.5, 0.1, 50)
    assert ((q > 0) & (q < 1)).all()
    u = stream.random_sample(50)
    weights = [stream.standard_normal((6, 4)) for _ in range(4)]
    x = (images - images.mean()) / images.std()
    for i, y in enumerate(labels):
        scores = [float(x[i] @ weights[y][:, j]) for j in range(4)]
        total = sum(np.exp(scores[j]) for j in range(4) if j != y)
        p = [1 - q[i] if j == y else q[i] * np.exp(scores[j]) / total for j in range(4)]
        assert fast[i] == next(j for j in range(4) if u[i] < sum(p[: j + 1]))


def test_instance_dependent_repeats_and_ignores_scale():
    stream = np.random.RandomState(0)
    images, labels = stream.randint(0, 256, (500, 3, 4, 4)).astype(np.uint8), np.arange(500) % 10
    first = noise.instance_dependent(images, labels, 0.4, 0)
    assert (first == noise.instance_dependent(torch.from_numpy(images), labels, 0.4, 0)).all()
    assert (first == noise.instance_dependent(images / 255, labels, 0.4, 0)).all()
    assert (first != noise.instance_dependent(images, labels, 0.4, 1)).any()
    assert (noise.instance_dependent(images, labels, 0, 0) == labels).all()
    as_torch = noise.instance_dependent(images, torch.from_numpy(labels), 0.4, 0)
    assert isinstance(as_torch, torch.Tensor) and (as_torch.numpy() == first).all()


def test_instance_dependent_truncation_moves_the_mean():
    """Mean of a normal(0.1, 0.1) truncated to [0, 1]: 0.1 + 0.1 phi(1) / Phi(1) = 0.1288."""
    draws = truncated_normal(np.random.RandomState(0), 0.1, 0.1, 100_000)
    assert draws.min() >= 0 and draws.max() <= 1 and draws.mean() == pytest.approx(0.1288, abs=0.001)


def test_instance_dependent_bad_images():
    for images in (np.zeros((3, 2)), np.zeros(4), np.full((4, 2), np.nan), np.full((4, 2), "x")):
        with pytest.raises(ValueError, match="^images must be"):
            noise.instance_dependent(images, np.arange(4), 0.2, 0)


def test_realised_rate_and_empirical_matrix_by_hand():
    clean, noisy = [0, 0, 0, 0, 2], torch.tensor([0, 1, 1, 2, 2])
    assert noise.realised_rate(clean, noisy) == 0.6
    expected = [[0.25, 0.5, 0.25], [0, 0, 0], [0, 0, 1]]
    assert noise.empirical_matrix(clean, noisy, 3).tolist() == expected
    with pytest.raises(ValueError, match="noisy must be 5 labels"):
        noise.realised_rate(clean, [0])
    with pytest.raises(ValueError, match=r"clean must be of values 0 to 1 \(2 classes\), got '0 to 2'"):
        noise.empirical_matrix(clean, noisy, 2)


@pytest.mark.parametrize(
    "spelling", ["symmetric", "symmetric-inclusive", "pair", "asymmetric", "asymmetric:cifar10-exchange"]
)
def test_draw_is_corrupt_of_the_known_matrix(spelling):
    dataset = toy()
    matrix = noise.known_matrix(dataset, spelling, 0.4)
    drawn = noise.draw(dataset, spelling, 0.4, 2)
    assert isinstance(drawn, np.ndarray) and drawn.dtype == np.int64
    assert (drawn == noise.corrupt(dataset.train_labels.numpy(), matrix, 2)).all()
    assert (drawn != dataset.train_labels.numpy()).any()


def test_known_matrix_chooses_the_right_one():
    dataset = toy()
    assert (noise.known_matrix(dataset, "symmetric", 0.4) == noise.symmetric(10, 0.4)).all()
    assert (noise.known_matrix(dataset, "symmetric-inclusive", 0.4) == noise.symmetric(10, 0.4, True)).all()
    assert (noise.known_matrix(dataset, "pair", 0.4) == noise.pair(10, 0.4)).all()
    assert (noise.known_matrix(dataset, "asymmetric", 0.4) == noise.asymmetric("cifar10", 0.4)).all()
    exchange = noise.known_matrix(dataset, "asymmetric:cifar10-exchange", 0.4)
    assert (exchange == noise.asymmetric("cifar10-exchange", 0.4)).all()
    digits = toy(name="digits", class_names=data.CLASS_NAMES["digits"])
    assert (noise.known_matrix(digits, "asymmetric", 0.4) == noise.asymmetric("digits", 0.4)).all()
    assert (noise.known_matrix(dataset, "none", 0.4) == np.eye(10)).all()
    assert noise.known_matrix(dataset, "instance", 0.4) is None
    assert noise.known_matrix(dataset, "human:worse", 0.4) is None


def test_draw_none_human_and_instance():
    dataset = toy(clean=False)
    assert (noise.draw(dataset, "none", 0.4, 0) == dataset.train_labels.numpy()).all()
    for spelling in ("human:worse", "human:worse_label"):
        drawn = noise.draw(dataset, spelling, 0, 0)
        assert drawn.dtype == np.int64 and (drawn == np.arange(400) % 7).all()
    assert (noise.draw(dataset, "human:noisy", 0, 0) == 0).all()
    expected = noise.instance_dependent(dataset.train_images, dataset.train_labels.numpy(), 0.4, 1, 10)
    assert (noise.draw(dataset, "instance", 0.4, 1) == expected).all() and (expected != np.arange(400) % 10).any()


def test_draw_human_copies():
    dataset = toy()
    noise.draw(dataset, "human:worse", 0, 0)[:] = 9
    assert (dataset.human_labels["worse_label"] < 7).all()


def test_draw_matrix_from_a_file(tmp_path, monkeypatch):
    path = tmp_path / "T.npy"
    np.save(path, noise.pair(10, 0.3))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (noise.known_matrix(toy(), "matrix:~/T.npy", 0) == noise.pair(10, 0.3)).all()
    assert (noise.known_matrix(toy(), f"matrix:{path}", 0) == noise.pair(10, 0.3)).all()
    drawn = noise.draw(toy(), f"matrix:{path}", 0, 4)
    assert (drawn == noise.draw(toy(), "pair", 0.3, 4)).all()


def test_draw_matrix_errors_name_the_file(tmp_path):
    path = tmp_path / "T.npy"
    with pytest.raises(FileNotFoundError, match=r"T\.npy: no such file; save a \(10, 10\)"):
        noise.draw(toy(), f"matrix:{path}", 0, 0)
    np.save(path, np.array([[print]], dtype=object), allow_pickle=True)
    contents = [path.read_bytes(), b"", b"not an array"]
    for array in (np.eye(9), np.ones((10, 10))):
        np.save(path, array)
        contents.append(path.read_bytes())
    contents.append(path.read_bytes()[:-8])
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"noise: .*T\.npy") as caught:
            noise.draw(toy(), f"matrix:{path}", 0, 0)
        assert "\n" not in str(caught.value)
    assert len(contents) == 6


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("symetric", "unknown noise 'symetric'; allowed: .*did you mean 'symmetric'"),
        ("symmetric:cifar10", "unknown noise 'symmetric:cifar10'; allowed: "),
        ("asymmetric:cifar11", "did you mean 'cifar10"),
        ("human", "unknown noise 'human'; allowed: .*human:worse"),
        ("human:wors", "unknown 'human:wors' for data set 'cifar10'; .*did you mean 'human:worse'"),
        ("matrix:", "unknown noise 'matrix:'"),
        ("", "unknown noise ''"),
        (
            "asymmetric:cifar100",
            "'cifar10': class_names must be the 100 classes of .*'10 names, unknown: airplane, .*missing: apple",
        ),
    ],
)
def test_draw_unknown_noise(spelling, message):
    with pytest.raises(ValueError, match=message):
        noise.draw(toy(), spelling, 0.2, 0)


def test_draw_without_a_map_or_human_labels():
    with pytest.raises(ValueError, match="no asymmetric map for data set 'mine'; write asymmetric:NAME"):
        noise.draw(toy(name="mine"), "asymmetric", 0.2, 0)
    assert (noise.known_matrix(toy(name="mine"), "asymmetric:cifar10", 0.2) == noise.asymmetric("cifar10", 0.2)).all()
    with pytest.raises(ValueError, match="it has no human labels"):
        noise.draw(toy(human_labels={}), "human:worse", 0.2, 0)
    with pytest.raises(ValueError, match=r"human_labels\['worse_label'\] must be of values 0 to 4"):
        noise.draw(toy(num_classes=5, train_labels=torch.arange(400) % 5), "human:worse", 0.2, 0)
    with pytest.raises(ValueError, match=r"human_labels\['short'\] must be 400 labels, one per .*got 3"):
        noise.draw(toy(human_labels={"short": [0, 1, 2]}), "human:short", 0.2, 0)


def test_imports_no_torch():
    code = "import sys, lend.noise; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1]).returncode == 0


def test_more_classes_than_memory_holds():
    with pytest.raises(ValueError, match="labels must be codes of at most 32,768 classes, got 1000000000000"):
        noise.instance_dependent(np.ones((2, 3)), [0, 10**12], 0.2, 0)
    with pytest.raises(ValueError, match="c must be an integer from 2 to 32768"):
        noise.symmetric(10**9, 0.2)
