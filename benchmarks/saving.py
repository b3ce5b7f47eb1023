"""What saving costs a training with snapshots at five epochs: the time that it waits for a save, and for the copies.

Epochs are written by a thread. Also printed: the seconds of that thread, and the training beside one that saves none,
in turns: what the thread takes from the steps.
"""

import argparse
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from unittest.mock import patch

from lend import RunConfig, train
from lend.recording import Saver
from lend.run import writing


@contextmanager
def timed(owner, name, times):
    """Collect the seconds inside a method."""
    original = getattr(owner, name)

    @wraps(original)
    def wrapper(*arguments):
        start = time.perf_counter()
        try:
            return original(*arguments)
        finally:
            times.append(time.perf_counter() - start)

    with patch.object(owner, name, wrapper):
        yield


def seconds(config):
    """Of a training, without reading the data and building the network."""
    waits, writes, starts = [], [], []

    class Watched(Saver):
        def __enter__(self):
            starts.append(time.perf_counter())
            return super().__enter__()

    with (
        patch("lend.training.loop.Saver", Watched),
        timed(Saver, "save", waits),
        timed(Saver, "__exit__", waits),
        timed(writing, "commit", writes),
    ):
        train(config, progress=False)
        return time.perf_counter() - starts[0], sum(waits), sum(writes), len(writes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--train-size", type=int)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    config = RunConfig(
        dataset=options.dataset, epochs=options.epochs, train_size=options.train_size, width=options.width
    )
    print(f"{options.dataset}, {options.epochs} epochs, width {options.width}, snapshots {config.snapshots}")
    whole, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(options.rounds + 1):
            here = str(Path(folder) / f"saved{turn}")
            total, waited, written, commits = seconds(replace(config, runs=here))
            with patch.object(writing, "commit", lambda *_: None):
                least, *_ = seconds(replace(config, runs=str(Path(folder) / f"bare{turn}")))
            if turn:  # the first imports what saving needs
                whole.append(total)
                bare.append(least)
                print(
                    f"{total:.2f} s, {commits} commits: waited {waited:.2f} s ({waited / total:.1%}), the thread wrote "
                    f"for {written:.2f} s; without saving {least:.2f} s"
                )
    print(f"training that saves over one that does not: {min(whole) / min(bare):.3f}")


if __name__ == "__main__":
    main()
