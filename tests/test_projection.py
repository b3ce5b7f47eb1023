import numpy as np
import pytest
import torch

from lend.analysis import affinities, aligned_tsne, principal_plane
from lend.analysis.maps import tsne as projection
from lend.neighbors import nearest
from lend.run import map_subset

CLASSES = 3


def moving(n=150, d=10, strengths=(1.5, 3.0, 6.0), seed=0):
    """Classes that part from epoch to epoch; what belongs to a single example stays."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % CLASSES
    centres = np.linalg.qr(rng.standard_normal((d, CLASSES)))[0].T
    own = rng.standard_normal((n, d))
    epochs = [strength * centres[labels] + own + 0.05 * rng.standard_normal((n, d)) for strength in strengths]
    return [epoch.astype(np.float32) for epoch in epochs], labels


def maps_of(epochs, **options):
    # one thread: on busy cores the threads of so small a problem mostly wait for each other
    options = {"perplexity": 10, "n_jobs": 1, "progress": False} | options
    return [coordinates for coordinates, _ in aligned_tsne(epochs, **options)]


def displacement(before, after):
    """Median move of a point in units of the size of the map."""
    size = np.sqrt(((before - before.mean(axis=0)) ** 2).sum(axis=1).mean())
    return np.median(np.linalg.norm(after - before, axis=1)) / size


def purity(coordinates, labels, k=5):
    distances = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.mean(labels[np.argsort(distances, axis=1)[:, :k]] == labels[:, None])


@pytest.fixture(scope="module")
def epochs():
    return moving()


@pytest.fixture(scope="module")
def maps(epochs):
    return maps_of(epochs[0])


def test_one_map_and_the_neighbours_per_epoch(epochs):
    results = list(aligned_tsne(epochs[0], perplexity=10, n_jobs=1, progress=False))
    assert len(results) == len(epochs[0])
    for embeddings, (coordinates, neighbors) in zip(epochs[0], results, strict=True):
        assert coordinates.shape == (150, 2) and coordinates.dtype == np.float32
        assert np.array_equal(neighbors, nearest(torch.from_numpy(embeddings), 30)[0][:, :10].numpy())


def test_same_seed_gives_the_same_maps(epochs, maps):
    for once, again in zip(maps, maps_of(epochs[0]), strict=True):
        assert np.array_equal(once, again)


@pytest.mark.parametrize("fft_from", [0, 4000])
def test_threads_change_nothing(monkeypatch, fft_from):
    monkeypatch.setattr(projection, "FFT_FROM", fft_from)
    monkeypatch.setattr(projection, "COLD", ((5, 12.0, 0.5), (5, 1.0, 0.8)))  # few: two threads are slow on busy cores
    embeddings = moving(n=200)[0][:1]
    assert np.array_equal(maps_of(embeddings, n_jobs=2)[0], maps_of(embeddings, n_jobs=1)[0])


def test_seed_and_progress_bar(epochs, maps):
    assert not np.array_equal(maps_of(epochs[0][:1], seed=1)[0], maps[0])
    assert np.array_equal(maps_of(epochs[0][:1], progress=True)[0], maps[0])


def test_epochs_are_read_one_at_a_time(epochs, maps):
    read = []

    def lazily():
        for i, embeddings in enumerate(epochs[0]):
            read.append(i)
            yield embeddings

    stream = aligned_tsne(lazily(), perplexity=10, n_jobs=1, progress=False)
    assert read == []
    assert np.array_equal(next(stream)[0], maps[0]) and read == [0]


def test_start_goes_on_from_a_saved_map(epochs, maps):
    rest = maps_of(epochs[0][1:], start=maps[0])
    assert np.array_equal(rest[0], maps[1]) and np.array_equal(rest[1], maps[2])


def test_input_is_unchanged_and_may_be_half_precision_or_read_only(epochs):
    embeddings = epochs[0][0].astype(np.float16)
    embeddings.setflags(write=False)
    assert np.array_equal(maps_of([embeddings])[0], maps_of([embeddings.astype(np.float64)])[0])


def test_aligned_points_keep_their_place(epochs, maps):
    independent = maps_of(epochs[0], aligned=False)
    for i in range(len(maps) - 1):
        # independent maps turned and mirrored to fit best, so that only their shape is judged
        u, _, v = np.linalg.svd(independent[i + 1].T @ independent[i])
        assert displacement(maps[i], maps[i + 1]) < displacement(independent[i], independent[i + 1] @ (u @ v))


def test_separated_classes_stay_pure(epochs, maps):
    assert purity(maps[-1], epochs[1]) > 0.98
    assert purity(maps[0], epochs[1]) < purity(maps[-1], epochs[1])


@pytest.mark.filterwarnings("ignore:embeddings are nearly parallel")  # true of equal ones
@pytest.mark.parametrize("case", ["duplicates", "all equal", "all zero", "zero rows", "one feature"])
def test_degenerate_embeddings_give_finite_maps(case):
    embeddings = moving(n=60)[0][1]
    if case == "duplicates":
        embeddings[30:] = embeddings[:30]
    elif case == "zero rows":
        embeddings[[0, 7, 8]] = 0
    elif case == "one feature":
        embeddings = embeddings[:, :1]
    else:
        embeddings[:] = case == "all equal"
    assert all(np.isfinite(coordinates).all() for coordinates in maps_of([embeddings, embeddings], perplexity=5))


def test_affinities_agree_with_a_slow_loop():
    embeddings = torch.from_numpy(moving(n=40)[0][1])
    indices, cosines = nearest(embeddings, 15)
    probabilities = affinities(indices, cosines, 5, n_jobs=1).P.toarray()
    expected = np.zeros((40, 40))
    for i in range(40):
        squared = (1 - cosines[i].double().numpy()) ** 2
        low, high = 0.0, 1e3  # the precision at which the entropy is log(perplexity), by bisection
        for _ in range(100):
            weights = np.exp(-squared * (low + high) / 2)
            weights /= weights.sum()
            entropy = -np.sum(weights * np.log(np.maximum(weights, 1e-300)))
            low, high = ((low + high) / 2, high) if entropy > np.log(5) else (low, (low + high) / 2)
        assert np.isclose(entropy, np.log(5))
        expected[i, indices[i].numpy()] = weights
    expected = (expected + expected.T) / expected.sum() / 2
    assert np.allclose(probabilities, expected, atol=1e-7)


def test_principal_plane_agrees_with_a_singular_value_decomposition():
    x = moving()[0][1]
    plane = principal_plane(torch.from_numpy(x), 0)
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    assert np.isclose(plane[:, 0].std(), 1e-4, rtol=0.01)
    for column in range(2):
        assert abs(np.corrcoef(plane[:, column], (u * s)[:, column])[0, 1]) > 0.999


def test_refuses_a_perplexity_out_of_range(epochs):
    with pytest.raises(ValueError, match="perplexity .* at most 49.67 for n = 150, got 50"):
        maps_of(epochs[0], perplexity=50)
    with pytest.raises(ValueError, match="perplexity"):
        maps_of(epochs[0], perplexity=0)


def test_refuses_threads_and_starts_that_are_none(epochs):
    with pytest.raises(ValueError, match="n_jobs must be -1, for all cores, or at least 1, got 0"):
        maps_of(epochs[0], n_jobs=0)
    with pytest.raises(ValueError, match=r"start must be a map of shape \(n, 2\), got \(150, 3\)"):
        maps_of(epochs[0], start=np.zeros((150, 3)))


def test_a_map_of_few_points_is_spread_or_an_error():
    """A map in which all points lie in one place would be wrong in silence."""
    collapsed = 0
    for n, seed in ((4, 0), (6, 1), (8, 2), (10, 3)):
        try:
            (coordinates,) = maps_of(moving(n=n, strengths=(0.0,), seed=seed)[0], perplexity=(n - 1) / 3)
        except FloatingPointError as error:
            assert f"the t-SNE of {n} points at perplexity {(n - 1) / 3:.4g} has collapsed to one point" in str(error)
            collapsed += 1
        else:
            assert coordinates.std() > 1
    assert collapsed


def test_refuses_bad_embeddings(epochs):
    with pytest.raises(ValueError, match="same n at every epoch, got 149 after 150"):
        maps_of([epochs[0][0], epochs[0][1][1:]])
    with pytest.raises(ValueError, match=r"shape \(n, d\), got \(5,\)"):
        maps_of([np.zeros(5)])
    broken = epochs[0][0].copy()
    broken[3, 2] = np.nan
    with pytest.raises(ValueError, match="finite"):
        maps_of([broken])


@pytest.mark.parametrize("size", [1, 50, 333, 999])
def test_subset_is_stratified_sorted_and_fixed(size):
    labels = np.random.default_rng(0).choice(4, 1000, p=[0.6, 0.25, 0.1, 0.05])
    chosen = map_subset(labels, size)
    assert chosen.dtype == np.int64 and len(chosen) == size and (np.diff(chosen) > 0).all()
    expected = np.bincount(labels, minlength=4) * size / 1000
    assert (np.abs(np.bincount(labels[chosen], minlength=4) - expected) <= 1).all()
    assert np.array_equal(chosen, map_subset(labels, size))
    assert size in (1, 999) or not np.array_equal(chosen, map_subset(labels, size, seed=1))


def test_subset_of_few_examples_is_all_and_errors():
    assert np.array_equal(map_subset(np.zeros(5, int), 5), np.arange(5))
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        map_subset(np.zeros(5, int), 0)
    with pytest.raises(ValueError, match="labels must have shape"):
        map_subset(np.zeros((5, 2), int))


def test_a_quick_map_keeps_as_many_neighbours():
    rng = np.random.default_rng(0)
    V = rng.normal(size=(12, 600))[rng.integers(0, 12, 400)] + rng.normal(size=(400, 600))
    kept = {}
    for quick in (False, True):
        places, near = next(aligned_tsne([V], quick=quick, progress=False))
        away = ((places[:, None] - places) ** 2).sum(axis=2)
        mapped = np.argsort(away, axis=1)[:, 1:11]
        kept[quick] = np.mean([len({*a} & {*b}) for a, b in zip(near.tolist(), mapped.tolist(), strict=True)])
    assert kept[True] > 0.9 * kept[False] > 2
    with pytest.raises(FloatingPointError, match="has collapsed"):
        next(aligned_tsne([np.zeros((100, 600))], quick=True, progress=False))
