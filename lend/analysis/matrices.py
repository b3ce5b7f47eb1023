"""Transition matrices of a run: the one asked for, and the one that its labels realise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
from jaxtyping import Float

from lend import noise
from lend.analysis.words import dataset_name
from lend.run import Run


def asked_matrix(run: Run) -> Float[np.ndarray, "c c"] | None:
    """Return the transition matrix that the noisy labels of a run were drawn from; row = true class.

    Args:
        run: Any run.

    Returns:
        (c, c) fractions, rows sum to one; None for human and instance-dependent noise, which have no such matrix, and
        where own code has it, which trainings alone may run; and none for a recorded
        run, whose labels lend did not draw.
    """
    if run.recorded is not None:
        return None
    config, names, nothing = run.config, run.class_names, np.zeros(0)
    source = SimpleNamespace(
        name=dataset_name(run),
        num_classes=len(names),
        class_names=names,
        train_images=nothing,
        train_labels=nothing,
        human_labels={},
    )
    kind = config.noise.partition(":")[0]
    own = config.noise in config.sources or (config.noise == "asymmetric" and config.dataset in config.sources)
    return None if own or kind in ("human", "instance") else noise.known_matrix(source, config.noise, config.noise_rate)


def noise_matrices(run: Run) -> dict[str, Float[np.ndarray, "c c"]]:
    """Return the transition matrix that was asked for, and the one that the labels of the run realise.

    Args:
        run: Any run.

    Returns:
        (c, c) fractions by title. The first is left out where no matrix was asked for, the second where true labels
        are unknown. Unlabelled examples do not count.
    """
    labels, asked = run.labels, asked_matrix(run)
    matrices = {} if asked is None else {f"{run.config.noise} {100 * run.config.noise_rate:.0f} %, asked": asked}
    if (labels["true"] >= 0).all():
        labels = labels[labels["noisy"] >= 0]
        true, noisy = labels["true"].to_numpy(), labels["noisy"].to_numpy()
        matrices["drawn"] = noise.empirical_matrix(true, noisy, len(run.class_names))
    return matrices


def matrix_table(matrices: Mapping[str, np.ndarray], class_names: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return transition matrices as one table in long form: columns matrix, true, given and share.

    Args:
        matrices: (c, c) fractions, by name.
        class_names: Names of the classes of each matrix, by the same names.
    """
    parts = []
    for name, matrix in matrices.items():
        pairs = pd.MultiIndex.from_product([list(class_names[name])] * 2, names=["true", "given"])
        parts.append(pd.DataFrame({"share": matrix.ravel()}, index=pairs).reset_index().assign(matrix=name))
    return pd.concat(parts, ignore_index=True)[["matrix", "true", "given", "share"]]
