"""The reference runs: CIFAR-10 by the paper's protocol, side by side on one card, and what comes back of them.

reference.py train [--dry]               # until all are done; called again it goes on
reference.py pack RUN ARCHIVE [--dry]    # one run as an archive
"""

import argparse
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

from arrive import place
from notes import WORK, note, noted
from parcel import pack
from plan import POINTS, plan

import lend

RUNS = WORK / "runs"
FIGURES = ("figure7", "figure6")  # asymmetric noise first, then symmetric
ROWS = ("Standard", "LEND", "LEND+prior")
RATE = 0.4
NEW = "lend2"  # a method that may not be there yet
PAYS = 0.85  # compiled where a step takes less than this share of the time


def configs(dry):
    """The runs in the order of their worth: by noise, Standard, LEND, LEND+prior, and the new method where it is."""
    changes = {"compile": compiling_pays()} | plan(dry).trainings
    found = []
    for figure in FIGURES:
        entries = lend.experiments.plan(figure, "cifar10", runs=str(RUNS), **place())
        rows = {entry.row: entry.config for entry in entries if entry.config.noise_rate == RATE}
        chosen = [rows[row] for row in ROWS]
        if NEW in lend.METHODS:
            chosen.append(replace(rows["LEND"], method=NEW, options={}))
        found += [replace(config, **changes) for config in chosen]
    return found


def compiling_pays():
    """Whether the measurement of this machine says so."""
    steps = {line["way"]: line.get("ms_per_step") for line in noted() if line["step"] == "speed"}
    eager, compiled = steps.get("LEND"), steps.get("LEND, compiled")
    return bool(eager and compiled and compiled < PAYS * eager)


def side_by_side(count):
    """How many trainings at once get most done, of at most so many, as measured; so many where it was not."""
    seconds = {line["trainings"]: line["s_per_epoch"] for line in noted() if line["step"] == "aside"}
    return min(count, min(seconds, key=seconds.get)) if seconds else count


def train(dry):
    runs = configs(dry)
    workers = side_by_side(len(runs) // len(FIGURES))  # those of one noise at least are done when the time is up
    note("reference", runs=len(runs), side_by_side=workers, compiled=runs[0].compile)
    threads = 1 if dry else max(1, len(os.sched_getaffinity(0)) // workers)
    failures = lend.sweep(runs, workers=workers, threads=threads, progress=False)
    for failure in failures:
        note("reference", run=failure.config.folder.name, failed=failure.error)
    sys.exit(f"{len(failures)} of {len(runs)} runs failed" if failures else 0)


def saved():
    """The runs that have an epoch, those with the most first."""
    found = [lend.Run.open(path.parent) for path in RUNS.glob("*/config.json")]
    return sorted((run for run in found if run.epochs_done), key=lambda run: -run.epochs_done)


def history():
    """All numbers of all epochs so far, by run."""
    keep = ("noise", "noise_rate", "method", "options", "dilution", "epochs", "seed", "compile")
    return {
        run.path.name: {
            **{name: value for name, value in asdict(run.config).items() if name in keep},
            "dataset": run.config.dataset.rpartition("/")[2],
            "note": run.note,
            "info": {name: run.info[name] for name in ("device", "precision", "versions", "realised_noise_rate")},
            "epochs_done": run.epochs_done,
            "rows": {name: listed(values) for name, values in run.history.reset_index().items()},
        }
        for run in saved()
    }


def listed(values):
    """Numbers as JSON has them: NaN, an unknown one, is null."""
    return [None if value != value else round(value, 6) for value in values.tolist()]


def pack_one(path, archive, dry):
    """With snapshots for LEND as printed under asymmetric noise, without for the others."""
    run = lend.Run.open(path)
    config = run.config
    shown = config.method == "lend" and config.noise == "asymmetric" and config.dilution.class_prior is None
    points = POINTS if len(run.labels) > POINTS else None
    pack(run, archive, snapshots=shown, points=points if shown else None, dataset="cifar10", note=place()["note"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("train", "pack"))
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    if options.verb == "train":
        train(options.dry)
    else:
        pack_one(*options.paths, options.dry)


if __name__ == "__main__":
    main()
