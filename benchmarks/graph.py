"""The graph of a dilution as a dense matrix against sparse rows: seconds, and their ratio, by n and k.

On the processor, with its threads: `lend.dilution.Graph` chooses between the two by what is measured here. Each pair is
timed in turn, the lower quartile of several; "chosen" is the form that it takes.
"""

import argparse
import time
from unittest import mock

import numpy as np
import torch

from lend.dilution import Graph, diffuse, one_hot
from lend.neighbors import nearest

FORMS = {"dense": {"DENSE": 1 << 30, "FEW": 1 << 30}, "sparse": {"DENSE": 0}}


def dilution(indices, cosines, onehot, affinity):
    graph = Graph.build(indices, cosines, 3.0, affinity)
    diffuse(graph, onehot, 0.99, 1 if affinity == "product" else 2, "previous")
    return graph


def measure(n, k, affinity, repeats):
    generator = torch.Generator().manual_seed(0)
    found = nearest(torch.randn(n, 64, generator=generator), k)
    onehot, times = one_hot(torch.randint(0, 10, (n,), generator=generator), 10), {form: [] for form in FORMS}
    for _ in range(repeats):
        for form, constants in FORMS.items():
            with mock.patch.multiple("lend.dilution.equations", **constants):
                start = time.perf_counter()
                dilution(*found, onehot, affinity)
                times[form].append(time.perf_counter() - start)
    dense, sparse = (1000 * np.quantile(times[form], 0.25) for form in FORMS)
    chosen = "dense" if dilution(*found, onehot, affinity).A.layout is torch.strided else "sparse"
    print(f"{n:6,} {k:4} {affinity:8} {dense:8.2f} {sparse:8.2f} {dense / sparse:7.2f}  {chosen}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[128, 256, 512, 1294, 4096])
    parser.add_argument("--k", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    print(f"threads: {torch.get_num_threads()}, float32, 10 classes")
    print(f"{'n':>6} {'k':>4} {'affinity':8} {'dense ms':>8} {'sparse':>8} {'ratio':>7}  chosen")
    for n in options.n:
        for k in (k for k in options.k if k < n):
            for affinity in ("product", "sum"):
                measure(n, k, affinity, options.repeats)


if __name__ == "__main__":
    main()
