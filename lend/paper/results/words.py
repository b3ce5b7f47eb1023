"""What results were measured on, in words: no table and no picture is without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lend.paper.results.files import Result
from lend.paper.results.originals import TITLES

AUGMENTED = {
    frozenset({False}): "no augmentation",
    frozenset({True}): "with augmentation",
    frozenset({False, True}): "without and with augmentation",
}
NETWORKS = {"resnet18": "ResNet-18", "small": "small network"}


def data_and_training(found: Sequence[Result]) -> str:
    """Data set, size, network and length of training: "CIFAR-10 (original), 10,000 training images, ..."."""
    configs = [result.config for result in found]
    parts = [
        _each(TITLES[config.dataset] for config in configs),
        f"{_each(_numbers(result.info['examples'] for result in found))} training images",
        _each(_network(result) for result in found),
        f"{_each(_numbers(config.epochs for config in configs))} epochs",
        AUGMENTED[frozenset(config.augment for config in configs)],
    ]
    return ", ".join(parts)


def surroundings(found: Sequence[Result]) -> str:
    """Seeds, device, threads, precision and versions: "seed 0; cpu (x86_64), 1 thread, bf16; lend 0.1.0, ..."."""
    seeds = sorted({result.config.seed for result in found})
    shown = f"seeds {', '.join(map(str, seeds))}" if len(seeds) > 1 else f"seed {seeds[0]}"
    machine = _each(f"{r.info['device']}, {_threads(r)}{r.info['precision']}" for r in found)
    versions = _each(", ".join(f"{name} {r.info['versions'][name]}" for name in ("lend", "torch")) for r in found)
    return f"{shown}; {machine}; {versions}"


def _network(result: Result) -> str:
    name = result.info["network"]["name"]
    return f"{NETWORKS.get(name, name)} of width {result.config.width}"


def _threads(result: Result) -> str:
    count = result.info["threads"]
    return f"{count} thread{'s' * (count > 1)}, " if result.info["device"].startswith("cpu") else ""


def _numbers(values: Iterable[int]) -> list[str]:
    return [f"{value:,}" for value in sorted(set(values))]


def _each(texts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(texts))
