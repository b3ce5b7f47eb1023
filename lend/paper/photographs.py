"""Profiles of short trainings on CIFAR: all methods at 40 % of noise, and those without a told rate at every rate.

``-10k`` stands for 10,000 of the 50,000 training images: a run takes a CPU minutes. Their numbers are far below those
of all images, and are called by that name wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lend.paper.grids import (
    CORRECTED,
    FOR_ASYMMETRIC,
    FOR_CIFAR100,
    FURTHER_ROWS,
    LEND_ROWS,
    ROWS,
    Column,
    Grid,
    Profile,
    Settings,
    annotators,
    beside,
    layered,
    rates,
)

SHORT: Settings = {"epochs": 20, "snapshots": (3, 5, 10, 15, 20)}
_SMALL: Settings = {"train_size": 10_000, "epochs": 20, "snapshots": ()}
_BETA: Settings = {"options": {"beta": 0.7}}  # at 0.9 a short training drops nothing before the network knows the noise

# Without those that are told the rate of noise: beside them the question is what a method gains where nobody knows it.
UNTOLD: dict[str, Settings] = {
    "Standard": ROWS["Standard"],
    **LEND_ROWS,
    "ELR": FURTHER_ROWS["ELR"],
    "LEND2": FURTHER_ROWS["LEND2"],
    **CORRECTED,
}


def _untold(columns: Mapping[Column, Settings], changes: Mapping[str, Settings] | None = None) -> Grid:
    return Grid({row: layered(own, (changes or {}).get(row, {})) for row, own in UNTOLD.items()}, columns, own=True)


# Asymmetric noise of 50 % and more has no right answer: then most labels of a class are those of another.
RATES: dict[str, Grid] = {
    "rates_symmetric": _untold({"no noise": {"noise": "none"}, **rates("symmetric", 0.1, 0.2, 0.4, 0.6)}),
    "rates_asymmetric": _untold(rates("asymmetric", 0.1, 0.2, 0.4), FOR_ASYMMETRIC),
}
_ALL_ROWS = tuple(
    replace(grid, rows={**grid.rows, **CORRECTED})
    for grid in (
        beside(Grid(ROWS, rates("symmetric", 0.4), own=True), "symmetric 40 %"),
        beside(Grid(ROWS, rates("asymmetric", 0.4), own=True), "asymmetric 40 %", FOR_ASYMMETRIC),
    )
)
_HUMAN = {"human": _untold(annotators("worse", "aggre"))}
_CIFAR10: dict[str, Grid] = {
    **dict(zip(("figure6", "figure7", "table1", "table2"), _ALL_ROWS * 2, strict=True)),
    **_HUMAN,
    **RATES,
}
_CIFAR100_ROWS: dict[str, Settings] = {
    "Standard": ROWS["Standard"],
    **LEND_ROWS,
    "LEND, data set": {"method": "lend", "options": {"scope": "dataset"}},  # a batch holds 2.6 examples of a class
    "ELR": layered(FURTHER_ROWS["ELR"], FOR_CIFAR100["ELR"]),
    "GCE": ROWS["GCE"],
    "LEND2": FURTHER_ROWS["LEND2"],
}
_BY_SUPERCLASS: Mapping[Column, Settings] = {
    "asymmetric 40 %": {"noise": "asymmetric:cifar100-superclass", "noise_rate": 0.4}
}
_CIFAR100: dict[str, Grid] = {
    **dict.fromkeys(("figure6", "table1"), Grid(_CIFAR100_ROWS, rates("symmetric", 0.4), own=True)),
    **dict.fromkeys(("figure7", "table2"), Grid(_CIFAR100_ROWS, _BY_SUPERCLASS, own=True)),
    "human": Grid(_CIFAR100_ROWS, annotators("noisy"), own=True),
}

PHOTOGRAPHS: dict[str, Profile] = {
    # all of CIFAR-10: hours on two cores, minutes on a card
    "cifar10-thin-all": Profile(
        {"dataset": "cifar10", "width": 16, **SHORT}, ("figure4", *_CIFAR10), lend=_BETA, grids=_CIFAR10
    ),
    "cifar10-thin-all-augmented": Profile(
        {"dataset": "cifar10", "width": 16, "augment": True, **SHORT}, tuple(_CIFAR10), lend=_BETA, grids=_CIFAR10
    ),
    "cifar10-thin-10k": Profile(
        {"dataset": "cifar10", "width": 16, **_SMALL}, tuple(_CIFAR10), lend=_BETA, grids=_CIFAR10
    ),
    "cifar10-thin-10k-augmented": Profile(
        {"dataset": "cifar10", "width": 16, "augment": True, **_SMALL},
        ("human", *RATES),
        lend=_BETA,
        grids=_HUMAN,
    ),
    # an embedding of width 16 has 128 numbers, few for 100 classes; here it has 256
    "cifar100-thin": Profile(
        {"dataset": "cifar100", "width": 32, **SHORT}, tuple(_CIFAR100), lend=_BETA, grids=_CIFAR100
    ),
    "cifar100-thin-10k": Profile(
        {"dataset": "cifar100", "width": 32, **_SMALL}, tuple(_CIFAR100), lend=_BETA, grids=_CIFAR100
    ),
}
