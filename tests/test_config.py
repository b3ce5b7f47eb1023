from dataclasses import asdict, replace

import pytest

from lend.config import Dilution, RunConfig


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
        ({"seed": -1}, "seed must be at least 0"),
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
        ({"dataset": 5}, "dataset must be of the type str, got 5"),
        ({"noise": None}, "noise must be of the type str, got None"),
        ({"options": [1]}, r"options must be of the type dict\[str, .*\], got \[1\]"),
        ({"snapshots": ["1"]}, r"snapshots must be of the type .*, got \('1',\)"),
        ({"dilution": 3}, "dilution must be of the type Dilution, got 3"),
        ({"dilution": {"k": "8"}}, "k must be of the type int, got '8'"),
        ({"dilution": {"class_prior": ["a"]}}, "class_prior must be of the type .*, got"),
        ({"dilution": {"kk": 8}}, "unknown settings kk; .*did you mean 'k'"),
    ],
)
def test_settings_of_wrong_types_from_a_file(settings, message):
    with pytest.raises(ValueError, match=message):
        RunConfig.from_dict(settings)
