"""Maps of five epochs beside openTSNE's defaults: seconds, KL divergence and how far points move.

The default is one cold map of the last epoch, with openTSNE's own approximate neighbours. Both divergences are
taken from the same exact affinities, at Barnes-Hut angle 0.2. The data are classes that part from epoch to epoch.
"""

import argparse
import time

import numpy as np
import openTSNE
import torch
from openTSNE.tsne import kl_divergence_bh

from lend.neighbors import nearest

STRENGTHS = (0.6, 0.9, 1.2, 1.6, 2.5)  # 10-neighbour label purity 0.15, 0.23, 0.37, 0.65, 0.98 at 10,000 points
PERPLEXITY = 30


def moving_classes(n, d, classes=10, seed=0):
    """Embeddings (n, d) of each epoch: class centres moving apart over 16 directions that all classes share."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((classes, d))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    shared = rng.standard_normal((16, d)) / np.sqrt(d)
    own = rng.standard_normal((n, 16)) @ shared + 0.05 * rng.standard_normal((n, d))
    centres = centres[np.arange(n) % classes]
    epochs = (strength * centres + own + 0.03 * rng.standard_normal((n, d)) for strength in STRENGTHS)
    return [epoch.astype(np.float32) for epoch in epochs]


def seconds(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def divergence(coordinates, affinity):
    points = np.array(coordinates, dtype=np.float64)
    return kl_divergence_bh(points, affinity.P, 1, {"theta": 0.2}, should_eval_error=True)[0]


def displacement(before, after):
    size = np.sqrt(((before - before.mean(axis=0)) ** 2).sum(axis=1).mean())
    return np.median(np.linalg.norm(after - before, axis=1)) / size


def measure(n, d):
    epochs = moving_classes(n, d)
    neighbor_seconds, graph = seconds(lambda: nearest(torch.from_numpy(epochs[-1]), 3 * PERPLEXITY))
    ours_seconds, results = seconds(lambda: list(maps.aligned_tsne(epochs, perplexity=PERPLEXITY)))
    default = openTSNE.TSNE(perplexity=PERPLEXITY, metric="cosine", n_jobs=torch.get_num_threads(), random_state=0)
    default_seconds, default_map = seconds(lambda: default.fit(epochs[-1]))
    maps = [coordinates for coordinates, _ in results]
    affinity = maps.affinities(*graph, PERPLEXITY)
    moved = np.mean([displacement(a, b) for a, b in zip(maps, maps[1:], strict=False)])
    return (
        f"{n:>7} {d:>8} {neighbor_seconds:>13.1f} {ours_seconds:>9.1f} {default_seconds:>12.1f} "
        f"{default_seconds * len(epochs) / ours_seconds:>10.2f} {divergence(maps[-1], affinity):>8.3f} "
        f"{divergence(default_map, affinity):>10.3f} {moved:>6.2f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--features", type=int, default=128)
    arguments = parser.parse_args()
    rows = [measure(n, arguments.features) for n in arguments.points]
    print("neighbours: seconds for one epoch; maps: seconds for five, neighbours included; ratio: five defaults / maps")
    print(f"{'points':>7} {'features':>8} {'neighbours s':>13} {'maps s':>9} {'default s':>12} {'ratio':>10}", end=" ")
    print(f"{'KL':>8} {'default KL':>10} {'moved':>6}")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
