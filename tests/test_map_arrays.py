"""Maps of anyone's embeddings: of any kind, by epoch, of a part of the examples, and kept in a folder."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from jaxtyping import config as jaxtyping_config
from scipy import sparse
from test_projection import displacement, maps_of, moving, purity

import lend
from lend.analysis import Sample
from lend.analysis import maps_of as make
from lend.analysis.maps import tsne
from lend.storage import DamagedFileError

pytestmark = pytest.mark.usefixtures("short_maps")


@pytest.fixture(scope="module")
def epochs():
    return moving(n=120)[0]


def test_an_array_has_the_map_that_a_run_of_it_would_have(epochs):
    places = lend.map(epochs[0], perplexity=10, progress=False)
    assert places.shape == (120, 2) and places.dtype == np.float32
    assert np.array_equal(places, maps_of(epochs[:1])[0])
    assert not np.array_equal(places, lend.map(epochs[0], perplexity=10, seed=1, progress=False))


def test_epochs_are_aligned_and_come_in_their_order(epochs):
    by_epoch = {20: epochs[1], np.int64(30): epochs[2], 3: epochs[0]}
    placed = lend.map(by_epoch, perplexity=10, progress=False)
    assert list(placed) == [3, 20, 30]
    for places, expected in zip(placed.values(), maps_of(epochs), strict=True):
        assert np.array_equal(places, expected)
    alone = lend.map(by_epoch, perplexity=10, aligned=False, progress=False)
    assert displacement(placed[3], placed[20]) < displacement(alone[3], alone[20])


KINDS = {
    "float64": lambda x: x.astype(np.float64),
    "tensor": torch.from_numpy,
    "frame": pd.DataFrame,
    "lists": np.ndarray.tolist,
    "sparse of few columns": sparse.csr_array,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_numbers_of_another_kind_give_the_same_map(kind, epochs):
    expected = lend.map(epochs[0], perplexity=10, progress=False)
    assert np.array_equal(lend.map(KINDS[kind](epochs[0]), perplexity=10, progress=False), expected)


def words(n=150, d=400, seed=0):
    """Counts of words of three subjects: sparse, with an empty document."""
    rng = np.random.default_rng(seed)
    subjects = np.arange(n) % 3
    rates = np.full((3, d), 0.01)
    for subject in range(3):
        rates[subject, subject * 60 : subject * 60 + 60] = 0.3
    counts = rng.poisson(rates[subjects]).astype(np.float32)
    counts[7] = 0
    return sparse.csr_array(counts), subjects


def test_sparse_embeddings_are_mapped_as_they_are(monkeypatch):
    counts, subjects = words()
    places = lend.map(counts, perplexity=10, progress=False)
    assert purity(places, subjects) > 0.9
    monkeypatch.setattr(tsne, "FEW_COLUMNS", 400)
    assert np.corrcoef(places.T.ravel(), lend.map(counts, perplexity=10, progress=False).T.ravel())[0, 1] ** 2 > 0.5
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "embeddings are nearly parallel")
        monkeypatch.setattr(tsne, "FEW_COLUMNS", 100)
        assert np.isfinite(tsne.principal_plane(sparse.csr_array(np.ones((50, 200))), 0)).all()


def test_large_and_nearly_parallel_numbers_keep_their_precision(epochs):
    huge = epochs[0].astype(np.float64) * 2.0**700
    assert np.array_equal(lend.map(huge, perplexity=10, progress=False), maps_of(epochs[:1])[0])
    embeddings, labels = moving(n=120, strengths=(6.0,))
    with pytest.warns(UserWarning, match="nearly parallel"):
        places = lend.map(embeddings[0].astype(np.float64) + 1e6, perplexity=10, progress=False)
    assert purity(places, labels) > 0.6


def test_points_are_drawn_and_the_other_rows_are_not_a_number(epochs):
    placed = lend.map({1: epochs[0], 2: epochs[1]}, points=80, perplexity=10, progress=False)
    mapped = np.isfinite(placed[1][:, 0])
    assert mapped.sum() == 80 and np.array_equal(mapped, np.isfinite(placed[2]).all(axis=1))
    rows = np.flatnonzero(mapped)
    assert np.array_equal(placed[1][rows], lend.map(epochs[0][rows], perplexity=10, progress=False))
    other = np.isfinite(lend.map(epochs[0], points=80, perplexity=10, seed=1, progress=False)[:, 0])
    assert other.sum() == 80 and not np.array_equal(other, mapped)
    assert np.isfinite(lend.map(epochs[0], points=500, perplexity=10, progress=False)).all()


# --- Kept maps --------------------------------------------------------------------------------------------------------


def files(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_kept_map_is_read_and_other_numbers_never_get_it(epochs, tmp_path, monkeypatch):
    options = {"perplexity": 10, "folder": tmp_path / "maps", "progress": False}
    first = lend.map(epochs[0], **options)
    kept = files(tmp_path / "maps")
    assert len(kept) == 1 and np.array_equal(first, lend.map(epochs[0], perplexity=10, progress=False))
    changed = epochs[0].copy()
    changed[5, 3] = np.nextafter(changed[5, 3], np.float32(9))
    for embeddings, other in (
        (changed, {}),
        (epochs[0][::-1], {}),
        (epochs[0], {"seed": 1}),
        (epochs[0], {"perplexity": 11}),
        (epochs[0], {"points": 100}),
    ):
        before = len(files(tmp_path / "maps"))
        lend.map(embeddings, **(options | other))
        assert len(files(tmp_path / "maps")) == before + 1
    assert kept.items() <= files(tmp_path / "maps").items()
    monkeypatch.setattr("lend.analysis.maps.arrays.aligned_tsne", lambda *_, **__: pytest.fail("made again"))
    assert np.array_equal(lend.map(epochs[0].copy(order="F"), **options), first)


def test_a_call_that_was_stopped_goes_on(epochs, tmp_path, monkeypatch):
    """And an epoch more, or one less, changes only the maps after it."""
    by_epoch, made = dict(enumerate(epochs)), []
    options = {"perplexity": 10, "folder": tmp_path, "progress": False}
    aligned_tsne = tsne.aligned_tsne

    def counting(embeddings, **others):
        for number, found in enumerate(aligned_tsne(embeddings, **others)):
            made.append(number)
            yield found
            if len(made) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr("lend.analysis.maps.arrays.aligned_tsne", counting)
    with pytest.raises(KeyboardInterrupt):
        lend.map(by_epoch, **options)
    assert len(files(tmp_path)) == 2
    placed = lend.map(by_epoch, **options)
    assert len(made) == 3 and len(files(tmp_path)) == 3
    for places, expected in zip(placed.values(), maps_of(epochs), strict=True):
        assert np.array_equal(places, expected)
    lend.map({0: epochs[0], 2: epochs[2]}, **options)
    assert len(files(tmp_path)) == 4
    lend.map(by_epoch, aligned=False, **options)
    assert len(files(tmp_path)) == 6  # the first is the same


def test_kept_maps_tell_the_neighbours(epochs, tmp_path):
    sample = Sample.of_all({0: epochs[0]})
    made, read = (make(sample, perplexity=10, folder=tmp_path, progress=False)[0] for _ in range(2))
    assert made.neighbors.shape == (120, 10) and np.array_equal(made.neighbors, read.neighbors)


def test_sparse_numbers_have_one_key(tmp_path):
    counts, _ = words()
    lend.map(counts, folder=tmp_path, progress=False)
    unsorted = sparse.coo_array(counts)
    order = np.random.default_rng(0).permutation(unsorted.nnz)
    shuffled = sparse.coo_array((unsorted.data[order], (unsorted.row[order], unsorted.col[order])), counts.shape)
    lend.map(shuffled, folder=tmp_path, progress=False)
    assert len(files(tmp_path)) == 1


def test_a_damaged_file_is_named(epochs, tmp_path):
    lend.map(epochs[0], folder=tmp_path, progress=False)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DamagedFileError, match=path.name):
        lend.map(epochs[0], folder=tmp_path, progress=False)


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("embeddings", "options", "message"),
    [
        (np.zeros(5), {}, r"embeddings must be of shape \(n, d\), got \(5,\)"),
        (np.zeros((3, 2)), {}, "embeddings must be of at least 4 examples, got 3"),
        ({}, {}, "embeddings must be an array, or a mapping of epochs"),
        ({"last": np.eye(9)}, {}, "a mapping of epochs, integers, to arrays, got .*'last'"),
        ({1: np.eye(9), 2: np.eye(8)}, {}, "embeddings must be of 9 rows at epoch 2, got 8"),
        (np.eye(9), {"points": 3}, "points must be 0, for all, or at least 4, got 3"),
        (np.eye(9), {"perplexity": 0}, "perplexity must be a number of at least 1, got 0"),
        (np.eye(9), {"seed": -1}, "seed must be an integer of at least 0, got -1"),
        (np.array([["a"] * 5] * 9), {}, "embeddings must be real numbers"),
    ],
)
def test_bad_input_is_one_error(embeddings, options, message, monkeypatch):
    monkeypatch.setattr(jaxtyping_config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=message):
        lend.map(embeddings, progress=False, **options)


def test_what_is_not_finite_is_named_before_the_long_work(epochs, monkeypatch):
    monkeypatch.setattr("lend.analysis.maps.arrays.aligned_tsne", lambda *_, **__: pytest.fail("made"))
    broken = epochs[1].copy()
    broken[[17, 30], 2] = np.nan
    with pytest.raises(ValueError, match="finite, got NaN or inf in 2 rows at epoch 2, the first is row 17"):
        lend.map({1: epochs[0], 2: broken}, progress=False)
    with pytest.raises(ValueError, match="finite, got NaN or inf in 2 rows, the first is row 17"):
        lend.map(sparse.csr_array(broken), progress=False)


def test_the_room_and_the_function_are_two_names():
    assert lend.maps.make_maps.__module__ == "lend.analysis.maps.making" and callable(lend.map)
    assert lend.map is lend.maps.map and lend.map.__name__ == "map_embeddings"
