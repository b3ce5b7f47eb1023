"""Each equation against a slow loop in float64, written from the paper; closed forms, invariants, bad input."""

import numpy as np
import pytest
import torch

import lend
from lend.dilution import DENSE, Graph, diffuse, one_hot, reweight_and_normalize
from lend.neighbors import nearest

RNG = np.random.default_rng


def clusters(n=60, d=12, c=4, rate=0.3, seed=0):
    """Embeddings around c centres, with some labels wrong."""
    rng = RNG(seed)
    true = np.arange(n) % c
    V = rng.normal(size=(c, d))[true] * 2 + rng.normal(size=(n, d))
    labels = np.where(rng.random(n) < rate, rng.integers(0, c, n), true)
    return V, labels, true


def slow_similarity(V, k, gamma, affinity):
    """Eq. (1) and (2), entry by entry."""
    n = len(V)
    V = [v / max(np.sqrt(sum(x * x for x in v)), 1e-300) for v in V]
    A = np.zeros((n, n))
    for i in range(n):
        cosines = [(-sum(a * b for a, b in zip(V[i], V[j], strict=True)), j) for j in range(n) if j != i]
        for negative, j in sorted(cosines)[:k]:
            A[i, j] = max(0.0, -negative) ** gamma if negative < 0 else 0.0
    W = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            W[i, j] = sum(A[m, i] * A[m, j] for m in range(n)) if affinity == "product" else A[i, j] + A[j, i]
    degrees = W.sum(axis=1)
    for i in range(n):
        for j in range(n):
            W[i, j] = W[i, j] / np.sqrt(degrees[i] * degrees[j]) if degrees[i] * degrees[j] > 0 else 0.0
    return W


def slow_dilute(V, labels, c, k, gamma, alpha, steps, affinity, reserve):
    """Eq. (3) and (4), as printed."""
    W = slow_similarity(V, k, gamma, affinity)
    Z0 = np.array([[1.0 if y == j else 0.0 for j in range(c)] for y in labels])
    Z = Z0
    for _ in range(steps):
        Z = alpha * W @ Z + (1 - alpha) * (Z if reserve == "previous" else Z0)
    return Z


@pytest.mark.parametrize("affinity", ["product", "sum"])
@pytest.mark.parametrize("reserve", ["previous", "initial"])
@pytest.mark.parametrize(("k", "gamma", "alpha", "steps"), [(3, 3.0, 0.99, 1), (5, 1.0, 0.5, 2), (8, 2.5, 0.9, 4)])
def test_equations_1_to_4(affinity, reserve, k, gamma, alpha, steps):
    V, labels, _ = clusters()
    options = {"k": k, "gamma": gamma, "alpha": alpha, "steps": steps, "affinity": affinity, "reserve": reserve}
    expected = slow_dilute(V, labels, 4, **options)
    assert np.allclose(lend.dilute(V, labels, normalize=False, **options), expected, atol=1e-12)
    rows = expected.sum(axis=1, keepdims=True)
    own = np.eye(4)[labels]
    expected = np.where(rows > 0, expected / np.where(rows > 0, rows, 1), own)
    assert np.allclose(lend.dilute(V, labels, **options), expected, atol=1e-12)


@pytest.mark.parametrize("affinity", ["product", "sum"])
def test_similarity(affinity):
    V, _, _ = clusters()
    W = lend.similarity(V, k=5, affinity=affinity)
    assert np.allclose(W, slow_similarity(V, 5, 3.0, affinity), atol=1e-12)
    assert np.allclose(W, W.T) and (W >= 0).all()
    eigenvalues = np.linalg.eigvalsh(W)
    assert np.isclose(eigenvalues[-1], 1) and eigenvalues[0] >= (-1e-12 if affinity == "product" else -1 - 1e-12)
    if affinity == "sum":
        assert (np.diag(W) == 0).all()


def complete(n, affinity):
    """All A_ij = 1 off the diagonal."""
    indices = torch.tensor([[j for j in range(n) if j != i] for i in range(n)])
    return Graph.build(indices, torch.ones(n, n - 1, dtype=torch.float64), gamma=3.0, affinity=affinity)


def share_of(labels, row, column, affinity, steps, reserve="previous"):
    Z0 = one_hot(torch.tensor(labels), max(labels) + 1, torch.float64)
    graph = complete(len(labels), affinity)
    Z = diffuse(graph, Z0, 0.99, steps, reserve)
    return float(reweight_and_normalize(Z, Z0, Z0.new_ones(Z0.shape[1]), normalize=True)[row, column])


@pytest.mark.parametrize(
    ("affinity", "steps", "expected"),
    [
        ("product", 1, 0.505),
        ("product", 2, 0.377537),
        ("product", 3, 0.344716),
        ("sum", 1, 0.01),
        ("sum", 2, 0.490150),
        ("sum", 3, 0.257277),
        ("product", "converged", 1 / 3),
        ("sum", "converged", 1 / 3),
    ],
)
def test_three_nodes(affinity, steps, expected):
    assert share_of([0, 0, 1], row=2, column=1, affinity=affinity, steps=steps) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(
    ("steps", "reserve", "expected"),
    [
        (1, "previous", 0.99),
        (2, "previous", 0.6732),
        ("converged", "previous", 0.75),
        (2, "initial", 0.6633),  # α (α·2/3 + 1 - α): the last vote of three nodes at 0.67
        ("converged", "initial", 0.744361),
    ],
)
def test_four_nodes(steps, reserve, expected):
    assert share_of([0, 0, 1, 0], 2, 0, "sum", steps, reserve) == pytest.approx(expected, abs=2e-6)


def test_converged_gives_one_class_per_component_and_warns():
    V, labels, _ = clusters(n=40, d=3)
    with pytest.warns(UserWarning, match="every example of a component gets the same class"):
        Z = lend.dilute(V, labels, k=6, steps="converged")
    from scipy.sparse.csgraph import connected_components

    count, component = connected_components(lend.similarity(V, k=6))
    assert count < len(V) / 4
    for number in range(count):
        assert len(set(Z[component == number].argmax(axis=1))) == 1


@pytest.mark.parametrize("affinity", ["product", "sum"])
@pytest.mark.parametrize("reserve", ["previous", "initial"])
@pytest.mark.parametrize("class_prior", [None, "balanced"])
def test_sparse_equals_dense(monkeypatch, affinity, reserve, class_prior):
    V, labels, _ = clusters(n=300)
    options = {"k": 7, "affinity": affinity}
    prior = {"reserve": reserve, "class_prior": class_prior}
    dense, W = lend.dilute(V, labels, **options, **prior), lend.similarity(V, **options)
    monkeypatch.setattr("lend.dilution.equations.DENSE", 100)
    monkeypatch.setattr("lend.dilution.dilution.DENSE", 100)
    assert np.allclose(lend.dilute(V, labels, **options, **prior), dense, atol=1e-12)
    assert np.allclose(lend.similarity(V, **options).toarray(), W, atol=1e-12)
    as_torch = lend.similarity(torch.from_numpy(V), **options)
    assert as_torch.is_sparse and np.allclose(as_torch.to_dense(), W, atol=1e-12)


@pytest.mark.parametrize(("n", "k", "dense"), [(256, 8, True), (400, 8, False), (400, 50, True), (4097, 600, False)])
def test_a_processor_gets_the_form_that_is_quicker_there(n, k, dense):
    cosines, indices = torch.rand(n, n, generator=torch.Generator().manual_seed(0)).fill_diagonal_(-1).topk(k)
    for affinity in ("product", "sum"):
        assert (Graph.build(indices, cosines, 3.0, affinity).A.layout is torch.strided) == dense


def test_more_than_a_batch_takes_the_sparse_path():
    V, labels, true = clusters(n=DENSE + 1, rate=0.4)
    diluted = lend.dilute(V.astype(np.float32), labels)
    assert diluted.dtype == np.float32 and diluted.shape == (DENSE + 1, 4)
    assert (diluted.argmax(axis=1) == true).mean() > (labels == true).mean() + 0.2


def test_equivariance():
    V, labels, _ = clusters()
    Z = lend.dilute(V, labels, num_classes=4)
    order, classes = RNG(1).permutation(len(V)), RNG(2).permutation(4)
    assert np.allclose(lend.dilute(V[order], labels[order], num_classes=4), Z[order])
    assert np.allclose(lend.dilute(V, classes[labels], num_classes=4)[:, classes], Z)
    assert np.allclose(lend.dilute(V * RNG(3).uniform(0.1, 100, (len(V), 1)), labels, num_classes=4), Z)


def test_rows_sum_to_one_and_numpy_equals_torch():
    V, labels, _ = clusters()
    Z = lend.dilute(V, labels)
    assert isinstance(Z, np.ndarray) and np.allclose(Z.sum(axis=1), 1)
    as_torch = lend.dilute(torch.from_numpy(V), torch.from_numpy(labels))
    assert isinstance(as_torch, torch.Tensor) and np.allclose(as_torch, Z)


def test_class_prior():
    V, labels, _ = clusters(n=80)
    given = np.bincount(labels, minlength=4) / len(labels)
    raw = lend.dilute(V, labels, normalize=False)
    assert np.allclose(lend.dilute(V, labels, class_prior="balanced", normalize=False), raw * 0.25 / given)
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    assert np.allclose(lend.dilute(V, labels, class_prior=prior, normalize=False), raw * prior / given)
    assert np.allclose(lend.dilute(V, labels, class_prior=given), lend.dilute(V, labels))
    absent = lend.dilute(V, labels, num_classes=5, class_prior="balanced")
    assert (absent[:, 4] == 0).all() and np.allclose(absent.sum(axis=1), 1)


def test_balanced_prior_lifts_the_class_that_lost_labels():
    """Flips 0 -> 1 leave few labels of class 0; the plain vote lets class 1 win too often."""
    rng = RNG(0)
    true = rng.integers(0, 2, 2000)
    V = np.stack([np.where(true == 0, 1.0, -1.0), np.ones(2000)], axis=1) + rng.normal(scale=1.2, size=(2000, 2))
    labels = np.where((true == 0) & (rng.random(2000) < 0.45), 1, true)
    plain = (lend.dilute(V, labels).argmax(axis=1) == true)[true == 0].mean()
    balanced = (lend.dilute(V, labels, class_prior="balanced").argmax(axis=1) == true)[true == 0].mean()
    assert balanced > plain + 0.1


def test_zero_rows_keep_their_label():
    V, labels, _ = clusters()
    V[[3, 17]] = 0
    for affinity in ("product", "sum"):
        Z = lend.dilute(V, labels, k=5, affinity=affinity)
        assert np.isfinite(Z).all()
        assert np.array_equal(Z[[3, 17]].argmax(axis=1), labels[[3, 17]])
    assert np.array_equal(lend.dominant_labels(V, labels)[[3, 17]], labels[[3, 17]])
    zeros = np.zeros((10, 3))
    assert np.array_equal(lend.dilute(zeros, labels[:10]).argmax(axis=1), labels[:10])


def test_product_leaves_examples_in_nobodys_list_alone():
    """With the product such an example has degree 0: its row only decays, so its label stays."""
    V = np.array([[1.0, 0], [1, 0.01], [1, 0.02], [1, 0.03], [0.3, 1]])
    labels = np.array([0, 0, 0, 0, 1])
    assert lend.dilute(V, labels, k=2)[4].argmax() == 1
    assert lend.dilute(V, labels, k=2, normalize=False)[4, 1] == pytest.approx(0.01**2)
    assert lend.dilute(V, labels, k=2, affinity="sum", steps=1)[4].argmax() == 0


def test_duplicates_and_single_class():
    V = np.ones((20, 3))
    with pytest.warns(UserWarning, match="nearly parallel"):
        assert np.isfinite(lend.dilute(V, np.arange(20) % 2)).all()
    V, _, _ = clusters()
    assert np.allclose(lend.dilute(V, np.full(60, 2), num_classes=3)[:, 2], 1)


def test_dominant_labels():
    V, labels, _ = clusters(n=50)
    unit = V / np.linalg.norm(V, axis=1, keepdims=True)
    for i, answer in enumerate(lend.dominant_labels(V, labels, k=7)):
        cosines = unit @ unit[i]
        cosines[i] = -np.inf
        votes = np.bincount(labels[np.argsort(-cosines)[:7]], minlength=4)
        assert votes[answer] == votes.max()


def test_dominant_label_tie_goes_to_the_more_similar():
    V = np.array([[1.0, 0.0], [1, 0.1], [1, 0.5], [1, 0.12], [1, 0.6]])
    assert lend.dominant_labels(V, np.array([0, 1, 2, 1, 2]), k=4)[0] == 1
    assert lend.dominant_labels(V, np.array([0, 2, 1, 2, 1]), k=4)[0] == 2


def test_momentum_and_select():
    new, old = RNG(0).random((5, 3)), RNG(1).random((5, 3))
    slow = [[0.3 * new[i][j] + 0.7 * old[i][j] for j in range(3)] for i in range(5)]
    assert np.allclose(lend.momentum(new, old, beta=0.7), slow)
    assert np.array_equal(lend.momentum(new, old, beta=1.0), old)
    labels = np.array([0, 1, 2, 0, 1])
    assert list(lend.select(new, labels)) == [max(range(3), key=new[i].__getitem__) == labels[i] for i in range(5)]


def test_select_refuses_rows_that_are_no_distribution():
    Z = np.full((4, 3), 1 / 3)
    Z[2, 1] = np.nan
    for rows in (Z, torch.from_numpy(Z), np.where(np.isnan(Z), np.inf, Z)):
        with pytest.raises(ValueError, match="diluted must be finite, got NaN or inf in 1 rows, the first is row 2"):
            lend.select(rows, np.array([0, 1, 2, 0]))


@pytest.mark.parametrize(("beta", "epochs"), [(0.9, 7), (0.8, 4), (0.7, 2), (0.6, 2)])
def test_first_drop_comes_when_the_memory_has_faded(beta, epochs):
    memory, contrary = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    kept = 0
    while lend.select(memory := lend.momentum(contrary, memory, beta), np.array([0]))[0]:
        kept += 1
    assert kept == epochs - 1  # dropped in epoch `epochs`: the first whose beta^epochs is below one half


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embeddings": np.full((10, 2), np.nan)}, "finite"),
        ({"embeddings": np.full((10, 2), np.inf)}, "finite"),
        ({"embeddings": np.ones(10)}, "embeddings must be of shape"),
        ({"labels": np.arange(9)}, "labels must be of shape"),
        ({"labels": np.full(10, -1)}, "labels must be inside"),
        ({"labels": np.full(10, 0.5)}, "labels must be all integers or all strings"),
        ({"num_classes": 3, "labels": np.full(10, 3)}, r"labels must be inside 0\.\.2"),
        ({"k": 0}, "k must be"),
        ({"k": 10}, "k must be an integer from 1 to 9, got 10"),
        ({"alpha": 1.0}, "alpha must be inside"),
        ({"alpha": 0.0}, "alpha must be inside"),
        ({"gamma": -1.0}, "gamma must be at least 0"),
        ({"steps": 0}, "steps must be"),
        ({"steps": 10**9}, "steps must be an integer from 1 to 10,000"),
        ({"steps": "many"}, "steps must be"),
        ({"affinity": "mean"}, "affinity must be 'product' or 'sum', got 'mean'"),
        ({"reserve": "last"}, "reserve must be"),
        ({"class_prior": "even"}, "class_prior must be"),
        ({"class_prior": [0.5, 0.6]}, "class_prior must be 2 shares"),
    ],
)
def test_bad_input(change, message):
    good = {"embeddings": RNG(0).random((10, 2)), "labels": np.arange(10) % 2}
    with pytest.raises(ValueError, match=message):
        arguments = good | change
        lend.dilute(arguments.pop("embeddings"), arguments.pop("labels"), **arguments)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("n", [256, DENSE + 500])
@pytest.mark.parametrize("affinity", ["product", "sum"])
def test_cuda_equals_cpu(n, affinity):
    V, labels, _ = clusters(n=n, d=32)
    V, labels = torch.from_numpy(V), torch.from_numpy(labels)
    on_cpu = lend.dilute(V, labels, affinity=affinity)
    on_gpu = lend.dilute(V.cuda(), labels.cuda(), affinity=affinity)
    assert on_gpu.is_cuda and torch.allclose(on_gpu.cpu(), on_cpu, atol=1e-9)


def test_a_limit_that_is_not_reached_is_told(monkeypatch):
    V = torch.nn.functional.normalize(torch.rand(12, 4, generator=torch.Generator().manual_seed(0)))
    graph = Graph.build(*nearest(V, 3), 3.0, "product")
    onehot = one_hot(torch.arange(12) % 3, 3)
    monkeypatch.setattr("lend.dilution.equations.MOST_STEPS", 2)
    with pytest.warns(UserWarning, match="no limit after 2 steps"):
        Z = diffuse(graph, onehot, 0.99, "converged", "previous")
    assert torch.equal(Z, diffuse(graph, onehot, 0.99, 2, "previous"))
