"""The protocol of our runs beside that of the paper, point by point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from lend.inputs import RunConfig
from lend.paper import published
from lend.paper.grids import Entry
from lend.paper.tables.markup import NOTHING
from lend.run import prior_text

HELD_OUT = "held out with noisy labels"  # a point of ours, of which the paper's protocol says nothing


def differences(plans: Mapping[str, Sequence[Entry]]) -> pd.DataFrame:
    """The protocol of the paper's tables and that of the runs planned here, point by point.

    Args:
        plans: The entries of table1, table2 and table3, or of some of them; each may be empty.

    Returns:
        Columns paper and here, indexed by point.
    """
    every = [entry.config for entries in plans.values() for entry in entries]
    points = {}
    for table, entries in plans.items():
        for point, paper in published.OWN_PROTOCOL[table].items():
            points[f"{point}, Table {table.removeprefix('table')}"] = (
                paper,
                _protocol([entry.config for entry in entries])[point],
            )
    here = _protocol(every)
    points |= {
        point: (published.PROTOCOL.get(point, NOTHING), here[point]) for point in (*published.PROTOCOL, HELD_OUT)
    }
    points |= {point: ("not stated", text) for point, text in published.OPEN}
    return pd.DataFrame.from_dict(points, orient="index", columns=["paper", "here"]).rename_axis("point")


def _protocol(configs: Sequence[RunConfig]) -> dict[str, str]:
    """The settings of all runs, by the points of the paper's protocol."""
    lend = [config for config in configs if config.method == "lend"]
    dilution = [config.dilution for config in lend]
    network = {"auto": "auto: small for images under 16 pixels, ResNet-18 for others", "resnet18": "ResNet-18"}
    every: dict[str, Sequence[object]] = {
        "data set": [c.dataset + (f", {c.train_size:,} examples" if c.train_size else "") for c in configs],
        "noise": ["none added" if c.noise == "none" else f"{c.noise} {100 * c.noise_rate:g} %" for c in configs],
        "network": [f"{network.get(c.network, c.network)}; width {c.width} (ResNet-18: 64)" for c in configs],
        "epochs": [c.epochs for c in configs],
        "batch size": [c.batch_size for c in configs],
        "learning rate": [
            f"{c.learning_rate:g}, divided by 10 after {100 * c.drop_at:g} % of the epochs" for c in configs
        ],
        "augmentation": ["crop and flip" if c.augment else "none" for c in configs],
        "trials": [len({c.seed for c in configs})] if configs else [],
        "k": [d.k for d in dilution],
        "α": [f"{d.alpha:g}" for d in dilution],
        "β": [c.options.get("beta", "as in the paper") for c in lend],
        "γ": [f"{d.gamma:g}" for d in dilution],
        "steps of Eq. (3)": [d.steps for d in dilution],
        "reserved term of Eq. (3)": [d.reserve for d in dilution],
        "W' of Eq. (2)": [d.affinity for d in dilution],
        "class prior": [f"{prior_text(d.class_prior)}" for d in dilution],
        HELD_OUT: [f"{100 * c.validation:g} % of the examples" if c.validation else "none" for c in configs],
    }
    return {point: ", ".join(dict.fromkeys(map(str, values))) or NOTHING for point, values in every.items()}
