"""What the LEND paper printed, as data: its tables in per cent, and its protocol.

Source of every number: "Towards Harnessing Feature Embedding for Robust Learning with Noisy Labels" (arXiv 2206.13025),
its two tables of CIFAR-100 and its Table 3. Of their standard deviations only the range is known here, 0.04 to 0.80.
CIFAR-10 appears in the paper as curves only, so there is no number to compare with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

SOURCE = "arXiv 2206.13025"
TRIALS = 5
SCORES = {
    "table1": ("best", "last"),
    "table2": ("best", "last"),
    "table3": ("last",),
}
DECIMALS = {"table1": 2, "table2": 2, "table3": 1}

# table -> column -> row -> what SCORES names; columns and rows are called as in lend.paper.experiments
TABLES: Mapping[str, Mapping[str, Mapping[str, tuple[float, ...]]]] = {
    "table1": {
        "symmetric 40 %": {
            "Standard": (43.75, 33.24),
            "Co-teaching": (40.53, 38.40),
            "GCE": (43.68, 43.48),
            "JoCoR": (45.89, 40.46),
            "SIGUA": (37.12, 36.20),
            "LEND": (52.71, 48.73),
        },
        "symmetric 50 %": {
            "Standard": (36.92, 21.80),
            "Co-teaching": (34.98, 30.45),
            "GCE": (40.17, 36.12),
            "JoCoR": (40.86, 34.52),
            "SIGUA": (32.78, 32.46),
            "LEND": (44.37, 40.37),
        },
        "symmetric 60 %": {
            "Standard": (25.71, 15.33),
            "Co-teaching": (28.92, 24.79),
            "GCE": (40.34, 33.39),
            "JoCoR": (38.25, 31.73),
            "SIGUA": (30.13, 29.66),
            "LEND": (42.63, 38.72),
        },
    },
    "table2": {
        "asymmetric 20 %": {
            "Standard": (42.97, 41.52),
            "Co-teaching": (46.22, 46.22),
            "GCE": (50.71, 50.65),
            "JoCoR": (46.40, 43.60),
            "SIGUA": (35.73, 34.82),
            "LEND": (61.95, 54.32),
        },
        "asymmetric 30 %": {
            "Standard": (35.53, 34.29),
            "Co-teaching": (40.08, 39.59),
            "GCE": (48.22, 42.31),
            "JoCoR": (40.34, 38.01),
            "SIGUA": (32.34, 31.13),
            "LEND": (54.32, 45.42),
        },
        "asymmetric 40 %": {
            "Standard": (30.89, 29.43),
            "Co-teaching": (32.64, 31.49),
            "GCE": (45.36, 36.53),
            "JoCoR": (34.07, 31.57),
            "SIGUA": (28.06, 27.97),
            "LEND": (49.62, 39.61),
        },
    },
    "table3": {
        "Animal-10N": {
            "Standard": (66.8,),
            "Co-teaching": (69.7,),
            "GCE": (68.7,),
            "JoCoR": (75.7,),
            "SIGUA": (74.0,),
            "LEND": (76.4,),
        }
    },
}
_CIFAR100 = {"data set": "CIFAR-100, 50,000 training images of 100 classes"}
OWN_PROTOCOL: Mapping[str, Mapping[str, str]] = {
    "table1": _CIFAR100 | {"noise": "symmetric 40 %, 50 %, 60 %"},
    "table2": _CIFAR100 | {"noise": "asymmetric 20 %, 30 %, 40 %"},
    "table3": {
        "data set": "Animal-10N, 50,000 training images of 10 classes",
        "noise": "the data set's own, of human annotators: about 8 %, an estimate",
    },
}
PROTOCOL: Mapping[str, str] = {
    "network": "ResNet-18",
    "epochs": "200",
    "batch size": "256",
    "learning rate": "0.05, divided by 10 after epoch 100",
    "augmentation": "none (stated for Animal-10N; for CIFAR the level of Standard implies it)",
    "trials": str(TRIALS),
    "k": "8",
    "α": "0.99",
    "β": "0.9",
    "γ": "by reference: 3 in the cited source",
    "steps of Eq. (3)": '"until converge": then every example of a connected component gets the same class',
    "reserved term of Eq. (3)": "previous: Z(t-1); the cited source has Z(0)",
    "W' of Eq. (2)": "product: AᵀA; the cited source has A + Aᵀ",
    "class prior": "not mentioned",
}


class OpenPoint(NamedTuple):
    """Something the paper does not say, and what is done here in every run."""

    point: str
    here: str


OPEN = (
    OpenPoint("scale of the embeddings, and how near a neighbour is", "cosine: rows of length one"),
    OpenPoint("ties in Definition 1", "the more similar neighbours win"),
    OpenPoint("Z before the first epoch", "one-hot noisy labels"),
    OpenPoint("last batch of an epoch", "an epoch is cut into batches of equal size"),
)
RANKING = (
    "Standard on Animal-10N is 13 to 15 points below what the paper of that data set gives for plain training without "
    "augmentation (79.4 with VGG-19, 82.1 with DenseNet): Table 3 is a ranking, not a target."
)


def numbers(table: str) -> pd.DataFrame:
    """A table of the paper in long form, as fractions: the columns of :func:`lend.paper.tables.long`.

    Args:
        table: table1, table2 or table3.

    Returns:
        Columns row, column, measure, mean, std (NaN: not known here) and n.
    """
    records = [
        {"row": row, "column": column, "measure": measure, "mean": percent / 100, "std": float("nan"), "n": TRIALS}
        for column, rows in TABLES[table].items()
        for row, scores in rows.items()
        for measure, percent in zip(SCORES[table], scores, strict=True)
    ]
    return pd.DataFrame(records)
