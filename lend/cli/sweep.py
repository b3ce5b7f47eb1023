"""The verbs on many runs: sweep and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from lend.cli.rows import require_methods
from lend.inputs import require
from lend.paper import experiments

if TYPE_CHECKING:
    pass


def sweep(options: Namespace) -> None:
    """Train the missing runs of a figure or table, or of all of them."""
    from lend.training import sweeps

    name, profile, trials = options.name, options.profile, options.trials
    require(trials >= 1, "trials", "at least 1", trials)
    place = {key: options[key] for key in ("runs", "dataset", "data", "download", "note")}
    place["rows"] = experiments.own_rows(experiments.named_rows(options.rows))
    if name == "all":
        configs = experiments.plan_all(profile, trials=trials, **place)
    else:
        configs = [entry.config for entry in experiments.plan(name, profile, trials=trials, **place)]
    require_methods(configs, place["rows"])
    failures = sweeps.sweep(configs, workers=options.workers, threads=options.threads, scheduler=options.scheduler)
    if failures:
        raise sweeps.RunsFailedError(failures, len(configs))
    print(f"{name}, profile {profile}: all {len(configs)} runs are there")


def figures(options: Namespace) -> None:
    """Train what is missing, execute every notebook, write the figures."""
    from lend.cli.book import make

    settings = options.as_dict()
    settings["rows"] = experiments.named_rows(settings["rows"])
    make(settings.pop("profile"), **settings)


def _profile_options(parser: ArgumentParser, trials: int, note: str = "") -> None:
    parser.add_argument("--profile", type=str, default="digits", help="Data set and protocol; see lend.experiments")
    parser.add_argument("--trials", type=int, default=trials, help=f"Runs of each cell, with seeds from 0{note}")
    parser.add_argument("--dataset", type=str, help="Where the profile's data set comes from, such as parquet:PATH")
    parser.add_argument("--runs", type=str, default="runs", help="Folder of the saved runs")
    parser.add_argument("--data", type=str, default="data", help="Folder where data sets are kept")
    parser.add_argument("--download", type=bool, default=False, help="Fetch a public data set that is missing")
    parser.add_argument("--note", type=str, default="", help="Of the data, such as 'images as JPEG'")
    parser.add_argument(
        "--rows",
        type=str,
        nargs="+",
        action="extend",
        default=[],
        metavar="[NAME=]METHOD",
        help="Rows of your own beside the paper's, such as Mine=file.py:Mine",
    )
    parser.add_argument("--workers", type=int, help="Trainings side by side; one per GPU, or per core, if not given")


def sweep_parser(parser: ArgumentParser) -> None:
    parser.add_argument("name", type=str, help="Figure or table, such as figure6, or all; see lend.experiments")
    _profile_options(parser, experiments.TRIALS)
    parser.add_argument("--threads", type=int, help="Of each training; the cores divided among them if not given")
    parser.add_argument("--scheduler", type=str, help="Address of a Dask scheduler, or local for a cluster of our own")


def figures_parser(parser: ArgumentParser) -> None:
    _profile_options(parser, 1, "; 0: of Fig. 1 and 4 alone")
    parser.add_argument("--figures", type=str, default="output/figures", help="Folder of the figures")
    parser.add_argument("--only", type=str, help="One notebook, such as tsne_snapshots, and its runs alone")
