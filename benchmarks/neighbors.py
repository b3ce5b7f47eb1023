"""Seconds, memory and recall of the nearest neighbours by every method, beside scikit-learn and faiss in the same run.

Each method works in a process of its own, on the same embeddings in clusters, mapped from a file. At the default size
(50,000 x 512) all are compared; `--n 1000000 --d 128 --methods auto` is the large one.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

METHODS = ["scikit-learn", "faiss flat", "exact", "auto", "clusters", "reduced", "hnsw"]


def make(path, n, d, groups, spread, dtype, seed=0):
    """Write embeddings around random centres, in parts, so that this process stays small."""
    generator = np.random.default_rng(seed)
    centres = spread * generator.standard_normal((groups, d), np.float32)
    embeddings = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), (n, d))
    for start in range(0, n, 10_000):
        rows = len(embeddings[start : start + 10_000])
        noise = generator.standard_normal((rows, d), np.float32)
        embeddings[start : start + rows] = centres[generator.integers(0, groups, rows)] + noise
    embeddings.flush()


def scikit_learn(embeddings, k):
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(embeddings).kneighbors()[1]


def faiss_flat(embeddings, k):
    import faiss

    unit = np.array(embeddings, np.float32)
    faiss.normalize_L2(unit)
    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit)
    return index.search(unit, k + 1)[1][:, 1:]


def measure(options):
    """One method, in this process: seconds, its largest memory, recall, and some of its neighbours."""
    import torch

    torch.set_num_threads(options.threads)
    embeddings = np.load(options.file, mmap_mode="r")
    warm = np.random.default_rng(0).standard_normal((2000, 32)).astype(np.float32)
    method, recall = options.only, None
    if method in ("scikit-learn", "faiss flat"):
        search = scikit_learn if method == "scikit-learn" else faiss_flat
        search(warm, 3)
        start = time.perf_counter()
        indices = search(embeddings, options.k)
    else:
        from lend import knn_graph

        knn_graph(warm, 3, method=method, progress=False)
        start = time.perf_counter()
        graph = knn_graph(embeddings, options.k, method=method, threads=options.threads, progress=sys.stderr.isatty())
        indices, recall = graph.indices, graph.recall
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "peak": peak, "recall": recall, "some": indices[:1000].tolist()}))


def child(method, file, options):
    """Run this script on one method, with no more threads than asked for in any library."""
    threads = {f"{name}_NUM_THREADS": str(options.threads) for name in ("OMP", "MKL", "OPENBLAS")}
    command = [sys.executable, __file__, "--only", method, "--file", str(file)]
    command += ["--k", str(options.k), "--threads", str(options.threads)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | threads).stdout
    return json.loads(answer.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=50_000)
    parser.add_argument("--d", type=int, default=512)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--groups", type=int, help="clusters; a thousandth of n if not given")
    parser.add_argument("--spread", type=float, default=1.0, help="distance of the clusters over the noise within")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        measure(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "embeddings.npy"
        groups = options.groups or max(10, options.n // 1000)
        make(file, options.n, options.d, groups, options.spread, options.dtype)
        print(
            f"{options.n:,} x {options.d} {options.dtype}, {groups} clusters, k {options.k}, {options.threads} threads"
        )
        results = {method: child(method, file, options) for method in options.methods}
    for method, result in results.items():
        print(line(method, result, options.methods[0], results[options.methods[0]], options.k))


def line(method, result, other, reference, k):
    pairs = zip(reference["some"], result["some"], strict=True)
    same = np.mean([len(set(one) & set(two)) / k for one, two in pairs])
    ratio = reference["seconds"] / result["seconds"]
    recall = "" if result["recall"] is None else f"   recall@{k} {result['recall']:.4f}"
    times = f"{method:14s} {result['seconds']:8.1f} s   {ratio:6.2f} x {other}"
    return f"{times}   peak {result['peak']:5.2f} GB   {same:7.2%} the same neighbours{recall}"


if __name__ == "__main__":
    main()
