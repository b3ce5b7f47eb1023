"""The table of a study: a line for each kind of noise and method, over its seeds, and how far above cross entropy."""

from __future__ import annotations

import pandas as pd

from lend.paper import tables
from lend.paper.results.studies import Study

BASE = "Standard"  # the row that the others are held against: cross entropy
MEANING = (
    "Test accuracy in per cent, mean ± standard deviation over the seeds; best epoch: an oracle on the test set; "
    "over Standard: of the last ten epochs, seed by seed; bold: the highest of its noise"
)


def over_standard(study: Study) -> pd.DataFrame:
    """The scores of a study with the column margin: last, minus that of Standard for the same noise and seed.

    NaN where that run is not there yet.
    """
    scores = study.scores
    base = scores[scores["row"] == BASE].set_index(["column", "seed"])["last"]
    of_each = base.reindex(pd.MultiIndex.from_frame(scores[["column", "seed"]]))
    return scores.assign(margin=scores["last"].to_numpy() - of_each.to_numpy())


def cells(study: Study) -> pd.DataFrame:
    """Mean and standard deviation over the seeds, fractions, a line for each column and row that has a result.

    Returns:
        Columns column, row, n, wrong (share of the labels), and last, best and margin with ``_std`` of each.
    """
    grouped = over_standard(study).groupby(["column", "row"])
    found = pd.DataFrame({"n": grouped["seed"].count(), "wrong": grouped["wrong"].mean()})
    for name in ("last", "best", "margin"):
        found[name], found[f"{name}_std"] = grouped[name].mean(), grouped[name].std()
    columns, rows = (dict.fromkeys(getattr(entry, name) for entry in study.entries) for name in ("column", "row"))
    order = [(column, row) for column in columns for row in rows if (column, row) in found.index]
    return found.reindex(pd.MultiIndex.from_tuples(order, names=["column", "row"])).reset_index()


def as_markdown(table: pd.DataFrame) -> str:
    """The lines of :func:`cells` in Markdown."""
    highest = table["last"] == table.groupby("column")["last"].transform("max")
    last = _percent(table, "last")
    noise = table["column"] + " (" + (100 * table["wrong"]).map("{:.1f}".format) + " % wrong)"
    columns = {
        "noise": noise.mask(table["column"].duplicated(), ""),
        "method": table["row"].map(tables.markdown_text),
        "last ten epochs": last.mask(highest, "**" + last + "**"),
        "best epoch": _percent(table, "best"),
        "over Standard": _percent(table, "margin", "+.1f").mask(table["row"] == BASE, ""),
        "seeds": table["n"].astype(str),
    }
    return tables.markdown_lines(list(columns), map(list, zip(*columns.values(), strict=True)))


def _percent(table: pd.DataFrame, name: str, form: str = ".1f") -> pd.Series:
    """The mean in per cent, and ± its deviation where there is more than one seed; empty where it is not known."""
    mean, std = 100 * table[name], 100 * table[f"{name}_std"]
    texts = [
        "" if m != m else f"{m:{form}}" + ("" if s != s else f" ± {s:.1f}") for m, s in zip(mean, std, strict=True)
    ]
    return pd.Series(texts, index=table.index)
