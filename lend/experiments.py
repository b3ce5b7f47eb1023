"""Which runs each figure needs: the paper's experiments as data.

A profile says on what data and for how long, a figure which methods and which noise. Notebooks and the command line
ask :func:`plan`, so both name the same runs.
"""

from __future__ import annotations

from typing import Any

from lend.config import RunConfig, nearest_name

# Settings over the defaults, which are the paper's protocol; those of one method or one figure under its name.
# Short trainings scale β with their length: at β 0.9 no example is dropped before the eighth epoch.
PROFILES: dict[str, dict[str, Any]] = {
    # small batches and a small rate: the noise is memorised over epochs 30 to 100, as on photographs, not at once
    "digits": {"dataset": "digits", "batch_size": 128, "width": 32, "learning_rate": 0.003},
    "cifar10-thin": {
        "dataset": "cifar10",
        "train_size": 20_000,
        "width": 16,
        "epochs": 40,
        "snapshots": (5, 10, 20, 30, 40),
        "lend": {"options": {"beta": 0.7}},
        "figure1": {"noise_rate": 0.4},  # one Standard run serves both figures: a training takes an hour on two cores
    },
    "cifar10": {"dataset": "cifar10"},
    "cifar100": {"dataset": "cifar100"},
    # a smoke test of everything, in seconds
    "tiny": {"dataset": "digits", "train_size": 300, "epochs": 4, "batch_size": 100, "width": 16, "snapshots": (1, 4)},
}

# figure -> label -> the settings that make the run
FIGURES: dict[str, dict[str, dict[str, Any]]] = {
    "figure1": {"Standard": {"method": "standard", "noise": "asymmetric", "noise_rate": 0.45}},
    "figure4": {
        "Standard": {"method": "standard", "noise": "asymmetric", "noise_rate": 0.4},
        "LEND": {"method": "lend", "noise": "asymmetric", "noise_rate": 0.4},
    },
}


def plan(
    figure: str, profile: str = "digits", *, runs: str = "runs", dataset: str | None = None
) -> dict[str, RunConfig]:
    """The runs of a figure, by the label that they have in it.

    Args:
        figure: A name of FIGURES.
        profile: A name of PROFILES.
        runs: Folder of the saved runs.
        dataset: Where the profile's data set comes from; the profile's own if not given.

    Raises:
        ValueError: If a name is unknown.
    """
    if figure not in FIGURES:
        raise ValueError(f"unknown figure {figure!r}; {nearest_name(figure, FIGURES)}")
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; {nearest_name(profile, PROFILES)}")
    return {label: _config(profile, figure, label, runs, dataset) for label in FIGURES[figure]}


def _config(profile: str, figure: str, label: str, runs: str, dataset: str | None) -> RunConfig:
    settings, run = PROFILES[profile], FIGURES[figure][label]
    shared = {name: value for name, value in settings.items() if name != "lend" and name not in FIGURES}
    own = settings.get(run["method"], {}) | run | settings.get(figure, {})
    place = {"runs": runs} | ({"dataset": dataset} if dataset else {})
    return RunConfig(**(shared | own | place))


def plan_all(profile: str = "digits", *, runs: str = "runs", dataset: str | None = None) -> list[RunConfig]:
    """The runs of all figures, each once."""
    configs = [c for figure in FIGURES for c in plan(figure, profile, runs=runs, dataset=dataset).values()]
    return list({config.hash: config for config in configs}.values())
