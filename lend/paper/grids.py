"""The shapes of an experiment: rows by columns, a profile of data and protocol, a run in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lend.config import RunConfig

Settings = Mapping[str, Any]  # of RunConfig, over its defaults

TRIALS = 5  # of the paper


class Entry(NamedTuple):
    """One run in its place in a figure or table."""

    row: str  # the curve or the line of the table, such as "LEND"
    column: str | int | float  # the panel, the column of the table or the place on the axis
    config: RunConfig


@dataclass(frozen=True)
class Grid:
    """Rows by columns, each a name and the settings that make it.

    Args:
        rows: Usually methods.
        columns: Usually noise rates, or the values of one setting.
        repeated: Whether trials with other seeds are wanted; a picture of one network has none.
    """

    rows: Mapping[str, Settings]
    columns: Mapping[str | int | float, Settings]
    repeated: bool = True


@dataclass(frozen=True)
class Profile:
    """Data and protocol: settings over the defaults, which are the paper's.

    Args:
        settings: For every run.
        figures: The grids that make sense on these data, by their names in FIGURES.
        lend: For runs of LEND.
        own: For the runs of one figure, by its name.
        grids: In the place of those of FIGURES.
    """

    settings: Settings
    figures: tuple[str, ...]
    lend: Settings = field(default_factory=dict)
    own: Mapping[str, Settings] = field(default_factory=dict)
    grids: Mapping[str, Grid] = field(default_factory=dict)


# LEND twice in every comparison, as printed in the paper and with the class prior; never one under the other name.
LEND_ROWS: dict[str, Settings] = {
    "LEND": {"method": "lend"},
    "LEND+prior": {"method": "lend", "dilution": {"class_prior": "balanced"}},
}

ROWS: dict[str, Settings] = {
    "Standard": {"method": "standard"},
    "Co-teaching": {"method": "coteaching"},
    "GCE": {"method": "gce"},
    "JoCoR": {"method": "jocor"},
    "SIGUA": {"method": "sigua"},
    **LEND_ROWS,
}


def layered(*layers: Settings) -> dict[str, Any]:
    """Later settings over earlier ones; options and dilution one by one."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            merged[name] = {**merged.get(name, {}), **value} if isinstance(value, Mapping) else value
    return merged


def rates(noise: str, *rates: float) -> dict[str | int | float, Settings]:
    return {f"{noise} {100 * rate:.0f} %": {"noise": noise, "noise_rate": rate} for rate in rates}


def annotators(*names: str) -> dict[str | int | float, Settings]:
    """Columns of CIFAR-10N."""
    return {f"human {name}": {"noise": f"human:{name}"} for name in names}


def sensitivity(columns: Mapping[str | int | float, Settings]) -> Grid:
    """LEND over the values of one setting, at the noise of the paper's Fig. 8."""
    noise = {"noise": "asymmetric", "noise_rate": 0.4}
    return Grid(LEND_ROWS, {name: {**noise, **settings} for name, settings in columns.items()})
