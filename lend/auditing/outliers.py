"""Outliers: examples much farther from their neighbours than these are from theirs.

The score is the local outlier probability (LoOP: Kriegel, Kröger, Schubert & Zimek, CIKM 2009), from the neighbours
that the audit has found anyway. With σ of an example, the root of the mean squared chord to its k neighbours,

    PLOF = σ / (mean σ of the neighbours) − 1,    score = max(0, erf(PLOF / (λ √2 · root mean square of all PLOF)))

with λ = 3. So at a score of erf(1/√2), 0.68, an example is three standard deviations out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.special import erf

from lend.neighbors import KnnGraph

EXTENT = 3  # λ, in standard deviations
OUTLIER = 0.68  # score from which an example is an outlier
LEAST = 1e-3  # chord to divide by: cosines in float32 tell none below it


def outlier_scores(graphs: Sequence[KnnGraph]) -> Float[np.ndarray, " n"]:
    """Return the score of each example, in [0, 1]; the mean over the graphs.

    Args:
        graphs: Neighbours of each example, at least one graph.
    """
    return np.mean([_probabilities(graph) for graph in graphs], axis=0)


def _probabilities(graph: KnnGraph) -> Float[np.ndarray, " n"]:
    far = np.sqrt((2 - 2 * graph.cosines.astype(np.float64)).mean(axis=1).clip(min=LEAST**2))
    factor = far / far[graph.indices].mean(axis=1) - 1
    spread = float(np.sqrt(np.mean(factor**2)))
    return erf(factor.clip(min=0) / max(EXTENT * np.sqrt(2) * spread, 1e-12))
