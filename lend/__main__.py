"""The verbs of `lend`. Each is thin: it reads the command line and calls one function of the library."""

from __future__ import annotations

import difflib
import os
import re
import sys
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from lend import experiments
from lend.config import Dilution, RunConfig, nearest_name, require

if TYPE_CHECKING:
    from collections.abc import Callable

    from lend.run import Run


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
        print(f"{run.path}: {run.epochs_done} epochs, test accuracy best {run.best:.4f} (oracle), last {run.last:.4f}")


def _config(given: dict[str, Any]) -> RunConfig:
    """The settings given on the command line, over those of another run or the defaults."""
    like = given.pop("like", None)
    base: dict[str, Any] = {"shards": int(os.environ.get("WORLD_SIZE", "1"))}  # one for each process of a launch
    if like is not None:
        from lend.run import Run

        base = asdict(Run.open(like).config)
        if "snapshots" not in given and "epochs" in given:
            base.pop("snapshots")  # they belong to the other length
    given["dilution"] = base.get("dilution", {}) | given.get("dilution", {})
    given["options"] = base.get("options", {}) | given.get("options", {})
    return RunConfig.from_dict(base | given)


def sweep(options: Namespace) -> None:
    """Train the missing runs of a figure or table, or of all of them."""
    from lend import sweeps

    name, profile, trials = options.name, options.profile, options.trials
    require(trials >= 1, "trials", "at least 1", trials)
    place = {key: options[key] for key in ("runs", "dataset", "data", "download", "note")}
    if name == "all":
        configs = experiments.plan_all(profile, trials=trials, **place)
    else:
        configs = [entry.config for entry in experiments.plan(name, profile, trials=trials, **place)]
    failures = sweeps.sweep(configs, workers=options.workers, threads=options.threads, scheduler=options.scheduler)
    if failures:
        raise sweeps.RunsFailedError(failures, len(configs))
    print(f"{name}, profile {profile}: all {len(configs)} runs are there")


def figures(options: Namespace) -> None:
    """Train what is missing, execute every notebook, write the figures."""
    from lend.figures import make

    settings = options.as_dict()
    make(settings.pop("profile"), **settings)


def list_runs(options: Namespace) -> None:
    """Show the saved runs, all or those of the given settings."""
    from lend.run import runs

    found = runs(options.runs)
    if not found:
        raise FileNotFoundError(f"no saved run in {options.runs}")
    for name in FILTERS:
        if options[name] is not None:
            found = _only(found, name, options[name])
    _print_runs(found, options.runs)
    damaged = [line for run in found for line in run.check()] if options.check else []
    for line in damaged:
        print(line, file=sys.stderr)
    if damaged:
        raise ValueError(f"{len(damaged)} damaged files in {options.runs}")


FILTERS = ("dataset", "method", "noise", "noise_rate", "seed")


def _only(found: list[Run], name: str, value: object) -> list[Run]:
    matching = [run for run in found if getattr(run.config, name) == value]
    if not matching:
        have = {str(getattr(run.config, name)) for run in found}
        raise ValueError(f"no such run has {name} {value}; {nearest_name(str(value), have)}")
    return matching


def _print_runs(found: list[Run], folder: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from lend.tables import MEASURES, table

    measures = ("best", "last", "chosen")
    shown = Table(
        title=f"runs in {folder}", caption="test accuracy; " + "; ".join(f"{m}: {MEASURES[m]}" for m in measures)
    )
    for column in ("run", "dataset", "method", "noise", "seed", "epochs", *measures, "snapshots"):
        shown.add_column(column, overflow="fold")
    for run, (name, line) in zip(found, table(found).iterrows(), strict=True):
        method = line["method"] + ("" if line["class_prior"] == "none" else "+prior")
        scores = ["-" if line[m] != line[m] else f"{line[m]:.4f}" for m in measures]  # NaN: not known
        snapshots = ",".join(map(str, run.epochs)) or "-"
        noise, epochs = f"{line['noise']} {line['noise_rate']:g}", f"{line['epochs_done']}/{line['epochs']}"
        data = line["dataset"] + (f" ({run.note})" if run.note else "")
        shown.add_row(name, data, method, noise, str(line["seed"]), epochs, *scores, snapshots)
    # a pipe has no width: let no column be cut there
    Console(width=None if sys.stdout.isatty() else 220).print(shown)


def tsne(options: Namespace) -> None:
    """Compute and cache the t-SNE maps of a run's snapshots."""
    from lend.maps import make_maps
    from lend.run import Run

    run = Run.open(options.run)
    epochs = _epochs(options.epochs)
    make_maps(run, epochs, aligned=not options.independent, points=options.points)
    print(f"{run.path}: maps of epochs {', '.join(map(str, epochs or run.epochs))}")


def compact(options: Namespace) -> None:
    """Write a small copy of a run, with fewer and coarser numbers, to share; say what that changed."""
    from lend.compacting import changes
    from lend.compacting import compact as compact_run
    from lend.run import Run

    run, kinds = Run.open(options.run), {"all": True, "none": False}
    settings = {name: options[name] for name in ("points", "features", "dataset", "note")}
    epochs = kinds[options.snapshots] if options.snapshots in kinds else _epochs(options.snapshots)
    copy = compact_run(run, options.folder, snapshots=epochs, **settings)
    for epoch, row in changes(run, copy).iterrows():
        print(
            f"epoch {epoch}: {row['neighbors']:.1%} of the neighbours and {row['labels']:.1%} of the diluted labels "
            f"stay, accuracy {row['accuracy_before']:.4f} before, {row['accuracy_after']:.4f} after"
        )
    size = sum(path.stat().st_size for path in copy.path.rglob("*") if path.is_file())
    print(f"{copy.path}: {size / 1e6:.1f} MB")


def audit(options: Namespace) -> None:
    """Find the labels that their neighbours in embedding space contradict."""
    from lend.auditing import audit_files

    settings = {name: options[name] for name in ("column", "id_column", "k", "steps")}
    prior = None if options.class_prior == "none" else options.class_prior
    found = audit_files(options.embeddings, options.labels, options.out, class_prior=prior, **settings)
    if options.patch is not None:
        found.patch(options.patch)
    if options.plot is not None:
        found.plot().savefig(options.plot)
    print(f"{found}\n{options.out}: every example, its suggested label and its score")


def _epochs(text: str | None) -> list[int] | None:
    if text is None:
        return None
    words = text.split(",")
    if not all(word.strip().isdigit() for word in words):
        raise ValueError(f"epochs must be numbers such as 30,50, got {text!r}")
    return [int(word) for word in words]


def _train_parser(parser: ArgumentParser) -> None:
    parser.add_argument("--like", type=str, help="Folder of a run whose settings are taken where none is given here")
    parser.add_class_arguments(RunConfig)


def _profile_options(parser: ArgumentParser, trials: int, note: str = "") -> None:
    parser.add_argument("--profile", type=str, default="digits", help="Data set and protocol; see lend.experiments")
    parser.add_argument("--trials", type=int, default=trials, help=f"Runs of each cell, with seeds from 0{note}")
    parser.add_argument("--dataset", type=str, help="Where the profile's data set comes from, such as parquet:PATH")
    parser.add_argument("--runs", type=str, default="runs", help="Folder of the saved runs")
    parser.add_argument("--data", type=str, default="data", help="Folder where data sets are kept")
    parser.add_argument("--download", type=bool, default=False, help="Fetch a public data set that is missing")
    parser.add_argument("--note", type=str, default="", help="Of the data, such as 'images as JPEG'")
    parser.add_argument("--workers", type=int, help="Trainings side by side; one per GPU, or per core, if not given")


def _sweep_parser(parser: ArgumentParser) -> None:
    parser.add_argument("name", type=str, help="Figure or table, such as figure6, or all; see lend.experiments")
    _profile_options(parser, experiments.TRIALS)
    parser.add_argument("--threads", type=int, help="Of each training; the cores divided among them if not given")
    parser.add_argument("--scheduler", type=str, help="Address of a Dask scheduler, or local for a cluster of our own")


def _figures_parser(parser: ArgumentParser) -> None:
    _profile_options(parser, 1, "; 0: of Fig. 1 and 4 alone")
    parser.add_argument("--figures", type=str, default="figures", help="Folder of the figures")
    parser.add_argument("--only", type=str, help="One notebook, such as tsne_snapshots")


def _list_parser(parser: ArgumentParser) -> None:
    parser.add_argument("--runs", type=str, default="runs", help="Folder of the saved runs")
    parser.add_argument("--check", action="store_true", help="Read every file, name the damaged ones")
    kinds = {"noise_rate": float, "seed": int}
    for name in FILTERS:
        parser.add_argument(f"--{name}", type=kinds.get(name, str), help=f"Only runs of this {name.replace('_', ' ')}")


def _tsne_parser(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=str, help="Folder of the run")
    parser.add_argument("--epochs", type=str, help="Epochs such as 30,50; all snapshots if not given")
    parser.add_argument("--independent", action="store_true", help="Each map on its own, not aligned")
    parser.add_argument("--points", type=int, default=10_000, help="Points of the maps, stratified; 0 for all")


def _compact_parser(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=str, help="Folder of the run")
    parser.add_argument("folder", type=str, help="Folder of saved runs in which the copy gets its own")
    parser.add_argument("--points", type=int, help="Keep snapshots of this many examples; of all if not given")
    parser.add_argument("--features", type=int, default=64, help="Numbers that are left of each embedding")
    parser.add_argument("--snapshots", type=str, default="all", help="Epochs such as 30,50, or none")
    parser.add_argument("--dataset", type=str, help="Name of the data set where others find it, such as cifar10")
    parser.add_argument("--note", type=str, default="", help="Of the data, such as 'images as JPEG'")


def _audit_parser(parser: ArgumentParser) -> None:
    parser.add_argument("embeddings", type=str, help=".npy file (n, d)")
    parser.add_argument("labels", type=str, help=".npy file (n,), or .csv")
    parser.add_argument("--out", type=str, default="issues.csv", help="Every example: suggested label, score, issue")
    parser.add_argument("--patch", type=str, help="CSV of the suggested corrections alone, worst first")
    parser.add_argument("--plot", type=str, help="Figure, such as audit.pdf")
    parser.add_argument("--column", type=str, help="Of the labels in a .csv")
    parser.add_argument("--id_column", type=str, help="Of the sample ids in a .csv; positions if not given")
    parser.add_argument("--k", type=int, help="Neighbours; 16 if not given")
    parser.add_argument("--steps", type=int, default=2, help="Iterations of Eq. (3)")
    priors = "estimated, balanced (true classes equally frequent) or none (the paper's letter)"
    parser.add_argument("--class_prior", type=str, default="estimated", help=priors)


VERBS: dict[str, tuple[Callable[[Namespace], None], Callable[[ArgumentParser], None]]] = {
    "train": (train, _train_parser),
    "sweep": (sweep, _sweep_parser),
    "figures": (figures, _figures_parser),
    "list": (list_runs, _list_parser),
    "tsne": (tsne, _tsne_parser),
    "compact": (compact, _compact_parser),
    "audit": (audit, _audit_parser),
}


class _Parser(ArgumentParser):
    """Shows --noise-rate where jsonargparse knows --noise_rate; :func:`_arguments` takes both."""

    def format_help(self) -> str:
        return _hyphens(super().format_help())


def _hyphens(text: str) -> str:
    return re.sub(r"--[a-z_.]+", lambda option: option[0].replace("_", "-"), text)


def _parser() -> ArgumentParser:
    from lend import __version__

    about = "See, measure and dilute label noise through embeddings."
    parser = ArgumentParser(
        prog="lend", description=about, exit_on_error=False, version=__version__, allow_abbrev=False
    )
    verbs = parser.add_subcommands(required=True, dest="verb", metavar="VERB")
    for name, (function, fill) in VERBS.items():
        child = _Parser(description=function.__doc__, exit_on_error=False, allow_abbrev=False)
        fill(child)
        verbs.add_subcommand(name, child, help=function.__doc__)
    return parser


def _arguments(argv: list[str]) -> Namespace:
    """Parse; only `train` leaves unset options out, since another run may set them (`--like`)."""
    argv = [re.sub(r"^--[^=]+", lambda option: option[0][:2] + option[0][2:].replace("-", "_"), a) for a in argv]
    return _parser().parse_args(argv, defaults=argv[:1] != ["train"])


def _one_line(error: Exception) -> str:
    """A library's message on one line; an unknown option gets the nearest known one."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    unknown = re.search(r"[Uu]nrecognized arguments: (--[\w.-]+)", text)
    if unknown:
        known = sorted({f"--{f.name}" for f in fields(RunConfig)} | {f"--dilution.{f.name}" for f in fields(Dilution)})
        close = difflib.get_close_matches(unknown[1], known, n=1)
        text += f"; did you mean {close[0]}?" if close else ""
    return _hyphens(" ".join(text.split()))


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 2 with one line on bad input; 1 where runs of a sweep failed; 130 where the user stopped it."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        options = _arguments(argv)
        VERBS[options.verb][0](options[options.verb])
    except (ArgumentError, ValueError, KeyError, OSError, FloatingPointError) as error:
        print(f"lend: error: {_one_line(error)}", file=sys.stderr)
        return 1 if isinstance(error, ChildProcessError) else 2
    except KeyboardInterrupt:
        print("lend: stopped; the same command goes on from what is saved", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
