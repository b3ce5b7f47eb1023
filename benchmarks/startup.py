"""Seconds for `import lend` and `lend --help`, each in a new process; `import torch` beside them."""

import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import lend": [sys.executable, "-c", "import lend"],
    "lend --help": [sys.executable, "-m", "lend", "--help"],
    "lend train --help": [sys.executable, "-m", "lend", "train", "--help"],
    "import lend.training.loop": [sys.executable, "-c", "import lend.training.loop"],
    "import torch": [sys.executable, "-c", "import torch"],
}


def seconds(command, repeats=5):
    """The fastest and the slowest of some runs, after one that warms the disk."""
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - start)
    return min(times), max(times)


if __name__ == "__main__":
    for name, command in COMMANDS.items():
        fastest, slowest = seconds(command)
        print(f"{name:22s} {fastest:6.2f} s to {slowest:.2f} s")
