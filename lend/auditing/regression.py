"""Multinomial logistic regression on soft labels, of all folds at once.

With targets t, shares p = softmax(x W) and penalty s on all weights but the intercept's, each fold minimises

    -Σ_i Σ_j t_ij log p_ij + ½ s |W|²

over the examples of the other folds. scikit-learn's takes no soft labels, and one fold at a time.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize
from torch import Tensor

ITERATIONS = 60  # of L-BFGS; some 20 do for the tolerance
TOLERANCE = 1e-5  # relative, of the loss


@torch.no_grad()
def fit_folds(
    X: Float[Tensor, "m r"], targets: Float[Tensor, "m c"], folds: Int[Tensor, " m"], count: int, strength: float
) -> Float[Tensor, "f r c"]:
    """Return the weights of each fold.

    Args:
        X: Features without correlation, as of :func:`lend.auditing.features.features`; the last is one.
        targets: Soft labels; rows sum to one.
        folds: Number of the fold of each example, 0 to count - 1.
        count: Folds f.
        strength: Of the penalty.
    """
    m, r = X.shape
    c = targets.shape[1]
    penalty = X.new_full((r, 1), strength)
    penalty[-1] = 0
    # a step of each weight as long as its curvature allows: a quarter of the second moment bounds that of the loss
    scale = (X.square().sum(dim=0)[:, None] / 4 + penalty).rsqrt()
    learns = (folds != torch.arange(count, device=X.device)[:, None]).T[..., None].to(X)  # (m, f, 1)
    scaled, penalty = X * scale.T, penalty * scale.square()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = torch.from_numpy(flat).to(X).view(r, count * c)
        logs = (scaled @ W).view(m, count, c).log_softmax(dim=2)
        total = -torch.einsum("mfc,mc,mf->", logs, targets, learns[..., 0]).double() + (penalty * W.square()).sum() / 2
        residual = logs.exp_().sub_(targets[:, None]).mul_(learns)
        slope = scaled.T @ residual.view(m, count * c) + penalty * W
        return float(total), slope.double().cpu().numpy().ravel()

    options = {"maxiter": ITERATIONS, "ftol": TOLERANCE, "gtol": 0.0}
    found = minimize(loss, np.zeros(r * count * c), jac=True, method="L-BFGS-B", options=options)
    W = torch.from_numpy(found.x).to(X).view(r, count, c) * scale[..., None]
    return W.permute(1, 0, 2)
