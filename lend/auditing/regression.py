"""Multinomial logistic regression on soft labels.

With targets t, shares p = softmax(x W) and penalty s on all weights but the intercept's, it minimises

    -Σ_i Σ_j t_ij log p_ij + ½ s |W|²

over the examples. scikit-learn's takes no soft labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize
from torch import Tensor

PART, LARGE = 8, 8192  # every 8th of so many examples gives the weights to begin with: a third fewer passes
ITERATIONS = 60  # of L-BFGS; some 20 do for the tolerance, with 100 classes as well
TOLERANCE = 1e-3  # relative, of the loss; with 1e-5 the AP of four sets was another by at most .0006, in twice the time


def fit_folds(
    X: Float[Tensor, "m r"],
    targets: Float[Tensor, "m c"],
    folds: Int[Tensor, " m"],
    count: int,
    strength: float,
    tolerance: float = TOLERANCE,
) -> Float[Tensor, "f r c"]:
    """Return the weights of each fold, learned from the examples of the others alone.

    Args:
        X: Features without correlation, as of :func:`lend.auditing.features.features`; the last is one.
        targets: Soft labels; rows sum to one.
        folds: Number of the fold of each example, 0 to count - 1.
        count: Folds f.
        strength: Of the penalty.
        tolerance: Relative change of the loss at which it ends.
    """
    order, ends = folds.argsort(stable=True), torch.bincount(folds, minlength=count).cumsum(0).tolist()
    X, goals = X[order], targets[order].T.contiguous()  # so that the other folds are two slices, not a copy
    return torch.stack(
        [
            _fit([(X[:start], goals[:, :start]), (X[end:], goals[:, end:])], strength, tolerance)
            for start, end in zip([0, *ends], ends, strict=False)
        ]
    )


@torch.no_grad()
def _fit(
    parts: Sequence[tuple[Float[Tensor, "_ r"], Float[Tensor, "c _"]]], strength: float, tolerance: float
) -> Float[Tensor, "r c"]:
    """The weights for several parts of features and targets; of these a class is a row: down long columns is slow."""
    X, goals = parts[0]
    shape, few, begin = (goals.shape[0], X.shape[1]), parts, np.zeros((goals.shape[0], X.shape[1]))
    penalty = X.new_full(shape[1:], strength)
    penalty[-1] = 0
    if large := sum(len(X) for X, _ in parts) >= LARGE:
        few = [(X[::PART].contiguous(), goals[:, ::PART].contiguous()) for X, goals in parts]
    # a step of each weight as long as its curvature allows: a quarter of the second moment bounds that of the loss
    moment = sum(X.square().sum(dim=0) for X, _ in few) * (PART if large else 1)
    scale = (moment / 4 + penalty).rsqrt()
    if large:
        begin = (_fit(few, strength / PART, tolerance).T / scale).double().cpu().numpy()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = torch.from_numpy(flat).to(scale).view(shape) * scale
        total, slope = (penalty * W.square()).sum().double() / 2, penalty * W
        for X, goals in parts:
            logs = (W @ X.T).log_softmax(dim=0)
            total -= (logs * goals).sum()
            slope += logs.exp_().sub_(goals) @ X
        return float(total), (slope * scale).double().cpu().numpy().ravel()

    options = {"maxiter": ITERATIONS, "ftol": tolerance, "gtol": 0.0}
    found = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
    return (torch.from_numpy(found.x).to(scale).view(shape) * scale).T.contiguous()
