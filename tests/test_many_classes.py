"""More classes than a byte or two hold: labels are saved, read and shown as they are."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from lend import storage
from lend.explorer import Inspection
from lend.explorer.inspection import History
from lend.explorer.pictures import explorer_figure, history_figure
from lend.inputs import Dilution, RunConfig
from lend.plots import class_colours
from lend.run import EpochResult, code_type, writing
from lend.training import train

MANY = 40_000


@pytest.mark.parametrize(
    "classes, known, unknown",
    [
        (1, np.uint8, np.int8),
        (10, np.uint8, np.int8),
        (128, np.uint8, np.int8),
        (129, np.uint8, np.int16),
        (256, np.uint8, np.int16),
        (257, np.uint16, np.int16),
        (32_768, np.uint16, np.int16),
        (32_769, np.uint16, np.int32),
        (65_537, np.uint32, np.int32),
    ],
)
def test_the_type_of_labels_holds_every_class(classes, known, unknown):
    assert code_type(classes) == known and code_type(classes, unknown=True) == unknown
    last = np.array([classes - 1])
    assert last.astype(known) == last and last.astype(unknown) == last


def test_a_training_with_300_classes_saves_its_labels_as_they_are(tmp_path):
    rng, c = np.random.default_rng(0), 300
    labels = np.repeat(np.arange(c), 2)
    pixels = rng.integers(0, 256, (c, 8, 8))[labels].astype(np.uint8)
    arrays = {"train_images": pixels, "train_labels": labels, "test_images": pixels[:50], "test_labels": labels[:50]}
    np.savez(tmp_path / "many.npz", **arrays, class_names=[f"class {i}" for i in range(c)])
    settings = {"epochs": 1, "batch_size": 200, "width": 4, "noise_rate": 0.2, "noise": "symmetric", "snapshots": ()}
    data = {"dataset": f"npz:{tmp_path / 'many.npz'}", "runs": str(tmp_path / "runs"), "device": "cpu"}
    run = train(RunConfig(**settings, **data, dilution=Dilution(k=5)), progress=False)
    true, noisy = (run.labels[name].to_numpy() for name in ("true", "noisy"))
    assert np.array_equal(np.sort(true), labels) and noisy.max() > 255 and noisy.min() >= 0
    saved = run.epoch_labels(1)
    assert {saved[name].dtype for name in ("predicted", "diluted", "dominant")} == {np.dtype(np.uint16)}
    assert saved["diluted"].max() > 255 and saved["dominant"].max() > 255
    row = run.history.loc[1]
    for name in ("predicted", "diluted", "dominant"):
        assert (saved[name] == true).mean() == pytest.approx(row[f"{name}_label_accuracy"], abs=1e-6)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A run of 40,000 classes, written without a training: the labels of its 50 examples are among the last."""
    rng, n = np.random.default_rng(0), 50
    config = RunConfig(dataset="digits", epochs=1, snapshots=(1,), runs=str(tmp_path_factory.mktemp("many")))
    labels = {name: rng.integers(MANY - 100, MANY, n) for name in ("true", "noisy", "predicted", "diluted", "dominant")}
    given = {name: labels.pop(name).astype(code_type(MANY, unknown=True)) for name in ("true", "noisy")}
    names = {"class_names": [f"class {i}" for i in range(MANY)], "examples": n}
    run = writing.create(config, given | {"sample_id": np.arange(n)}, names)
    sizes = {"embeddings": ("feature", 4), "logits": ("class", MANY), "diluted": ("class", MANY)}
    arrays = {name: (("sample", dim), np.zeros((n, size), np.float16)) for name, (dim, size) in sizes.items()}
    for name, kind in (("logits", "predicted"), ("diluted", "diluted")):  # the snapshot says the same
        arrays[name][1][np.arange(n), labels[kind]] = 1
    saved = {name: values.astype(code_type(MANY)) for name, values in labels.items()} | {"kept": rng.random(n) < 0.5}
    writing.commit(run, [EpochResult(1, {"test_accuracy": 0.5}, saved, xr.Dataset(arrays))], None)
    places = {"coordinates": rng.normal(size=(n, 2)).astype(np.float32), "neighbors": np.zeros((n, 10), np.int32)}
    storage.write_arrays(run.map_path(1, "aligned"), places)
    storage.write_arrays(run.samples_path("aligned"), {"positions": np.arange(n)})
    return run


def test_a_run_of_40000_classes_shows_its_labels_as_they_are(many):
    shown = Inspection.of_run(many)
    assert np.array_equal(shown.values("true"), many.labels["true"]) and shown.values("true").min() > 32_767
    assert np.array_equal(shown.values("noisy"), many.labels["noisy"])
    assert np.array_equal(shown.values("predicted"), many.predicted(1))
    assert np.array_equal(shown.values("diluted"), many.diluted(1))
    assert shown.describe(3)["predicted"] == f"class {many.predicted(1)[3]}"
    assert shown.frame()["noisy"].astype(str).tolist() == [f"class {code}" for code in many.labels["noisy"]]
    shown.relabel(MANY - 1, [7])
    assert shown.corrections.loc[7, "corrected_label"] == f"class {MANY - 1}"
    assert not (many.labels["noisy"] == MANY - 1)[7] and shown.values("corrected")[7] == MANY - 1
    assert "40000 classes, too many for a legend" in explorer_figure(shown, ["true"]).get_supxlabel()


def test_a_table_of_40000_classes_shows_its_labels_as_they_are():
    labels = np.arange(MANY)
    table = pd.DataFrame({"x": np.cos(labels), "y": np.sin(labels), "true": labels, "noisy": labels[::-1]})
    shown = Inspection.of_frame(table)
    assert np.array_equal(shown.values("true"), labels) and np.array_equal(shown.values("noisy"), labels[::-1])
    assert shown.label_accuracy()["noisy"] == 0
    shown.relabel(0, [3])
    assert shown.corrections.loc[3].tolist() == [str(MANY - 4), "0"]


@pytest.mark.parametrize("c", [300, MANY])
def test_a_history_has_the_colour_of_each_class(c):
    codes = np.array([[0, 1, c // 2, c - 2, c - 1]], np.int32)
    told = History(np.array([5]), (1, 2, 3, 4, 5), codes, None, None, None, None)
    (cells,) = history_figure(told, [f"class {i}" for i in range(c)]).axes[1].images
    assert np.allclose(cells.get_array()[0], [to_rgb(class_colours(c)[code]) for code in codes[0]])
