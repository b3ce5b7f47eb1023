"""What saving costs: seconds inside `Run.commit` over the seconds of a training, with snapshots at five epochs."""

import argparse
import tempfile
import time

from lend.config import RunConfig
from lend.run import Run
from lend.training import train


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--train-size", type=int)
    parser.add_argument("--width", type=int, default=64)
    options = parser.parse_args()
    spent, commits, original = 0.0, 0, Run.commit

    def commit(self, *arguments):
        nonlocal spent, commits
        start = time.perf_counter()
        original(self, *arguments)
        spent, commits = spent + time.perf_counter() - start, commits + 1

    Run.commit = commit
    with tempfile.TemporaryDirectory() as folder:
        config = RunConfig(
            dataset=options.dataset,
            epochs=options.epochs,
            train_size=options.train_size,
            width=options.width,
            runs=folder,
        )
        run = train(config, progress=False)
        total = run.history["seconds"].sum() + spent
        print(f"{options.dataset}, {run.info['examples']} examples, {options.epochs} epochs, width {options.width}")
        print(f"{commits} commits, saving {spent:.2f} s of {total:.2f} s: {spent / total:.2%}")


if __name__ == "__main__":
    main()
