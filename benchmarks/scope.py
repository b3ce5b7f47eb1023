"""Dilution among a batch beside the whole data set, in training: many classes, small batches, rare classes.

The images are pairs of scikit-learn's digits side by side, 8 x 16 pixels: 100 classes. Training and test pairs
are made of different digits. "even" has as many pairs of each class, "long tail" up to 20 times fewer of the last one
than of the first. Symmetric noise of 40 %, the small network. Everything is trained here, seeds side by side in the
table: mean test accuracy of the last ten epochs, share and precision of the kept examples at the end.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import lend

BETA = {"beta": 0.7}  # the memory has to turn before the labels are learnt: 30 epochs are few
ROWS = {
    "Standard": {"method": "standard"},
    "LEND, batch": {"method": "lend", "options": BETA},
    "LEND, data set": {"method": "lend", "options": BETA | {"scope": "dataset"}},
}


def pairs(folder, tail, n=10_000, seed=0):
    """Write the data set; its name for a configuration."""
    generator = np.random.default_rng(seed)
    source = lend.data.load("digits")
    shares = 20.0 ** (-np.arange(100) / 99) if tail else np.ones(100)
    counts = {"train": np.maximum(1, (n * shares / shares.sum()).round().astype(int)), "test": np.full(100, 20)}
    arrays = {"class_names": np.array([f"{label:02}" for label in range(100)])}
    for part, count in counts.items():
        images, digits = getattr(source, f"{part}_images").numpy(), getattr(source, f"{part}_labels").numpy()
        labels = generator.permutation(np.repeat(np.arange(100), count))
        halves = [
            np.array([generator.choice(np.flatnonzero(digits == digit)) for digit in half])
            for half in (labels // 10, labels % 10)
        ]
        arrays[f"{part}_images"] = np.concatenate([images[half] for half in halves], axis=3)
        arrays[f"{part}_labels"] = labels
    path = Path(folder) / f"pairs-{'tail' if tail else 'even'}.npz"
    np.savez_compressed(path, **arrays)
    return f"npz:{path}"


def rare_kept(run, epoch):
    """Share kept of the right labels of the 20 classes with the fewest examples."""
    labels = run.labels
    true, noisy = labels["true"].to_numpy(), labels["noisy"].to_numpy()
    rare = np.isin(true, np.argsort(np.bincount(true, minlength=100), kind="stable")[:20])
    right = rare & (true == noisy)
    return (run.kept(epoch) & right).sum() / right.sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--tails", nargs="+", choices=["even", "tail"], default=["even", "tail"])
    options = parser.parse_args()
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for tail in options.tails:
            dataset = pairs(folder, tail == "tail")
            for size in options.batches:
                for row, settings in ROWS.items():
                    for seed in range(options.seeds):
                        config = lend.RunConfig(
                            dataset=dataset, noise="symmetric", noise_rate=0.4, epochs=options.epochs, seed=seed,
                            batch_size=size, runs=folder, **settings,
                        )  # fmt: skip
                        run = lend.train(config)
                        last = run.history.iloc[-1]
                        numbers = {
                            "last (%)": 100 * run.last, "best (%)": 100 * run.best,
                            "kept (%)": 100 * last["kept_share"],
                            "precision (%)": 100 * last["kept_precision"],
                            "right labels of the rarest kept (%)": 100 * rare_kept(run, options.epochs),
                            "seconds an epoch": run.history["seconds"].median(),
                        }  # fmt: skip
                        table.append({"classes": tail, "batch": size, "row": row, "seed": seed} | numbers)
    table = pd.DataFrame(table).drop(columns="seed").groupby(["classes", "batch", "row"], sort=False)
    print(
        f"\n100 classes, about 10,000 pairs of digits, symmetric 40 %, {options.epochs} epochs, {options.seeds} seeds"
    )
    print(table.mean().round(2).to_string())


if __name__ == "__main__":
    main()
