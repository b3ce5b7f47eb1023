import shutil

import numpy as np
import pytest

from lend import storage
from lend.maps import make_maps
from lend.run import Run


@pytest.fixture
def copy(saved, tmp_path):
    return Run.open(shutil.copytree(saved.path, tmp_path / saved.path.name))


def times(run):
    return {path.name: path.stat().st_mtime_ns for path in (run.path / "maps").rglob("*.npz")}


def test_maps_are_cached_and_neighbours_are_those_of_the_embedding(copy):
    make_maps(copy, progress=False)
    assert np.array_equal(copy.map_samples(), np.arange(240))
    first = times(copy)
    make_maps(copy, progress=False)
    assert times(copy) == first and len(first) == 4
    for epoch in copy.epochs:
        coordinates = copy.map(epoch)
        assert coordinates.shape == (240, 2) and coordinates.dtype == np.float32 and np.isfinite(coordinates).all()
        vectors = copy.embeddings(epoch).astype(np.float64)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -1)
        kept = np.take_along_axis(cosines, copy.map_neighbors(epoch), axis=1)
        assert np.allclose(kept, -np.sort(-cosines, axis=1)[:, :10], atol=1e-5)


def test_a_later_call_continues_the_chain(copy, tmp_path):
    """Epoch by epoch or all at once: the same maps."""
    other = Run.open(shutil.copytree(copy.path, tmp_path / "other"))
    make_maps(copy, progress=False)
    make_maps(other, [1], progress=False)
    assert not other.map_path(3, "aligned").exists()
    make_maps(other, [4], progress=False)
    for epoch in copy.epochs:
        assert np.array_equal(copy.map(epoch), other.map(epoch))


def test_a_subset_is_stratified_and_new_settings_replace_the_cache(copy):
    make_maps(copy, [1], progress=False)
    make_maps(copy, [1], points=100, progress=False)
    positions = copy.map_samples()
    assert len(positions) == 100 and copy.map(1).shape == (100, 2)
    noisy = copy.labels["noisy"].to_numpy()
    shares = np.bincount(noisy[positions], minlength=10) / 100 - np.bincount(noisy, minlength=10) / 240
    assert np.abs(shares).max() <= 0.011


def test_another_seed_is_another_map(copy):
    """Also where the run has no more examples than points, so that the subset is the same."""
    make_maps(copy, [1], progress=False)
    first = copy.map(1)
    make_maps(copy, [1], seed=1, progress=False)
    assert not np.array_equal(copy.map(1), first)
    make_maps(copy, [1], progress=False)
    assert np.array_equal(copy.map(1), first)


def test_maps_of_early_versions_count_as_seed_0(copy):
    make_maps(copy, [1], progress=False)
    path = copy.samples_path("aligned")
    storage.write_arrays(path, {k: v for k, v in storage.read_arrays(path).items() if k != "seed"})
    before = copy.map_path(1, "aligned").stat().st_mtime_ns
    make_maps(copy, [1], progress=False)
    assert copy.map_path(1, "aligned").stat().st_mtime_ns == before


def test_independent_maps_live_beside_the_aligned(copy):
    make_maps(copy, [1, 4], progress=False)
    make_maps(copy, [4], aligned=False, progress=False)
    assert copy.map(4, "independent").shape == (240, 2)
    assert not np.array_equal(copy.map(4, "independent"), copy.map(4))
    with pytest.raises(KeyError, match=r"no independent map of epoch 1; it has \[4\]"):
        copy.map(1, "independent")


def test_an_epoch_without_snapshot(copy):
    with pytest.raises(KeyError, match=r"no snapshot of epoch 2; it has \[1, 3, 4\]"):
        make_maps(copy, [2], progress=False)
