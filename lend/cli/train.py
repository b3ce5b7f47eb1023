"""The verb train."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from lend.inputs import RunConfig

if TYPE_CHECKING:
    pass


def train(options: Namespace) -> None:
    """Train a run, or go on training it."""
    from lend.run import Run

    config = _config(options.as_dict())
    there = Run.find(config)
    if there is not None:
        there.require_trainable()

    from lend.training import train as train_run

    run = train_run(config)
    if os.environ.get("RANK", "0") == "0":  # one of the processes that were launched together speaks
        print(f"{run.shown}: {run.epochs_done} epochs, test accuracy best {run.best:.4f} (oracle), last {run.last:.4f}")


def _config(given: dict[str, Any]) -> RunConfig:
    """The settings given on the command line, over those of another run or the defaults."""
    like = given.pop("like", None)
    base: dict[str, Any] = {"shards": int(os.environ.get("WORLD_SIZE", "1"))}  # one for each process of a launch
    if like is not None:
        from lend.run import Run

        other = Run.open(like)
        if other.recorded is not None:
            other.require_trainable()
        base = asdict(other.config)
        del base["sources"]  # own code is as it is now: a changed file makes another run
        if "snapshots" not in given and "epochs" in given:
            base.pop("snapshots")  # they belong to the other length
    given["dilution"] = base.get("dilution", {}) | given.get("dilution", {})
    given["options"] = base.get("options", {}) | given.get("options", {})
    same = given.get("network", base.get("network")) == base.get("network")
    given["network_options"] = (base.get("network_options", {}) if same else {}) | given.get("network_options", {})
    return RunConfig.from_dict(base | given)


def train_parser(parser: ArgumentParser) -> None:
    parser.add_argument("--like", type=str, help="Folder of a run whose settings are taken where none is given here")
    parser.add_class_arguments(RunConfig, skip={"sources"})
