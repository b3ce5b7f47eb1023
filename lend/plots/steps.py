"""Label accuracy by the number of dilution steps."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lend.plots.colours import LABEL_COLOURS, LABEL_DASHES, LABEL_TITLES
from lend.plots.style import Picture, styled


@styled
def step_curves(table: pd.DataFrame, noisy: float | None = None) -> Figure:
    """Draw label accuracy by the number of dilution steps, one line per snapshot.

    Args:
        table: Table of :func:`lend.analysis.step_accuracy`, fractions: one row per number of steps, one column per
            epoch.
        noisy: Label accuracy of the noisy labels, to draw as a baseline.
    """
    figure = Picture(figsize=(5.4, 2.6), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(table))
    shades = matplotlib.colormaps["viridis"](np.linspace(0.05, 0.85, table.shape[1]))
    for (epoch, values), shade, marker in zip(table.items(), shades, "osD^vPX*<>" * 10, strict=False):
        axes.plot(places, 100 * values, color=shade, marker=marker, markersize=3.5, label=f"epoch {epoch}")
    if noisy is not None:
        axes.axhline(
            100 * noisy, color=LABEL_COLOURS["noisy"], linestyle=LABEL_DASHES["noisy"], label=LABEL_TITLES["noisy"]
        )
    axes.set_xticks(places, [str(step) for step in table.index])
    axes.set(xlabel="steps of Eq. (3)", ylabel="label accuracy (%)")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    figure.legend(loc="outside right upper")
    return figure
