"""The runs that each figure and table of a profile needs: ask :func:`plan`, so that all name the same ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from lend.inputs import RunConfig, require_name
from lend.paper.grids import FURTHER_ROWS, LEND_ROWS, ROWS, TRIALS, Entry, Grid, Profile, Settings, layered
from lend.paper.profiles import CHANGES, FIGURES, LEND_DEFAULTS, PROFILES
from lend.paper.rows import named_rows, own_rows

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
    "named_rows",
    "own_rows",
    "plan",
    "plan_all",
    "takes_rows",
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
    rows: Mapping[str, Any] | None = None,
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
        rows: Methods of your own below those of the figure, in every column: see :func:`own_rows`.

    Raises:
        ValueError: If a name is unknown, the profile does not have the figure, or the figure has no place for own rows.
        FileNotFoundError: If there is no file of an own row.
    """
    grid, known = _grid(figure, profile), PROFILES[profile]
    if rows:
        if not grid.own:
            have = [name for name in PROFILES[profile].figures if takes_rows(name, profile)]
            places = f"they can stand in {', '.join(have)}" if have else f"profile {profile} has none that has"
            raise ValueError(f"rows have no place in {figure}, which compares no methods; {places}")
        grid = replace(grid, rows={**grid.rows, **own_rows(rows)})
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


def takes_rows(figure: str, profile: str) -> bool:
    """Whether rows of your own can stand in a figure or table of a profile.

    They can where methods are compared: not where a column sets an option of LEND, as β in Fig. 8, and not in pictures
    of single networks.

    Raises:
        ValueError: If a name is unknown, or the profile does not have the figure.
    """
    return _grid(figure, profile).own


def plan_all(
    profile: str = "digits",
    *,
    figures: Collection[str] | None = None,
    trials: int = 1,
    rows: Mapping[str, Any] | None = None,
    **place: Any,  # noqa: ANN401
) -> list[RunConfig]:
    """The runs of all figures of a profile, each once; trial by trial, so that a part of them is a fair sample.

    Args:
        profile: A name of PROFILES.
        figures: Names of FIGURES, of which those count that the profile has; all if not given.
        trials: Runs of each cell.
        rows: Methods of your own, in those figures that :func:`takes_rows`.
        place: runs, dataset, data, download and note, as for :func:`plan`.

    Raises:
        ValueError: If a name is unknown, or no figure of the profile has a place for own rows.
        FileNotFoundError: If there is no file of an own row.
    """
    require_name(profile, PROFILES, "profile")
    for figure in figures or ():
        require_name(figure, FIGURES, "figure")
    own, there = own_rows(rows), PROFILES[profile].figures
    taking = [figure for figure in there if own and takes_rows(figure, profile)]
    if own and not taking:
        raise ValueError(f"rows have no place in profile {profile}, which compares no methods")
    entries = [
        entry
        for figure in there
        if figures is None or figure in figures
        for entry in plan(figure, profile, trials=trials, rows=own if figure in taking else None, **place)
    ]
    configs = {entry.config.hash: entry.config for entry in entries}
    return sorted(configs.values(), key=lambda config: config.seed)
