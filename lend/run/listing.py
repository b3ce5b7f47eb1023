"""A table of saved runs, one line each: settings, how far they are, and scores."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from lend.inputs import Dilution
from lend.run.finding import runs as saved_runs
from lend.run.measures import MEASURES
from lend.run.run import Run
from lend.storage import DamagedFileError

SETTINGS = (
    "dataset",
    "method",
    "noise",
    "noise_rate",
    "seed",
    "network",
    "width",
    "train_size",
    "batch_size",
    "epochs",
)
RECORDED = ("dataset", "method", "noise", "seed")  # the settings that a recorded run always knows
COLUMNS = (*SETTINGS, "epochs_done", "options", "dilution", "class_prior", "note", "device", *MEASURES, "path")


def table(runs: str | Path | Iterable[Run]) -> pd.DataFrame:
    """List runs in a table, one line each: settings, how far they are, and scores.

    Args:
        runs: A folder of runs, or opened runs.

    Returns:
        One row per run, by the name of its folder; the columns are COLUMNS. ``best`` is an oracle on the test set,
        ``last`` the mean of the last ten epochs, so far; NaN before the first epoch. ``dilution`` names what differs
        from the defaults, ``note`` what the name of the data does not say. Settings that a recorded run does not know
        are missing. A run with a damaged history record keeps its row, without scores, and a warning names the file.
    """
    found = saved_runs(runs) if isinstance(runs, str | Path) else list(runs)
    names = pd.Index([run.path.name for run in found], name="run", dtype=object)
    return pd.DataFrame([_line(run) for run in found], index=names, columns=list(COLUMNS))


def _line(run: Run) -> dict[str, Any]:
    config, settings = run.config, set(SETTINGS)
    if run.recorded is not None:
        told = config.noise != "given" and (config.noise_rate > 0 or not config.noise.startswith("human:"))
        settings = {*RECORDED, *(("noise_rate",) if told else ())}
    try:
        measured = scores(run)
    except DamagedFileError as error:  # one damaged run takes no other out of a table
        warnings.warn(f"the scores of run {run.path.name} are left out: {error}", stacklevel=3)
        measured = dict.fromkeys(MEASURES, float("nan"))
    return {
        **{name: getattr(config, name) if name in settings else None for name in SETTINGS},
        "epochs": config.epochs if run.recorded is None else run.epochs_done,
        "epochs_done": run.epochs_done,
        "options": _readable(config.options),
        "dilution": _readable(_unusual(config.dilution)),
        "class_prior": prior_text(config.dilution.class_prior),
        "note": run.note,
        "device": run.info.get("device"),
        **measured,
        "path": str(run.shown),
    }


def _unusual(dilution: Dilution) -> dict[str, Any]:
    """The settings of the dilution that differ from the defaults, without the class prior."""
    default = asdict(Dilution())
    return {k: v for k, v in asdict(dilution).items() if v != default[k] and k != "class_prior"}


def _readable(settings: Mapping[str, Any]) -> str:
    """Write settings for a table, as in "k 4, steps 3"."""
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def prior_text(prior: str | list[float] | None) -> str:
    """Write a class prior for a table: "none", its name, or its shares."""
    if prior is None or isinstance(prior, str):
        return prior or "none"
    return " ".join(f"{share:g}" for share in prior) or "none"


def scores(run: Run) -> dict[str, float]:
    """Return the four scores of a run, by the names of ``MEASURES``; NaN where a run does not have one."""
    return run.scores
