"""The paper's experiments as data: which runs each figure and table needs.

A grid crosses rows (methods) with columns (noise rates, or values of one setting). A profile says on what data and for
how long. Notebooks and the command line ask :func:`plan`, so both name the same runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lend.config import RunConfig, nearest_name

Settings = Mapping[str, Any]  # of RunConfig, over its defaults
TRIALS = 5  # of the paper


class Entry(NamedTuple):
    """One run in its place in a figure or table."""

    row: str  # the curve or the line of the table, such as "LEND"
    column: str | int | float  # the panel, the column of the table or the place on the axis
    config: RunConfig


@dataclass(frozen=True)
class Grid:
    """Rows by columns, each a name and the settings that make it.

    Args:
        rows: Usually methods.
        columns: Usually noise rates, or the values of one setting.
        repeated: Whether trials with other seeds are wanted; a picture of one network has none.
    """

    rows: Mapping[str, Settings]
    columns: Mapping[str | int | float, Settings]
    repeated: bool = True


@dataclass(frozen=True)
class Profile:
    """Data and protocol: settings over the defaults, which are the paper's.

    Args:
        settings: For every run.
        figures: The grids that make sense on these data, by their names in FIGURES.
        lend: For runs of LEND.
        own: For the runs of one figure, by its name.
        grids: In the place of those of FIGURES.
    """

    settings: Settings
    figures: tuple[str, ...]
    lend: Settings = field(default_factory=dict)
    own: Mapping[str, Settings] = field(default_factory=dict)
    grids: Mapping[str, Grid] = field(default_factory=dict)


# LEND twice in every comparison: the paper's letter, and with the class prior; never one under the name of the other.
LEND_ROWS: dict[str, Settings] = {
    "LEND": {"method": "lend"},
    "LEND+prior": {"method": "lend", "dilution": {"class_prior": "balanced"}},
}
LEND_DEFAULTS = {
    "beta": 0.9,
    "memory": "hard",
    "scope": "batch",
}  # of lend.methods.LEND; asking it would load torch
ROWS: dict[str, Settings] = {
    "Standard": {"method": "standard"},
    "Co-teaching": {"method": "coteaching"},
    "GCE": {"method": "gce"},
    "JoCoR": {"method": "jocor"},
    "SIGUA": {"method": "sigua"},
    **LEND_ROWS,
}


def _layered(*layers: Settings) -> dict[str, Any]:
    """Later settings over earlier ones; options and dilution one by one."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            merged[name] = {**merged.get(name, {}), **value} if isinstance(value, Mapping) else value
    return merged


def _rates(noise: str, *rates: float) -> dict[str, Settings]:
    return {f"{noise} {100 * rate:.0f} %": {"noise": noise, "noise_rate": rate} for rate in rates}


def _annotators(*names: str) -> dict[str, Settings]:
    """Columns of CIFAR-10N."""
    return {f"human {name}": {"noise": f"human:{name}"} for name in names}


def _sensitivity(columns: Mapping[str | int | float, Settings]) -> Grid:
    """LEND over the values of one setting, at the noise of the paper's Fig. 8."""
    noise = {"noise": "asymmetric", "noise_rate": 0.4}
    return Grid(LEND_ROWS, {name: noise | settings for name, settings in columns.items()})


_SELECTION = {"Standard": ROWS["Standard"]} | LEND_ROWS
_SYMMETRIC = Grid(ROWS, _rates("symmetric", 0.4, 0.5, 0.6))
_ASYMMETRIC = Grid(ROWS, _rates("asymmetric", 0.2, 0.3, 0.4))
_SNAPSHOTS = Grid({"Standard": ROWS["Standard"]}, _rates("asymmetric", 0.45), repeated=False)

_SCOPES = ("batch", "dataset")
_SIZES: dict[str, Settings] = {"": {}, " (32)": {"batch_size": 32}}  # a small batch holds few examples of a class

# What the paper leaves open, one change at a time.
CHANGES: dict[str, Settings] = {
    "1 step": {"dilution": {"steps": 1}},
    "3 steps": {"dilution": {"steps": 3}},
    "5 steps": {"dilution": {"steps": 5}},
    "affinity sum": {"dilution": {"affinity": "sum"}},
    "reserve initial": {"dilution": {"reserve": "initial"}},
    "memory soft": {"options": {"memory": "soft"}},
    "β 0.5": {"options": {"beta": 0.5}},
    "β 0.9": {"options": {"beta": 0.9}},
    "scope dataset": {"options": {"scope": "dataset"}},
    "augmentation": {"augment": True},
}


def _choices(noise: str, base: str, photographs: bool = True) -> Grid:
    """The changes, each made to one of LEND's rows; augmentation is made for photographs."""
    rows = {"Standard": ROWS["Standard"], "Standard, augmentation": ROWS["Standard"] | {"augment": True}} | LEND_ROWS
    rows |= {name: _layered(LEND_ROWS[base], change) for name, change in CHANGES.items()}
    shown = {name: settings for name, settings in rows.items() if photographs or "augment" not in settings}
    return Grid(shown, _rates(noise, 0.4))


FIGURES: dict[str, Grid] = {
    "figure1": _SNAPSHOTS,
    "figure4": Grid(_SELECTION, _rates("asymmetric", 0.4), repeated=False),
    "figure6": _SYMMETRIC,
    "figure7": _ASYMMETRIC,
    "figure8a": _sensitivity({size: {"batch_size": size} for size in (32, 64, 128, 256, 512)}),
    "figure8b": _sensitivity({k: {"dilution": {"k": k}} for k in (2, 4, 6, 8, 10)}),
    "figure8c": _sensitivity({beta: {"options": {"beta": beta}} for beta in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)}),
    "figure9_12": _SNAPSHOTS,
    "table1": _SYMMETRIC,
    "table2": _ASYMMETRIC,
    "table3": Grid(ROWS, _rates("instance", 0.08)),  # where the labels are known to be clean, noise of its kind
    # not in the paper: what it leaves open, and human labels
    "choices_symmetric": _choices("symmetric", "LEND"),
    "choices_asymmetric": _choices("asymmetric", "LEND+prior"),  # where the letter is no better than cross entropy
    "steps": _sensitivity({steps: {"dilution": {"steps": steps}} for steps in (1, 2, 3, 5)}),
    "affinity": _sensitivity({name: {"dilution": {"affinity": name}} for name in ("product", "sum")}),
    "reserve": _sensitivity({name: {"dilution": {"reserve": name}} for name in ("previous", "initial")}),
    "memory": _sensitivity({name: {"options": {"memory": name}} for name in ("hard", "soft")}),
    "scope": _sensitivity(
        {f"{name}{note}": {"options": {"scope": name}} | size for note, size in _SIZES.items() for name in _SCOPES}
    ),
    "human": Grid(ROWS, _annotators("aggre", "random1", "worse")),
}
_SYNTHETIC = tuple(name for name in FIGURES if name != "human")
_DIGITS = {"dataset": "digits", "batch_size": 128, "width": 32, "learning_rate": 0.005, "validation": 0.1}
_AT_LENGTH = {"epochs": 200}
_SHORT = {"epochs": 20, "snapshots": (3, 5, 10, 15, 20)}
_SMALL = {"train_size": 10_000, "epochs": 20, "snapshots": ()}
_AT_40: dict[str, Grid] = dict.fromkeys(("figure6", "table1"), Grid(ROWS, _rates("symmetric", 0.4)))
_AT_40 |= dict.fromkeys(("figure7", "table2"), Grid(_SELECTION, _rates("asymmetric", 0.4)))

PROFILES: dict[str, Profile] = {
    # small batches and a small rate: the noise is memorised over tens of epochs, as on photographs, not at once
    "digits": Profile(
        _DIGITS | {"epochs": 100},
        _SYNTHETIC,
        own=dict.fromkeys(("figure1", "figure4", "figure9_12"), _AT_LENGTH),
        grids={
            "choices_symmetric": _choices("symmetric", "LEND", photographs=False),
            "choices_asymmetric": _choices("asymmetric", "LEND+prior", photographs=False),
        },
    ),
    # short trainings scale β with their length: at β 0.9 no example is dropped before the eighth epoch
    "cifar10-thin": Profile(
        {"dataset": "cifar10", "train_size": 20_000, "width": 16, "epochs": 40, "snapshots": (5, 10, 20, 30, 40)},
        tuple(FIGURES),
        lend={"options": {"beta": 0.7}},
        own=dict.fromkeys(("figure1", "figure9_12", "figure6", "figure7", "table1", "table2", "human"), _SHORT)
        | dict.fromkeys(("choices_symmetric", "choices_asymmetric"), _SMALL),
        grids=_AT_40 | {"human": Grid(ROWS, _annotators("worse"))},
    ),
    # all of CIFAR-10 in the same short protocol: hours on two cores
    "cifar10-thin-all": Profile(
        {"dataset": "cifar10", "width": 16} | _SHORT,
        ("figure4", *_AT_40),
        lend={"options": {"beta": 0.7}},
        grids=_AT_40,
    ),
    "cifar10": Profile({"dataset": "cifar10"}, _SYNTHETIC),
    "cifar100": Profile({"dataset": "cifar100"}, _SYNTHETIC),
    "animal10n": Profile(
        {"dataset": "animal10n"},
        ("table3",),
        grids={"table3": Grid(ROWS, {"Animal-10N": {"noise": "none"}})},
    ),
    "cifar10n": Profile({"dataset": "cifar10"}, ("human",)),
    # a smoke test of everything, in seconds
    "tiny": Profile(
        {"dataset": "digits", "train_size": 300, "epochs": 4, "batch_size": 100, "width": 16, "snapshots": (1, 4)},
        ("figure1", "figure4"),
    ),
}


def plan(
    figure: str,
    profile: str = "digits",
    *,
    trials: int = 1,
    runs: str = "runs",
    dataset: str | None = None,
    data: str = "data",
    download: bool = False,
    note: str = "",
) -> list[Entry]:
    """The runs of a figure or table, row by row, column by column, trial by trial.

    Args:
        figure: A name of FIGURES that the profile has.
        profile: A name of PROFILES.
        trials: Runs of each cell: seeds 0 to trials - 1, for the noise as well.
        runs: Folder of the saved runs.
        dataset: Where the profile's data set comes from; the profile's own if not given.
        data: Folder where data sets are kept.
        download: Fetch a public data set that is missing.
        note: Of the data, for everyone who reads of a run.

    Raises:
        ValueError: If a name is unknown, or the profile does not have the figure.
    """
    grid, known = _grid(figure, profile), PROFILES[profile]
    place = {"runs": runs, "data": data, "download": download, "note": note}
    place |= {"dataset": dataset} if dataset else {}
    entries = []
    for row, method in grid.rows.items():
        lend = known.lend if method["method"] == "lend" else {}
        for column, settings in grid.columns.items():
            layers = (known.settings, lend, method, settings, known.own.get(figure, {}), place)
            for seed in range(trials if grid.repeated else 1):
                own = {"seed": seed} | ({"snapshots": ()} if seed else {})  # one trial's embeddings are enough to keep
                entries.append(Entry(row, column, RunConfig.from_dict(_plain(_layered(*layers, own)))))
    return entries


def _plain(settings: Settings) -> dict[str, Any]:
    """Without options at their default: with them it would be another run with the same numbers."""
    options = {k: v for k, v in settings.get("options", {}).items() if LEND_DEFAULTS.get(k) != v}
    return {**settings, "options": options}


def _grid(figure: str, profile: str) -> Grid:
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; {nearest_name(profile, PROFILES)}")
    if figure not in FIGURES:
        raise ValueError(f"unknown figure {figure!r}; {nearest_name(figure, FIGURES)}")
    if figure not in PROFILES[profile].figures:
        have = ", ".join(PROFILES[profile].figures)
        raise ValueError(f"profile {profile} has no {figure}; it has {have}")
    return PROFILES[profile].grids.get(figure, FIGURES[figure])


def plan_all(profile: str = "digits", *, trials: int = 1, **place: Any) -> list[RunConfig]:  # noqa: ANN401
    """The runs of all figures of a profile, each once; trial by trial, so that a part of them is a fair sample.

    Args:
        profile: A name of PROFILES.
        trials: Runs of each cell.
        place: runs, dataset, data, download and note, as for :func:`plan`.
    """
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; {nearest_name(profile, PROFILES)}")
    entries = [e for figure in PROFILES[profile].figures for e in plan(figure, profile, trials=trials, **place)]
    configs = {entry.config.hash: entry.config for entry in entries}
    return sorted(configs.values(), key=lambda config: config.seed)
