"""The class prior of LEND where the true classes are, and are not, equally frequent.

Scikit-learn's digits, asymmetric noise of 40 %: 3, 4 and 5 lose labels to 7, 6 and 9, and 1 and 8 exchange theirs.
"even": all classes alike; "losers rare": up to 5 times fewer examples of the classes that lose labels than of those
that gain them; "losers frequent": the other way round; the rest lies between, all three have about as many images.
The test images are balanced, so a rare class counts as much as any, or have the shares of the training images (--test
same). Everything is trained here, seeds side by side in the table, each with training images and noise of its own:
mean test accuracy of the last ten epochs with its standard deviation over the seeds, and shares kept at the end: of
right and wrong labels, and of the right labels of the classes that lose and of those that gain.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import lend
from lend import experiments

FLIPS = lend.noise.ASYMMETRIC["digits"]
LOSERS = sorted(FLIPS.keys() - FLIPS.values())
GAINERS = sorted(FLIPS.values() - FLIPS.keys())
SHAPES = ["even", "losers rare", "losers frequent"]
ROWS = {"Standard": {"method": "standard"}, **experiments.LEND_ROWS, "LEND, true shares": {"method": "lend"}}


def counts(shape, tail, most):
    """Images of each class; about as many in all for every shape."""
    fewest = round(most / tail)
    count = np.full(10, round((most + most / tail) / 2))
    if shape != "even":
        count[LOSERS], count[GAINERS] = (fewest, most) if shape == "losers rare" else (most, fewest)
    return count


def digits(folder, shape, tail, seed, test):
    """Write the data set; its name for a configuration, and the true share of each class."""
    generator = np.random.default_rng(seed)
    source = lend.data.load("digits")
    labels = {part: getattr(source, f"{part}_labels").numpy() for part in ("train", "test")}
    least = {part: np.bincount(labels[part]).min() for part in labels}
    wanted = {part: counts(shape, tail, least[part]) for part in labels}
    if test == "balanced":
        wanted["test"] = np.full(10, least["test"])
    arrays = {}
    for part, count in wanted.items():
        order = generator.permutation(len(labels[part])) if part == "train" else np.arange(len(labels[part]))
        chosen = np.concatenate([order[labels[part][order] == digit][: count[digit]] for digit in range(10)])
        arrays[f"{part}_images"] = getattr(source, f"{part}_images").numpy()[chosen]
        arrays[f"{part}_labels"] = labels[part][chosen]
    path = Path(folder) / f"{shape.replace(' ', '-')}-{seed}.npz"
    np.savez_compressed(path, **arrays)
    return f"npz:{path}", [float(share) for share in wanted["train"] / wanted["train"].sum()]


def kept(run, epoch):
    """Shares kept in an epoch, in per cent."""
    true, noisy, kept = run.labels["true"].to_numpy(), run.labels["noisy"].to_numpy(), run.kept(epoch)
    right = true == noisy
    parts = {
        "right kept": right,
        "wrong kept": ~right,
        "losers' right kept": right & np.isin(true, LOSERS),
        "gainers' right kept": right & np.isin(true, GAINERS),
    }
    return {name: 100 * kept[part].mean() for name, part in parts.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tail", type=float, default=5, help="most over fewest examples of a class")
    parser.add_argument("--shapes", nargs="+", default=SHAPES, choices=SHAPES)
    parser.add_argument("--test", choices=["balanced", "same"], default="balanced", help="shares of the test images")
    options = parser.parse_args()
    protocol = experiments.PROFILES["digits"].settings
    settings = protocol | {"validation": 0.0, "epochs": options.epochs, "snapshots": ()}
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in options.shapes:
            for seed in range(options.seeds):
                dataset, shares = digits(folder, shape, options.tail, seed, options.test)
                for row, method in ROWS.items():
                    own = method | ({"dilution": {"class_prior": shares}} if row == "LEND, true shares" else {})
                    place = {"dataset": dataset, "noise": "asymmetric:digits", "noise_rate": 0.4, "runs": folder}
                    run = lend.train(lend.RunConfig.from_dict(settings | own | place | {"seed": seed}))
                    wrong = 100 * run.info["realised_noise_rate"]
                    numbers = {"last": 100 * run.last, "best": 100 * run.best, "wrong": wrong} | kept(
                        run, options.epochs
                    )
                    table.append({"classes": shape, "row": row} | numbers)
    grouped = pd.DataFrame(table).groupby(["classes", "row"], sort=False)
    mean = grouped.mean()
    mean.insert(1, "±", grouped["last"].std())
    given = (
        f"{options.tail:g} to 1, asymmetric 40 %, {options.epochs} epochs, {options.seeds} seeds, test {options.test}"
    )
    print(f"\ndigits, {given}, in per cent")
    print(mean.round(1).to_string())


if __name__ == "__main__":
    main()
