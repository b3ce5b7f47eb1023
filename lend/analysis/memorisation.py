"""What a run learned of its wrong labels, and which examples its method kept: class by class, and by epoch.

Everything is read from the labels that a run saves of each epoch: predictions of the training passes, and the mask of
the examples that were trained on. Shares are fractions; a share of nothing is NaN. Examples whose true label is
unknown (-1) do not count anywhere.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, Integer

from lend.analysis.shares import share_of
from lend.config import require
from lend.run import Run

EPOCH_COLUMNS = ("memorised", "recognised", "right_kept", "wrong_kept", "kept", "precision")
HALF = 0.5


def by_class(run: Run, epoch: int) -> pd.DataFrame:
    """Which labels the method kept in an epoch, class by class.

    Args:
        run: A run with known true labels.
        epoch: Any finished epoch.

    Returns:
        Fractions, one row per class, indexed by its name. Of the examples of this true class: right_kept and
        wrong_kept, the share that was kept of those whose given label is right, and of those whose given label is
        wrong. Of the labels that give this class: precision, the share of the kept ones that is right. given_share,
        kept_share and true_share: this class's share of all given labels, of the kept given labels, and of all true
        labels.

    Raises:
        KeyError: If the run has no such epoch.
        ValueError: If no true label is known.
    """
    known, true, noisy = _known_labels(run)
    kept, right, c = run.kept(epoch)[known], true == noisy, len(run.class_names)
    counts = {
        "right_kept": (_count(true[right & kept], c), _count(true[right], c)),
        "wrong_kept": (_count(true[~right & kept], c), _count(true[~right], c)),
        "precision": (_count(noisy[right & kept], c), _count(noisy[kept], c)),
        "given_share": (_count(noisy, c), len(noisy)),
        "kept_share": (_count(noisy[kept], c), kept.sum()),
        "true_share": (_count(true, c), len(true)),
    }
    # pandas makes NaN of 0 / 0 without a warning, NumPy with one
    shares = {name: pd.Series(part) / whole for name, (part, whole) in counts.items()}
    return pd.DataFrame(shares).set_axis(pd.Index(run.class_names, name="class"))


def by_epoch(run: Run) -> pd.DataFrame:
    """What the network said of the wrong labels, and what the method kept, in every epoch.

    Args:
        run: A run with known true labels.

    Returns:
        Fractions, indexed by epoch. Of the wrongly labelled examples: memorised, predicted as their given label;
        recognised, predicted as their true one; wrong_kept, trained on. right_kept: of the rightly labelled examples,
        trained on. kept: of all. precision: of the kept examples, rightly labelled.

    Raises:
        ValueError: If no true label is known.
    """
    known, true, noisy = _known_labels(run)
    epochs = pd.RangeIndex(1, run.epochs_done + 1, name="epoch")
    labels = (run.epoch_labels(epoch) for epoch in epochs)
    rows = [_epoch_row(true, noisy, said["predicted"][known], said["kept"][known]) for said in labels]
    return pd.DataFrame(rows, index=epochs, columns=list(EPOCH_COLUMNS), dtype=float)


def turning_points(table: pd.DataFrame) -> pd.Series:
    """When the method began to drop wrong labels, and when the network had learned them: the order decides.

    A method that drops most wrong labels before the network repeats most of them still judges by the clean pattern;
    one that comes later asks a network that has learned the noise.

    Args:
        table: See :func:`by_epoch`.

    Returns:
        dropped and memorised: the first epoch in which more than half of the wrong labels are left out of the
        training, and in which more than half of them are predicted; NaN if there is none. It says nothing of later
        epochs.
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
    """Which true labels are known, and the true and the noisy labels of these examples."""
    true, noisy = (run.labels[name].to_numpy() for name in ("true", "noisy"))
    known = true >= 0
    require(bool(known.any()), "run", "one whose true labels are known, of some examples at least", run)
    return known, true[known], noisy[known]


def _count(labels: Int[np.ndarray, " m"], c: int) -> Int[np.ndarray, " c"]:
    return np.bincount(labels, minlength=c)


def _epoch_row(
    true: Int[np.ndarray, " m"],
    noisy: Int[np.ndarray, " m"],
    predicted: Integer[np.ndarray, " m"],
    kept: Bool[np.ndarray, " m"],
) -> tuple[float, ...]:
    """The columns EPOCH_COLUMNS."""
    right, wrong = true == noisy, true != noisy
    said = share_of(predicted == noisy, wrong), share_of(predicted == true, wrong)
    return (*said, share_of(kept, right), share_of(kept, wrong), float(kept.mean()), share_of(right, kept))


def _first(happened: pd.Series) -> float:
    return float(happened.idxmax()) if happened.any() else float("nan")
