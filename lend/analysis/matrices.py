"""Transition matrices of a run: asked for and drawn."""

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
    """The transition matrix that the run's labels were drawn from; None where no one matrix describes them."""
    config, c = run.config, len(run.class_names)
    nothing = np.zeros(0)
    source = SimpleNamespace(
        name=dataset_name(run), num_classes=c, train_images=nothing, train_labels=nothing, human_labels={}
    )
    kind = config.noise.partition(":")[0]
    return None if kind in ("human", "instance") else noise.known_matrix(source, config.noise, config.noise_rate)


def noise_matrices(run: Run) -> dict[str, Float[np.ndarray, "c c"]]:
    """The transition matrix that was asked for, where there is one, and the one that the run's labels realise.

    Args:
        run: A run whose true labels are known; of others only the first can be told.
    """
    labels, asked = run.labels, asked_matrix(run)
    matrices = {} if asked is None else {f"{run.config.noise} {100 * run.config.noise_rate:.0f} %, asked": asked}
    if (labels["true"] >= 0).all():
        true, noisy = labels["true"].to_numpy(), labels["noisy"].to_numpy()
        matrices["drawn"] = noise.empirical_matrix(true, noisy, len(run.class_names))
    return matrices


def matrix_table(matrices: Mapping[str, np.ndarray], class_names: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Transition matrices in long form: columns matrix, true, given and share.

    Args:
        matrices: (c, c) fractions, by name.
        class_names: Of each matrix, by the same names.
    """
    parts = []
    for name, matrix in matrices.items():
        pairs = pd.MultiIndex.from_product([list(class_names[name])] * 2, names=["true", "given"])
        parts.append(pd.DataFrame({"share": matrix.ravel()}, index=pairs).reset_index().assign(matrix=name))
    return pd.concat(parts, ignore_index=True)[["matrix", "true", "given", "share"]]
