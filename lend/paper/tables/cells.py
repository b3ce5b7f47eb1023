"""The cells of a table or figure: the scores of its planned runs, and their means over the trials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lend.paper.grids import Entry
from lend.paper.tables.finished import finished
from lend.run import LAST, MEASURES, scores_of

ENTRY_COLUMNS = ("row", "column", "seed", "complete", *MEASURES)
KEPT = ("right_kept", "wrong_kept")


Find = Callable[[Entry], Any]  # an entry in, something with the history and config of its finished run out, or None


def collect(entries: Iterable[Entry], find: Find = finished) -> pd.DataFrame:
    """The scores of the runs of a figure or table, one row per entry of its plan.

    Args:
        entries: The plan.
        find: Looks for the finished run of an entry; saved runs are opened if not given.

    Returns:
        Columns row, column, seed, complete, best (an oracle on the test set), last (the mean of the last ten
        epochs), chosen and ensemble. A run that is missing or not finished has NaN and complete False.
    """
    return pd.DataFrame([_collected(entry, find) for entry in entries], columns=list(ENTRY_COLUMNS))


def _collected(entry: Entry, find: Find = finished, kept: bool = False) -> dict[str, Any]:
    run = find(entry)
    found = dict.fromkeys((*MEASURES, *KEPT), float("nan"))
    if run is not None:
        history = run.history  # a file for each epoch
        found |= scores_of(history, run.config.validation) | (_kept(history) if kept else {})
    return {"row": entry.row, "column": entry.column, "seed": entry.config.seed, "complete": run is not None, **found}


def selected(entries: Iterable[Entry]) -> pd.DataFrame:
    """As :func:`collect`, and what each run trained on: means of the last ten epochs.

    Returns:
        The columns of :func:`collect`, and right_kept and wrong_kept: of the examples with a right and with a wrong
        label, the share that was kept, fractions. NaN where the true labels are unknown.
    """
    columns = [*ENTRY_COLUMNS, *KEPT]
    return pd.DataFrame([_collected(entry, kept=True) for entry in entries], columns=columns)


def _kept(history: pd.DataFrame) -> dict[str, float]:
    last = history.iloc[-LAST:]
    right, kept = last["noisy_label_accuracy"], last["kept_share"]
    kept_right = (kept * last["kept_precision"]).mask(kept == 0, 0)
    of_right = (kept_right / right).mean()
    of_wrong = ((kept - kept_right) / (1 - right).where(right < 1)).mean()
    return dict(zip(KEPT, (float(of_right), float(of_wrong)), strict=True))


def summary(collected: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Mean and standard deviation of a measure over the trials of each cell.

    Args:
        collected: From :func:`collect`.
        measure: A name of MEASURES.

    Returns:
        Indexed by row and column, in the order of the plan: mean, std (of a sample: NaN for one trial) and n, the
        finished trials.
    """
    cells = collected.groupby(["row", "column"], sort=False)[measure]
    return cells.agg(mean="mean", std="std", n="count")


def long(collected: pd.DataFrame, measures: Sequence[str] = ("best", "last")) -> pd.DataFrame:
    """The summaries of several measures below each other: columns row, column, measure, mean, std and n."""
    parts = [summary(collected, measure).reset_index().assign(measure=measure) for measure in measures]
    return pd.concat(parts, ignore_index=True)[["row", "column", "measure", "mean", "std", "n"]]


def curves(entries: Iterable[Entry], find: Find = finished) -> pd.DataFrame:
    """Test accuracy by epoch over the finished trials of each cell: the curves of Fig. 6 and 7.

    Args:
        entries: The plan.
        find: As for :func:`collect`.

    Returns:
        Indexed by row, column and epoch, in the order of the plan: mean, std (of a sample: NaN for one trial) and n,
        the finished trials. A cell without any is there, with NaN.
    """
    cells: dict[tuple[Any, Any], list[pd.Series]] = {}
    for entry in entries:
        cells.setdefault((entry.row, entry.column), []).append(_test_accuracy(entry, find))
    parts = {cell: _over_trials(pd.concat(trials, axis=1)) for cell, trials in cells.items()}
    names = ["row", "column", "epoch"]
    nothing = pd.DataFrame(columns=["mean", "std", "n"], index=pd.MultiIndex.from_tuples([], names=names))
    return pd.concat(parts, names=names) if parts else nothing


def _test_accuracy(entry: Entry, find: Find) -> pd.Series:
    run = find(entry)
    epochs = pd.RangeIndex(1, entry.config.epochs + 1, name="epoch")
    values = np.nan if run is None else run.history["test_accuracy"].to_numpy()
    return pd.Series(values, index=epochs, dtype=float)


def _over_trials(trials: pd.DataFrame) -> pd.DataFrame:
    by_epoch = {"mean": trials.mean(axis=1), "std": trials.std(axis=1), "n": trials.count(axis=1)}
    return pd.DataFrame(by_epoch)
