"""The planned runs of a figure or table: which of them are finished, and how to train the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lend.paper import experiments
from lend.paper.grids import Entry
from lend.paper.rows import own_rows, typed_rows
from lend.run import Run


def planned(figure: str, profile: str, *, rows: Mapping[str, Any] | None = None, **place: Any) -> list[Entry]:  # noqa: ANN401
    """As :func:`~lend.paper.experiments.plan`, but empty where the profile lacks the figure: see :func:`missing`.

    Rows of your own are left out of a figure without a place for them: see :func:`~lend.paper.experiments.takes_rows`.
    """
    own, known = own_rows(rows), experiments.PROFILES.get(profile)
    if known is not None and figure in experiments.FIGURES and figure not in known.figures:
        return []
    there = own if own and experiments.takes_rows(figure, profile) else None
    return experiments.plan(figure, profile, rows=there, **place)


def finished(entry: Entry) -> Run | None:
    """The run of an entry if it is there to its last epoch."""
    run = Run.find(entry.config)
    return run if run is not None and run.complete else None


def missing(
    entries: Sequence[Entry],
    figure: str,
    profile: str,
    *,
    runs: str = "runs",
    dataset: str | None = None,
    rows: Mapping[str, Any] | None = None,
) -> str | None:
    """One line on the runs that a figure still needs and how to train them; None if all are there.

    Args:
        entries: The plan of the figure.
        figure: Its name.
        profile: The profile of the plan.
        runs: The folder of the plan, named in the line unless it is that of the repository.
        dataset: Where the data of the plan come from, if it is not the profile's own place.
        rows: Those of your own that the plan was asked for.
    """
    if not entries:
        return f"profile {profile} has no {figure}"
    absent = sum(finished(entry) is None for entry in entries)
    if not absent:
        return None
    trials = 1 + max(entry.config.seed for entry in entries)
    command = f"lend sweep {figure} --profile {profile} --trials {trials}"
    command += f" --dataset {dataset}" if dataset else ""
    command += "" if _usual(runs) else f" --runs {runs}"
    there = {entry.row for entry in entries}
    command += typed_rows({name: settings for name, settings in own_rows(rows).items() if name in there})
    verb, them = ("is", "it") if absent == 1 else ("are", "them")
    return f"{absent} of {len(entries)} runs {verb} missing; train {them} with: {command}"


def _usual(runs: str) -> bool:
    """Whether this is the folder of the repository, as it is called from there or from notebooks/."""
    return Path(runs).resolve() in (Path("runs").resolve(), Path("../runs").resolve())
