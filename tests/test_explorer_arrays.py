"""The explorer on embeddings: arrays, data sets of xarray, and tables with a column of embeddings."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from scipy import sparse
from test_projection import moving

import lend
from lend.analysis.maps import tsne
from lend.auditing import audit
from lend.explorer import animate
from lend.neighbors import nearest
from lend.run import map_subset

pytestmark = pytest.mark.usefixtures("short_maps")

N = 90
NAMES = ("ant", "bee", "cat")


@pytest.fixture(scope="module")
def epochs():
    return moving(n=N)[0]


@pytest.fixture(scope="module")
def true():
    return np.arange(N) % 3


@pytest.fixture(scope="module")
def noisy(true):
    labels = true.copy()
    labels[::5] = (labels[::5] + 1) % 3
    return labels


def inspected(*data, **options):
    return lend.explore(*data, progress=False, **options).inspection


# --- One epoch --------------------------------------------------------------------------------------------------------


def test_embeddings_and_labels_are_mapped(epochs, true, noisy):
    explorer = lend.explore(epochs[0], noisy, true_labels=true, progress=False)
    shown = explorer.inspection
    assert explorer.colorings == ("true", "noisy") and shown.epochs == (0,)
    assert np.array_equal(shown.coordinates(0), lend.map(epochs[0], progress=False))
    assert np.array_equal(shown.values("noisy"), noisy) and np.array_equal(shown.values("true"), true)
    assert shown.class_names == ("0", "1", "2") and shown.sample_ids.tolist() == list(range(N))
    assert shown.title == f"embeddings of {N} examples" and shown.label_accuracy()["noisy"] == pytest.approx(0.8)
    neighbors = nearest(torch.from_numpy(epochs[0]), 10)[0].numpy()
    assert np.array_equal(shown.neighbors(5), neighbors[5])
    agreement = [np.mean(noisy[neighbors[i]] == noisy[i]) for i in range(N)]
    assert np.allclose(shown.values("agreement"), agreement)


def test_where_nothing_is_known_to_be_true_agreement_is_shown(epochs, noisy):
    assert lend.explore(epochs[0], noisy, progress=False).colorings == ("noisy", "agreement")


def test_true_labels_alone_can_be_shown_but_not_diluted(epochs, true):
    explorer = lend.explore(epochs[0], true_labels=true, progress=False)
    assert explorer.colorings == ("true",) and lend.explore(epochs[0], predicted=true, progress=False).colorings
    with pytest.raises(ValueError, match="re-dilution must be of noisy labels"):
        explorer.inspection.redilute()
    with pytest.raises(ValueError, match="embeddings come with their labels"):
        _ = lend.explore(epochs[0]).colorings


def test_labels_with_an_index_that_tells_no_examples_apart_go_by_position(epochs, noisy):
    labels, ids = pd.Series(noisy, index=[0] * N), [f"p{number}" for number in range(N)]
    assert np.array_equal(inspected(epochs[0], labels).values("noisy"), noisy)
    shown = inspected(epochs[0], labels, sample_ids=ids, predicted=pd.Series(noisy[::-1], index=ids[::-1]))
    assert shown.sample_ids.tolist() == ids and np.array_equal(shown.values("predicted"), noisy)


def test_dilution_is_that_of_the_library(epochs, true, noisy):
    shown = inspected(epochs[1], noisy, true_labels=true)
    found = shown.redilute(k=6)
    expected = lend.dilute(epochs[1], noisy, k=6).argmax(axis=1)
    assert np.array_equal(found.labels, expected) and found.accuracy == pytest.approx((expected == true).mean())


def test_labels_of_every_kind(epochs, true, noisy):
    names = np.array(NAMES)
    named = inspected(epochs[0], names[noisy], true_labels=pd.Categorical(names[true]), predicted=list(names[noisy]))
    assert named.class_names == NAMES and np.array_equal(named.values("predicted"), noisy)
    coded = inspected(epochs[0], torch.from_numpy(noisy), true_labels=true.astype(np.float32), class_names=NAMES)
    assert coded.class_names == NAMES and np.array_equal(coded.values("noisy"), named.values("noisy"))
    signs = inspected(epochs[0], np.where(noisy == 0, -1, 1))
    assert signs.class_names == ("-1", "1") and np.array_equal(signs.values("noisy"), (noisy > 0).astype(int))
    numbers = inspected(epochs[0], [("10", "2", "9")[code] for code in noisy], true_labels=["2"] * N)
    assert numbers.class_names == ("2", "9", "10")
    flags = inspected(epochs[0], noisy > 0)
    assert flags.class_names == ("False", "True")


def test_unlabelled_examples_are_unknown_and_get_a_label_by_dilution(epochs, true):
    labels = pd.array(true, dtype="Int64")
    labels[4] = pd.NA
    shown = inspected(epochs[2], labels)
    assert shown.values("noisy")[4] == -1 and np.isnan(shown.values("agreement")[4])
    assert np.isfinite(np.delete(shown.values("agreement"), 4)).all()
    assert shown.redilute().labels[4] == true[4]
    lonely = epochs[2].copy()
    lonely[4] = 0
    assert inspected(lonely, labels).redilute(affinity="sum").labels[4] == -1
    with pytest.warns(UserWarning, match="labels: -1, in 1 of 90, is taken as unlabelled"):
        assert inspected(epochs[0], labels.to_numpy(int, na_value=-1)).values("noisy")[4] == -1


def test_everything_with_an_index_goes_by_it(epochs, true, noisy):
    ids = [f"p{number}" for number in range(N)]
    order = np.random.default_rng(0).permutation(N)
    shuffled = [pd.Series(values, index=ids).iloc[order] for values in (true, noisy)]
    images = {name: np.full((4, 4), number, np.uint8) for name, number in zip(ids, range(N), strict=True)}
    shown = inspected(
        pd.DataFrame(epochs[0], index=ids).iloc[order],
        pd.Series(noisy, index=ids),
        true_labels=shuffled[0],
        predicted=dict(shuffled[1]),
        columns=pd.DataFrame({"loss": np.arange(N)}, index=ids).iloc[order],
        images=images,
        map=pd.DataFrame({"u": np.arange(N), "v": 0}, index=ids).iloc[order],
    )
    assert shown.sample_ids.tolist() == ids and shown.coordinates(0)[:, 0].tolist() == list(range(N))
    assert np.array_equal(shown.values("true"), true) and np.array_equal(shown.values("predicted"), noisy)
    assert np.allclose(shown.values("loss"), np.arange(N) / (N - 1)) and shown.image(7)[0, 0, 0] == 7
    assert shown.neighbors(3).tolist() == nearest(torch.from_numpy(epochs[0]), 10)[0][3].tolist()


def test_further_columns_colour_points(epochs, noisy):
    kept = torch.from_numpy(noisy > 0)
    for labels in (noisy, np.array(NAMES)[noisy]):
        found = audit(epochs[2], labels, progress=False)
        shown = inspected(epochs[2], labels, columns=found.issues)
        assert shown.kind("is_label_issue") == "flag" and shown.kind("label_score") == "share"
        assert np.array_equal(shown.values("given_label"), noisy) and shown.kind("predicted_label") == "class"
    shown = inspected(epochs[2], noisy, columns={"diluted": noisy[::-1], "kept": kept, "agreement": np.ones(N)})
    assert np.array_equal(shown.values("diluted"), noisy[::-1]) and np.array_equal(shown.values("kept"), noisy > 0)
    assert (shown.values("agreement") == 1).all()
    with pytest.warns(UserWarning, match="left out: 'file'"):
        inspected(epochs[2], noisy, columns={"file": [f"{number}.png" for number in range(N)]})


def test_a_part_is_chosen_by_class_and_keeps_its_own(epochs, true, noisy):
    images = np.arange(N, dtype=np.uint8)[:, None, None] + np.zeros((N, 4, 4), np.uint8)
    shown = inspected(epochs[0], noisy, true_labels=true, images=images, points=40, seed=3)
    rows = map_subset(noisy, 40, 3)
    assert len(rows) == 40 and shown.title == "embeddings of 40 of 90 examples"
    assert np.abs(np.bincount(shown.values("noisy")) - np.bincount(noisy) * 40 / N).max() <= 1
    chosen = shown.sample_ids
    assert np.array_equal(shown.values("true"), true[chosen])
    assert [shown.image(place)[0, 0, 0] for place in range(40)] == chosen.tolist()
    assert np.array_equal(shown.coordinates(0), lend.map(epochs[0][chosen], seed=3, progress=False))
    assert np.array_equal(shown.redilute().labels, lend.dilute(epochs[0][chosen], noisy[chosen]).argmax(axis=1))


def test_maps_are_kept_where_a_folder_is_given(epochs, noisy, tmp_path, monkeypatch):
    first = inspected(epochs[0], noisy, folder=tmp_path, points=50)
    monkeypatch.setattr("lend.analysis.maps.arrays.aligned_tsne", lambda *_, **__: pytest.fail("made again"))
    again = inspected(epochs[0], noisy, folder=tmp_path, points=50)
    assert np.array_equal(first.coordinates(0), again.coordinates(0))
    assert np.array_equal(first.values("agreement"), again.values("agreement"))


def test_sparse_embeddings(epochs, noisy):
    wide = sparse.csr_array(np.hstack([np.maximum(epochs[2], 0), np.zeros((N, 200), np.float32)]))
    shown = inspected(wide, noisy)
    found = shown.redilute(k=5)
    assert np.array_equal(found.labels, lend.dilute(wide, noisy, k=5).argmax(axis=1))
    assert len(shown.neighbors(0)) == 10


# --- Several epochs ---------------------------------------------------------------------------------------------------


def test_epochs_have_the_slider_and_aligned_maps(epochs, true, noisy):
    by_epoch = {30: epochs[2], 10: epochs[0], 20: epochs[1]}
    predicted = {10: noisy, 20: true, 30: noisy}
    loss = {10: np.zeros(N), 20: np.linspace(0, 1, N), 30: np.ones(N)}
    shown = inspected(by_epoch, noisy, true_labels=true, predicted=predicted, columns={"loss": loss})
    assert shown.epochs == shown.map_epochs == (10, 20, 30)
    expected = lend.map(by_epoch, progress=False)
    for epoch in shown.epochs:
        assert np.array_equal(shown.coordinates(epoch), expected[epoch])
        assert np.array_equal(shown.values("predicted", epoch), predicted[epoch])
        assert np.allclose(shown.values("loss", epoch), loss[epoch])
        neighbors = nearest(torch.from_numpy(by_epoch[epoch]), 10)[0][4].tolist()
        assert shown.neighbors(4, epoch).tolist() == neighbors
    assert shown.history([1]).predicted.tolist() == [[noisy[1], true[1], noisy[1]]]
    with pytest.raises(
        ValueError, match=r"predicted must be of every epoch, \[10, 20, 30\], got 'a mapping of \[10\]'"
    ):
        inspected(by_epoch, noisy, predicted={10: noisy})
    with pytest.raises(ValueError, match="noisy must be the same in every epoch"):
        inspected(by_epoch, {10: noisy, 20: true, 30: noisy})


def test_an_explorer_of_embeddings_is_shown_saved_and_animated(epochs, noisy, tmp_path):
    explorer = lend.explore(dict(enumerate(epochs[:2])), noisy, progress=False)
    assert len(explorer.page.views.views) == 2
    explorer.epoch = 1
    path = explorer.save(tmp_path / "points.parquet")
    again = lend.explore(path).inspection
    assert again.epochs == (0, 1) and np.array_equal(again.coordinates(1), explorer.inspection.coordinates(1))
    film = animate(explorer.inspection, tmp_path / "film.gif", colorings=("noisy",), fps=2, progress=False)
    assert film.read_bytes().startswith(b"GIF")


# --- Maps made elsewhere ----------------------------------------------------------------------------------------------


def test_a_given_map_is_shown_and_nothing_is_made(epochs, noisy, monkeypatch):
    monkeypatch.setattr("lend.analysis.maps.arrays.aligned_tsne", lambda *_, **__: pytest.fail("made"))
    places = np.random.default_rng(0).normal(size=(N, 2))
    places[[3, 8]] = np.nan
    shown = inspected(epochs[0], noisy, map=places)
    assert shown.sample_ids.tolist() == [number for number in range(N) if number not in (3, 8)]
    assert np.allclose(shown.coordinates(0), np.delete(places, [3, 8], axis=0))
    without = np.delete(epochs[0], [3, 8], axis=0)
    assert shown.neighbors(5).tolist() == nearest(torch.from_numpy(without), 10)[0][5].tolist()
    assert "agreement" in shown.colorings and np.isfinite(shown.values("agreement")).all()
    two = inspected({1: epochs[0], 2: epochs[1]}, noisy, map={2: places + 1, 1: places})
    assert np.allclose(two.coordinates(2), two.coordinates(1) + 1)


def test_a_map_of_a_part_goes_into_the_explorer(epochs, noisy):
    places = lend.map(epochs[0], points=50, progress=False)
    assert len(inspected(epochs[0], noisy, map=places).sample_ids) == 50


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (np.zeros((N, 3)), {}, r"map must be numbers of shape \(90, 2\), got \(90, 3\)"),
        (np.full((N, 2), np.nan), {}, "map must be with at least one row that is a place"),
        (np.full((N, 2), np.inf), {}, "map must be finite, or NaN where an example has no place"),
        ({5: np.zeros((N, 2))}, {}, r"map must be coordinates \(90, 2\), got 'a mapping of \[5\]'"),
        (np.zeros((N, 2)), {"points": 10, "seed": 2}, r"map must be given without settings.*got \['points', 'seed'\]"),
    ],
)
def test_maps_that_are_none(given, options, message, epochs, noisy):
    with pytest.raises(ValueError, match=message):
        inspected(epochs[0], noisy, map=given, **options)


# --- Data sets --------------------------------------------------------------------------------------------------------


def dataset(epochs, true, noisy):
    distributions = np.eye(3)[np.stack([noisy, true, true])]
    return xr.Dataset(
        {
            "embeddings": (("epoch", "sample", "feature"), np.stack(epochs)),
            "diluted": (("epoch", "sample", "class"), distributions),
            "kept": (("epoch", "sample"), np.stack([noisy == true] * 3)),
            "pictures": (("sample", "pixel"), np.zeros((N, 4))),
        },
        {
            "epoch": [1, 5, 9],
            "true": ("sample", np.where(true == 2, -1, true)),
            "noisy": ("sample", noisy),
            "sample_id": ("sample", 100 + np.arange(N)),
            "class": list(NAMES),
        },
    )


def test_a_data_set(epochs, true, noisy):
    shown = inspected(dataset(epochs, true, noisy))
    assert shown.epochs == (1, 5, 9) and shown.class_names == NAMES and shown.sample_ids[3] == 103
    assert set(shown.colorings) == {"true", "noisy", "diluted", "kept", "wrong", "agreement"}
    assert np.array_equal(shown.values("diluted", 1), noisy) and np.array_equal(shown.values("diluted", 5), true)
    assert np.array_equal(shown.values("true"), np.where(true == 2, -1, true))
    assert np.array_equal(shown.coordinates(9), lend.map(dict(enumerate(epochs)), progress=False)[2])
    one = dataset(epochs, true, noisy).isel(epoch=0).transpose("feature", ...)
    assert np.array_equal(inspected(one).coordinates(0), shown.coordinates(1))
    placed = one.assign(x=("sample", np.arange(N)), y=("sample", noisy))
    assert inspected(placed).coordinates(0)[:, 0].tolist() == list(range(N))


def test_the_data_set_of_a_run_is_what_the_run_is(saved):
    shown = inspected(saved.dataset, folder=None)
    assert shown.epochs == saved.epochs and "predicted" in shown.colorings
    assert np.array_equal(shown.values("noisy"), saved.labels["noisy"])
    diluted = saved.snapshot(3)["diluted"].values.argmax(axis=1)
    assert np.array_equal(shown.values("diluted", 3), diluted)


# --- Tables -----------------------------------------------------------------------------------------------------------


def test_a_table_with_embeddings(epochs, true, noisy, tmp_path):
    names, order = np.array(NAMES), np.random.default_rng(0).permutation(N)
    parts = [
        pd.DataFrame({"embeddings": list(rows), "noisy": names[noisy], "true": names[true], "epoch": epoch})
        .rename_axis("sample_id")
        .iloc[order if epoch == 2 else slice(None)]
        for epoch, rows in enumerate(epochs[:2], 1)
    ]
    frame = pd.concat(parts)
    shown = inspected(frame)
    expected = lend.map({1: epochs[0], 2: epochs[1]}, progress=False)
    assert shown.epochs == (1, 2) and np.array_equal(shown.coordinates(2), expected[2])
    assert np.array_equal(shown.values("noisy"), noisy) and len(shown.redilute().labels) == N
    frame.to_parquet(tmp_path / "points.parquet")
    for path in (tmp_path / "points.parquet", str(tmp_path / "points.parquet")):
        assert np.array_equal(inspected(path).coordinates(2), expected[2])


def test_a_table_with_embeddings_and_places(epochs, noisy):
    frame = pd.DataFrame({"embeddings": epochs[0].tolist(), "noisy": noisy, "u": np.arange(N), "v": 1.0})
    shown = inspected(frame, x="u", y="v")
    assert shown.coordinates(0)[:, 0].tolist() == list(range(N)) and len(shown.redilute().labels) == N
    assert "u" not in shown.colorings
    frame.loc[3, "embeddings"] = None
    with pytest.raises(ValueError, match="column 'embeddings' must be"):
        inspected(frame)


def test_an_index_without_a_name_is_read_again(epochs, noisy, tmp_path):
    frame = pd.DataFrame({"embeddings": epochs[0].tolist(), "noisy": noisy}, index=[f"p{i}" for i in range(N)])
    frame.to_parquet(tmp_path / "points.parquet")
    assert inspected(tmp_path / "points.parquet").sample_ids[2] == "p2"


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [0, 1]}, "labels must be of length 90, one per embedding, got 2"),
        ({"labels": ["a", "b", "c"] * 30, "true_labels": [0, 1, 2] * 30}, "labels must be all class names or all int"),
        ({"labels": [0.5] * 90}, "labels must be all integers or all strings"),
        ({"labels": [0, 1, 2] * 30, "columns": {"x": [0] * 90}}, r"columns must be of other names than x, y.*\['x'\]"),
        (
            {"labels": [0, 1, 2] * 30, "columns": {"noisy": [0] * 90}},
            r"columns must be of other names than .*, noisy, got \['noisy'\]",
        ),
        ({"labels": [0, 1, 2] * 30, "columns": {"loss": [0] * 9}}, r"columns\['loss'\] must be of length 90"),
        (
            {"labels": [0, 1, 2] * 30, "columns": {"loss": np.zeros((90, 2))}},
            r"columns\['loss'\] must be of shape \(n,\)",
        ),
        ({"labels": [0, 1, 2] * 30, "sample_ids": [7] * 90}, "sample_ids must be all different"),
        ({"labels": [0, 1, 2] * 30, "images": np.zeros((4, 8, 8))}, "images must be .* of length 90, one per point"),
        ({"labels": [0, 1, 2] * 30, "x": "u"}, r"options must be class_names, .* for embeddings, got \['x'\]"),
        ({"labels": [0, 1, 2] * 30, "points": 2}, "points must be 0, for all, or at least 4, got 2"),
        ({}, r"data must be a run .*ndarray; embeddings come with their labels: lend.explore\(embeddings, labels\)"),
    ],
)
def test_bad_arrays_are_one_message(options, message, epochs):
    explorer = lend.explore(epochs[0], progress=False, **options)
    with pytest.raises(ValueError, match=message):
        explorer.inspection.frame()
    assert "lend-error" in explorer.page.message.value


def test_epochs_are_integers(epochs, noisy):
    for strange in ({}, {"first": epochs[0], 2: epochs[1]}):
        with pytest.raises(ValueError, match="embeddings must be an array, or a mapping of epochs, integers"):
            inspected(strange, noisy)


def test_labels_do_not_go_with_what_has_its_own(epochs, noisy, saved):
    for data in (saved, dataset(epochs, noisy, noisy), pd.DataFrame({"x": [1.0], "y": [2.0], "noisy": [0]})):
        with pytest.raises(ValueError, match="labels must be given with embeddings: .* brings its own"):
            lend.explore(data, noisy).inspection.frame()


def test_the_second_argument_may_name_colorings():
    frame = pd.DataFrame({"x": [0.0, 1], "y": [0.0, 1], "noisy": list("ab"), "true": list("aa")})
    assert lend.explore(frame, ["noisy"]).colorings == ("noisy",)
    assert lend.explore(frame.rename(columns={"x": "u"}), ("noisy", "true"), x="u").colorings == ("noisy", "true")


def test_a_map_that_collapses_is_told(epochs, noisy, monkeypatch):
    monkeypatch.setattr(tsne, "_optimize", lambda start, *rest: 0 * start)
    explorer = lend.explore(epochs[0], noisy, progress=False)
    assert "has collapsed to one point" in explorer.page.message.value
