"""SIGKILL a training at random moments, each time in a new run, go on, and compare with one that was never killed.

Identical means: history (without the seconds), labels of every epoch, snapshots and final weights, bit for bit.
"""

import argparse
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lend import Run, RunConfig

SETTINGS = {"dataset": "digits", "epochs": 100, "batch_size": 128, "width": 16, "snapshots": (25, 50, 75, 100)}
SETTINGS["device"] = "cpu"


def command(runs):
    script = f"import lend; lend.train(lend.RunConfig(**{SETTINGS | {'runs': str(runs)}!r}), progress=False)"
    return [sys.executable, "-c", script]


def fingerprint(run):
    import numpy as np
    import torch

    digest = hashlib.sha256(run.history.drop(columns="seconds").to_csv().encode())
    for epoch in range(1, run.epochs_done + 1):
        for labels in (run.predicted(epoch), run.diluted(epoch), run.dominant(epoch), run.kept(epoch)):
            digest.update(np.ascontiguousarray(labels))
    for epoch in run.epochs:
        for array in run.snapshot(epoch).load().values():
            digest.update(np.ascontiguousarray(array))
    state = torch.load(max((run.path / "checkpoint").glob("*.pt")), weights_only=True)
    for value in [*state["networks"].values(), *state["memory"].values()]:
        digest.update(np.ascontiguousarray(value))
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    clock = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        config = RunConfig(**SETTINGS | {"runs": f"{folder}/whole"})
        process = subprocess.Popen(command(f"{folder}/whole"))
        while not (config.folder / "config.json").exists():
            time.sleep(0.005)
        start = time.perf_counter()  # kill only while it trains
        while not (config.folder / "history" / f"{config.epochs:04}.json").exists():
            time.sleep(0.005)
        length = time.perf_counter() - start
        assert process.wait() == 0
        whole, same, moments = fingerprint(Run.open(config.folder)), 0, []
        for number in range(options.kills):
            runs = Path(folder) / str(number)
            target = RunConfig(**SETTINGS | {"runs": str(runs)}).folder
            process = subprocess.Popen(command(runs))
            while not (target / "config.json").exists():
                time.sleep(0.005)
            time.sleep(clock.random() * length)
            process.send_signal(signal.SIGKILL)
            killed = process.wait() == -signal.SIGKILL
            moments.append(f"{Run.open(target).epochs_done}{'' if killed else ' (already done)'}")
            subprocess.run(command(runs), check=True)
            same += fingerprint(Run.open(target)) == whole
    print(f"killed after epochs {', '.join(moments)} of {SETTINGS['epochs']}")
    print(f"{same} of {options.kills} identical to the run that was never killed")
    sys.exit(same != options.kills)


if __name__ == "__main__":
    main()
