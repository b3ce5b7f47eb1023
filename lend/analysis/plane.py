"""The toy of the dilution: a few points in the plane, in the setting of Fig. 2 and 3 of the paper."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int

from lend.dilution import dilute
from lend.neighbors import nearest

TOY_STEPS = (1, 2, 10, "converged")


def toy(n: int = 90, noise_rate: float = 0.2, boundary: float = 0.1, seed: int = 1) -> pd.DataFrame:
    """Draw points of two classes on the two sides of a line, some with the wrong label: the setting of Fig. 2 and 3.

    Args:
        n: Points, spread evenly over the rectangle from (-1.5, -1) to (1.5, 1).
        noise_rate: Share of the labels to flip, in [0, 1].
        boundary: Class 1 lies at x > boundary; above 0 it is the smaller one.
        seed: Seed of the places and of the flips.

    Returns:
        One row per point: columns x, y, true and noisy.

    Raises:
        ValueError: If there is no room for n points.
    """
    generator = np.random.default_rng(seed)
    candidates = generator.uniform((-1.5, -1.0), (1.5, 1.0), (20 * n, 2))
    points = _spread_out(candidates, n)
    true = (points[:, 0] > boundary).astype(np.int64)
    noisy = true.copy()
    wrong = generator.choice(n, round(noise_rate * n), replace=False)
    noisy[wrong] = 1 - noisy[wrong]
    return pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "true": true, "noisy": noisy})


def _spread_out(candidates: Float[np.ndarray, "m 2"], n: int) -> Float[np.ndarray, "n 2"]:
    """Return the first n candidates that keep a distance from those before: their markers do not overlap."""
    chosen: list[np.ndarray] = []
    for point in candidates:
        if all(np.abs(point - other).max() > 1.1 / n**0.5 for other in chosen):
            chosen.append(point)
        if len(chosen) == n:
            return np.array(chosen)
    raise ValueError(f"n must leave room for all points, got {n}")


def toy_embeddings(points: pd.DataFrame, height: float = 2.0) -> Float[np.ndarray, "n 3"]:
    """Return embeddings of the toy points: the plane lifted to a height, so that near points have a large cosine.

    Args:
        points: Table of :func:`toy`.
        height: Third coordinate of all points; the higher, the more alike are all cosines.
    """
    return np.column_stack([points["x"], points["y"], np.full(len(points), height)])


def toy_shares(points: pd.DataFrame, steps: Sequence[int | str] = TOY_STEPS, k: int = 8) -> pd.DataFrame:
    """Return the share of class 1 in the label distribution of each toy point, before and after dilution.

    Args:
        points: Table of :func:`toy`.
        steps: Numbers of steps, or "converged"; the warning that it collapses is expected here and not shown.
        k: Neighbours of each point.

    Returns:
        Fractions, one row per point, in columns "given labels", "1 step", "2 steps", ..., "converged".
    """
    embeddings, noisy = toy_embeddings(points), points["noisy"].to_numpy()
    shares = {"given labels": noisy.astype(float)}
    for count in steps:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "steps='converged'", UserWarning)
            Z = dilute(embeddings, noisy, num_classes=2, k=k, steps=count)
        shares[_steps_name(count)] = Z[:, 1]
    return pd.DataFrame(shares, index=points.index)


def toy_edges(points: pd.DataFrame, k: int = 8) -> Int[np.ndarray, "e 2"]:
    """Return the pairs of a toy point and one of its k nearest neighbours, each pair once.

    Args:
        points: Table of :func:`toy`.
        k: Neighbours of each point, by the cosine of the embeddings.
    """
    neighbors, _ = nearest(torch.from_numpy(toy_embeddings(points)), k)
    pairs = np.column_stack([np.repeat(np.arange(len(points)), k), neighbors.numpy().ravel()])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _steps_name(count: int | str) -> str:
    return str(count) if isinstance(count, str) else f"{count} step" + "s" * (count != 1)
