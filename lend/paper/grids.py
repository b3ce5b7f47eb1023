"""The shapes of an experiment: rows by columns, a profile of data and protocol, a run in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from lend.inputs import RunConfig

Settings = Mapping[str, Any]  # of RunConfig, over its defaults
Column = str | int | float

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
        only: The columns of a row that has not all of them.
        own: Whether rows of your own may stand beside these: methods in every column, which sets no option of LEND.
    """

    rows: Mapping[str, Settings]
    columns: Mapping[Column, Settings]
    repeated: bool = True
    only: Mapping[str, Sequence[Column]] = field(default_factory=dict)
    own: bool = False

    def cells(self) -> Iterator[tuple[str, Column]]:
        """The places where runs are wanted, row by row."""
        return ((row, column) for row in self.rows for column in self.only.get(row, self.columns))


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

# Methods that the paper does not compare with, at the settings of their authors for CIFAR-10 and symmetric noise.
FURTHER_ROWS: dict[str, Settings] = {
    "Forward": {"method": "forward"},
    "ELR": {"method": "elr"},
    "Co-teaching+": {"method": "coteaching+"},
    "DivideMix": {"method": "dividemix"},
    "SOP": {"method": "sop"},
    "LEND2": {"method": "lend2"},  # the library's own, at its defaults
}
# LEND2 with what it has for augmentation, which is not its default: on photographs alone.
CORRECTED: dict[str, Settings] = {"LEND2+corrected": {"method": "lend2", "options": {"corrected": True}}}

# What the authors of the further methods set for asymmetric noise, and for CIFAR-100.
FOR_ASYMMETRIC: dict[str, Settings] = {
    "ELR": {"options": {"strength": 1.0, "beta": 0.9}},
    "DivideMix": {"options": {"strength": 0.0}},
    "SOP": {"options": {"rate_v": 100.0}},
}
FOR_CIFAR100: dict[str, Settings] = {
    "Forward": {"options": {"percentile": 100.0}},
    "ELR": {"options": {"strength": 7.0, "beta": 0.9}},
    "Co-teaching+": {"options": {"agreeing": 5}},
    "DivideMix": {"options": {"warmup": 30}},
    "SOP": {"options": {"rate_u": 1.0}},
}


def layered(*layers: Settings) -> dict[str, Any]:
    """Later settings over earlier ones; options and dilution one by one."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            merged[name] = {**merged.get(name, {}), **value} if isinstance(value, Mapping) else value
    return merged


def rates(noise: str, *rates: float) -> dict[Column, Settings]:
    return {f"{noise} {100 * rate:.0f} %": {"noise": noise, "noise_rate": rate} for rate in rates}


def annotators(*names: str) -> dict[Column, Settings]:
    """Columns of CIFAR-10N."""
    return {f"human {name}": {"noise": f"human:{name}"} for name in names}


def sensitivity(columns: Mapping[Column, Settings], own: bool = False) -> Grid:
    """LEND over the values of one setting, at the noise of the paper's Fig. 8."""
    noise = {"noise": "asymmetric", "noise_rate": 0.4}
    return Grid(LEND_ROWS, {name: {**noise, **settings} for name, settings in columns.items()}, own=own)


def beside(grid: Grid, column: Column, *changes: Mapping[str, Settings]) -> Grid:
    """The grid with FURTHER_ROWS below its own, in one of its columns.

    Args:
        grid: Rows of the paper.
        column: Where the further rows have runs.
        changes: Settings over those of FURTHER_ROWS, by row; later ones over earlier ones.
    """
    further = {row: layered(own, *(c.get(row, {}) for c in changes)) for row, own in FURTHER_ROWS.items()}
    return replace(grid, rows={**grid.rows, **further}, only=dict.fromkeys(further, (column,)))
