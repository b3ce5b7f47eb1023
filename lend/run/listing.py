"""Every saved run in one line: its settings, how far it is, and its scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lend.config import Dilution
from lend.run.run import LAST, Run
from lend.run.run import runs as saved_runs

MEASURES = {
    "best": "the highest of any epoch, an oracle on the test set",
    "last": "the mean of the last ten epochs",
    "chosen": "that of the epoch which is best on held-out noisy labels",
    "ensemble": "as last, of the mean softmax of the method's networks",
}
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
COLUMNS = (*SETTINGS, "epochs_done", "options", "dilution", "class_prior", "note", "device", *MEASURES, "path")


def table(runs: str | Path | Iterable[Run]) -> pd.DataFrame:
    """Every run in one line: its settings, how far it is, and its scores.

    Args:
        runs: A folder of runs, or opened runs.

    Returns:
        One row per run, by the name of its folder; the columns are COLUMNS. ``best`` is an oracle on the test set,
        ``last`` the mean of the last ten epochs, so far; NaN before the first epoch. ``dilution`` names what differs
        from the defaults, ``note`` what the name of the data does not say.
    """
    found = saved_runs(runs) if isinstance(runs, str | Path) else list(runs)
    names = pd.Index([run.path.name for run in found], name="run", dtype=object)
    return pd.DataFrame([_line(run) for run in found], index=names, columns=list(COLUMNS))


def _line(run: Run) -> dict[str, Any]:
    config = run.config
    return {
        **{name: getattr(config, name) for name in SETTINGS},
        "epochs_done": run.epochs_done,
        "options": _readable(config.options),
        "dilution": _readable(_unusual(config.dilution)),
        "class_prior": prior_text(config.dilution.class_prior),
        "note": run.note,
        "device": run.info.get("device"),
        **scores(run),
        "path": str(run.path),
    }


def _unusual(dilution: Dilution) -> dict[str, Any]:
    default = asdict(Dilution())
    return {k: v for k, v in asdict(dilution).items() if v != default[k] and k != "class_prior"}


def _readable(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def prior_text(prior: str | list[float] | None) -> str:
    return prior if isinstance(prior, str) else " ".join(f"{share:g}" for share in prior or ()) or "none"


def scores(run: Run) -> dict[str, float]:
    """The four measures of a run, from one reading of its history; NaN where a run does not have one."""
    return scores_of(run.history, run.config.validation)


def scores_of(history: pd.DataFrame, validation: float) -> dict[str, float]:
    """As :func:`scores`, of a history that has been read; validation is the share that was held out."""
    if history.empty:
        return dict.fromkeys(MEASURES, float("nan"))
    test = history["test_accuracy"]
    chosen = test[history["validation_accuracy"].idxmax()] if validation else np.nan
    ensemble = history["ensemble_accuracy"].iloc[-LAST:].mean() if "ensemble_accuracy" in history else np.nan
    found = (test.max(), test.iloc[-LAST:].mean(), chosen, ensemble)
    return {name: float(value) for name, value in zip(MEASURES, found, strict=True)}
