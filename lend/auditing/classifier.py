"""A linear classifier of the embeddings, as a second witness beside the neighbours.

Neighbours see what lies near an example, the classifier what holds for a whole class. It learns *diluted* labels: from
the given ones it would learn their noise. No example is judged by a classifier that learned from it: there is one for
each fold, which learns from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits
from torch import Tensor
from tqdm.auto import tqdm

from lend.auditing.features import features
from lend.auditing.regression import fit_folds

STRENGTHS = (1.0, 10.0, 100.0)  # of the penalty, to choose from
TRIED_ON = 8192  # examples that strengths are tried on: half to learn from, half to tell
CELLS = 1 << 26  # of examples, folds and classes, most to learn from at a time
BLOCK = 8192  # examples to judge at a time


def held_out_shares(
    embeddings: Sequence[Any],
    targets: Float[np.ndarray, "n c"],
    learned: Int[np.ndarray, " m"],
    folds: Int[np.ndarray, " n"],
    seed: int,
    progress: bool = False,
) -> Float[np.ndarray, "n c"]:
    """Return what the classifier of the other folds says of each example; the mean over several sets of embeddings.

    Args:
        embeddings: Matrices (n, d), at least one.
        targets: Diluted labels; rows sum to one.
        learned: Positions of the examples to learn from.
        folds: Number of the fold of each example.
        seed: Seed of what is drawn: examples to try strengths on, and to learn from where there are very many.
        progress: Show a progress bar.

    Returns:
        Probability of each class; rows sum to one.
    """
    generator, count = np.random.default_rng([seed, 2]), int(folds.max()) + 1
    most = max(1, CELLS // (count * targets.shape[1]))
    if len(learned) > most:
        learned = np.sort(generator.choice(learned, most, replace=False))
    tried, shares = generator.permutation(learned)[:TRIED_ON], np.zeros(targets.shape)
    chosen = slice(None) if len(learned) == len(targets) else learned  # all are not copied
    for matrix in tqdm(embeddings, "classifier", unit="set", disable=not progress, delay=1):
        X = features(matrix)
        goals = torch.from_numpy(targets[chosen]).to(X)
        with threadpool_limits(1, "blas"):  # idle threads of SciPy's optimiser slow those of torch threefold
            strength = best_strength(X[tried], torch.from_numpy(targets[tried]).to(X))
            W = fit_folds(X[chosen], goals, torch.from_numpy(folds[chosen]).to(X.device), count, strength)
        for fold in range(count):
            held = np.flatnonzero(folds == fold)
            for part in np.array_split(held, 1 + len(held) // BLOCK):
                shares[part] += (X[part] @ W[fold]).double().softmax(dim=1).cpu().numpy() / len(embeddings)
    return shares


def best_strength(X: Float[Tensor, "m r"], targets: Float[Tensor, "m c"]) -> float:
    """Return the strength of ``STRENGTHS`` with which one half of the examples tells the targets of the other best."""
    half, losses = torch.arange(len(X), device=X.device) % 2, []
    for strength in STRENGTHS:
        W = fit_folds(X, targets, half, 2, strength)
        losses.append(-sum(float((targets * (X @ W[i]).log_softmax(dim=1))[half == i].sum()) for i in (0, 1)))
    return STRENGTHS[int(np.argmin(losses))]
