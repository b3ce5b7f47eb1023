import json
import os
from dataclasses import asdict, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import jaxtyping
import numpy as np
import pandas as pd
import pytest
import torch

from lend.inputs import Dilution, RunConfig


@pytest.fixture(autouse=True)
def as_users_call(monkeypatch):
    """Without the checks of annotations that the tests bring along: here the library itself must find wrong types."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def test_defaults_are_the_papers_protocol():
    config = RunConfig()
    assert (config.epochs, config.batch_size, config.learning_rate, config.momentum) == (200, 256, 0.05, 0.9)
    assert (config.weight_decay, config.drop_at, config.augment, config.width) == (5e-4, 0.5, False, 64)
    assert config.snapshots == (30, 50, 100, 150, 200)
    assert asdict(config.dilution) == asdict(Dilution(k=8, gamma=3.0, alpha=0.99, steps=2))


def test_snapshots_scale_with_the_epochs_and_read_from_text():
    assert RunConfig(epochs=40).snapshots == (6, 10, 20, 30, 40)
    assert RunConfig(epochs=1).snapshots == (1,)
    assert RunConfig(snapshots="50, 30,30").snapshots == (30, 50)
    assert RunConfig(snapshots=()).snapshots == ()
    with pytest.raises(ValueError, match="snapshots must be epochs from 1 to 10"):
        RunConfig(epochs=10, snapshots=(11,))
    with pytest.raises(ValueError, match="snapshots must be epochs such as"):
        RunConfig(snapshots="30;50")


def test_noise_seed_follows_the_seed_unless_given():
    assert RunConfig(seed=3).noise_seed == 3
    assert RunConfig(seed=3, noise_seed=0).noise_seed == 0


def test_noise_that_is_given_has_no_rate():
    for noise in ("none", "human:worse", "matrix:mine.npy"):
        given = RunConfig(noise=noise, noise_rate=0.3)
        assert given.noise_rate == 0 and given == RunConfig(noise=noise) and "rate" not in given.noise_title
    assert RunConfig(noise="none").noise_title == "no noise"
    assert RunConfig(noise="human:worse").noise_title == "human:worse noise"
    assert RunConfig(noise="symmetric", noise_rate=0).noise_title == "symmetric noise, rate 0"


def test_json_round_trip():
    config = RunConfig(options={"beta": 0.7}, dilution=Dilution(class_prior=[0.5, 0.5]), snapshots=(1, 2))
    settings = asdict(config) | {"snapshots": list(config.snapshots)}
    assert RunConfig.from_dict(settings) == config
    with pytest.raises(ValueError, match="unknown settings epoch; .*did you mean 'epochs'"):
        RunConfig.from_dict({"epoch": 3})


def test_hash_is_the_identity():
    config = RunConfig()
    assert (
        replace(config, runs="elsewhere", data="there", device="cpu", download=True, note="as JPEG").hash == config.hash
    )
    changes = [{"seed": 1}, {"epochs": 100}, {"method": "standard"}, {"dilution": Dilution(k=9)}, {"width": 16}]
    changes += [{"options": {"beta": 0.5}}, {"dilution": Dilution(alpha=0.9)}, {"snapshots": (1,)}, {"noise_seed": 9}]
    hashes = [RunConfig(**change).hash for change in changes]
    assert len({config.hash, *hashes}) == len(changes) + 1
    assert config.folder.name == f"digits-symmetric-0.4-lend-seed0-{config.hash}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
        ({"noise_rate": 1.1}, "noise_rate must be inside"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"precision": "fp8"}, "unknown precision 'fp8'; allowed: auto, bf16, fp32"),
        ({"network": "resnet"}, "did you mean 'resnet18'"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"seed": -1}, "seed must be from 0 to 4294967295, got -1"),
        ({"seed": 2**32}, "seed must be from 0 to 4294967295, got 4294967296"),
        ({"noise_seed": -1}, "noise_seed must be from 0 to 4294967295, got -1"),
        ({"train_size": 0}, "train_size must be at least 1, got 0"),
        ({"momentum": 1.0}, r"momentum must be inside \[0, 1\), got 1.0"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0, got -0.1"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite, got nan"),
        ({"learning_rate": np.inf}, "learning_rate must be finite, got inf"),
        ({"weight_decay": float("inf")}, "weight_decay must be finite, got inf"),
        ({"momentum": np.float64("nan")}, "momentum must be finite"),
        ({"options": {"beta": [1, np.nan]}}, "options must be finite"),
        ({"snapshots": "10,²"}, "snapshots must be epochs such as 30,50,100, got '10,²'"),
        ({"dilution": {"gamma": np.inf}}, "gamma must be finite, got inf"),
        ({"dilution": {"alpha": np.nan}}, "alpha must be finite, got nan"),
        ({"dilution": {"class_prior": [0.5, np.nan]}}, "class_prior must be finite"),
        ({"dilution": {"class_prior": [-0.5, 1.5]}}, "class_prior must be .* one share per class, none negative"),
        ({"dilution": {"class_prior": []}}, "class_prior must be .* one share per class"),
        ({"dilution": {"class_prior": "equal"}}, "class_prior must be None, 'balanced'"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        RunConfig(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": "3"}, "epochs must be of the type int, got '3'"),
        ({"epochs": True}, "epochs must be of the type int, got True"),
        ({"epochs": 2.0}, "epochs must be of the type int, got 2.0"),
        ({"epochs": np.float64(2)}, "epochs must be of the type int, got"),
        ({"epochs": np.array([2])}, "epochs must be of the type int, got"),
        ({"augment": "false"}, "augment must be of the type bool, got 'false'"),
        ({"augment": 1}, "augment must be of the type bool, got 1"),
        ({"download": None}, "download must be of the type bool, got None"),
        ({"learning_rate": "0.1"}, "learning_rate must be of the type float, got '0.1'"),
        ({"learning_rate": True}, "learning_rate must be of the type float, got True"),
        ({"dataset": 5}, "dataset must be of the type str, got 5"),
        ({"dataset": Path("mine.npz")}, "dataset must be of the type str, got"),  # its format is not said
        ({"runs": b"runs"}, "runs must be of the type str, got b'runs'"),
        ({"noise": None}, "noise must be of the type str, got None"),
        ({"options": [1]}, r"options must be of the type dict\[str, .*\], got \[1\]"),
        ({"options": {1: 2}}, r"options must be of the type dict\[str, .*\], got"),
        ({"options": {"beta": {"x": object}}}, r"options\.beta\.x must be of a type that JSON has"),
        ({"snapshots": ["1"]}, r"snapshots must be of the type .*, got \['1'\]"),
        ({"snapshots": [True]}, r"snapshots must be of the type .*, got \[True\]"),
        ({"snapshots": [1.0]}, r"snapshots must be of the type .*, got \[1.0\]"),
        ({"snapshots": 5}, "snapshots must be of the type .*, got 5"),
        ({"snapshots": {1: 2}}, "snapshots must be of the type .*, got {1: 2}"),
        ({"dilution": 3}, "dilution must be of the type Dilution, got 3"),
        ({"dilution": {"k": "8"}}, "k must be of the type int, got '8'"),
        ({"dilution": {"k": 8.0}}, "k must be of the type int, got 8.0"),
        ({"dilution": {"steps": 2.5}}, r"steps must be of the type int \| str, got 2.5"),
        ({"dilution": {"steps": True}}, r"steps must be of the type int \| str, got True"),
        ({"dilution": {"class_prior": ["a"]}}, "class_prior must be of the type .*, got"),
        ({"dilution": {"class_prior": {0.4, 0.6}}}, "class_prior must be of the type .*, got"),  # a set has no order
        ({"dilution": {"kk": 8}}, "unknown settings kk; .*did you mean 'k'"),
    ],
)
@pytest.mark.parametrize("make", [RunConfig.from_dict, lambda settings: RunConfig(**settings)], ids=["file", "call"])
def test_settings_of_wrong_types(make, settings, message):
    with pytest.raises(ValueError, match=message):
        make(settings)


class Kind(StrEnum):
    LEND = "lend"


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"epochs": np.int64(10), "seed": np.uint8(3)}, {"epochs": 10, "seed": 3}),
        ({"learning_rate": np.float64(0.1)}, {"learning_rate": 0.1}),
        ({"learning_rate": np.array(0.1)}, {"learning_rate": 0.1}),
        ({"learning_rate": np.longdouble(0.5)}, {"learning_rate": 0.5}),
        ({"learning_rate": Fraction(1, 4)}, {"learning_rate": 0.25}),
        ({"noise_rate": np.float32(0.5)}, {"noise_rate": 0.5}),
        ({"noise_rate": np.int64(1)}, {"noise_rate": 1}),
        ({"augment": np.True_}, {"augment": True}),
        ({"method": np.str_("lend"), "noise": Kind.LEND}, {"method": "lend", "noise": "lend"}),
        ({"snapshots": [np.int64(30), 10]}, {"snapshots": (10, 30)}),
        ({"snapshots": np.array([30, 10, 10])}, {"snapshots": (10, 30)}),
        ({"snapshots": torch.tensor([10, 30])}, {"snapshots": (10, 30)}),
        ({"snapshots": range(10, 31, 20)}, {"snapshots": (10, 30)}),
        ({"snapshots": {30, 10}}, {"snapshots": (10, 30)}),
        ({"snapshots": " 30,10"}, {"snapshots": (10, 30)}),
        (
            {"options": {"beta": np.float64(0.7), "a": {"b": np.arange(2)}}},
            {"options": {"beta": 0.7, "a": {"b": [0, 1]}}},
        ),
        ({"options": {"beta": (1, 2)}}, {"options": {"beta": [1, 2]}}),
        ({"dilution": {"k": np.int32(5)}}, {"dilution": Dilution(k=5)}),
        ({"dilution": {"class_prior": np.array([0.4, 0.6])}}, {"dilution": {"class_prior": [0.4, 0.6]}}),
        ({"dilution": {"class_prior": pd.Series([0.4, 0.6])}}, {"dilution": {"class_prior": [0.4, 0.6]}}),
        ({"dilution": {"class_prior": (0.4, np.float64(0.6))}}, {"dilution": {"class_prior": [0.4, 0.6]}}),
        ({"dilution": {"class_prior": torch.tensor([0.5, 0.5])}}, {"dilution": {"class_prior": [0.5, 0.5]}}),
        ({"dilution": {"steps": np.int64(3), "gamma": np.float64(2.5)}}, {"dilution": Dilution(steps=3, gamma=2.5)}),
    ],
)
def test_values_of_other_libraries_are_those_of_python(given, plain):
    """The same settings, the same hash, the same JSON, so the same run."""
    one, other = RunConfig(**given), RunConfig(**plain)
    assert one == other and one.hash == other.hash and one.folder == other.folder
    text = json.dumps(asdict(one))
    assert text == json.dumps(asdict(other)) and RunConfig.from_dict(json.loads(text)) == one
    for name in given:
        assert repr(getattr(one, name)) == repr(
            getattr(other, name)
        )  # 1 and True and np.int64(1) are equal, but differ


def test_dilution_alone_is_checked_as_well():
    """:func:`lend.dilute` and the estimator build one."""
    prior = Dilution(k=np.int64(5), class_prior=np.array([0.4, 0.6]))
    assert prior == Dilution(k=5, class_prior=[0.4, 0.6]) and type(prior.k) is int
    with pytest.raises(ValueError, match="k must be of the type int, got 2.5"):
        Dilution(k=2.5)
    with pytest.raises(ValueError, match="gamma must be finite, got nan"):
        Dilution(gamma=float("nan"))


def test_options_are_copied():
    mine = {"beta": 0.5}
    config = RunConfig(options=mine)
    mine["beta"] = 0.9
    assert config.options == {"beta": 0.5}


def test_hashes_of_saved_runs_stay():
    """An integer in the place of a float is hashed as an integer, as in the runs that were saved with it."""
    prior = Dilution(k=5, gamma=2, class_prior=[0.3, 0.7])
    assert RunConfig().hash == "1982dae3a9" and RunConfig(learning_rate=1.0).hash == "77b7eb8890"
    assert (
        RunConfig(options={"beta": 0.7}, dilution=prior, snapshots=(3, 5), augment=True, epochs=20).hash == "e30f347be3"
    )
    assert RunConfig(learning_rate=1).hash == "0fa0490f4b"


def test_folders_may_be_paths_and_begin_with_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    config = RunConfig(runs=Path("~/runs"), data="~/data")
    assert (config.runs, config.data) == (str(tmp_path / "runs"), str(tmp_path / "data"))
    assert config.folder.parent == tmp_path / "runs" and config.hash == RunConfig().hash


def test_a_relative_folder_of_runs_is_found_from_everywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = RunConfig(runs="here")
    assert config.runs == "here" and config.folder.parent == tmp_path / "here"


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("cifar10", "cifar10"),
        ("npz:a/mine.npz", "mine.npz"),
        ("parquet:/data/cifar10", "cifar10"),
        ("folder:my pictures", "my pictures"),
        ("folder:/data/birds/", "birds"),
        ("folder:", "folder"),
        ("parquet:/", "parquet"),
        ("parquet:.", "work"),
        ("folder:..", "home"),
        ("npz:~/x.npz", "x.npz"),
        ("folder:~", "home"),
        (r"folder:C:\birds\great tit", "great tit"),
        ("npz:a\nb\tc?.npz", "a-b-c-.npz"),
        ("npz:Vögel 🐦.npz", "Vögel 🐦.npz"),
    ],
)
def test_the_name_of_the_folder(dataset, name, monkeypatch, tmp_path):
    (tmp_path / "home" / "work").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "home" / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    config = RunConfig(dataset=dataset, noise="matrix:my/rates.npy")
    assert config.folder.name == f"{name}-matrix-my-rates.npy-0-lend-seed0-{config.hash}"


@pytest.mark.parametrize("letter", ["x", "é", "🐦"])
def test_a_long_name_is_cut_to_what_a_file_system_takes(letter, tmp_path):
    config = RunConfig(dataset=f"npz:{300 * letter}.npz", runs=str(tmp_path))
    config.folder.mkdir()
    name = config.folder.name
    assert 252 <= len(os.fsencode(name)) <= 255 and name.endswith(f"-0.4-lend-seed0-{config.hash}")
    assert name.startswith(50 * letter)
    fits = RunConfig(dataset=f"npz:{100 * letter if letter != '🐦' else letter}.npz")
    assert fits.folder.name.startswith(f"{fits.dataset[4:]}-symmetric-0.4")
