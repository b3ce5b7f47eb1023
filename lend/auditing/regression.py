"""Multinomial logistic regression on soft labels.

With targets t, shares p = softmax(x W) and penalty s on all weights but the intercept's, it minimises

    -Σ_i Σ_j t_ij log p_ij + ½ s |W|²

over the examples. scikit-learn's takes no soft labels.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize
from torch import Tensor

PART, LARGE = 8, 8192  # every 8th of so many examples gives the weights to begin with: a third fewer passes
ITERATIONS = 60  # of L-BFGS; some 20 do for the tolerance, with 100 classes as well
TOLERANCE = 1e-3  # relative, of the loss; with 1e-5 the AP of four sets was another by at most .0006, in twice the time


@torch.no_grad()
def fit(
    X: Float[Tensor, "m r"], targets: Float[Tensor, "m c"], strength: float, tolerance: float = TOLERANCE
) -> Float[Tensor, "r c"]:
    """Return the weights.

    Args:
        X: Features without correlation, as of :func:`lend.auditing.features.features`; the last is one.
        targets: Soft labels; rows sum to one.
        strength: Of the penalty.
        tolerance: Relative change of the loss at which it ends.
    """
    r, c = X.shape[1], targets.shape[1]
    penalty = X.new_full((r,), strength)
    penalty[-1] = 0
    # a step of each weight as long as its curvature allows: a quarter of the second moment bounds that of the loss
    scale = (X.square().sum(dim=0) / 4 + penalty).rsqrt()
    scaled, penalty = X * scale, penalty * scale.square()
    begin = X.new_zeros((r, c)) if len(X) < LARGE else fit(X[::PART], targets[::PART], strength / PART, tolerance)
    goals = targets.T.contiguous()  # a class a row: softmax down long columns takes a tenth of that along short rows

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = torch.from_numpy(flat).to(X).view(c, r)
        logs = (scaled @ W.T).T.contiguous().log_softmax(dim=0)
        total = -(logs * goals).sum().double() + (penalty * W.square()).sum() / 2
        slope = logs.exp_().sub_(goals) @ scaled + penalty * W
        return float(total), slope.double().cpu().numpy().ravel()

    options = {"maxiter": ITERATIONS, "ftol": tolerance, "gtol": 0.0}
    first = (begin.T / scale).double().cpu().numpy().ravel()
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options=options)
    return (torch.from_numpy(found.x).to(X).view(c, r) * scale).T.contiguous()


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
        X: As of :func:`fit`, like what is not named here.
        targets: Likewise.
        folds: Number of the fold of each example, 0 to count - 1.
        count: Folds f.
        strength: Likewise.
        tolerance: Likewise.
    """
    return torch.stack([fit(X[folds != i], targets[folds != i], strength, tolerance) for i in range(count)])
