"""A saved run of any size without training: clusters that part, labels that are learned and then memorised, maps.

Written by the library's own writer, so that readers cannot tell it from another. As a command: make one in a folder.
"""

import argparse

import numpy as np
import xarray as xr

from lend import RunConfig, storage
from lend.run import EpochResult, writing

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LATE = 0.6  # share of the epochs after which half of the wrong labels are memorised


def synthetic_run(folder, n=50_000, d=128, epochs=20, snapshots=5, noise_rate=0.3, seed=0):
    """A run with maps of all n examples at evenly spaced snapshots; classes are NAMES, noise is symmetric."""
    rng = np.random.default_rng(seed)
    kept_epochs = tuple(
        int(e) for e in np.unique(np.linspace(epochs / snapshots, epochs, snapshots).round().astype(int))
    )
    config = RunConfig(epochs=epochs, snapshots=kept_epochs, runs=str(folder), seed=seed, noise_rate=noise_rate)
    true = rng.integers(0, len(NAMES), n)
    wrong = rng.random(n) < noise_rate
    noisy = np.where(wrong, (true + rng.integers(1, len(NAMES), n)) % len(NAMES), true)
    given = {"true": true.astype(np.uint8), "noisy": noisy.astype(np.uint8), "sample_id": np.arange(n)}
    info = {"class_names": list(NAMES), "examples": n, "realised_noise_rate": float(wrong.mean())}
    run = writing.create(config, given, info)
    learns, memorises = rng.beta(1, 4, n), rng.beta(6, 4, n) + LATE - 0.5
    centres, own = rng.standard_normal((len(NAMES), d)), rng.standard_normal((n, d))
    for epoch in range(1, epochs + 1):
        time = epoch / epochs
        guess = rng.integers(0, len(NAMES), n)
        predicted = np.where(wrong & (time > memorises), noisy, np.where(time > learns, true, guess))
        diluted = np.where(rng.random(n) < 0.05, guess, np.where(wrong & (time > memorises + 0.15), noisy, true))
        labels = {"predicted": predicted, "diluted": diluted, "dominant": diluted}
        arrays = {name: codes.astype(np.uint8) for name, codes in labels.items()} | {"kept": diluted == noisy}
        snapshot = _snapshot(time, predicted, diluted, centres, own) if epoch in kept_epochs else None
        writing.commit(
            run, [EpochResult(epoch, _row(true, noisy, labels, arrays["kept"]), arrays, snapshot)], {"epoch": epoch}
        )
    _write_maps(run, true, learns, rng)
    return run


def image(sample_id):
    """A picture of 32x32 pixels, another for each sample."""
    rng = np.random.default_rng(int(sample_id))
    return rng.integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(4, axis=0).repeat(4, axis=1)


def _snapshot(time, predicted, diluted, centres, own):
    embeddings = (2 * time * centres[predicted] + own).astype(np.float16)
    eye = np.eye(len(NAMES), dtype=np.float32)
    arrays = {"embeddings": (("sample", "feature"), embeddings), "logits": (("sample", "class"), 5 * eye[predicted])}
    return xr.Dataset(arrays | {"diluted": (("sample", "class"), 0.8 * eye[diluted] + 0.02)})


def _row(true, noisy, labels, kept):
    row = {"test_accuracy": 0.5} | {f"{name}_label_accuracy": float((y == true).mean()) for name, y in labels.items()}
    right = float((noisy == true)[kept].mean()) if kept.any() else float("nan")
    return row | {
        "noisy_label_accuracy": float((noisy == true).mean()),
        "kept_share": float(kept.mean()),
        "kept": right,
    }


def _write_maps(run, true, learns, rng):
    """Clusters on a ring that part from map to map, as aligned t-SNE shows them; neighbours are of the same cluster."""
    n, last = len(true), run.epochs[-1]
    angle = 2 * np.pi * np.arange(len(NAMES)) / len(NAMES)
    ring = 60 * np.column_stack([np.cos(angle), np.sin(angle)])[true]
    cloud = rng.standard_normal((n, 2))
    order, starts = np.argsort(true, kind="stable"), np.searchsorted(np.sort(true), np.arange(len(NAMES) + 1))
    sizes = np.diff(starts)[true]
    storage.write_arrays(run.samples_path("aligned"), {"positions": np.arange(n), "perplexity": np.array(30.0)})
    for epoch in run.epochs:
        place = (ring * (0.2 + 0.8 * epoch / last) + 9 * cloud * (1 + 2 * learns[:, None])).astype(np.float32)
        near = order[starts[true][:, None] + (rng.random((n, 10)) * sizes[:, None]).astype(int)]
        run.save_map(epoch, "aligned", place, near, run)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("folder", help="of runs, in which to make it")
    parser.add_argument("--n", type=int, default=50_000)
    parser.add_argument("--d", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--snapshots", type=int, default=5)
    options = parser.parse_args()
    print(synthetic_run(**vars(options)))


if __name__ == "__main__":
    main()
