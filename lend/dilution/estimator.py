"""Label dilution as a scikit-learn estimator: in pipelines, grid searches and cross-validation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csr_array, issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data
from torch import Tensor

from lend.dilution.dilution import dilute
from lend.inputs import Dilution, Labels, as_labels, as_matrix, as_shares, is_tensor, to_numpy
from lend.neighbors import unit_rows, unit_rows_of_sparse

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
        class_prior: None, "balanced" or the true share of each class: in the order of ``classes_``, or by name in a
            dict.

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
            X: Features (n, d), finite, n >= 2, dense or sparse.
            y: Labels (n,), integers, booleans or strings, by position, as everywhere in scikit-learn. Unlabelled where
                missing (None, NaN, NA), or -1 among integers from 0, as in its semi-supervised estimators: such a point
                has no vote.

        Raises:
            ValueError: Naming the argument, what is allowed and what came.
        """
        X = self._rows(X, y, ensure_min_samples=2)
        labels = _encode(y)
        check_consistent_length(X, labels.codes)
        settings = {name: getattr(self, name) for name in ("gamma", "alpha", "steps", "affinity", "reserve")}
        Dilution(self.k, **settings)
        self.classes_ = np.array(labels.names)
        self.k_ = min(self.k, X.shape[0] - 1)
        prior = as_shares(self.class_prior, labels.names)
        self.label_distributions_ = dilute(
            X, labels.codes, num_classes=len(self.classes_), k=self.k_, class_prior=prior, **settings
        )
        self.transduction_ = self.classes_[self.label_distributions_.argmax(axis=1)]
        self._unit = _unit_rows(X)
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
        new, known = _unit_rows(self._rows(X, reset=False)), self._unit
        if issparse(known) != issparse(new):
            new = csr_array(new) if issparse(known) else new.toarray()
        Z = torch.from_numpy(self.label_distributions_).double()
        rows = max(1, BLOCK // known.shape[0])
        parts = [new[start : start + rows] @ known.T for start in range(0, new.shape[0], rows)]
        cosines = (torch.from_numpy(part.toarray() if issparse(part) else part) for part in parts)
        return torch.cat([_labelled(part, Z, self.k_, self.gamma) for part in cosines]).numpy()

    def _rows(self, X: Any, y: Any = "no_validation", **options: Any) -> Any:  # noqa: ANN401
        """Features as scikit-learn checks them; tensors and masks, which it does not know, before."""
        if is_tensor(X) or isinstance(X, np.ma.MaskedArray):
            X = to_numpy(as_matrix(X, "X"), "X")
        if y is None:
            validate_data(self, X, y)  # says that y is required
        try:
            return validate_data(self, X, accept_sparse="csr", dtype=(np.float64, np.float32), **options)
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"X: {error}") from error

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def predict(self, X: Any) -> np.ndarray:  # noqa: ANN401
        """The likeliest label of each point, (m,).

        Args:
            X: Features (m, d).
        """
        codes = self.predict_proba(X).argmax(axis=1)
        return self.classes_[codes]


def _unit_rows(X: Any) -> Any:  # noqa: ANN401 (dense or sparse)
    """Rows of length 1 or 0, float64, as dense or sparse as they are."""
    return unit_rows_of_sparse(X) if issparse(X) else unit_rows(torch.from_numpy(np.array(X)).double()).numpy()


def _encode(y: Any) -> Labels:  # noqa: ANN401
    """Labels as codes, -1 where unlabelled: no surprise here, since scikit-learn's estimators do the same."""
    y = column_or_1d(to_numpy(y, "y") if is_tensor(y) else y, warn=True)
    if y.dtype.kind == "f":
        check_classification_targets(y[np.isfinite(y)])  # says what scikit-learn says of targets of a regression
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "y: -1")
        return as_labels(y, "y")


def _labelled(all_cosines: Float[Tensor, "m n"], Z: Float[Tensor, "n c"], k: int, gamma: float) -> Float[Tensor, "m c"]:
    """Distributions of points from those of their k nearest known points."""
    cosines, nearest = all_cosines.topk(k)
    weights = torch.where(cosines > 0, cosines.clamp(min=0) ** gamma, 0.0)
    votes, total = torch.einsum("mk,mkc->mc", weights, Z[nearest]), weights.sum(dim=1, keepdim=True)
    votes = torch.where(total > 0, votes, Z.mean(dim=0))
    return votes / votes.sum(dim=1, keepdim=True)
