from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

import lend
from lend.paper.experiments import (
    CHANGES,
    FIGURES,
    FURTHER_ROWS,
    LEND_DEFAULTS,
    LEND_ROWS,
    PROFILES,
    ROWS,
    plan,
    plan_all,
)


def test_the_cifar10_profile_is_the_papers_protocol():
    ((_, _, standard),) = plan("figure1", "cifar10")
    assert (standard.method, standard.noise, standard.noise_rate) == ("standard", "asymmetric", 0.45)
    assert (standard.epochs, standard.width, standard.batch_size) == (200, 64, 256)
    assert standard.snapshots == (30, 50, 100, 150, 200)
    (letter,) = [entry.config for entry in plan("figure4", "cifar10") if entry.row == "LEND"]
    assert letter.options == {} and letter.dilution.class_prior is None and letter.dilution.k == 8


def test_the_papers_grid():
    entries = plan("figure6", "cifar10", trials=5)
    assert len(entries) == 7 * 3 * 5
    assert list(dict.fromkeys(entry.column for entry in entries)) == [f"symmetric {rate} %" for rate in (40, 50, 60)]
    assert {entry.config.noise_rate for entry in plan("figure7", "cifar10")} == {0.2, 0.3, 0.4}
    assert list(dict.fromkeys(entry.row for entry in entries)) == list(ROWS)
    assert [entry for entry in plan("table1", "cifar100") if entry.row in ROWS] == plan("figure6", "cifar100")
    sizes = [entry.config.batch_size for entry in plan("figure8a", "cifar10") if entry.row == "LEND"]
    ks = [entry.config.dilution.k for entry in plan("figure8b", "cifar10") if entry.row == "LEND+prior"]
    betas = [entry.config.options.get("beta", 0.9) for entry in plan("figure8c", "cifar10") if entry.row == "LEND"]
    assert sizes == [32, 64, 128, 256, 512] and ks == [2, 4, 6, 8, 10] and betas == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert all(entry.config.noise == "none" for entry in plan("table3", "animal10n"))
    assert {entry.config.noise for entry in plan("human", "cifar10n")} == {
        "human:aggre",
        "human:random1",
        "human:worse",
    }


@pytest.mark.parametrize("figure", list(FIGURES))
def test_lend_is_there_twice_and_never_under_the_other_name(figure):
    rows = FIGURES[figure].rows
    assert "LEND" not in rows or "LEND+prior" in rows
    for profile in PROFILES:
        if figure in PROFILES[profile].figures:
            for entry in plan(figure, profile):
                prior = {"LEND+prior"} | (set(CHANGES) if figure == "choices_asymmetric" else set())
                assert entry.config.dilution.class_prior == ("balanced" if entry.row in prior else None)
                assert (entry.config.method == "lend") == (entry.row in {*LEND_ROWS, *CHANGES, "LEND, data set"})


@pytest.mark.parametrize("profile", ["digits", "cifar10-thin"])
@pytest.mark.parametrize(("figure", "base"), [("choices_symmetric", "LEND"), ("choices_asymmetric", "LEND+prior")])
def test_a_choice_is_one_change(figure, base, profile):
    configs = {entry.row: entry.config for entry in plan(figure, profile)}
    changes = set(CHANGES) - ({"augmentation"} if profile == "digits" else set())
    assert set(configs) - {"Standard, augmentation"} == {"Standard", *LEND_ROWS, *changes}
    for row in changes:
        changed = differing(configs[row].identity, configs[base].identity)
        assert len(changed) == 1 or (row == "β 0.9" and profile == "digits"), row  # the digits' own β
    if "augmentation" in changes:
        augmented = differing(configs["Standard, augmentation"].identity, configs["Standard"].identity)
        assert augmented == {"augment"}


def differing(a, b):
    """The settings that two runs do not share, those of options and dilution one by one."""
    names = set()
    for name in a:
        inner = isinstance(a[name], dict)
        keys = {*a[name], *b[name]} if inner else {name}
        names |= {key for key in keys if (a[name].get(key) != b[name].get(key) if inner else a[name] != b[name])}
    return names


def test_trials_have_their_own_noise_and_only_the_first_keeps_embeddings():
    entries = [entry.config for entry in plan("figure7", "digits", trials=3) if entry.row == "GCE"]
    assert [config.seed for config in entries] == [0, 1, 2] * 3 == [config.noise_seed for config in entries]
    assert [len(config.snapshots) for config in entries] == [5, 0, 0] * 3
    assert len(plan("figure1", "digits", trials=3)) == 1


def test_settings_of_a_profile_a_method_and_a_figure_stay_theirs():
    figure4 = {entry.row: entry.config for entry in plan("figure4", "cifar10-thin")}
    assert figure4["LEND"].options == {"beta": 0.7} and figure4["Standard"].options == {}
    (figure1,) = plan("figure1", "cifar10-thin")
    at_a_tenth = (3, 5, 10, 15, 20)  # of the paper's epochs
    assert figure1.config.noise_rate == 0.45 and figure1.config.snapshots == at_a_tenth
    betas = {entry.column: entry.config.options.get("beta", 0.9) for entry in plan("figure8c", "cifar10-thin")}
    assert all(column == beta for column, beta in betas.items())
    soft = [entry.config for entry in plan("memory", "cifar10-thin") if entry.column == "soft"]
    assert soft[0].options == {"beta": 0.7, "memory": "soft"}
    prior = [entry.config for entry in plan("figure8b", "digits") if entry.row == "LEND+prior"]
    assert all(config.dilution.class_prior == "balanced" for config in prior)


@pytest.mark.parametrize("profile", list(PROFILES))
def test_every_run_once_in_its_place(profile):
    configs = plan_all(profile, trials=2, runs="there", dataset="npz:mine.npz", data="here")
    assert len({config.hash for config in configs}) == len(configs) > 0
    assert all((c.runs, c.dataset, c.data) == ("there", "npz:mine.npz", "here") for c in configs)
    seeds = [config.seed for config in configs]
    assert seeds == sorted(seeds)
    planned = {e.config.hash for name in PROFILES[profile].figures for e in plan(name, profile, dataset="npz:mine.npz")}
    assert planned <= {config.hash for config in configs}


def test_the_rows_of_the_tables_are_all_methods_each_under_one_kind_of_row():
    paper, further = ({settings["method"] for settings in rows.values()} for rows in (ROWS, FURTHER_ROWS))
    assert paper | further == set(lend.METHODS) and not paper & further


@pytest.mark.parametrize("profile", ["digits", "cifar10", "cifar100"])
@pytest.mark.parametrize(("table", "figure", "kind"), [("table1", "figure6", ""), ("table2", "figure7", "a")])
def test_further_methods_stand_in_the_tables_alone_and_at_one_rate(profile, table, figure, kind):
    entries = plan(table, profile, trials=3)
    further = [entry for entry in entries if entry.row in FURTHER_ROWS]
    assert [(e.row, e.column, e.config.seed) for e in further] == [
        (row, f"{kind}symmetric 40 %", seed) for row in FURTHER_ROWS for seed in range(3)
    ]
    assert [entry for entry in entries if entry not in further] == plan(figure, profile, trials=3)
    for _, column, config in further:
        (standard,) = [c for row, place, c in entries if (row, place, c.seed) == ("Standard", column, config.seed)]
        assert differing(config.identity, standard.identity) - set(config.options) == {"method"}


@pytest.mark.parametrize(
    ("profile", "table", "options"),
    [
        ("digits", "table1", {}),
        ("cifar10", "table1", {}),
        (
            "digits",
            "table2",
            {"ELR": {"strength": 1.0, "beta": 0.9}, "DivideMix": {"strength": 0.0}, "SOP": {"rate_v": 100.0}},
        ),
        (
            "cifar100",
            "table1",
            {
                "Forward": {"percentile": 100.0},
                "ELR": {"strength": 7.0, "beta": 0.9},
                "Co-teaching+": {"agreeing": 5},
                "DivideMix": {"warmup": 30},
                "SOP": {"rate_u": 1.0},
            },
        ),
        (
            "cifar100",
            "table2",
            {
                "Forward": {"percentile": 100.0},
                "ELR": {"strength": 7.0, "beta": 0.9},
                "Co-teaching+": {"agreeing": 5},
                "DivideMix": {"strength": 0.0, "warmup": 30},
                "SOP": {"rate_v": 100.0, "rate_u": 1.0},
            },
        ),
    ],
)
def test_further_methods_have_the_settings_of_their_authors(profile, table, options):
    found = {entry.row: entry.config for entry in plan(table, profile) if entry.row in FURTHER_ROWS}
    assert {row: config.options for row, config in found.items() if config.options} == options
    for config in found.values():  # a setting at its default would be another run with the same numbers
        default = asdict(lend.METHODS[config.method]())
        assert all(default[name] != value for name, value in config.options.items())


def test_a_setting_at_its_default_is_no_other_run():
    assert asdict(lend.METHODS["lend"]()) == LEND_DEFAULTS
    usual = {entry.config.hash for entry in plan("figure7", "digits") if entry.row in LEND_ROWS}
    for figure, default in {"figure8a": 128, "figure8b": 8, "figure8c": 0.9, "steps": 2, "memory": "hard"}.items():
        assert {entry.config.hash for entry in plan(figure, "digits") if entry.column == default} <= usual


def test_unknown_names():
    with pytest.raises(ValueError, match="unknown figure 'figure5'; allowed: .*figure1, .*did you mean 'figure"):
        plan("figure5")
    with pytest.raises(ValueError, match="unknown profile 'digit'; .*did you mean 'digits'"):
        plan("figure1", "digit")
    with pytest.raises(ValueError, match="unknown profile 'digit'; .*did you mean 'digits'"):
        plan_all("digit")
    with pytest.raises(ValueError, match="profile animal10n has no figure1; it has table3"):
        plan("figure1", "animal10n")


@pytest.mark.parametrize("figure", ["choices_symmetric", "choices_asymmetric"])
def test_the_scores_that_come_with_the_repository_are_of_the_plan(figure):
    scores = pd.read_csv(Path(__file__).parent.parent / "saved" / "open_choices.csv")
    shown = scores[scores["panel"].str.startswith(figure.removeprefix("choices_"))]
    assert list(shown["row"]) == [entry.row for entry in plan(figure, "cifar10-thin")]
    assert shown.loc[shown["complete"], "last"].between(0.1, 1).all()
