"""What the gate for people's data costs: dilute beside the same computation on tensors that nobody checks, and the part
of dilute and of an audit that their gate takes. One thread, rounds in turn, medians.
"""

import argparse
import statistics
import time
from functools import partial

import numpy as np
import torch

import lend
from lend.inputs import align_rows, as_codes, as_count, as_ids, as_labels, as_matrix, index_of
from lend.neighbors import nearest


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def data(n, d, c=10):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, c, n)
    return (rng.normal(size=(c, d))[labels] + rng.normal(size=(n, d))).astype(np.float32), labels


def unchecked(V, y, c):
    indices, cosines = nearest(V, 8, check=False)
    lend.dilution.dilute_from_neighbors(indices, cosines, lend.dilution.one_hot(y, c), torch.ones(c), lend.Dilution())


def gate(V, labels):
    as_matrix(V)
    encoded = as_labels(labels)
    as_ids(None, len(encoded), index_of(labels))


def gate_of_dilute(V, labels):
    rows = as_matrix(align_rows(V, index_of(labels)))
    as_codes(labels, len(rows), None)
    as_count(8, "k", 1, len(rows) - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    for n, d in ((256, 512), (2000, 128), (10_000, 128)):
        V, labels = data(n, d)
        tensors = torch.from_numpy(V), torch.from_numpy(labels)
        times: dict[str, list[float]] = {"through": [], "bare": [], "gate": []}
        ways = {"through": partial(lend.dilute, V, labels), "bare": partial(unchecked, *tensors, 10)}
        ways["gate"] = partial(gate_of_dilute, V, labels)
        for turn in range(rounds if n < 10_000 else 5):  # in both orders: what one leaves in the caches helps the next
            for way in sorted(ways, reverse=bool(turn % 2)):
                times[way].append(seconds(ways[way]))
        through, bare, inside = (statistics.median(times[way]) for way in ("through", "bare", "gate"))
        print(
            f"dilute, {n:,} x {d}: {1000 * through:.2f} ms, unchecked {1000 * bare:.2f} ms, "
            f"ratio {through / bare:.3f}; {inside / through:.2%} of it in the gate"
        )
    V, codes = data(10_000, 128)
    for kind, labels in (("integers", codes), ("text", np.array([f"class {code}" for code in codes]))):
        whole = seconds(partial(lend.audit, V, labels, progress=False))
        inside = statistics.median(seconds(partial(gate, V, labels)) for _ in range(rounds))
        print(f"audit, 10,000 x 128, {kind}: {whole:.2f} s, {inside / whole:.2%} of it in the gate")


if __name__ == "__main__":
    main()
