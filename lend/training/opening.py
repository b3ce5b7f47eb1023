"""The run that a training writes to: the saved one, or a new one with what is known before the first epoch."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from lend.inputs import RunConfig
from lend.methods import Method
from lend.run import Run, code_type, with_older_sources, writing
from lend.storage import InUseError
from lend.training.examples import Source
from lend.training.guarded import Guarded

PACKAGES = ("lend", "torch", "torchvision", "numpy", "zarr", "xarray")


def open_or_create(
    config: RunConfig,
    source: Source,
    device: torch.device,
    precision: str,
    network: Mapping[str, Any],
    defaults: Mapping[str, Any] | None,
) -> Run:
    """Return the saved run of this configuration, or a new one where there is none.

    The caller holds the lock of the run's folder.

    Args:
        config: Settings of the run.
        source: Examples that the training was given.
        device: Where it trains, recorded in a new run.
        precision: "bf16" or "fp32", in which it trains.
        network: What a new run says of its network.
        defaults: What it says of its method, see :func:`defaults_of`.

    Raises:
        ValueError: If the saved run was started on other examples.
        FileExistsError: If the folder holds something else.
        InUseError: If another process has created the run in another precision since this one chose its own.
    """
    run = Run.find(config)
    if run is None:
        _tell_changes(config)
        for change in network.get("changes", ()):
            print(f"network {config.network}: {change}", file=sys.stderr)
        info = _info(source, device, precision) | {"network": dict(network), "defaults": defaults}
        return writing.create(config, _given(source), info)
    saved = run.labels
    if not np.array_equal(saved.index, source.dataset.sample_ids) or not np.array_equal(saved["noisy"], source.noisy):
        noise = f", or noise {config.noise} draws other labels" if config.noise in config.sources else ""
        raise ValueError(f"dataset {config.dataset!r} is not the one that {run.path} was started on{noise}")
    if run.info["precision"] != precision:
        raise InUseError(f"{run.path} was just started by another process, in {run.info['precision']}; train it again")
    return run


def defaults_of(method: Method, config: RunConfig) -> dict[str, Any] | None:
    """Return the values of the options that the settings leave open; None of own code, whose digest tells a change."""
    return None if isinstance(method, Guarded) else {k: v for k, v in asdict(method).items() if k not in config.options}


def require_same_defaults(run: Run, defaults: Mapping[str, Any] | None) -> None:
    """Raise ValueError where a run was begun by a version with other defaults: it is no run of today's method.

    Early runs do not say theirs.
    """
    there, here = run.info.get("defaults"), defaults
    if there is None or here is None or there == here:
        return
    names = sorted(name for name in there.keys() | here.keys() if there.get(name) != here.get(name))
    said = ", ".join(f"{name} {there.get(name)!r}, now {here.get(name)!r}" for name in names)
    raise ValueError(
        f"{run.path} was begun with other defaults of {run.config.method}: {said}; move it away to train anew, or give "
        "its values as options to train such a run"
    )


def _tell_changes(config: RunConfig) -> None:
    """Say where a new run is like a saved one but for what stands in a file of own code."""
    for run in with_older_sources(config) if config.sources else ():
        changed = [text for text, digest in config.sources.items() if run.config.sources.get(text) != digest]
        files = ", ".join(dict.fromkeys(text.rpartition(":")[0] for text in changed))
        print(f"{files} has changed since {run.shown}: this is a new run", file=sys.stderr)


def _given(source: Source) -> dict[str, np.ndarray]:
    """Return the labels and ids of the training examples, as they are saved; unknown true labels are -1."""
    dataset = source.dataset
    small = code_type(len(dataset.class_names), unknown=True)
    true = dataset.train_labels.numpy() if dataset.clean else np.full(len(source.noisy), -1)
    return {
        "true": true.astype(small),
        "noisy": source.noisy.numpy().astype(small),
        "sample_id": dataset.sample_ids.numpy(),
    }


def _info(source: Source, device: torch.device, precision: str) -> dict[str, Any]:
    """Return what config.json says of a run beside its settings."""
    dataset = source.dataset
    return {
        "class_names": list(dataset.class_names),
        "data_digest": source.digest or None,
        "examples": len(source.noisy),
        "held_out": len(source.validation_labels),
        "image_shape": list(dataset.train_images.shape[1:]),
        "realised_noise_rate": source.noise_rate,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"{device.type} ({platform.machine()})",
        "threads": torch.get_num_threads(),
        "precision": precision,
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
