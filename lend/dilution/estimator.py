"""Label dilution as a scikit-learn estimator: in pipelines, grid searches and cross-validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from lend.config import Dilution
from lend.dilution.dilution import dilute
from lend.neighbors import unit_rows

BLOCK = 1 << 24  # cosines between new and training points that are held at a time

# the type of a setting before it is checked
Anything = Any


class LabelDilution(ClassifierMixin, BaseEstimator):
    """Dilute noisy labels among neighbours, Eq. (1) to (4), and label new points by their diluted neighbours.

    The distribution of a new point x over the classes is that of its k nearest training points, weighed as in Eq. (1):

        P(x) = Σ_j a_j Z_j / Σ_j a_j,    a_j = max(0, cos(x, x_j))^γ

    Similarity is the cosine: centre the features (``StandardScaler`` in a pipeline) where the origin means nothing.
    A training point that is given to ``predict`` is its own nearest neighbour; its own label is in
    ``transduction_``.

    Args:
        k: Neighbours of each point. Where there are no more than k training points, as in the folds of small data,
            all others are taken; ``k_`` says how many.
        gamma: Exponent of Eq. (1).
        alpha: Share taken from the neighbours in each step, inside (0, 1).
        steps: Iterations of Eq. (3), or "converged".
        affinity: "product" or "sum", Eq. (2).
        reserve: "previous" or "initial", Eq. (3).
        class_prior: None, "balanced" or the true share of each class, in the order of ``classes_``.

    Attributes:
        classes_: Sorted labels (c,).
        label_distributions_: Diluted labels of the training points (n, c); rows sum to one.
        transduction_: Their likeliest labels (n,).
        k_: Neighbours that were used.
        n_features_in_: Features d.

    Example:
        >>> X = np.array([[1.0, 0.0], [0.9, 0.1], [0.9, 0.2], [0.0, 1.0], [0.1, 0.9], [0.2, 0.9]])
        >>> model = LabelDilution(k=2).fit(X, ["cat", "cat", "dog", "dog", "dog", "dog"])
        >>> model.transduction_.tolist()
        ['cat', 'cat', 'cat', 'dog', 'dog', 'dog']
        >>> model.predict([[1.0, 0.2], [0.2, 1.0]]).tolist()
        ['cat', 'dog']
    """

    def __init__(  # scikit-learn wants a constructor that takes anything; fit checks
        self,
        k: Anything = 8,
        gamma: Anything = 3.0,
        alpha: Anything = 0.99,
        steps: Anything = 2,
        affinity: Anything = "product",
        reserve: Anything = "previous",
        class_prior: Anything = None,
    ) -> None:
        self.k = k
        self.gamma = gamma
        self.alpha = alpha
        self.steps = steps
        self.affinity = affinity
        self.reserve = reserve
        self.class_prior = class_prior

    def fit(self, X: Any, y: Any) -> LabelDilution:  # noqa: ANN401
        """Dilute the labels of the training points.

        Args:
            X: Features (n, d), finite, n >= 2.
            y: Labels (n,), of any kind that scikit-learn classifies.

        Raises:
            ValueError: Naming the argument, what is allowed and what came.
        """
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32), ensure_min_samples=2)
        check_classification_targets(y)
        settings = {name: getattr(self, name) for name in ("gamma", "alpha", "steps", "affinity", "reserve")}
        Dilution(self.k, **settings)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.k_ = min(self.k, len(X) - 1)
        self.label_distributions_ = dilute(
            X, codes, num_classes=len(self.classes_), k=self.k_, class_prior=self.class_prior, **settings
        )
        self.transduction_ = self.classes_[self.label_distributions_.argmax(axis=1)]
        self._unit = unit_rows(torch.from_numpy(np.array(X))).numpy()
        return self

    def predict_proba(self, X: Any) -> Float[np.ndarray, "m c"]:  # noqa: ANN401
        """Shares of the classes among the diluted labels of the nearest training points.

        A point without a training point at a positive cosine gets the mean of the training distributions.

        Args:
            X: Features (m, d).

        Returns:
            (m, c); rows sum to one, columns as in ``classes_``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        new, known = (unit_rows(torch.from_numpy(np.array(rows))).double() for rows in (X, self._unit))
        Z = torch.from_numpy(self.label_distributions_).double()
        rows = max(1, BLOCK // len(known))
        return torch.cat([_labelled(part, known, Z, self.k_, self.gamma) for part in new.split(rows)]).numpy()

    def predict(self, X: Any) -> np.ndarray:  # noqa: ANN401
        """The likeliest label of each point, (m,).

        Args:
            X: Features (m, d).
        """
        codes = self.predict_proba(X).argmax(axis=1)
        return self.classes_[codes]


def _labelled(
    new: Float[Tensor, "m d"], known: Float[Tensor, "n d"], Z: Float[Tensor, "n c"], k: int, gamma: float
) -> Float[Tensor, "m c"]:
    """Distributions of unit rows from those of their k nearest known unit rows."""
    cosines, nearest = (new @ known.T).topk(k)
    weights = torch.where(cosines > 0, cosines.clamp(min=0) ** gamma, 0.0)
    votes, total = torch.einsum("mk,mkc->mc", weights, Z[nearest]), weights.sum(dim=1, keepdim=True)
    votes = torch.where(total > 0, votes, Z.mean(dim=0))
    return votes / votes.sum(dim=1, keepdim=True)
