"""The verbs on saved runs: list, tsne, compact."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from lend.inputs import nearest_name, require

if TYPE_CHECKING:
    from lend.run import Run


def list_runs(options: Namespace) -> None:
    """Show the saved runs, all or those of the given settings."""
    from lend.run import runs

    with warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always")
        found = runs(options.runs)
    problems = [" ".join(str(warning.message).split()) for warning in left_out]
    if not found and not problems:
        raise FileNotFoundError(f"no saved run in {options.runs}")
    for name in FILTERS:
        if options[name] is not None and found:
            found = _only(found, name, options[name])
    problems += _print_runs(found, options.runs)
    for line in problems:
        print(f"unreadable: {line}", file=sys.stderr)
    damaged = [line for run in found for line in run.check()] if options.check else []
    for line in damaged:
        print(line, file=sys.stderr)
    if damaged:
        raise ValueError(f"{len(damaged)} damaged files in {options.runs}")
    if options.check and problems:
        raise ValueError(f"{len(problems)} unreadable runs in {options.runs}")


FILTERS = ("dataset", "method", "noise", "noise_rate", "seed")


def _only(found: list[Run], name: str, value: object) -> list[Run]:
    matching = [run for run in found if getattr(run.config, name) == value]
    if not matching:
        have = {str(getattr(run.config, name)) for run in found}
        raise ValueError(f"no such run has {name} {value}; {nearest_name(str(value), have)}")
    return matching


def _print_runs(found: list[Run], folder: str) -> list[str]:
    """Print a table of the runs; return a message for each whose numbers cannot be read."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from lend.run import MEASURES

    measures, problems = ("best", "last", "chosen"), []
    caption = "test accuracy; " + "; ".join(f"{m}: {MEASURES[m]}" for m in measures)
    shown = Table(title=escape(f"runs in {folder}"), caption=caption)
    for column in ("run", "dataset", "method", "noise", "seed", "epochs", *measures, "snapshots"):
        shown.add_column(column, overflow="fold")
    for run in found:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a table of runs warns of what it leaves out
                cells = _cells(run, measures)
        except (ValueError, OSError, KeyError, UserWarning) as error:  # DamagedFileError is a ValueError
            cells = [run.path.name, "unreadable"]
            problems.append(f"{run.path}: {' '.join(str(error).split())}")
        shown.add_row(*map(escape, cells))
    # a pipe has no width: let no column be cut there
    Console(width=None if sys.stdout.isatty() else 220).print(shown)
    return problems


def _cells(run: Run, measures: tuple[str, ...]) -> list[str]:
    from lend.run import table

    ((name, line),) = table([run]).iterrows()
    method = line["method"] + ("" if line["class_prior"] == "none" else "+prior")
    scores = ["-" if line[m] != line[m] else f"{line[m]:.4f}" for m in measures]  # NaN: not known
    snapshots = ",".join(map(str, run.epochs)) or "-"
    rate = "" if line["noise_rate"] is None else f" {line['noise_rate']:g}"  # a recorded run may not know it
    noise, epochs = f"{line['noise']}{rate}", f"{line['epochs_done']}/{line['epochs']}"
    if run.recorded is not None:  # of as many as there will be
        epochs = str(line["epochs_done"])
    data = line["dataset"] + (f" ({run.note})" if run.note else "")
    return [str(name), data, method, noise, str(line["seed"]), epochs, *scores, snapshots]


def tsne(options: Namespace) -> None:
    """Compute and cache the t-SNE maps of a run's snapshots."""
    from lend.analysis import make_maps
    from lend.run import Run

    run = Run.open(options.run)
    epochs = _epochs(options.epochs)
    make_maps(run, epochs, aligned=not options.independent, points=options.points)
    print(f"{run.shown}: maps of epochs {', '.join(map(str, epochs or run.epochs))}")


def compact(options: Namespace) -> None:
    """Write a small copy of a run, with fewer and coarser numbers, to share; say what that changed."""
    from lend.analysis import changes
    from lend.run import Run
    from lend.run import compact as compact_run

    run = Run.open(options.run)
    _require_its_data(run, options.dataset, options.note)
    kinds: dict[str, Any] = {"all": True, "none": False}
    settings = {name: options[name] for name in ("points", "features", "dataset", "note")}
    epochs = kinds[options.snapshots] if options.snapshots in kinds else _epochs(options.snapshots) or ()
    copy = compact_run(run, options.folder, snapshots=epochs, **settings)
    k = run.config.dilution.k
    if len(copy.snapshot_samples) <= k:
        print(f"not compared with the run: a graph of k = {k} neighbours needs more than {k} examples")
    for epoch, row in changes(run, copy).iterrows() if len(copy.snapshot_samples) > k else ():
        print(
            f"epoch {epoch}: {row['neighbors']:.1%} of the neighbours and {row['labels']:.1%} of the diluted labels "
            f"stay, accuracy {row['accuracy_before']:.4f} before, {row['accuracy_after']:.4f} after"
        )
    size = sum(path.stat().st_size for path in copy.path.rglob("*") if path.is_file())
    print(f"{copy.shown}: {size / 1e6:.1f} MB")


def _require_its_data(run: Run, name: str | None, note: str) -> None:
    """Refuse the name of a well-known data set for other data, unless a note says how they differ."""
    from lend import paper

    originals = paper.results.ORIGINALS
    digest = run.info.get("data_digest")
    other = digest is not None and name in originals.values() and originals.get(digest) != name
    allowed = "the data set of the run, or --note must say how its data differ"
    require(not other or bool(note.strip()), "dataset", allowed, f"{name}, of which the digest is another")


def _epochs(text: str | None) -> list[int] | None:
    if text is None:
        return None
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise ValueError(f"epochs must be numbers such as 30,50, got {text!r}")
    return [int(word) for word in words]


def list_parser(parser: ArgumentParser) -> None:
    parser.add_argument("--runs", type=str, default="runs", help="Folder of the saved runs")
    parser.add_argument("--check", action="store_true", help="Read every file, name the damaged ones")
    kinds = {"noise_rate": float, "seed": int}
    for name in FILTERS:
        parser.add_argument(f"--{name}", type=kinds.get(name, str), help=f"Only runs of this {name.replace('_', ' ')}")


def tsne_parser(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=str, help="Folder of the run")
    parser.add_argument("--epochs", type=str, help="Epochs such as 30,50; all snapshots if not given")
    parser.add_argument("--independent", action="store_true", help="Each map on its own, not aligned")
    parser.add_argument("--points", type=int, default=10_000, help="Points of the maps, stratified; 0 for all")


def compact_parser(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=str, help="Folder of the run")
    parser.add_argument("folder", type=str, help="Folder of saved runs in which the copy gets its own")
    parser.add_argument("--points", type=int, help="Keep snapshots of this many examples; of all if not given")
    parser.add_argument("--features", type=int, default=64, help="Numbers that are left of each embedding")
    parser.add_argument("--snapshots", type=str, default="all", help="Epochs such as 30,50, or none")
    parser.add_argument("--dataset", type=str, help="Name of the data set where others find it, such as cifar10")
    parser.add_argument("--note", type=str, default="", help="Of the data, such as 'images as JPEG'")
