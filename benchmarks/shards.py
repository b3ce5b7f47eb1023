"""The exact graph, the diluted labels and the audit of embeddings in shards on two workers, beside one process.

Prints seconds, the largest memory of a worker beside that of one process that holds all, and how far results differ.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from distributed import Client, LocalCluster

import lend
from lend import knn_graph, sharded_graph


def make(folder, n, d, shards, classes, seed=0):
    """Shards of uneven size, as .npy, and the noisy labels of all."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((10 * classes, d), np.float32)
    labels = generator.integers(0, classes, n)
    cuts = np.sort(generator.choice(np.arange(1, n), shards - 1, replace=False)) if shards > 1 else []
    even = np.linspace(0, n, shards + 1).astype(int)[1:-1]
    sources = []
    for number, part in enumerate(np.split(labels, ((cuts + 3 * even) // 4) if shards > 1 else [])):
        groups = part * 10 + generator.integers(0, 10, len(part))
        sources.append(folder / f"{number}.npy")
        np.save(sources[-1], centres[groups] + generator.standard_normal((len(part), d), np.float32))
    noisy = np.where(generator.random(n) < 0.4, generator.integers(0, classes, n), labels)
    return sources, noisy


def peak():
    """Largest memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def timed(work):
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200_000)
    parser.add_argument("--d", type=int, default=128)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--shards", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.workers)
    with tempfile.TemporaryDirectory() as folder:
        sources, labels = make(Path(folder), options.n, options.d, options.shards, classes=10)
        places = {"n_workers": options.workers, "threads_per_worker": 1, "dashboard_address": ":0"}
        with LocalCluster(**places) as cluster, Client(cluster) as client:
            sharded, seconds = timed(lambda: sharded_graph(sources, options.k, client))
            most = max(client.run(peak).values())
        embeddings = np.concatenate([np.load(source) for source in sources])
    whole, one = timed(lambda: knn_graph(embeddings, options.k, method="exact"))
    print(f"{options.n:,} x {options.d} in {options.shards} shards, k {options.k}, {options.workers} workers")
    print(f"shards      {seconds:7.1f} s   worker's peak {most:5.2f} GB   {one / seconds:5.2f} x one process")
    print(f"one process {one:7.1f} s   its peak      {peak():5.2f} GB")
    cosines = np.abs(sharded.cosines - whole.cosines).max()
    same = (sharded.indices == whole.indices).mean()
    diluted, known = (lend.dilute(None, labels, k=options.k, knn_graph=graph) for graph in (sharded, whole))
    print(
        f"largest difference: cosines {cosines:.1e}, diluted labels {np.abs(diluted - known).max():.1e}; "
        f"same neighbours {same:.5%}"
    )
    found, other = (lend.audit(None, labels, knn_graph=graph).issues for graph in (sharded, whole))
    same = {name: (found[name] == other[name]).mean() for name in ("predicted_label", "is_label_issue")}
    score = np.abs(found["label_score"] - other["label_score"]).max()
    print(f"audit of both: largest difference of a score {score:.1e}, {same}")


if __name__ == "__main__":
    main()
