"""What an explorer shows is what the run holds, epoch by epoch; and what one does there can be undone and written."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from lend.analysis import make_maps, snapshot_numbers, snapshot_points
from lend.dilution import dilute
from lend.explorer import Inspection
from lend.explorer.inspection import FILTERS, NoMapsError, rediluter
from lend.explorer.inspection.mapped_run import duration
from lend.inputs import Dilution
from lend.run import Run

pytestmark = pytest.mark.usefixtures("short_maps")


@pytest.fixture(scope="module")
def run(saved, tmp_path_factory):
    """The tiny run with maps of epochs 1, 3 and 4."""
    copy = Run.open(shutil.copytree(saved.path, tmp_path_factory.mktemp("inspected") / saved.path.name))
    make_maps(copy, progress=False)
    return copy


@pytest.fixture
def shown(run):
    return Inspection.of_run(run)


@pytest.fixture
def part(run, tmp_path):
    """The same run, but only 90 of its examples are mapped."""
    copy = Run.open(shutil.copytree(run.path, tmp_path / run.path.name))
    make_maps(copy, points=90, progress=False)
    return copy


def table(**columns):
    """Four samples of two classes at one epoch."""
    labels = {"true": list("aabb"), "noisy": list("abbb"), "predicted": list("aaba")}
    return pd.DataFrame({"x": [0.0, 1, 2, 3], "y": [0.0, 0, 1, 1]} | labels | columns)


def epochs_table():
    """Two epochs, 10 and 20, the second in another order of samples."""
    first = table(sample_id=[7, 8, 9, 5]).assign(epoch=10)
    second = first.iloc[::-1].assign(epoch=20, x=[13.0, 12, 11, 10], predicted=list("bbbb"))
    return pd.concat([first, second])


# --- What a run shows -------------------------------------------------------------------------------------------------


def test_a_run_shows_its_labels_of_every_epoch(part):
    shown, chosen = Inspection.of_run(part), part.map_samples()
    assert len(chosen) == 90 and shown.epochs == (1, 2, 3, 4) and shown.map_epochs == (1, 3, 4)
    assert np.array_equal(shown.sample_ids, part.labels.index[chosen])
    shown.labels_of = "training"
    for epoch in shown.epochs:
        assert np.array_equal(shown.values("predicted", epoch), part.predicted(epoch)[chosen])
        assert np.array_equal(shown.values("diluted", epoch), part.diluted(epoch)[chosen])
        assert np.array_equal(shown.values("kept", epoch), part.kept(epoch)[chosen])
        true = part.labels["true"].to_numpy()[chosen]
        accuracy = shown.label_accuracy(epoch)
        assert accuracy["predicted"] == pytest.approx((part.predicted(epoch)[chosen] == true).mean())
        right = part.labels["noisy"].to_numpy()[chosen] == true
        assert accuracy["noisy"] == pytest.approx(right.mean())
        assert accuracy["kept"] == pytest.approx(part.kept(epoch)[chosen].mean())
        assert accuracy["kept_precision"] == pytest.approx(right[part.kept(epoch)[chosen]].mean())


def test_over_all_examples_accuracies_are_those_of_the_history(run, shown):
    shown.labels_of = "training"
    for epoch in shown.epochs:
        row, accuracy = run.history.loc[epoch], shown.label_accuracy(epoch)
        for name in ("predicted", "diluted", "noisy"):
            assert accuracy[name] == pytest.approx(row[f"{name}_label_accuracy"], abs=1e-6)


def test_labels_are_those_of_the_figure_unless_told_otherwise(run, shown):
    assert shown.labels_of == "snapshot"
    for epoch, at in ((1, 1), (2, 1), (3, 3), (4, 4)):
        numbers, accuracy, points = snapshot_numbers(run, at), shown.label_accuracy(epoch), snapshot_points(run, at)
        for name in ("predicted", "diluted"):
            assert accuracy[name] == pytest.approx(numbers[f"{name}_label_accuracy"])
            assert np.array_equal(shown.values(name, epoch), points[name])
        assert accuracy["kept"] == pytest.approx(run.kept(epoch).mean()), "which is that of the training passes"
        assert shown.labels_note(epoch) == f"labels of: snapshot (evaluation mode) of epoch {at}"
    assert not np.array_equal(shown.values("predicted", 1), run.predicted(1))
    shown.labels_of = "training"
    assert np.array_equal(shown.values("predicted", 1), run.predicted(1))
    assert shown.labels_note(2) == "labels of: training passes of the epoch"
    assert np.array_equal(
        shown.history([shown.sample_ids[3]]).predicted[0], [run.predicted(e)[3] for e in (1, 2, 3, 4)]
    )
    with pytest.raises(ValueError, match="unknown labels_of 'both'"):
        shown.labels_of = "both"
    bare = Inspection.of_frame(table())
    assert bare.labels_of == "" == bare.labels_note()
    with pytest.raises(ValueError, match="labels_of must be left alone"):
        bare.labels_of = "training"


def test_colorings_are_those_that_exist(shown):
    assert shown.colorings == ("true", "predicted", "noisy", "diluted", "kept", "wrong", "agreement", "score")
    kinds = [shown.kind(name) for name in shown.colorings]
    assert kinds == ["class"] * 4 + ["flag"] * 2 + ["share"] * 2
    assert shown.values("predicted").dtype == np.int16 and shown.values("wrong").dtype == bool
    assert np.array_equal(shown.values("wrong"), shown.values("true") != shown.values("noisy"))
    with pytest.raises(ValueError, match="unknown coloring 'nosy'.*did you mean 'noisy'"):
        shown.values("nosy")
    with pytest.raises(ValueError, match="unknown coloring 'rediluted'"):
        shown.kind("rediluted")


def test_agreement_and_score_are_those_of_the_map_at_or_before(part):
    shown, chosen = Inspection.of_run(part), part.map_samples()
    noisy = part.labels["noisy"].to_numpy()[chosen]
    for epoch, at in ((1, 1), (2, 1), (3, 3), (4, 4)):
        neighbors = part.map_neighbors(at)
        agreement = [np.mean([noisy[j] == noisy[i] for j in neighbors[i]]) for i in range(len(noisy))]
        assert np.allclose(shown.values("agreement", epoch), agreement)
        diluted = part.snapshot(at)["diluted"].values[chosen]
        assert np.allclose(shown.values("score", epoch), [diluted[i, y] for i, y in enumerate(noisy)], atol=1e-6)
        assert np.array_equal(shown.neighbors(5, epoch), neighbors[5])


def test_points_move_on_straight_lines_between_maps(run, shown):
    first, second = run.map(1), run.map(3)
    assert np.array_equal(shown.coordinates(1), first) and np.array_equal(shown.coordinates(3), second)
    assert np.allclose(shown.coordinates(2), (first + second) / 2, atol=1e-5)
    assert shown.position_note(2) == "epoch 2: between the maps of 1 and 3"
    assert shown.position_note(3) == "epoch 3: its own map"


def test_before_the_first_map_and_after_the_last_points_stand(run, tmp_path):
    copy = Run.open(shutil.copytree(run.path, tmp_path / run.path.name))
    for epoch in (1, 4):
        copy.map_path(epoch, "aligned").unlink()
    shown = Inspection.of_run(copy)
    assert shown.map_epochs == (3,) and shown.epochs == (1, 2, 3, 4) and shown.epoch == 3
    for epoch in (1, 4):
        assert np.array_equal(shown.coordinates(epoch), run.map(3))
    assert shown.position_note(1) == "epoch 1: before the first map, places of epoch 3"
    assert shown.position_note(4) == "epoch 4: after the last map, places of epoch 3"
    assert shown.map_epoch(1) == 3 and shown.values("score", 1).shape == (240,)


def test_limits_are_a_square_around_all_maps(run, shown):
    (left, right), (low, high) = shown.limits
    assert right - left == pytest.approx(high - low)
    everything = np.concatenate([run.map(epoch) for epoch in (1, 3, 4)])
    assert (everything > (left, low)).all() and (everything < (right, high)).all()
    assert max(np.ptp(everything, axis=0)) > 0.9 * (right - left)


def test_the_epoch_shown_is_one_that_exists(shown):
    shown.show(2)
    assert shown.epoch == 2 and np.array_equal(shown.values("kept"), shown.values("kept", 2))
    with pytest.raises(ValueError, match="epoch must be from 1 to 4, got 5"):
        shown.show(5)
    assert shown.epoch == 2
    with pytest.raises(ValueError, match="epoch must be from 1 to 4, got 0"):
        shown.coordinates(0)


def test_a_run_without_maps_says_how_to_make_them(saved):
    with pytest.raises(NoMapsError) as error:
        Inspection.of_run(saved)
    assert f"lend tsne {saved.path}" in str(error.value) and "lend.maps.make_maps" in str(error.value)
    assert "seconds" in str(error.value) and error.value.run is saved and error.value.seconds > 0
    assert not (saved.path / "maps").exists()


def test_times_are_told_roughly():
    assert [duration(seconds) for seconds in (0.2, 33, 89, 95, 620)] == [
        "about 5 seconds",
        "about 30 seconds",
        "about 90 seconds",
        "about 2 minutes",
        "about 10 minutes",
    ]


def test_a_run_without_snapshots_says_how_to_get_some(run, tmp_path):
    copy = shutil.copytree(run.path, tmp_path / run.path.name)
    shutil.rmtree(copy / "history")
    with pytest.raises(KeyError, match="has no snapshot"):
        Inspection.of_run(Run.open(copy))


def test_no_embedding_is_read_before_one_is_asked_for(run, monkeypatch):
    def refuse(self, epoch):
        raise AssertionError("a snapshot was read")

    monkeypatch.setattr(Run, "snapshot", refuse)
    shown = Inspection.of_run(run)
    shown.labels_of = "training"
    for epoch in shown.epochs:
        shown.show(epoch)
        for name in ("true", "predicted", "noisy", "diluted", "kept", "wrong", "agreement"):
            shown.values(name)
    with pytest.raises(AssertionError, match="a snapshot was read"):
        shown.values("score")


# --- Selection --------------------------------------------------------------------------------------------------------


def test_filters_find_what_they_say(run, shown):
    shown.labels_of = "training"
    shown.show(4)
    true, noisy = (run.labels[name].to_numpy() for name in ("true", "noisy"))
    predicted, kept = run.predicted(4), run.kept(4)
    learned = np.any([run.predicted(epoch) == true for epoch in (1, 2, 3)], axis=0)
    wanted = {
        "mislabelled": noisy != true,
        "predicted differs": predicted != noisy,
        "dropped": ~kept,
        "memorised": (noisy != true) & (predicted == noisy),
        "learned then forgotten": (noisy != true) & (predicted == noisy) & learned,
    }
    assert set(wanted) | {"class"} == set(FILTERS)
    for name, found in wanted.items():
        assert np.array_equal(shown.filtered(name), run.labels.index[found])
        assert np.array_equal(shown.filtered(name, 3), run.labels.index[found & (noisy == 3)])
    assert np.array_equal(shown.filtered("class", "5"), run.labels.index[noisy == 5])
    assert wanted["mislabelled"].any() and wanted["predicted differs"].any() and wanted["dropped"].any()


def test_learned_then_forgotten_looks_at_earlier_epochs_only():
    frame = pd.concat(
        [table(predicted=list(words)).assign(epoch=epoch) for epoch, words in enumerate(("bbbb", "aaaa", "bbbb"))]
    )
    shown = Inspection.of_frame(frame)
    found = []
    for epoch in shown.epochs:
        shown.show(epoch)
        found.append(shown.filtered("learned then forgotten").tolist())
    assert found == [[], [], [1]]  # sample 1: true a, noisy b; predicted b, a, b


def test_wrong_filters_are_refused(shown):
    with pytest.raises(ValueError, match="unknown filter 'droped'.*did you mean 'dropped'"):
        shown.filtered("droped")
    with pytest.raises(ValueError, match="label must be one of 0, 1"):
        shown.filtered("class")
    with pytest.raises(ValueError, match="unknown class 'cat'"):
        shown.filtered("class", "cat")
    with pytest.raises(ValueError, match="from 0 to 9, got 10"):
        shown.filtered("dropped", 10)
    bare = Inspection.of_frame(table().drop(columns="true"))
    with pytest.raises(ValueError, match="'mislabelled' needs 'true'.*noisy, predicted"):
        bare.filtered("mislabelled")
    with pytest.raises(ValueError, match="'dropped' needs 'kept'"):
        bare.filtered("dropped")


def test_a_selection_is_in_the_order_of_the_points_and_of_known_samples(shown):
    ids = shown.sample_ids
    shown.select([ids[9], ids[2], ids[2]])
    assert shown.selection.tolist() == [ids[2], ids[9]]
    assert shown.positions_of([ids[9], ids[2]]).tolist() == [9, 2]
    with pytest.raises(ValueError, match=r"sample ids must be among the 240 mapped ones.*\[-7\]"):
        shown.select([ids[0], -7])
    assert len(shown.selection) == 2
    shown.select()
    assert len(shown.selection) == 0


def test_the_history_of_a_selection_is_that_of_the_run(part):
    shown, chosen = Inspection.of_run(part), part.map_samples()
    shown.select(shown.sample_ids[[3, 50, 89]])
    history = shown.history()
    rows = chosen[[3, 50, 89]]
    assert history.sample_ids.tolist() == part.labels.index[rows].tolist() and history.epochs == (1, 2, 3, 4)
    for column, epoch in enumerate(history.epochs):
        assert np.array_equal(history.predicted[:, column], part.predicted(epoch)[rows])
        assert np.array_equal(history.diluted[:, column], part.diluted(epoch)[rows])
        assert np.array_equal(history.kept[:, column], part.kept(epoch)[rows])
    assert np.array_equal(history.noisy, part.labels["noisy"].to_numpy()[rows])
    assert shown.history([]).predicted.shape == (0, 4)


# --- Dilution live ----------------------------------------------------------------------------------------------------


def test_the_runs_own_settings_give_its_saved_labels(run, shown):
    for epoch in run.epochs:
        shown.show(epoch)
        settings = run.config.dilution
        result = shown.redilute(k=settings.k, alpha=settings.alpha, steps=settings.steps)
        saved = run.snapshot(epoch)["diluted"].values.argmax(axis=1)
        assert np.array_equal(result.labels, saved) and result.epoch == epoch and result.points == 240
        true = run.labels["true"].to_numpy()
        assert result.accuracy == pytest.approx((saved == true).mean())
        assert np.array_equal(shown.values("rediluted"), saved)


@pytest.mark.parametrize(
    "settings",
    [
        {"k": 3, "alpha": 0.5, "steps": 4},
        {"gamma": 1.0, "affinity": "sum", "reserve": "initial"},
        {"class_prior": "balanced", "k": 32},
    ],
)
def test_other_settings_give_what_dilute_gives(run, shown, settings):
    shown.show(4)
    Z = dilute(run.embeddings(4), run.labels["noisy"].to_numpy(), num_classes=10, **settings)
    result = shown.redilute(**settings)
    assert (result.labels == Z.argmax(axis=1)).mean() > 0.99  # neighbours at equal similarity come in any order
    assert result.settings == Dilution(**settings)


def test_neighbours_are_searched_once_per_snapshot(shown, monkeypatch):
    searched = []

    def nearest(V, k):
        searched.append(len(V))
        return torch.zeros(len(V), k, dtype=torch.int64), torch.ones(len(V), k)

    monkeypatch.setattr(rediluter, "nearest", nearest)
    shown.show(1)
    shown.prepare_redilution()
    for k in (8, 3, 30):
        shown.redilute(k=k)
    assert searched == [240]
    shown.show(2)  # the map of epoch 1 still
    shown.redilute()
    assert searched == [240]
    for epoch in (3, 1, 4, 1):  # two are kept
        shown.show(epoch)
        shown.redilute()
    assert searched == [240] * 3


def test_rediluted_labels_belong_to_their_snapshot(shown):
    shown.show(3)
    assert "rediluted" not in shown.colorings
    labels = shown.redilute(k=4).labels
    assert "rediluted" in shown.colorings and shown.kind("rediluted") == "class"
    assert np.array_equal(shown.values("rediluted", 3), labels) and (labels >= 0).all()
    assert (shown.values("rediluted", 1) == -1).all()


def test_only_a_part_of_many_points_is_diluted_by_class(run, monkeypatch):
    monkeypatch.setattr(rediluter, "POINTS", 100)
    result = Inspection.of_run(run).redilute()
    inside = result.labels >= 0
    assert inside.sum() == result.points == 100
    noisy = run.labels["noisy"].to_numpy()
    assert np.abs(np.bincount(noisy[inside], minlength=10) - np.bincount(noisy, minlength=10) * 100 / 240).max() <= 1
    assert result.accuracy == pytest.approx((result.labels == run.labels["true"].to_numpy())[inside].mean())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 0}, "k must be an integer of at least 1"),
        ({"k": 33}, "k must be an integer from 1 to 32 here, got 33"),
        ({"alpha": 1.0}, "alpha must be inside"),
        ({"steps": "converged"}, "steps must be an integer of at least 1 here"),
        ({"affinity": "max"}, "affinity must be"),
        ({"class_prior": "equal"}, "class_prior must be"),
    ],
)
def test_wrong_settings_are_refused(shown, settings, message):
    with pytest.raises(ValueError, match=message):
        shown.redilute(**settings)
    assert "rediluted" not in shown.colorings


# --- Corrections ------------------------------------------------------------------------------------------------------


def test_labels_are_corrected_undone_and_written(run, shown, tmp_path):
    ids = shown.sample_ids
    noisy = run.labels["noisy"]
    first = ids[noisy.to_numpy() == 1][:3]
    shown.select(first)
    assert "corrected" not in shown.colorings and shown.undo() == 0
    assert shown.relabel("7") == 3 and shown.relabel(7) == 0
    assert shown.relabel(2, ids=[first[0], ids[noisy.to_numpy() == 2][0]]) == 1
    assert shown.corrections["corrected_label"].tolist() == ["2", "7", "7"]
    assert shown.corrections["given_label"].tolist() == ["1", "1", "1"]
    assert shown.values("corrected")[shown.positions_of(first)].tolist() == [2, 7, 7]
    shown.show(4)
    written = pd.read_csv(shown.patch(tmp_path / "patch.csv"), dtype={"suggested_label": str})
    assert list(written.columns) == ["sample_id", "given_label", "suggested_label", "label_score"]
    assert set(written["sample_id"]) == set(first) and written["label_score"].is_monotonic_increasing
    score = dict(zip(ids, shown.values("score", 4), strict=True))
    assert np.allclose(written["label_score"], [score[name] for name in written["sample_id"]])
    assert shown.undo() == 1 and shown.corrections["corrected_label"].tolist() == ["7", "7", "7"]
    assert shown.undo() == 3 and shown.undo() == 0
    assert len(shown.corrections) == 0 and "corrected" not in shown.colorings


def test_the_given_label_takes_a_correction_back(shown):
    name = shown.sample_ids[0]
    given = int(shown.values("noisy")[0])
    shown.relabel((given + 1) % 10, ids=[name])
    assert len(shown.corrections) == 1
    assert shown.relabel(given, ids=[name]) == 1 and len(shown.corrections) == 0
    assert shown.undo() == 1 and len(shown.corrections) == 1


def test_a_patch_has_the_columns_of_the_audit(shown, tmp_path):
    from lend.auditing import audit

    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20)
    found = audit(
        rng.normal(size=(40, 3)) + 9 * labels[:, None], np.where(np.arange(40) == 3, 1, labels), progress=False
    )
    theirs = pd.read_csv(found.patch(tmp_path / "audit.csv"))
    shown.relabel(0, ids=shown.sample_ids[:20])
    assert list(pd.read_csv(shown.patch(tmp_path / "own.csv")).columns) == list(theirs.columns)


def test_without_noisy_labels_nothing_can_be_corrected(tmp_path):
    shown = Inspection.of_frame(table().drop(columns="noisy"))
    with pytest.raises(ValueError, match="relabelling needs noisy labels"):
        shown.relabel("a")
    assert shown.undo() == 0 and len(shown.corrections) == 0
    assert pd.read_csv(shown.patch(tmp_path / "empty.csv")).empty


# --- One point --------------------------------------------------------------------------------------------------------


def test_a_point_is_told_in_words(run, shown):
    words = shown.describe(0, 2)
    given = run.labels.iloc[0]
    assert words["sample id"] == str(run.labels.index[0])
    assert words["true"] == run.class_names[given["true"]] and words["noisy"] == run.class_names[given["noisy"]]
    assert words["kept"] == ("kept" if run.kept(2)[0] else "dropped")
    assert words["agreement"] == f"{100 * shown.values('agreement', 2)[0]:.0f} %"
    assert set(words) == {"sample id", *shown.colorings} - {"wrong"}


def test_images_of_a_run_are_those_of_its_data_set(run, shown, monkeypatch):
    from lend import data

    dataset, asked = data.load("digits"), []
    monkeypatch.setattr(data, "load", lambda *names: asked.append(names) or dataset)
    assert asked == []
    for position in (0, 17):
        wanted = dataset.train_images[dataset.sample_ids == int(shown.sample_ids[position])][0, 0].numpy()
        image = shown.image(position)
        assert image.shape == (8, 8, 3) and image.dtype == np.uint8
        assert all(np.array_equal(image[:, :, channel], wanted) for channel in range(3))
    assert asked == [("digits", run.config.data)] and shown.images_note == ""


def test_missing_images_are_noted_once(run, monkeypatch):
    from lend import data

    tried = []

    def load(*names):
        tried.append(names)
        raise FileNotFoundError("data/cifar.tar: no such file")

    monkeypatch.setattr(data, "load", load)
    shown = Inspection.of_run(run)
    assert shown.image(0) is None and shown.image(1) is None and len(tried) == 1
    assert shown.images_note == "no images: data/cifar.tar: no such file"


def test_images_come_as_arrays_or_from_a_function():
    frame = table(sample_id=[4, 3, 8, 9])
    by_point = np.arange(4 * 6 * 6, dtype=np.uint8).reshape(4, 6, 6)
    by_id = np.arange(10 * 3 * 6 * 6).astype(np.uint8).reshape(10, 3, 6, 6)
    assert np.array_equal(Inspection.of_frame(frame, images=by_point).image(1)[:, :, 2], by_point[1])
    assert np.array_equal(Inspection.of_frame(frame, images=by_id).image(1), by_id[3].transpose(1, 2, 0))
    asked = Inspection.of_frame(frame, images=lambda name: np.full((6, 6), name / 10.0) if name != 8 else None)
    assert asked.image(3)[0, 0].tolist() == [230] * 3  # 0.9
    assert asked.image(2) is None and asked.images_note == ""
    with pytest.raises(ValueError, match="length 4, one per point, or of 10 and more, one per sample id, got 6"):
        Inspection.of_frame(frame, images=by_id[:6])
    assert Inspection.of_frame(frame).images_note == "no images were given"


# --- Tables -----------------------------------------------------------------------------------------------------------


def test_a_plain_table_is_one_epoch():
    frame = table(kept=[True, False, True, True], loss=[2.0, 4.0, 3.0, np.nan], file=list("pqrs"))
    with pytest.warns(UserWarning, match=r"cannot colour points are left out: 'file' \(no class is called 'p'\)$"):
        shown = Inspection.of_frame(frame)
    assert shown.epochs == shown.map_epochs == (0,) and shown.class_names == ("a", "b")
    assert shown.colorings == ("true", "predicted", "noisy", "kept", "wrong", "loss")
    assert shown.kind("loss") == "share" and shown.value_range("loss") == (2.0, 4.0)
    assert np.allclose(shown.values("loss"), [0, 1, 0.5, np.nan], equal_nan=True)
    assert shown.describe(2)["loss"] == "3" and shown.describe(3)["loss"] == "unknown"
    assert shown.values("noisy").tolist() == [0, 1, 1, 1] and shown.filtered("dropped").tolist() == [1]
    assert shown.label_accuracy()["noisy"] == 0.75 and np.isnan(shown.label_accuracy()["diluted"])
    assert shown.neighbors(0).tolist() == []
    with pytest.raises(ValueError, match="a table has no embeddings"):
        shown.redilute()


def test_samples_of_several_epochs_are_matched_by_id():
    shown = Inspection.of_frame(epochs_table())
    assert shown.epochs == (10, 20) and shown.sample_ids.tolist() == [7, 8, 9, 5]
    assert shown.coordinates(20)[:, 0].tolist() == [10, 11, 12, 13]
    assert shown.values("predicted", 10).tolist() == [0, 0, 1, 0] and shown.values("predicted", 20).tolist() == [1] * 4
    with pytest.raises(ValueError, match=r"epoch must be one of \(10, 20\), got 15"):
        shown.show(15)
    assert shown.history([9, 7]).predicted.tolist() == [[1, 1], [0, 1]]


def test_labels_may_be_integers_unknown_or_named():
    codes = Inspection.of_frame(table(true=[3, 3, -1, 8], noisy=[3, 8, 8, 8], predicted=[3.0, np.nan, 8, 3]))
    assert codes.class_names == ("3", "8") and codes.values("true").tolist() == [0, 0, -1, 1]
    assert codes.values("predicted").tolist() == [0, -1, 1, 0] and codes.describe(1)["predicted"] == "unknown"
    assert codes.values("wrong").tolist() == [False, True, False, False]
    assert codes.label_accuracy()["noisy"] == pytest.approx(2 / 3)
    named = Inspection.of_frame(
        table(true=[0, 1, 2, 0], noisy=list("uvww"), predicted=None), class_names=("u", "v", "w")
    )
    assert named.values("true").tolist() == [0, 1, 2, 0] and named.values("noisy").tolist() == [0, 1, 2, 2]
    assert (named.values("predicted") == -1).all()
    ordered = table(true=pd.Categorical(list("aabb"), categories=["b", "a", "c"]))
    assert Inspection.of_frame(ordered).class_names == ("b", "a", "c")


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (table().rename(columns={"x": "tsne_1"}), {}, "must have columns 'x' and 'y'.*tsne_1"),
        (table().iloc[:0], {}, "at least one row, got 0 rows"),
        (table()[["x", "y"]], {}, "with a column of labels, such as true, noisy"),
        (table(x=[0, 1, np.nan, 2]), {}, "x must be a column of finite numbers"),
        (table(y=list("abcd")), {}, "y must be a column of finite numbers"),
        (table(), {"epoch": "step"}, "'step'"),
        (table(epoch=[0.5, 1, 2, 3]), {}, "epoch must be a column of integers"),
        (table(epoch=list("pqrs")), {}, "epoch must be a column of integers"),
        (pd.concat([table(), table()], axis=1), {}, "columns with different names, got .*'x'"),
        (table(epoch=[0, 0, 1, 1]), {}, "sample_id must be the same 2 samples in every epoch, got 'others in epoch 1'"),
        (table(sample_id=[1, 2, 2, 3]), {}, r"sample_id must be all different, got '\[2\] more than once'"),
        (table(), {"class_names": ("a", "c")}, "column 'true' must hold a, c.*got 'b'"),
        (table(noisy=[0, 1, 0, 1]), {}, "labels must be all class names or all integers"),
        (table(kept=[0.5, 1, 1, 0]), {}, "kept must be a column of True and False"),
        (pd.concat([table().assign(epoch=0), table(true=list("bbbb")).assign(epoch=1)]), {}, "true must be the same"),
    ],
)
def test_tables_that_cannot_be_shown_say_why(frame, options, message):
    with pytest.raises(ValueError, match=message):
        Inspection.of_frame(frame, **options)


def test_a_corrected_label_may_be_of_a_class_that_nothing_else_has():
    shown = Inspection.of_frame(table(corrected=["a", "c", None, "b"]))
    assert shown.class_names == ("a", "b", "c")
    assert shown.corrections.to_dict("index") == {1: {"given_label": "b", "corrected_label": "c"}}


def test_a_column_called_wrong_counts_where_labels_do_not_tell():
    flags = table(wrong=[True, False, False, True])
    assert Inspection.of_frame(flags).values("wrong").tolist() == [False, True, False, False]
    assert Inspection.of_frame(flags.drop(columns="true")).values("wrong").tolist() == [True, False, False, True]


def test_named_levels_of_the_index_are_columns():
    frame = epochs_table().set_index(["epoch", "sample_id"])
    shown = Inspection.of_frame(frame)
    assert shown.epochs == (10, 20) and shown.sample_ids.tolist() == [7, 8, 9, 5]


def test_other_objects_are_no_tables():
    with pytest.raises(ValueError, match="frame must be a pandas DataFrame, got 'list'"):
        Inspection.of_frame([1, 2])


def test_what_is_written_is_read_again(run, shown, tmp_path):
    shown.show(3)
    shown.relabel(4, ids=shown.sample_ids[:6])
    path = shown.save_parquet(tmp_path / "points.parquet")
    frame = pd.read_parquet(path)
    assert len(frame) == 3 * 240 and list(frame.columns[:4]) == ["epoch", "sample_id", "x", "y"]
    assert frame["noisy"].cat.categories.tolist() == list(run.class_names)
    again = Inspection.of_frame(frame)
    assert again.epochs == shown.map_epochs and again.class_names == run.class_names
    assert np.array_equal(again.sample_ids, shown.sample_ids)
    for epoch in again.epochs:
        assert np.array_equal(again.coordinates(epoch), shown.coordinates(epoch))
        for name in shown.colorings:
            assert np.allclose(again.values(name, epoch), shown.values(name, epoch))
    assert again.corrections.equals(shown.corrections) and len(again.corrections) > 0


def test_unknown_true_labels_leave_only_what_is_known(run, tmp_path):
    from lend import storage

    copy = Run.open(shutil.copytree(run.path, tmp_path / run.path.name))
    arrays = storage.read_arrays(copy.path / "labels" / "given.npz")
    arrays["true"] = np.full(len(arrays["true"]), -1, np.int8)
    storage.write_arrays(copy.path / "labels" / "given.npz", arrays)
    shown = Inspection.of_run(Run.open(copy.path))
    assert "true" not in shown.colorings and "wrong" not in shown.colorings
    accuracy = shown.label_accuracy()
    assert np.isnan(accuracy["predicted"]) and np.isnan(accuracy["kept_precision"]) and np.isfinite(accuracy["kept"])
    assert np.isnan(shown.redilute().accuracy) and shown.history([shown.sample_ids[0]]).true is None
    with pytest.raises(ValueError, match="'memorised' needs 'true'"):
        shown.filtered("memorised")
