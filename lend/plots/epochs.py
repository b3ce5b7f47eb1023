"""The axis of epochs in label curves: early epochs, where most changes, get most of the room."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes


def root_axis(axes: Axes, last: int) -> None:
    """Make the x axis show epochs 1 to ``last`` on a square root scale, and draw a grid of the values."""
    axes.set_xscale("function", functions=(_root, np.square))
    axes.set_xlim(0.7, max(last, 2) * 1.02)
    grid = axes.get_gridspec()
    crowded = last > 60 and grid is not None and grid.ncols > 2
    ticks = (1, 5, 10, 20, 50, 100, 200, 500) if crowded else (1, 2, 5, 10, 20, 50, 100, 200, 500)
    axes.set_xticks([tick for tick in ticks if tick < 0.75 * last] + [last])
    axes.set_xlabel("epoch (square root scale)")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)


def _root(epochs: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(epochs, 0))  # matplotlib also evaluates the scale left of zero
