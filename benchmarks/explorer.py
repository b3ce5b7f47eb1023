"""The explorer's state at 50,000 points, without a page: seconds and memory of each step, beside its bar.

The run is written by synthetic_run.py, its snapshots of as many features as asked for. Each step is timed in a process
that does what the explorer does, in its order; memory is that of this process, imports and all. The change of epoch is
the slowest of all epochs: places, colours of four views and label accuracies.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from synthetic_run import image, synthetic_run

import lend
from lend.explorer import Inspection
from lend.explorer.inspection import FILTERS

VIEWS = ("true", "predicted", "noisy", "diluted")


def resident():
    """MiB that this process holds now."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def show(inspection, epoch, views):
    inspection.show(epoch)
    inspection.coordinates(epoch)
    for view in views:
        inspection.values(view)
    inspection.label_accuracy()


def measure(path):
    lines, opened = [], []

    def line(what, value, bar=None):
        lines.append((what, value, resident(), bar))

    line("imports", 0.0)
    line("open", seconds(lambda: opened.append(Inspection.of_run(lend.Run.open(path), images=image))), 5)
    (shown,) = opened
    line(
        "change of epoch, labels (slowest)", max(seconds(lambda e=e: show(shown, e, VIEWS)) for e in shown.epochs), 0.5
    )
    other = ("agreement", "score", "kept", "wrong")
    line("first agreement and score", seconds(lambda: show(shown, shown.map_epochs[0], other)))
    line(
        "change of epoch, shares (slowest)", max(seconds(lambda e=e: show(shown, e, other)) for e in shown.epochs), 0.5
    )
    shown.show(shown.epochs[-1])
    line("filters (slowest)", max(seconds(lambda f=f: shown.filtered(f, 3)) for f in FILTERS))
    shown.select(shown.sample_ids[:5000])
    line("history of 5,000 examples", seconds(shown.history))
    for epoch in shown.map_epochs[-2:]:
        shown.show(epoch)
        line(f"search of neighbours, epoch {epoch}", seconds(shown.prepare_redilution))
    settings = [
        {"k": k, "alpha": alpha, "steps": steps} for k in (4, 8, 16, 32) for alpha in (0.5, 0.99) for steps in (1, 5)
    ]
    line("re-dilution of 10,000 (slowest)", max(seconds(lambda s=s: shown.redilute(**s)) for s in settings), 1)
    line("relabel and undo 5,000", seconds(lambda: (shown.relabel("cat"), shown.undo())))
    line("point in words", seconds(lambda: shown.describe(7)))
    with tempfile.TemporaryDirectory() as folder:
        line("parquet of all maps", seconds(lambda: shown.save_parquet(Path(folder) / "points.parquet")))
    print(f"{'step':36} {'seconds':>8} {'bar':>5} {'MiB':>7}")
    for what, value, memory, bar in lines:
        print(f"{what:36} {value:8.3f} {'' if bar is None else bar:>5} {memory:7.0f}")
    print(f"{'memory at the end':36} {'':8} {'1536':>5} {resident():7.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--n", type=int, default=50_000)
    parser.add_argument("--d", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--snapshots", type=int, default=5)
    parser.add_argument("--run", help="a saved run with maps to measure in place of a synthetic one")
    options = parser.parse_args()
    if options.run:
        measure(options.run)
        return
    with tempfile.TemporaryDirectory() as folder:
        run = synthetic_run(folder, options.n, options.d, options.epochs, options.snapshots)
        command = [sys.executable, __file__, "--run", str(run.path)]  # a process that has not written the run
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
