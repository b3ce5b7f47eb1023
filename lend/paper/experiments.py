"""The runs that each figure and table of a profile needs: ask :func:`plan`, so that all name the same ones."""

from __future__ import annotations

from typing import Any

from lend.config import RunConfig
from lend.inputs import require_name
from lend.paper.grids import FURTHER_ROWS, LEND_ROWS, ROWS, TRIALS, Entry, Grid, Profile, Settings, layered
from lend.paper.profiles import CHANGES, FIGURES, LEND_DEFAULTS, PROFILES

__all__ = [
    "CHANGES",
    "FIGURES",
    "FURTHER_ROWS",
    "LEND_DEFAULTS",
    "LEND_ROWS",
    "PROFILES",
    "ROWS",
    "TRIALS",
    "Entry",
    "Grid",
    "Profile",
    "plan",
    "plan_all",
]


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
        note: What a reader of a run must know about the data.

    Raises:
        ValueError: If a name is unknown, or the profile does not have the figure.
    """
    grid, known = _grid(figure, profile), PROFILES[profile]
    place = {"runs": runs, "data": data, "download": download, "note": note}
    place |= {"dataset": dataset} if dataset else {}
    entries = []
    for row, column in grid.cells():
        method = grid.rows[row]
        lend = known.lend if method["method"] == "lend" else {}
        layers = (known.settings, lend, method, grid.columns[column], known.own.get(figure, {}), place)
        for seed in range(trials if grid.repeated else 1):
            own = {"seed": seed} | ({"snapshots": ()} if seed else {})  # one trial's embeddings are enough to keep
            entries.append(Entry(row, column, RunConfig.from_dict(_plain(layered(*layers, own)))))
    return entries


def _plain(settings: Settings) -> dict[str, Any]:
    """Without LEND's options at their default: with them it would be another run with the same numbers."""
    default = LEND_DEFAULTS if settings["method"] == "lend" else {}
    options = {name: value for name, value in settings.get("options", {}).items() if default.get(name) != value}
    return {**settings, "options": options}


def _grid(figure: str, profile: str) -> Grid:
    require_name(profile, PROFILES, "profile")
    require_name(figure, FIGURES, "figure")
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
    require_name(profile, PROFILES, "profile")
    entries = [e for figure in PROFILES[profile].figures for e in plan(figure, profile, trials=trials, **place)]
    configs = {entry.config.hash: entry.config for entry in entries}
    return sorted(configs.values(), key=lambda config: config.seed)
