"""How dilution converges, and where it goes too far: Eq. (3) step by step."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pandas as pd
import torch

from lend.dilution.arrays import find_neighbors_and_encode
from lend.dilution.equations import Graph, iterate, prior_weights, reweight_and_normalize
from lend.inputs import Dilution, as_codes, require


def dilution_trace(
    embeddings: Any,  # noqa: ANN401 (arrays of any library here and below)
    labels: Any,  # noqa: ANN401
    *,
    true_labels: Any = None,  # noqa: ANN401
    num_classes: int | None = None,
    k: int = 8,
    gamma: float = 3.0,
    alpha: float = 0.99,
    steps: int | str = 10,
    affinity: str = "product",
    reserve: str = "previous",
    class_prior: Any = None,  # noqa: ANN401
    knn_graph: Any = None,  # noqa: ANN401
) -> pd.DataFrame:
    """Dilute as :func:`lend.dilute` does, and tell what each step changed.

    Args:
        embeddings: (n, d), or None with ``knn_graph``; this, the settings and the errors are those of
            :func:`lend.dilute`.
        labels: (n,) noisy labels, integers 0..c-1; -1 or missing where unlabelled.
        true_labels: (n,) the true ones where they are known, -1 elsewhere.
        num_classes: c; the largest label plus one if not given.
        k, gamma, alpha, affinity, reserve, class_prior, knn_graph: As in :func:`lend.dilute`.
        steps: How many to follow, at least 1.

    Returns:
        One row per step, from 0, the given labels. ``change``: the largest change of an entry of Z (Eq. (3) as
        printed) in this step. ``changed_labels``: the share of examples whose diluted label this step changed.
        ``kept``: the share whose diluted label is the given one, Eq. (6). ``label_accuracy``: the share of diluted
        labels that are true; NaN where none is known.
    """
    require(not isinstance(steps, str), "steps", "an integer of at least 1", steps)
    Dilution(k, gamma, alpha, steps, affinity, reserve)
    indices, cosines, onehot = find_neighbors_and_encode(embeddings, labels, num_classes, k, knn_graph)
    given = torch.where(onehot.sum(dim=1) > 0, onehot.argmax(dim=1), -1)
    true = _true_labels(true_labels, given, onehot.shape[1])
    weights = prior_weights(class_prior, onehot)
    graph = Graph.build(indices, cosines, gamma, affinity)
    rows: list[dict[str, float]] = []
    before, diluted = onehot, given
    for Z in islice(iterate(graph, onehot, alpha, reserve), int(steps) + 1):
        winners = reweight_and_normalize(Z, onehot, weights, True).argmax(dim=1) if rows else given
        rows.append(
            {
                "change": float((Z - before).abs().max()),
                "changed_labels": _share(winners != diluted),
                "kept": _share((winners == given)[given >= 0]),
                "label_accuracy": _share((winners == true)[true >= 0]),
            }
        )
        before, diluted = Z, winners
    return pd.DataFrame(rows).rename_axis("step")


def _true_labels(labels: Any, given: torch.Tensor, c: int) -> torch.Tensor:  # noqa: ANN401
    if labels is None:
        return torch.full_like(given, -1)
    return as_codes(labels, len(given), c, "true_labels", any_known=False)[0].to(given.device)


def _share(hits: torch.Tensor) -> float:
    return float(hits.double().mean()) if len(hits) else float("nan")
