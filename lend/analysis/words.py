"""What a run is, in words."""

from __future__ import annotations

from pathlib import Path

from lend.run import Run


def describe(run: Run) -> str:
    """One sentence for the head of a notebook: data, noise, method, epochs and snapshots of a run."""
    config, info = run.config, run.info
    rate = info.get("realised_noise_rate")
    realised = "" if rate is None else f" ({100 * rate:.1f} % of the labels are wrong)"
    epochs = f"{config.epochs}" if run.complete else f"{run.epochs_done} of {config.epochs}"
    note = f" ({run.note})" if run.note else ""
    return (
        f"{dataset_name(run)}{note}, {info['examples']:,} training examples of {len(run.class_names)} classes; "
        f"{config.noise_title}{realised}; method {config.method}; {epochs} epochs; "
        f"embeddings{_some(run)} saved after epochs {', '.join(map(str, run.epochs))}."
    )


def _some(run: Run) -> str:
    """What a compact copy kept of the embeddings."""
    if run.compact is None:
        return ""
    points, features = run.compact["points"], run.compact["features"]
    return f" of {points:,} examples (a compact copy, {features} numbers each)"


def dataset_name(run: Run) -> str:
    """The name by which the data set looks up its noise: its own, or the last part of its path."""
    kind, _, path = run.config.dataset.partition(":")
    return Path(path).absolute().name.removesuffix(".npz") if path else kind
