import pytest

from lend import experiments


def test_the_cifar10_profile_is_the_papers_protocol():
    (standard,) = experiments.plan("figure1", "cifar10").values()
    assert (standard.method, standard.noise, standard.noise_rate) == ("standard", "asymmetric", 0.45)
    assert (standard.epochs, standard.width, standard.batch_size) == (200, 64, 256)
    assert standard.snapshots == (30, 50, 100, 150, 200)
    lend_run = experiments.plan("figure4", "cifar10")["LEND"]
    assert lend_run.options == {} and lend_run.dilution.class_prior is None


def test_settings_of_a_method_and_of_a_figure_stay_theirs():
    figure4 = experiments.plan("figure4", "cifar10-thin")
    assert figure4["LEND"].options == {"beta": 0.7} and figure4["Standard"].options == {}
    assert experiments.plan("figure1", "cifar10-thin")["Standard"] == figure4["Standard"]


def test_every_run_once_in_its_place():
    for profile in experiments.PROFILES:
        configs = experiments.plan_all(profile, runs="there", dataset="npz:mine.npz")
        assert len({config.hash for config in configs}) == len(configs) == (2 if profile == "cifar10-thin" else 3)
        assert all(config.runs == "there" and config.dataset == "npz:mine.npz" for config in configs)


def test_unknown_names():
    with pytest.raises(ValueError, match="unknown figure 'figure5'; allowed: figure1, figure4"):
        experiments.plan("figure5")
    with pytest.raises(ValueError, match="unknown profile 'digit'; .*did you mean 'digits'"):
        experiments.plan("figure1", "digit")
