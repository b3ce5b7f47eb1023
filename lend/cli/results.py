"""The verb results: finished runs into the folder of results, and its tables and pictures."""

from __future__ import annotations

import sys
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace


def results(options: Namespace) -> None:
    """Add finished runs to the results, and draw all their tables and pictures again."""
    from lend import paper

    if options.runs is not None:
        if not Path(options.runs).is_dir():
            raise FileNotFoundError(f"{options.runs}: no such folder of runs")
        done = paper.results.add(options.runs, Path(options.to) / paper.results.RUNS)
        for name, reason in done.left_out.items():
            print(f"left out: {name}: {reason}", file=sys.stderr)
        print(f"runs: {len(done.new)} added, {len(done.known)} were there, {len(done.left_out)} left out")
    print(f"{len(paper.results.draw(options.to))} files of tables and pictures: {options.to}")


def results_parser(parser: ArgumentParser) -> None:
    parser.add_argument("runs", type=str, nargs="?", help="Folder of saved runs to add; without it, only draw")
    parser.add_argument("--to", type=str, default="results", help="Folder of the results")
