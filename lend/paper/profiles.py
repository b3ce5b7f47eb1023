"""The paper's experiments as data: the grid of each figure and table, and the profiles on which they run.

A grid crosses rows (methods) with columns (noise rates, or values of one setting). A profile says on what data and for
how long.
"""

from __future__ import annotations

from collections.abc import Mapping

from lend.paper.grids import (
    FOR_ASYMMETRIC,
    FOR_CIFAR100,
    LEND_ROWS,
    ROWS,
    Grid,
    Profile,
    Settings,
    annotators,
    beside,
    layered,
    rates,
    sensitivity,
)
from lend.paper.photographs import PHOTOGRAPHS, RATES, SHORT

LEND_DEFAULTS = {
    "beta": 0.9,
    "memory": "hard",
    "scope": "batch",
}  # of lend.methods.LEND; asking it would load torch


_SELECTION = {"Standard": ROWS["Standard"]} | LEND_ROWS
_SYMMETRIC = Grid(ROWS, rates("symmetric", 0.4, 0.5, 0.6), own=True)
_ASYMMETRIC = Grid(ROWS, rates("asymmetric", 0.2, 0.3, 0.4), own=True)


def _tables(*changes: Mapping[str, Settings]) -> dict[str, Grid]:
    """Tables 1 and 2 with the further methods, at the rate that both tables have."""
    return {
        "table1": beside(_SYMMETRIC, "symmetric 40 %", *changes),
        "table2": beside(_ASYMMETRIC, "asymmetric 40 %", FOR_ASYMMETRIC, *changes),
    }


_SNAPSHOTS = Grid({"Standard": ROWS["Standard"]}, rates("asymmetric", 0.45), repeated=False)

_SCOPES = ("batch", "dataset")
_SIZES: dict[str, Settings] = {"": {}, " (32)": {"batch_size": 32}}  # a small batch holds few examples of a class

# What the paper leaves open, one change at a time.
CHANGES: dict[str, Settings] = {
    "1 step": {"dilution": {"steps": 1}},
    "3 steps": {"dilution": {"steps": 3}},
    "5 steps": {"dilution": {"steps": 5}},
    "affinity sum": {"dilution": {"affinity": "sum"}},
    "reserve initial": {"dilution": {"reserve": "initial"}},
    "memory soft": {"options": {"memory": "soft"}},
    "β 0.5": {"options": {"beta": 0.5}},
    "β 0.9": {"options": {"beta": 0.9}},
    "scope dataset": {"options": {"scope": "dataset"}},
    "augmentation": {"augment": True},
}


def _choices(noise: str, base: str, photographs: bool = True) -> Grid:
    """The changes, each made to one of LEND's rows; augmentation is made for photographs."""
    rows = {"Standard": ROWS["Standard"], "Standard, augmentation": {**ROWS["Standard"], "augment": True}} | LEND_ROWS
    rows |= {name: layered(LEND_ROWS[base], change) for name, change in CHANGES.items()}
    shown = {name: settings for name, settings in rows.items() if photographs or "augment" not in settings}
    return Grid(shown, rates(noise, 0.4))


FIGURES: dict[str, Grid] = {
    "figure1": _SNAPSHOTS,
    "figure4": Grid(_SELECTION, rates("asymmetric", 0.4), repeated=False),
    "figure6": _SYMMETRIC,
    "figure7": _ASYMMETRIC,
    "figure8a": sensitivity({size: {"batch_size": size} for size in (32, 64, 128, 256, 512)}, own=True),
    "figure8b": sensitivity({k: {"dilution": {"k": k}} for k in (2, 4, 6, 8, 10)}, own=True),
    "figure8c": sensitivity({beta: {"options": {"beta": beta}} for beta in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)}),
    "figure9_12": _SNAPSHOTS,
    **_tables(),
    "table3": Grid(
        ROWS, rates("instance", 0.08), own=True
    ),  # where the labels are known to be clean, noise of its kind
    # not in the paper: what it leaves open, and human labels
    "choices_symmetric": _choices("symmetric", "LEND"),
    "choices_asymmetric": _choices("asymmetric", "LEND+prior"),  # where LEND as printed is no better than cross entropy
    "steps": sensitivity({steps: {"dilution": {"steps": steps}} for steps in (1, 2, 3, 5)}),
    "affinity": sensitivity({name: {"dilution": {"affinity": name}} for name in ("product", "sum")}),
    "reserve": sensitivity({name: {"dilution": {"reserve": name}} for name in ("previous", "initial")}),
    "memory": sensitivity({name: {"options": {"memory": name}} for name in ("hard", "soft")}),
    "scope": sensitivity(
        {f"{name}{note}": {"options": {"scope": name}, **size} for note, size in _SIZES.items() for name in _SCOPES}
    ),
    "human": Grid(ROWS, annotators("aggre", "random1", "worse"), own=True),
    **RATES,
}
_SYNTHETIC = tuple(name for name in FIGURES if name not in ("human", *RATES))
_DIGITS = {"dataset": "digits", "batch_size": 128, "width": 32, "learning_rate": 0.005, "validation": 0.1}
_AT_LENGTH = {"epochs": 200}
_SMALL = {"train_size": 10_000, "epochs": 20, "snapshots": ()}
_AT_40: dict[str, Grid] = dict.fromkeys(("figure6", "table1"), Grid(ROWS, rates("symmetric", 0.4), own=True))
_AT_40 |= dict.fromkeys(("figure7", "table2"), Grid(_SELECTION, rates("asymmetric", 0.4), own=True))

PROFILES: dict[str, Profile] = {
    # small batches and a small rate: the noise is memorised over tens of epochs, as on photographs, not at once
    "digits": Profile(
        _DIGITS | {"epochs": 100},
        _SYNTHETIC,
        own=dict.fromkeys(("figure1", "figure4", "figure9_12"), _AT_LENGTH),
        grids={
            "choices_symmetric": _choices("symmetric", "LEND", photographs=False),
            "choices_asymmetric": _choices("asymmetric", "LEND+prior", photographs=False),
        },
    ),
    # short trainings scale β with their length: at β 0.9 no example is dropped before the seventh epoch
    "cifar10-thin": Profile(
        {"dataset": "cifar10", "train_size": 20_000, "width": 16, **SHORT},
        (*_SYNTHETIC, "human"),
        lend={"options": {"beta": 0.7}},
        own=dict.fromkeys(("choices_symmetric", "choices_asymmetric"), _SMALL),
        grids=_AT_40 | {"human": Grid(ROWS, annotators("worse"), own=True)},
    ),
    "cifar10": Profile({"dataset": "cifar10"}, _SYNTHETIC),
    "cifar100": Profile({"dataset": "cifar100"}, _SYNTHETIC, grids=_tables(FOR_CIFAR100)),
    "animal10n": Profile(
        {"dataset": "animal10n"},
        ("table3",),
        grids={"table3": Grid(ROWS, {"Animal-10N": {"noise": "none"}}, own=True)},
    ),
    "cifar10n": Profile({"dataset": "cifar10"}, ("human",)),
    # a smoke test of everything, in seconds
    "tiny": Profile(
        {"dataset": "digits", "train_size": 300, "epochs": 4, "batch_size": 100, "width": 16, "snapshots": (1, 4)},
        ("figure1", "figure4"),
    ),
    **PHOTOGRAPHS,
}
