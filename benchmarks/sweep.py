"""A sweep against the bare training loop, and two local processes against one. Digits, on the cores of this machine.

The bare loop is a process of its own that imports what it needs and trains the same runs one after another.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict

from lend import RunConfig, sweep
from lend.training import cores

BARE = """
import sys, json, torch, lend
torch.set_num_threads(int(sys.argv[1]))
for settings in json.loads(sys.argv[2]):
    lend.train(lend.RunConfig.from_dict(settings), progress=False)
"""


def configs(folder, count, epochs):
    digits = {"batch_size": 128, "width": 32, "learning_rate": 0.005, "validation": 0.1, "noise": "asymmetric"}
    return [RunConfig(seed=seed, epochs=epochs, snapshots=(), runs=folder, **digits) for seed in range(count)]


def bare(runs, threads):
    import json

    settings = json.dumps([asdict(config) for config in runs])
    subprocess.run([sys.executable, "-c", BARE, str(threads), settings], check=True)


def timed(action, *arguments, **options):
    start = time.perf_counter()
    action(*arguments, **options)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=400, help="of the runs of the first part: about 30 s each")
    parser.add_argument("--runs", type=int, default=6, help="of the second part, of 100 epochs each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        loop = timed(bare, configs(f"{folder}/loop", 1, options.epochs), 1)
        swept = timed(sweep, configs(f"{folder}/swept", 1, options.epochs), workers=1, threads=1, progress=False)
        print(
            f"one run of {options.epochs} epochs: bare loop {loop:.1f} s, sweep {swept:.1f} s, ratio {swept / loop:.3f}"
        )
        seconds = {}
        for workers, threads in ((1, 1), (1, cores()), (2, 1)):
            runs = configs(f"{folder}/{workers}-{threads}", options.runs, 100)
            seconds[workers, threads] = timed(sweep, runs, workers=workers, threads=threads, progress=False)
            print(f"{options.runs} runs, {workers} worker of {threads} threads: {seconds[workers, threads]:.1f} s")
        for (workers, threads), one in seconds.items():
            if workers == 1:
                print(f"two workers over one of {threads} threads: {one / seconds[2, 1]:.2f} times as fast")


if __name__ == "__main__":
    main()
