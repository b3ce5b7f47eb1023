"""Settings that name own code: digests in the configuration, own data and noises, runs opened without the files."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch

import lend
from lend import analysis, data, noise
from lend.cli.main import main
from lend.explorer.inspection.pixels import of_run
from lend.inputs import RunConfig, saved_config
from lend.run import Run, compact
from lend.storage import DamagedFileError
from lend.training import train
from lend.training.child import train_in_child

DATA = """
import numpy as np

def make(folder):
    stream = np.random.RandomState(0)
    labels = np.repeat(np.arange(3), 40)
    images = (labels[:, None, None] * 60 + stream.randint(0, 60, (120, 8, 8))).astype(np.uint8)
    return images, labels
"""
NOISE = """
import numpy as np

def flip(labels, rate, seed):
    stream = np.random.RandomState(seed)
    flipped = stream.rand(len(labels)) < rate
    labels[flipped] = 0  # its own copy
    return labels

def matrix(num_classes):
    return np.roll(np.eye(num_classes), 1, axis=1)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(DATA + NOISE)
    return tmp_path


@pytest.fixture
def config(here, tiny):
    """A run of own data and own noise, of two short epochs."""
    own = {"dataset": "mine.py:make", "noise": "mine.py:flip", "train_size": None, "epochs": 2, "snapshots": (2,)}
    return lambda **settings: tiny(**(own | {"batch_size": 48} | settings))


def test_only_own_code_has_sources(here):
    assert RunConfig().sources == {} and RunConfig().hash == "1982dae3a9"
    for settings in (
        {"noise": "human:worse"},
        {"noise": "asymmetric:cifar10"},
        {"noise": "matrix:mine.npy"},
        {"dataset": "folder:mine.py"},
        {"dataset": "npz:mine"},
        {"network": "torchvision:resnet50"},
        {"network": "timm:vit_tiny_patch16_224.augreg_in21k"},
    ):
        assert RunConfig(**settings).sources == {}
    both = RunConfig(dataset="mine.py:make", noise="mine.py:flip", network="lend.training.networks:Small")
    assert list(both.sources) == ["mine.py:make", "mine.py:flip", "lend.training.networks:Small"]
    assert RunConfig.from_dict(json.loads(json.dumps(asdict(both)))) == both


def test_a_changed_file_is_another_run(here):
    before = RunConfig(noise="mine.py:flip")
    Path("mine.py").write_text(DATA + NOISE + "\n# changed\n")
    after = RunConfig(noise="mine.py:flip")
    assert before.hash != after.hash and before.folder != after.folder
    assert replace(before, seed=1).sources == before.sources  # what was read stays
    Path("other.py").write_text(NOISE)
    assert replace(before, noise="other.py:flip").sources == RunConfig(noise="other.py:flip").sources
    assert replace(before, noise="symmetric").sources == {}


def test_a_folder_is_named_by_the_file_without_its_folder(here):
    Path("deep").mkdir()
    Path("mine.py").rename("deep/mine.py")
    config = RunConfig(dataset="deep/mine.py:make", noise=f"{here}/deep/mine.py:flip", method="deep/mine.py:M")
    assert config.folder.name == f"mine.py-make-mine.py-flip-0.4-mine.py-M-seed0-{config.hash}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "none.py:Net"}, "network none.py:Net: there is no file"),
        ({"network": "mine.py"}, "network must be file.py:NAME or package.module:NAME, got 'mine.py'"),
        ({"noise": "mine.py"}, "noise must be file.py:NAME or package.module:NAME, got 'mine.py'"),
        ({"network": "a-b:Net"}, "network must be auto, resnet18, small, torchvision:NAME, timm:NAME, file.py:NAME or"),
        ({"network": "timm:"}, "network must be auto, resnet18, small, torchvision:NAME"),
        ({"network": r"C:\x.py:Net"}, "network C:.*x.py:Net: there is no file"),
        ({"method": "nowhere:M"}, "method nowhere:M: there is no module 'nowhere'"),
        ({"noise": "asymetric:cifar10"}, "noise asymetric:cifar10: there is no module .*; did you mean asymmetric:..."),
        ({"dataset": "parket:x"}, "dataset parket:x: there is no module .*; did you mean parquet:..."),
        ({"noise": "mine.py:flip", "sources": {"mine.py:flip": "ab"}}, "sources must be the SHA-256 of each own code"),
    ],
)
def test_places_without_code(here, settings, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        RunConfig(**settings)


def test_classes_and_functions_may_be_given_themselves(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    config = RunConfig(network=lend.training.networks.Small, noise=noise.pair)
    assert (config.network, config.noise) == ("lend.training.networks.shipped:Small", "lend.noise.matrices:pair")
    with pytest.raises(ValueError, match="network: .*<lambda> cannot be found by its name"):
        RunConfig(network=lambda: 1)


def test_sources_are_no_option_of_the_command_line(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = capsys.readouterr().out
    assert "--network" in shown and "--sources" not in shown
    assert main(["train", "--sources", "x"]) == 2


@pytest.fixture
def run(config):
    with pytest.warns(UserWarning, match="mine.py:make: it has no test set: a stratified fifth of its examples is, 24"):
        return train(config(), progress=False)


def test_own_data_and_noise(run):
    labels = run.labels
    assert run.complete and len(labels) == 96 and run.class_names == ("0", "1", "2")
    assert np.bincount(labels["true"]).tolist() == [32, 32, 32] and labels.index.max() < 120
    changed = labels["noisy"] != labels["true"]
    assert 0.1 < changed.mean() < 0.4 and (labels["noisy"][changed] == 0).all()
    assert run.info["realised_noise_rate"] == pytest.approx(changed.mean())


def test_a_run_opens_without_its_files_and_runs_none(run, here):
    Path("mine.py").write_text("raise SystemExit('must not be run')")
    for _ in range(2):
        opened = Run.open(run.path)
        assert opened.config == run.config and opened.config.sources == run.config.sources
        assert Run.find(run.config) is not None and train(run.config, progress=False).complete
        assert lend.runs(run.path.parent)[0].config == run.config
        assert analysis.asked_matrix(opened) is None
        assert list(analysis.noise_matrices(opened)) == ["drawn"]
        images = of_run(opened, opened.labels.index.to_numpy())
        assert images[0] is None and "mine.py:make, which is not run to look at them" in images.note
        Path("mine.py").unlink(missing_ok=True)
    copy = compact(opened, here / "copies", features=4)
    assert copy.config.dataset == "mine.py:make" and copy.config.sources == run.config.sources


def test_a_run_whose_digests_are_missing_is_damaged(run):
    """Making them would read a file that somebody else has named."""
    record = json.loads((run.path / "config.json").read_text())
    record["config"]["sources"] = {}
    (run.path / "config.json").write_text(json.dumps(record))
    with pytest.raises((DamagedFileError, ValueError), match="config.sources has no digest of|altered|damaged"):
        Run.open(run.path)


@pytest.fixture
def blind(monkeypatch):
    """Nothing is looked for: neither a source nor the list of installed packages."""

    def look(*_, **__):
        raise AssertionError("looked for code")

    for module in ("places", "loading"):
        monkeypatch.setattr(f"lend.inputs.plugins.{module}.read_source", look)
    monkeypatch.setattr("lend.inputs.settings.own.entry_points", look)


@pytest.mark.parametrize("setting", ["method", "dataset", "noise"])
@pytest.mark.parametrize("name", ["crowd:amt", "train.py", "mine.py:flip", "json:dumps", "better", "C:\\x.py:f"])
def test_a_recorded_run_may_be_called_anything(here, blind, setting, name):
    Path("mine.py").write_text("raise SystemExit('must not be run')")
    named = {setting: name} | ({"noise_rate": 0.5} if setting == "noise" else {})
    for resume in (False, True):
        with lend.Recorder("runs/one", labels=[0, 1] * 10, resume=resume, **named) as recorder:
            recorder.batch(np.arange(20), embeddings=np.eye(20))
            recorder.epoch()
    run = Run.open("runs/one")
    assert getattr(run.config, setting) == name and run.config.sources == {} and run.epochs_done == 2
    assert lend.table("runs")[setting].tolist() == [name] and main(["list", "--runs", "runs"]) == 0
    assert analysis.noise_matrices(run) == {} and run.check() == []
    assert compact(run, here / "copies").config.sources == {}
    assert replace(run.config, seed=1).sources == {}


def test_a_method_of_another_version_is_looked_for_nowhere(blind, tiny):
    settings = asdict(tiny(method="standard")) | {"method": "better"}
    assert saved_config(settings, recorded=False).method == "better"
    with pytest.raises(AssertionError, match="looked for code"):
        tiny(method="better")


@pytest.mark.filterwarnings("ignore:.*no test set")
def test_a_new_run_says_what_has_changed(run, config, capsys):
    Path("mine.py").write_text(DATA + NOISE + "\n")
    again = train(config(), progress=False)
    assert again.path != run.path
    assert capsys.readouterr().err == f"mine.py has changed since {run.shown}: this is a new run\n"
    train(config(seed=1), progress=False)
    assert "changed" not in capsys.readouterr().err  # other settings


@pytest.mark.filterwarnings("ignore:.*no test set")
def test_code_that_changes_before_the_training_is_told(config):
    settings = config()
    Path("mine.py").write_text(DATA)
    with pytest.raises(ValueError, match="dataset mine.py:make: mine.py is not the file .*; it has changed since"):
        train(settings, progress=False)
    assert not settings.folder.exists()


@pytest.mark.filterwarnings("ignore:.*no test set")
def test_like_takes_the_file_as_it_is_now(run, capsys):
    Path("mine.py").write_text(DATA + NOISE + "\n")
    place = ["--runs", str(run.path.parent), "--device", "cpu"]
    assert main(["train", "--like", str(run.path), *place]) == 0
    assert "mine.py has changed since" in capsys.readouterr().err
    assert len(lend.runs(run.path.parent)) == 2


def test_a_child_has_the_digests_of_its_parent(config, here):
    settings = config(dataset="digits", train_size=120, noise="mine.py:matrix", epochs=1, snapshots=())
    train_in_child(asdict(settings), 1, str(here))
    labels = Run.open(settings.folder).labels
    assert (labels["noisy"] == (labels["true"] + 1) % 10).all()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "return labels[1:]",
            r"noise bad.py:f: noise must be labels of shape \(240,\) or a transition matrix .* \(10, 10\)",
        ),
        ("return labels + 1", "noise bad.py:f: noise must be of values 0 to 9"),
        ("return None", "noise bad.py:f: noise must be an array or a list, got NoneType"),
        ("return 1 / 0", "noise bad.py:f: line 2: ZeroDivisionError"),
        ("images[0] = 0", "noise bad.py:f: line 2: ValueError: .*read-only"),
        ("import numpy; return numpy.ones((10, 10))", "noise bad.py:f: matrix must be of rows .* that sum to 1"),
    ],
)
def test_bad_noises(here, tiny, body, message):
    Path("bad.py").write_text(f"def f(labels, images):\n    {body}\n")
    settings = tiny(noise="bad.py:f")
    with pytest.raises(ValueError, match=message):
        train(settings, progress=False)
    assert not settings.folder.exists()


@pytest.mark.filterwarnings("ignore:.*no test set")
def test_a_data_set_of_one_class_has_no_noise(here, tiny):
    Path("one.py").write_text(DATA.replace("return images, labels", "return images, 0 * labels"))
    settings = tiny(dataset="one.py:make", noise="symmetric", train_size=None)
    with pytest.raises(ValueError, match="data set 'make' must be of at least 2 classes for noise symmetric, got 1"):
        train(settings, progress=False)
    assert not settings.folder.exists()


def test_a_noise_that_ignores_its_seed_is_told(here, tiny):
    Path("bad.py").write_text(
        "import itertools\ncount = itertools.count()\ndef f(labels):\n    return (labels + next(count)) % 10\n"
    )
    settings = tiny(noise="bad.py:f", epochs=1, snapshots=())
    run = train(settings, progress=False)
    for name in ("history/0001.json", "checkpoint/0001.pt", "labels/0001.npz"):
        (run.path / name).unlink()
    with pytest.raises(ValueError, match="is not the one that .* was started on, or noise bad.py:f draws other labels"):
        train(settings, progress=False)


def images(n):
    return np.zeros((n, 8, 8), np.uint8)


@pytest.mark.parametrize(
    "result",
    [
        {"x_train": images(4), "y_train": [0, 1, 0, 1], "x_test": images(2), "y_test": [0, 1]},
        ((images(4), ["a", "b", "a", "b"]), (images(2), ["a", "b"])),
        ((torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 1, 0, 1])), (images(2), [0, 1])),
    ],
)
def test_forms_of_own_data(result):
    dataset = data.as_dataset(result, "mine.py:make")
    assert len(dataset) == 4 and len(dataset.test_labels) == 2 and dataset.num_classes == 2
    assert data.as_dataset(dataset, "x") is dataset


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (5, "mine.py:make must be a lend.data.Dataset, a mapping of .*, got 'int'"),
        (
            {"train_images": images(2)},
            "mine.py:make must be a mapping with train_images, .*, got 'one with train_images'",
        ),
        ((images(4), [0, 1]), "mine.py:make: labels must be 4, one per image, got 2"),
        ((images(4).astype(float), [0, 1, 0, 1]), "mine.py:make: train_images: expected uint8"),
        (((images(4), [0, 1]), (images(2), [0, 1])), "mine.py:make: train_labels must be"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*no test set")
def test_bad_forms_of_own_data(result, message):
    with pytest.raises(ValueError, match=message):
        data.as_dataset(result, "mine.py:make")
