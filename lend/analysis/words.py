"""Descriptions of a run in words."""

from __future__ import annotations

from pathlib import Path

from lend.run import Run


def describe(run: Run) -> str:
    """Describe a run in one sentence: its data, noise, method, epochs and snapshots."""
    config, info = run.config, run.info
    rate = info.get("realised_noise_rate")
    realised = "" if rate is None else f" ({100 * rate:.1f} % of the labels are wrong)"
    whole = run.complete or run.recorded is not None
    epochs = f"{run.epochs_done}" if whole else f"{run.epochs_done} of {config.epochs}"
    note = f" ({run.note})" if run.note else ""
    return (
        f"{dataset_name(run)}{note}, {info['examples']:,} training examples of {len(run.class_names)} classes; "
        f"{config.noise_title}{realised}; method {config.method}; {epochs} epochs; "
        f"embeddings{_some(run)} saved after epochs {', '.join(map(str, run.epochs))}."
    )


def _some(run: Run) -> str:
    """Return how much of the embeddings a compact copy kept; nothing for a whole run."""
    if run.compact is None:
        return ""
    points, features = run.compact["points"], run.compact["features"]
    return f" of {points:,} examples (a compact copy, {features} numbers each)"


def dataset_name(run: Run) -> str:
    """Return the name of the run's data set: one of lend's own, or the last part of its path."""
    kind, _, path = run.config.dataset.partition(":")
    return Path(path).absolute().name.removesuffix(".npz") if path else kind
