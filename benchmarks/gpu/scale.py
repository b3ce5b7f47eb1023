"""Large data on the card and, at the same time, on the CPU: the graph of a million embeddings, and an audit."""

import argparse
import subprocess
import sys
import time

import numpy as np
import torch
from notes import note
from plan import plan

import lend

SECONDS = 55  # of each of the two


def clustered(n, d, per_class=10, classes=10):
    """Embeddings in ten clusters a class, their true labels, and given ones of which 40 % are wrong."""
    generator = np.random.default_rng(0)
    true = generator.integers(0, classes, n)
    centres = generator.standard_normal((classes * per_class, d), np.float32)
    V = centres[true * per_class + generator.integers(0, per_class, n)]
    V += generator.standard_normal((n, d), np.float32)
    return V, true, lend.noise.corrupt(true, lend.noise.symmetric(classes, 0.4), 0)


def measure(device, sizes):
    V, true, given = clustered(sizes["audit"], 1280)
    lend.audit(torch.from_numpy(V[:2000]).to(device), given[:2000], progress=False)  # libraries begin
    timed(device, "audit", sizes["audit"], lambda: shown(lend.audit(on(V, device), given, progress=False), true))
    V, _, _ = clustered(sizes["graph"], 128)
    for method in ("auto", "exact") if device == "cuda" else ("auto",):
        timed(device, f"graph, {method}", len(V), lambda method=method: graph(on(V, device), method))


def on(V, device):
    return torch.from_numpy(V).to(device)


def graph(V, method):
    found = lend.knn_graph(V, 10, method=method, progress=False)
    return {"how": found.method, "recall": found.recall}


def shown(audit, true):
    """Of the labels called wrong, and of the suggested ones, the share that are right to be."""
    issues = audit.issues
    wrong, called = issues["given_label"].to_numpy() != true, issues["is_label_issue"].to_numpy()
    right = issues["predicted_label"].to_numpy() == true
    return {
        "precision": float(wrong[called].mean()),
        "recall": float(called[wrong].mean()),
        "labels": float(right.mean()),
    }


def timed(device, what, n, work):
    start = time.perf_counter()
    found = work()
    note("scale", what=what, on=device, n=n, seconds=time.perf_counter() - start, **found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--on", help="cpu or cuda, in this process")
    options = parser.parse_args()
    if options.on:
        measure(options.on, plan(options.dry).sizes)
        return
    devices = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
    command = [sys.executable, __file__, *["--dry"] * options.dry]
    running = {device: subprocess.Popen([*command, "--on", device]) for device in devices}
    deadline, failed = time.monotonic() + SECONDS, []
    for device, process in running.items():
        try:
            code = process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            code = f"not done after {SECONDS} s"
        if code:
            note("scale", on=device, failed=str(code))
            failed.append(device)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
