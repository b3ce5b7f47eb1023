import os
import shutil

import jaxtyping
import numpy as np
import pytest

from lend import storage
from lend.analysis import aligned_tsne, make_maps
from lend.analysis.maps.making import UNFINISHED
from lend.run import Run, compact

pytestmark = pytest.mark.usefixtures("short_maps")


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


def contents(run):
    return {path.relative_to(run.path): path.read_bytes() for path in (run.path / "maps").rglob("*.npz")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": 2}, "points must be 0, for all, or at least 4, got 2"),
        ({"points": 3}, "points must be 0, for all, or at least 4, got 3"),
        ({"points": -1}, "points must be 0, for all, or at least 4, got -1"),
        ({"points": 100.0}, "points must be 0, for all, or at least 4, got 100.0"),
        ({"points": True}, "points must be 0, for all, or at least 4, got True"),
        ({"perplexity": 0.5}, "perplexity must be a number of at least 1, got 0.5"),
        ({"perplexity": np.nan}, "perplexity must be a number of at least 1, got nan"),
        ({"perplexity": np.inf}, "perplexity must be a number of at least 1, got inf"),
        ({"perplexity": "30"}, "perplexity must be a number of at least 1, got '30'"),
        ({"seed": -1}, "seed must be an integer of at least 0, got -1"),
        ({"seed": 1.5}, "seed must be an integer of at least 0, got 1.5"),
        ({"epochs": []}, r"epochs must be snapshot epochs such as \[1, 3\], got \[\]"),
        ({"epochs": "13"}, r"epochs must be snapshot epochs such as \[1, 3\], got '13'"),
        ({"epochs": 3}, r"epochs must be snapshot epochs such as \[1, 3\], got 3"),
        ({"epochs": [True]}, r"epochs must be snapshot epochs such as \[1, 3\], got \[True\]"),
        ({"epochs": [1.0]}, r"epochs must be snapshot epochs such as \[1, 3\], got \[1.0\]"),
    ],
    ids=str,
)
def test_wrong_arguments_leave_the_maps_as_they_are(copy, options, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users call: types are checked by make_maps
    make_maps(copy, [1], progress=False)
    before = contents(copy)
    with pytest.raises(ValueError, match=message):
        make_maps(copy, **({"points": 100, "progress": False} | options))
    assert contents(copy) == before and not (copy.path / UNFINISHED).exists()


def test_a_path_is_no_run(copy, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    for take in (make_maps, lambda path: compact(path, path)):
        with pytest.raises(ValueError, match=r"run must be a lend.Run, such as lend.Run.open\(folder\), got "):
            take(str(copy.path))


def test_numbers_of_numpy_are_numbers(copy, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    make_maps(copy, np.array([1]), points=np.int64(100), perplexity=np.float32(8), seed=np.uint8(2), progress=False)
    before = times(copy)
    make_maps(copy, [1], points=100, perplexity=8.0, seed=2, progress=False)
    assert times(copy) == before


def test_maps_of_other_settings_stay_until_the_new_ones_are_there(copy, monkeypatch):
    """Stopped in the middle: the old maps are whole; called again, it goes on with the second map."""
    make_maps(copy, progress=False)
    before, made = contents(copy), []

    def stopping(embeddings, **options):
        for result in aligned_tsne(embeddings, **options):
            made.append(options["start"] is None)
            yield result
            if len(made) == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr("lend.analysis.maps.making.aligned_tsne", stopping)
    with pytest.raises(KeyboardInterrupt):
        make_maps(copy, points=100, progress=False)
    assert contents(copy) == before
    make_maps(copy, progress=False)  # the old settings are still those of the run
    assert contents(copy) == before and made == [True]
    make_maps(copy, points=100, progress=False)
    assert made == [True, False, False] and len(copy.map_samples()) == 100
    assert {copy.map(epoch).shape for epoch in copy.epochs} == {(100, 2)}
    assert not (copy.path / UNFINISHED).exists()
    whole = {epoch: copy.map(epoch) for epoch in copy.epochs}
    shutil.rmtree(copy.path / "maps")
    make_maps(copy, points=100, progress=False)
    assert all(np.array_equal(copy.map(epoch), coordinates) for epoch, coordinates in whole.items())


def test_unfinished_maps_of_other_settings_are_not_taken(copy, monkeypatch):
    def one_map(embeddings, **options):
        yield next(aligned_tsne(embeddings, **options))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lend.analysis.maps.making.aligned_tsne", one_map)
        make_maps(copy, points=120, progress=False)
    assert (copy.path / UNFINISHED).exists() and contents(copy) == {}
    make_maps(copy, [1, 3], points=100, progress=False)
    assert len(copy.map_samples()) == 100 and {copy.map(epoch).shape for epoch in (1, 3)} == {(100, 2)}


def test_killed_between_old_and_new_maps(copy, monkeypatch):
    make_maps(copy, progress=False)
    replace, moves = os.replace, []

    def killed(source, target):
        if str(source).endswith("aligned"):
            moves.append(target)
            if len(moves) == 2:
                raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lend.analysis.maps.making.os.replace", killed)
        make_maps(copy, points=100, progress=False)
    assert contents(copy) == {} and len(moves) == 2
    # nothing is made anew
    monkeypatch.setattr("lend.analysis.maps.making.aligned_tsne", lambda embeddings, **options: iter(()))
    make_maps(copy, points=100, progress=False)
    assert copy.map(4).shape == (100, 2) and not (copy.path / UNFINISHED).exists()


def test_two_at_once_never_mix(copy):
    make_maps(copy, [1], progress=False)
    before = contents(copy)
    with storage.lock(copy.path / "maps" / "lock"):
        with pytest.raises(storage.InUseError, match=f"the maps of {copy.path} are being made by another process"):
            make_maps(copy, points=100, progress=False)
        make_maps(copy, [1], progress=False)  # nothing to make: no need to wait
    assert contents(copy) == before
    make_maps(copy, [1], points=100, progress=False)
    assert len(copy.map_samples()) == 100


def test_a_run_with_too_few_examples(copy, monkeypatch):
    monkeypatch.setattr(Run, "snapshot_samples", np.arange(3))
    with pytest.raises(ValueError, match="run must be one with at least 4 examples in its snapshots"):
        make_maps(copy, progress=False)


def test_a_map_that_collapses_is_an_error_and_the_old_ones_stay(copy, monkeypatch):
    make_maps(copy, [1], progress=False)
    before = contents(copy)
    monkeypatch.setattr("lend.analysis.maps.tsne._optimize", lambda start, *rest: 0 * start)
    with pytest.raises(FloatingPointError, match="t-SNE of 100 points at perplexity 30 has collapsed to one point"):
        make_maps(copy, [1], points=100, progress=False)
    assert contents(copy) == before


def test_maps_of_a_run_that_cannot_be_written_to_go_to_the_cache(copy, tmp_path, monkeypatch):
    before = contents(copy)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lend.run.layout.os.access", lambda path, mode: path != copy.path)
    with pytest.warns(UserWarning, match=r"cannot be written to: its maps go to .*cache"):
        make_maps(copy, points=60, progress=False)
    assert contents(copy) == before and copy.map(copy.epochs[-1]).shape == (60, 2)
    make_maps(copy, points=60, progress=False)  # all there: nothing to say
    assert len(list((tmp_path / "cache").rglob("samples.npz"))) == 1


@pytest.mark.parametrize("name", ["samples.npz", "0001.npz", "0003.npz"])
@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x" * 99), lambda path: os.truncate(path, 300)])
def test_damaged_maps_are_named_and_made_anew(copy, name, damage):
    make_maps(copy, points=60, progress=False)
    whole = [copy.map(epoch) for epoch in copy.epochs]
    damage(copy.path / "maps" / "aligned" / name)
    with pytest.warns(UserWarning, match=rf"aligned/{name} is damaged: .*; it is made anew"):
        make_maps(copy, points=60, progress=False)
    assert all(np.array_equal(copy.map(epoch), before) for epoch, before in zip(copy.epochs, whole, strict=True))
    assert copy.check() == [] and not (copy.path / UNFINISHED).exists()
