"""Which runs each figure needs: the paper's experiments as data.

A profile says on what data and for how long; a figure says which methods and which noise. Notebooks and the command
line ask :func:`plan`, so both name the same runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lend.config import Dilution, RunConfig, nearest_name

# Digits: six batches an epoch, so a smaller width and rate, and a memory that warms up in two epochs instead of seven.
PROFILES: dict[str, dict[str, Any]] = {
    "digits": {"dataset": "digits", "epochs": 200, "batch_size": 256},
    "tiny": {"dataset": "digits", "train_size": 300, "epochs": 4, "batch_size": 100, "width": 16, "snapshots": (1, 4)},
    "cifar10-thin": {"dataset": "cifar10", "train_size": 20_000, "width": 16, "epochs": 40},
    "cifar10": {"dataset": "cifar10"},
    "cifar100": {"dataset": "cifar100"},
}
