"""The graph of neighbours by every method, against a slow loop, and how it is kept and handed over."""

import weakref

import numpy as np
import pytest
import torch
from scipy import sparse

from lend.neighbors import EXACT, KnnGraph, Rows, clusters, knn_graph
from lend.neighbors.graph import METHODS
from lend.storage import DamagedFileError


@pytest.fixture(autouse=True)
def _clusters_of_few(monkeypatch):
    """The rows here are too few for clusters of 200."""
    monkeypatch.setattr(clusters, "ROWS", 4)


def clustered(n, d, groups=12, seed=0, dtype=np.float32):
    generator = np.random.default_rng(seed)
    centres = 2 * generator.standard_normal((groups, d))
    return (centres[np.arange(n) % groups] + generator.standard_normal((n, d))).astype(dtype)


def slow_cosines(embeddings):
    """All cosines (n, n) in float64, row by row; 0 with a zero row, -inf with itself."""
    rows = np.asarray(embeddings, np.float64)
    lengths = np.sqrt(np.sum(rows**2, axis=1))
    cosines = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        products = lengths[i] * lengths
        cosines[i] = np.sum(rows * row, axis=1) / np.where(products > 0, products, 1)
        cosines[i, i] = -np.inf
    return cosines


def graph_of(embeddings, k, method="exact", **settings):
    return knn_graph(embeddings, k, method=method, progress=False, **settings)


def found_by(graph, cosines):
    """Share of neighbours whose cosine is among the k largest of a matrix; -inf marks an example itself."""
    least = np.sort(cosines, axis=1)[:, -graph.k]
    return np.mean(np.take_along_axis(cosines, graph.indices, axis=1) >= least[:, None] - 1e-6)


# --- Neighbours ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [1, 10])
def test_agrees_with_a_slow_loop(method, k):
    embeddings = clustered(300, 16)
    graph = graph_of(embeddings, k, method)
    expected = slow_cosines(embeddings)
    assert graph.indices.shape == (300, k) and graph.method == method
    assert graph.search == (method if graph.recall == 1 else f"{method}, recall {graph.recall:.3f}")
    assert all(len(set(row)) == k for row in graph.indices.tolist())
    assert np.allclose(graph.cosines, np.take_along_axis(expected, graph.indices, axis=1), atol=1e-6)
    assert (np.diff(graph.cosines, axis=1) <= 0).all()
    if method in ("exact", "faiss"):
        assert graph.recall == 1 and np.array_equal(graph.indices, np.argsort(-expected, axis=1)[:, :k])
    else:
        assert graph.recall == pytest.approx(found_by(graph, expected), abs=1e-9) and graph.recall >= 0.98


@pytest.mark.parametrize("method", METHODS)
def test_all_others_are_neighbours(method):
    graph = graph_of(clustered(40, 5), 39, method)
    assert all(set(row) == set(range(40)) - {i} for i, row in enumerate(graph.indices.tolist()))


@pytest.mark.parametrize("method", METHODS)
def test_hundreds_of_duplicates_are_neighbours_of_each_other(method):
    embeddings = clustered(900, 8)
    embeddings[::3] = embeddings[0] * np.linspace(0.5, 2, 300, dtype=np.float32)[:, None]
    graph = graph_of(embeddings, 7, method)
    assert (graph.indices[::3] % 3 == 0).all() and np.allclose(graph.cosines[::3], 1)
    assert all(len(set(row)) == 7 for row in graph.indices.tolist())


@pytest.mark.parametrize("method", METHODS)
def test_rows_that_are_all_one_of_a_few(method):
    """Clusters then have equal centres, and a small world has few ways out of equal rows: its recall says so."""
    embeddings = clustered(40, 8)[np.random.default_rng(1).integers(0, 40, 2000)]
    graph = graph_of(embeddings, 12, method)
    assert all(len(set(row)) == 12 for row in graph.indices.tolist())
    assert min(graph.recall, np.mean(graph.cosines > 1 - 1e-6)) > (0.9 if method == "hnsw" else 0.98)


@pytest.mark.parametrize("method", METHODS)
def test_a_lone_duplicate_is_the_first_neighbour(method):
    embeddings = clustered(600, 16)
    embeddings[100:110] = 3 * embeddings[:10]
    graph = graph_of(embeddings, 4, method)
    assert np.array_equal(graph.indices[:10, 0], np.arange(100, 110))
    assert np.array_equal(graph.indices[100:110, 0], np.arange(10))


@pytest.mark.parametrize("method", METHODS)
def test_zero_rows_have_cosine_zero(method):
    embeddings = np.abs(clustered(400, 6))
    embeddings[::10] = 0
    graph = graph_of(embeddings, 5, method)
    assert (graph.cosines[::10] == 0).all() and not np.isnan(graph.cosines).any()
    others = np.arange(400) % 10 > 0
    assert (graph.cosines[others] > 0).all() and (graph.indices[others] % 10 > 0).all()


@pytest.mark.filterwarnings("ignore:embeddings are nearly parallel")
@pytest.mark.parametrize("method", METHODS)
def test_all_rows_zero_or_equal(method):
    for embeddings in (np.zeros((50, 4), np.float32), np.ones((50, 4), np.float32)):
        graph = graph_of(embeddings, 6, method)
        assert np.allclose(graph.cosines, embeddings[0, 0]) and graph.recall == 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4", "longdouble", "bfloat16"])
def test_input_types(method, dtype):
    embeddings = clustered(300, 16)
    given = torch.from_numpy(embeddings).bfloat16() if dtype == "bfloat16" else embeddings.astype(dtype)
    graph = graph_of(given, 5, method)
    reference = given.float().numpy() if dtype == "bfloat16" else given
    assert found_by(graph, slow_cosines(reference)) >= 0.98 and graph.cosines.dtype == np.float32


def test_tensors_views_and_lists_are_taken_as_they_are():
    embeddings = clustered(200, 8)
    expected = graph_of(embeddings, 5)
    tensor = torch.from_numpy(embeddings).requires_grad_()
    read_only = embeddings.copy()
    read_only.flags.writeable = False
    for given in (tensor, read_only, embeddings[::-1][::-1], np.asfortranarray(embeddings), embeddings.tolist()):
        assert np.array_equal(graph_of(given, 5).indices, expected.indices)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_length_of_the_rows_changes_nothing(scale):
    embeddings = clustered(300, 16)
    assert np.array_equal(graph_of(embeddings * np.float32(scale), 5).indices, graph_of(embeddings, 5).indices)


@pytest.mark.parametrize("block", [7, 100, 299])
@pytest.mark.parametrize("method", ["exact", "clusters"])
def test_block_changes_nothing(method, block, monkeypatch):
    embeddings = clustered(700, 16)
    expected = graph_of(embeddings, 5, method)
    monkeypatch.setattr("lend.neighbors.graph.BLOCK", block)
    monkeypatch.setattr("lend.neighbors.clusters.BLOCK", block)
    graph = graph_of(embeddings, 5, method)
    assert np.allclose(graph.cosines, expected.cosines, atol=1e-6) and graph.recall == expected.recall
    assert found_by(graph, slow_cosines(embeddings)) == found_by(expected, slow_cosines(embeddings))


def test_clusters_held_in_parts_change_nothing(monkeypatch):
    embeddings = clustered(700, 16)
    expected = graph_of(embeddings, 5, "clusters")
    monkeypatch.setattr("lend.neighbors.clusters.HELD", 5000)
    assert np.array_equal(graph_of(embeddings, 5, "clusters").indices, expected.indices)


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_fixes_the_graph(method):
    embeddings = clustered(1500, 16)
    first, second = (graph_of(embeddings, 6, method, seed=3, threads=1) for _ in range(2))
    assert np.array_equal(first.indices, second.indices) and np.array_equal(first.cosines, second.cosines)
    assert first.recall == second.recall


def test_threads_are_given_back():
    before = torch.get_num_threads()
    graph_of(clustered(50, 4), 3, threads=before + 1)
    assert torch.get_num_threads() == before


def test_auto_is_exact_of_few_and_where_clusters_find_too_little(monkeypatch):
    embeddings = clustered(300, 8)
    assert EXACT == 100_000 and graph_of(embeddings, 5, "auto").method == "exact"
    monkeypatch.setattr("lend.neighbors.graph.FEW", 300)
    assert graph_of(embeddings, 5, "auto").method == "clusters"
    monkeypatch.setattr("lend.neighbors.graph.RECALL", 1.01)
    assert graph_of(embeddings, 5, "auto").method == "exact"
    monkeypatch.setattr("lend.neighbors.graph.EXACT", 299)
    assert graph_of(embeddings, 5, "auto").method == "clusters"


def test_long_work_shows_its_progress(capsys):
    for method in METHODS:
        knn_graph(clustered(400, 8), 3, method=method)
        assert "neighbours" in capsys.readouterr().err


# --- Approximation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["clusters", "hnsw"])
def test_recall_is_what_an_independent_search_finds(method):
    embeddings = clustered(4000, 24, groups=60)
    unit = embeddings.astype(np.float64) / np.linalg.norm(embeddings, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    graph = graph_of(embeddings, 10, method, sample=4000)
    assert graph.recall == pytest.approx(found_by(graph, cosines), abs=2e-4)
    assert 0.98 <= graph.recall and graph_of(embeddings, 10, method).recall == pytest.approx(graph.recall, abs=0.01)


def test_a_poor_graph_has_a_poor_recall(monkeypatch):
    """Of rows without clusters, looked up in one cluster each."""
    embeddings = np.random.default_rng(0).standard_normal((4000, 32)).astype(np.float32)
    monkeypatch.setattr(clusters, "_depth", lambda *_: 1)
    graph = graph_of(embeddings, 3, "clusters", sample=4000)
    assert 0.1 < graph.recall < 0.7
    assert graph.recall == pytest.approx(found_by(graph, slow_cosines(embeddings)), abs=1e-3)


def test_clusters_grow_where_there_are_none():
    embeddings = np.random.default_rng(0).standard_normal((2000, 32)).astype(np.float32)
    assert graph_of(embeddings, 10, "clusters").recall >= 0.98


def test_rows_that_lack_neighbours_are_completed(monkeypatch):
    """Clusters of about 4 rows cannot give 30 neighbours; an index may give fewer than asked."""
    embeddings = clustered(300, 8)
    exact = graph_of(embeddings, 30)
    monkeypatch.setattr(clusters, "_depth", lambda *_: 1)
    assert np.array_equal(graph_of(embeddings, 30, "clusters").indices, exact.indices)
    monkeypatch.setattr("lend.neighbors.faiss_index._rank", lambda best, rows: best.columns[:, -1].fill_(-1))
    assert np.array_equal(graph_of(embeddings, 30, "hnsw").indices, exact.indices)


# --- Memory -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mapped", [True, False])
def test_rows_are_read_in_blocks_and_never_held_as_a_whole(mapped, tmp_path, monkeypatch):
    """Counted at every read: rows that are alive as float32, of a mapped file and of float16 in memory."""
    np.save(tmp_path / "embeddings.npy", clustered(6000, 32, groups=100, dtype=np.float16))
    embeddings = np.load(tmp_path / "embeddings.npy", mmap_mode="r" if mapped else None)
    alive, most = 0, 0
    take = Rows.take

    def freed(rows):
        nonlocal alive
        alive -= rows

    def watched(self, ids):
        nonlocal alive, most
        part = take(self, ids)
        alive += len(part)
        most = max(most, alive)
        weakref.finalize(part, freed, len(part))
        return part

    monkeypatch.setattr(Rows, "take", watched)
    monkeypatch.setattr("lend.neighbors.graph.BLOCK", 500)
    graph = graph_of(embeddings, 5)
    assert 1000 <= most <= 1500
    monkeypatch.undo()
    assert np.array_equal(graph.indices, graph_of(embeddings.astype(np.float32), 5).indices)


# --- Kept and handed over -----------------------------------------------------------------------------------------


def same(one, other):
    arrays = np.array_equal(one.indices, other.indices) and np.array_equal(one.cosines, other.cosines)
    return arrays and (one.method, one.recall) == (other.method, other.recall)


@pytest.mark.parametrize("recall", [1.0, 0.987, None])
def test_saved_graphs_come_back(recall, tmp_path):
    graph = graph_of(clustered(60, 6), 4)
    graph = KnnGraph(graph.indices, graph.cosines, "some", recall)
    for path in (tmp_path / "folder" / "graph.npz", str(tmp_path / "graph")):
        graph.save(path)
        assert same(KnnGraph.load(path), graph)
    assert (graph.n, graph.k) == (60, 4)


def test_a_damaged_or_another_file_is_named(tmp_path):
    path = tmp_path / "graph.npz"
    with pytest.raises(DamagedFileError, match="graph.npz is missing"):
        KnnGraph.load(path)
    graph_of(clustered(60, 6), 4).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DamagedFileError, match="graph.npz is damaged"):
        KnnGraph.load(path)
    np.savez(path, indices=np.zeros((3, 1), np.int64))
    with pytest.raises(DamagedFileError, match="graph.npz holds no graph of neighbours"):
        KnnGraph.load(path)


def test_the_first_neighbours():
    embeddings = clustered(80, 6)
    graph = graph_of(embeddings, 6)
    assert same(graph.first(6), graph) and same(graph.first(2), graph_of(embeddings, 2))
    approximate = KnnGraph(graph.indices, graph.cosines, "hnsw", 0.9)
    assert approximate.first(6).recall == 0.9 and approximate.first(2).recall is None
    for k in (0, 7):
        with pytest.raises(ValueError, match="k must be an integer from 1 to 6"):
            graph.first(k)


def test_csr_holds_to_cleanlabs_contract():
    """Stored distances ascend in each row, k of them, never to itself; a duplicate's 0 is stored."""
    embeddings = clustered(90, 5)
    embeddings[45:] = embeddings[:45]
    graph = graph_of(embeddings, 7)
    matrix = graph.to_csr()
    expected = 1 - slow_cosines(embeddings)
    assert isinstance(matrix, sparse.csr_matrix) and matrix.shape == (90, 90) and matrix.nnz == 630
    for row in range(90):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        assert len(set(matrix.indices[part])) == 7 and row not in matrix.indices[part]
        assert (np.diff(matrix.data[part]) >= 0).all() and (matrix.data[part] >= 0).all()
        assert np.allclose(matrix.data[part], np.sort(expected[row])[:7], atol=1e-6)
    back = KnnGraph.from_csr(matrix)
    assert np.array_equal(back.indices, graph.indices) and np.array_equal(back.cosines, graph.cosines)
    assert (back.method, back.recall) == ("given", None)


def test_distances_a_rounding_outside_their_range_are_taken_in():
    matrix = sparse.csr_matrix((np.array([-1e-7, 2 + 1e-7, 0.5]), np.array([1, 2, 0]), np.arange(4)), shape=(3, 3))
    assert np.array_equal(KnnGraph.from_csr(matrix).cosines, np.float32([[1], [-1], [0.5]]))


def test_a_graph_of_scikit_learn_is_taken_in():
    from sklearn.neighbors import NearestNeighbors

    embeddings = clustered(120, 6)
    search = NearestNeighbors(n_neighbors=5, metric="cosine").fit(embeddings)
    graph = KnnGraph.from_csr(search.kneighbors_graph(mode="distance"))
    expected = graph_of(embeddings, 5)
    assert np.array_equal(graph.indices, expected.indices) and np.allclose(graph.cosines, expected.cosines, atol=1e-6)
    shuffled = search.kneighbors_graph(mode="distance")
    shuffled.sort_indices()
    assert np.array_equal(KnnGraph.from_csr(shuffled).indices, expected.indices)


# --- Errors -------------------------------------------------------------------------------------------------------


def csr(dense):
    return sparse.csr_matrix(np.array(dense, float))


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([1, 2], r"CSR of shape \(n, n\), got 'list of shape \(\)'"),
        (np.eye(3), r"CSR of shape \(n, n\)"),
        (csr([[0, 1, 0], [1, 0, 0]]), r"CSR of shape \(n, n\), got 'csr of shape \(2, 3\)'"),
        (csr([[0, 1, 1], [1, 0, 0], [1, 0, 0]]), r"as many entries in every row, got \[1, 2\]"),
        (csr([[0, 1, 0], [1, 0, 0], [3, 0, 0]]), r"distances inside \[0, 2\], got \(1.0, 3.0\)"),
        (csr([[0, 1, 0], [0, 1, 0], [1, 0, 0]]), r"row \[1\] among its own neighbours"),
        (csr(np.zeros((3, 3))), r"indices must be of shape \(n, k\)"),
    ],
)
def test_refuses_matrices_that_are_no_such_graph(matrix, message):
    with pytest.raises(ValueError, match=message):
        KnnGraph.from_csr(matrix)


@pytest.mark.parametrize(
    ("indices", "cosines", "message"),
    [
        (np.array([[1], [2], [3]]), np.zeros((3, 1), np.float32), r"inside 0..2, got '1..3'"),
        (np.array([[1], [0], [0]]), np.zeros((3, 2), np.float32), r"cosines must be of shape \(3, 1\)"),
        (np.array([[1], [0], [0]]), np.zeros((3, 1)), "int64 and float32, got .*float64"),
        (np.array([[1], [0], [0]]), np.full((3, 1), 1.5, np.float32), r"cosines must be inside \[-1, 1\]"),
        (np.array([[1], [0], [0]]), np.full((3, 1), np.nan, np.float32), r"cosines must be inside \[-1, 1\]"),
        (np.array([[1, 2], [0, 2], [0, 1]]), np.float32([[0, 1]] * 3), "decreasing in every row"),
        (np.array([1, 0, 0]), np.zeros(3, np.float32), r"of shape \(n, k\)"),
    ],
)
def test_refuses_bad_graphs_where_they_are_made(indices, cosines, message):
    with pytest.raises(ValueError, match=message):
        KnnGraph(indices, cosines, "some", None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 0}, "k must be an integer from 1 to 19, got 0"),
        ({"k": 20}, "k must be an integer from 1 to 19, got 20"),
        (
            {"method": "hnws"},
            "unknown method 'hnws'; allowed: auto, clusters, exact, faiss, hnsw, reduced; did you mean 'hnsw'",
        ),
        ({"sample": 0}, "sample must be an integer of at least 1, got 0"),
        ({"threads": 0}, "threads must be an integer of at least 1, got 0"),
        ({"embeddings": np.zeros(20)}, r"embeddings must be of shape \(n, d\), got \(20,\)"),
        ({"embeddings": np.zeros((20, 0))}, r"embeddings must be of shape \(n, d\), got \(20, 0\)"),
        ({"embeddings": np.full((20, 2), "a")}, "embeddings must be real numbers, got '<U1'"),
    ],
)
def test_refuses_arguments_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        knn_graph(**({"embeddings": clustered(20, 3), "k": 2, "progress": False} | settings))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refuses_values_that_are_not_finite(value):
    embeddings = clustered(5000, 3)
    embeddings[[4500, 4600], 1] = value
    for given in (embeddings, torch.from_numpy(embeddings)):
        with pytest.raises(ValueError, match="finite, got NaN or inf in 2 rows, the first is row 4500"):
            graph_of(given, 2)
