"""How many wrong labels a run memorised, and which examples its method kept: by class, and by epoch.

Everything is read from what a run saves of each epoch: the predicted labels of the training pass, and the mask of the
kept examples. Shares are fractions; a share of no examples is NaN. Examples are left out whose true label is unknown
(-1), that are unlabelled, or that a recorded epoch did not see.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, Integer

from lend.analysis.shares import share_of
from lend.inputs import require
from lend.run import Run

EPOCH_COLUMNS = ("memorised", "recognised", "right_kept", "wrong_kept", "kept", "precision")
HALF = 0.5


def by_class(run: Run, epoch: int) -> pd.DataFrame:
    """Return how many right and wrong labels the method kept in an epoch, class by class.

    Args:
        run: A run with known true labels.
        epoch: Any finished epoch.

    Returns:
        Fractions, one row per class. right_kept and wrong_kept: share kept of the examples of this true class with a
        right given label, and of those with a wrong one. precision: share of the kept examples of this given class
        whose label is right. given_share, kept_share and true_share: share of this class among all given labels, among
        the given labels of the kept examples, and among all true labels.

    Raises:
        KeyError: If the run has no such epoch.
        ValueError: If no true label is known.
    """
    known, true, noisy = _known_labels(run)
    labels, c = run.epoch_labels(epoch), len(run.class_names)
    kept, seen, right = labels["kept"][known], labels["seen"][known], true == noisy
    counts = {
        "right_kept": (_count(true[right & kept], c), _count(true[right & seen], c)),
        "wrong_kept": (_count(true[~right & kept], c), _count(true[~right & seen], c)),
        "precision": (_count(noisy[right & kept], c), _count(noisy[kept], c)),
        "given_share": (_count(noisy, c), len(noisy)),
        "kept_share": (_count(noisy[kept], c), kept.sum()),
        "true_share": (_count(true, c), len(true)),
    }
    # pandas makes NaN of 0 / 0 without a warning, NumPy with one
    shares = {name: pd.Series(part) / whole for name, (part, whole) in counts.items()}
    return pd.DataFrame(shares).set_axis(pd.Index(run.class_names, name="class"))


def by_epoch(run: Run) -> pd.DataFrame:
    """Return how many wrong labels the network repeated, and what the method kept, in every epoch.

    Args:
        run: A run with known true labels.

    Returns:
        Fractions, one row per epoch. memorised, recognised and wrong_kept: share of the examples with a wrong label
        that are predicted as their given class, are predicted as their true class, and are kept. right_kept: share of
        the examples with a right label that are kept. kept: share of all examples that are kept. precision: share of
        the kept examples whose label is right.

    Raises:
        ValueError: If no true label is known.
    """
    known, true, noisy = _known_labels(run)
    epochs = pd.RangeIndex(1, run.epochs_done + 1, name="epoch")
    labels = (run.epoch_labels(epoch) for epoch in epochs)
    parts = ({name: values[known] for name, values in said.items()} for said in labels)
    rows = [_epoch_row(true, noisy, part["predicted"], part["kept"], part["seen"]) for part in parts]
    return pd.DataFrame(rows, index=epochs, columns=list(EPOCH_COLUMNS), dtype=float)


def turning_points(table: pd.DataFrame) -> pd.Series:
    """Return the first epochs in which the method drops most wrong labels, and the network repeats most of them.

    Their order matters: a method that drops most wrong labels first relies on a network that has learned the clean
    pattern; a method that drops them later relies on a network that has learned the noise.

    Args:
        table: Table of :func:`by_epoch`.

    Returns:
        dropped: the first epoch in which more than half of the wrong labels are not kept; memorised: the first in which
        more than half of them are predicted. NaN if there is none. Later epochs may differ.
    """
    return pd.Series(
        {
            "dropped": _first(table["wrong_kept"] < 1 - HALF),
            "memorised": _first(table["memorised"] > HALF),
        }
    )


def _known_labels(
    run: Run,
) -> tuple[Bool[np.ndarray, " n"], Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Return the mask of the labelled examples whose true label is known, and their true and noisy labels."""
    true, noisy = (run.labels[name].to_numpy() for name in ("true", "noisy"))
    known = (true >= 0) & (noisy >= 0)
    require(bool(known.any()), "run", "one whose true labels are known, of some examples at least", run)
    return known, true[known], noisy[known]


def _count(labels: Int[np.ndarray, " m"], c: int) -> Int[np.ndarray, " c"]:
    return np.bincount(labels, minlength=c)


def _epoch_row(
    true: Int[np.ndarray, " m"],
    noisy: Int[np.ndarray, " m"],
    predicted: Integer[np.ndarray, " m"],
    kept: Bool[np.ndarray, " m"],
    seen: Bool[np.ndarray, " m"],
) -> tuple[float, ...]:
    """Return the values of EPOCH_COLUMNS."""
    right, wrong, told = true == noisy, true != noisy, predicted >= 0
    said = share_of(predicted == noisy, wrong & told), share_of(predicted == true, wrong & told)
    kinds = share_of(kept, right & seen), share_of(kept, wrong & seen), share_of(kept, seen)
    return (*said, *kinds, share_of(right, kept))


def _first(happened: pd.Series) -> float:
    return float(happened.idxmax()) if happened.any() else float("nan")
