"""An audit of a training's epochs: those are heard together that have not memorised the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lend.auditing.detection import audit
from lend.auditing.result import Audit
from lend.inputs import require
from lend.neighbors import KnnGraph


def audit_epochs(embeddings: Any, labels: Any, *, progress: bool = True, **settings: Any) -> Audit:  # noqa: ANN401
    """Audit the embeddings of one network at several epochs, as far as it has not memorised the labels.

    Networks learn right labels first. Each epoch is audited by its neighbours alone, in turn, until one shows no error
    for sure: the lower end of its estimate is 0, since by then the neighbours repeat the errors. That epoch is the last
    that is heard, or the one before where its upper end lies below what that one shows at least. The votes of all that
    are heard are averaged, which found more errors than the best single epoch in most runs that were measured. No true
    label is needed.

    Args:
        embeddings: A mapping from epochs, in their order, to arrays (n, d) as :func:`audit` takes them.
        labels: (n,) given labels.
        progress: Show progress bars.
        settings: Further arguments of :func:`audit`.

    Returns:
        The audit of the epochs that are heard together; its ``settings`` name them as ``epochs``.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.

    Example:
        >>> import numpy as np
        >>> true = np.arange(120) % 3
        >>> given = np.where(np.arange(120) < 12, (true + 1) % 3, true)
        >>> noise = np.random.default_rng(0).normal(size=(120, 3))
        >>> epochs = {5: np.eye(3)[true] + noise / 5, 50: np.eye(3)[given] + noise / 50, 100: np.eye(3)[given]}
        >>> audit_epochs(epochs, given, k=8, progress=False).settings["epochs"]
        [5]
    """
    require(isinstance(embeddings, Mapping), "embeddings", "a mapping from epochs to arrays", type(embeddings).__name__)
    require(len(embeddings) > 0, "embeddings", "of at least one epoch", "none")
    require("knn_graph" not in settings, "knn_graph", "left out, since each epoch has its own neighbours", "one")
    heard, graphs = dict[Any, Any](), list[KnnGraph]()
    shown = 0.0
    for epoch, V in embeddings.items():
        found = audit(V, labels, progress=progress, **settings | {"method": "neighbors"})
        if not heard or found.estimate.high >= shown:
            heard[epoch] = V
            graphs += found.graphs
        if found.estimate.low < 1:
            break
        shown = found.estimate.low
    found = audit(heard, labels, knn_graph=graphs, progress=progress, **settings)
    return replace(found, settings=dict(found.settings) | {"epochs": list(heard)})
