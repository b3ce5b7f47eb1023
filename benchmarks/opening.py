"""Open a run of about 1 GB and read one epoch's labels: seconds, and memory beside that of a small run.

The run is written by the library's own writer: 50,000 examples, 200 epochs of labels, 25 snapshots of 512 features.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

from lend import RunConfig
from lend.run import EpochResult, writing

READ = """
import resource, sys, time
import lend.run.run, numpy, zipfile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
run = lend.Run.open(sys.argv[1])
labels = run.diluted(run.epochs_done)
seconds = time.perf_counter() - start
print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def write_run(folder, n, epochs, snapshots, d=512, c=10):
    config = RunConfig(epochs=epochs, snapshots=tuple(range(1, snapshots + 1)), runs=str(folder))
    rng = np.random.default_rng(0)
    labels = rng.integers(0, c, n).astype(np.uint8)
    given = {"true": labels, "noisy": labels, "sample_id": np.arange(n)}
    run = writing.create(config, given, {"class_names": [str(i) for i in range(c)], "examples": n})
    embeddings = rng.random((n, d)).astype(np.float16)
    for epoch in range(1, epochs + 1):
        arrays = {name: rng.permutation(labels) for name in ("predicted", "diluted", "dominant")}
        snapshot = None
        if epoch <= snapshots:
            snapshot = xr.Dataset({"embeddings": (("sample", "feature"), np.roll(embeddings, epoch))})
        result = EpochResult(epoch, {"test_accuracy": 0.5}, arrays | {"kept": labels > 0}, snapshot)
        writing.commit(run, [result], {"epoch": epoch})
    return run


def size(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 2**30


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in {"small": (2_000, 5, 1), "large": (50_000, 200, 25)}.items():
            run = write_run(Path(folder) / name, *arguments)
            command = [sys.executable, "-c", READ, str(run.path)]
            runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(options.repeats)]
            seconds, memory = zip(*(map(float, run.stdout.split()) for run in runs), strict=True)
            print(
                f"{name}: {size(run.path):.2f} GiB on disk; open and read one epoch's labels: "
                f"{min(seconds):.3f} to {max(seconds):.3f} s, {max(memory):.1f} MiB more memory"
            )
    print(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
