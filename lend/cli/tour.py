"""The verbs that show what the library does, from what comes along with it: demo and notebooks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from lend.cli.shipped import copy_notebooks, delivered, shipped

PROFILE = "cifar10-thin"  # of the saved runs
WORST = 1000  # labels of the audit that the demo checks


def notebooks(options: Namespace) -> None:
    """Copy the notebooks, and the saved runs that they show, to a folder."""
    notebooks, saved = copy_notebooks(options.folder)
    print(f"{notebooks}: {len(list(notebooks.glob('*.ipynb')))} notebooks; {saved}: the runs that they show")
    print(f'open them with: jupyter lab {notebooks}   (pip install "lend[notebooks]" where it is missing)')


def notebooks_parser(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=str, help="Folder that gets notebooks/ and saved/")


def demo(options: Namespace) -> None:
    """Draw the paper's Fig. 1 and 4 and an audit, from runs that come along; nothing is trained."""
    from tqdm.auto import tqdm

    names = [f"{name}{ending}" for name in PARTS for ending in (".png", ".pdf", ".csv")]
    with delivered(options.folder, names) as workplace, tqdm(PARTS.items(), "demo", unit="picture") as parts:
        lines = {name: draw(workplace) for name, draw in parts}
    for name, line in lines.items():
        print(f"{Path(options.folder) / name}.png, .pdf, .csv: {line}")
    print(f"the runs: {shipped('saved')}, CIFAR-10, 20,000 images, ResNet-18 of width 16, on a CPU")


def demo_parser(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=str, help="Folder that gets the pictures and tables; made if it is missing")


def figure_1(folder: Path) -> str:
    """The maps of a network that memorises its labels, epoch by epoch."""
    from lend.analysis import snapshot_points, snapshot_table
    from lend.paper import experiments
    from lend.plots import overview, save
    from lend.run import Run

    (entry,) = experiments.plan("figure1", PROFILE, runs=str(shipped("saved")))
    run = Run.open(entry.config.folder)
    points = {epoch: snapshot_points(run, epoch) for epoch in run.epochs}
    numbers = snapshot_table(run)
    save(overview(points, numbers, run.class_names), "figure1", folder, numbers)
    return "classes form early; at the end every example sits with its given label, right or wrong"


def figure_4(folder: Path) -> str:
    """The accuracy of diluted and predicted labels over the epochs."""
    import pandas as pd

    from lend.analysis import label_accuracy
    from lend.paper import experiments
    from lend.plots import label_accuracy_curves, save
    from lend.run import Run

    entries = experiments.plan("figure4", PROFILE, runs=str(shipped("saved")))
    curves = {entry.row: label_accuracy(Run.open(entry.config.folder)) for entry in entries}
    save(label_accuracy_curves(curves), "figure4", folder, pd.concat(curves, names=["run"]))
    return "in the first epochs diluted labels are right more often than predicted ones"


def audit(folder: Path) -> str:
    """An audit of one snapshot's embeddings and their noisy labels."""
    import numpy as np

    from lend.auditing import audit
    from lend.paper import experiments
    from lend.plots import save
    from lend.run import Run

    (entry,) = experiments.plan("figure1", PROFILE, runs=str(shipped("saved")))
    run = Run.open(entry.config.folder)
    examples, names = run.labels.iloc[run.snapshot_samples], np.array(run.class_names)
    given, true = names[examples["noisy"]], names[examples["true"]]
    found = audit(run.embeddings(run.epochs[1]), given, sample_ids=examples.index, progress=False)
    save(found.plot(), "audit", folder, found.issues.round(4))
    wrong, order = given != true, np.argsort(found.issues["label_score"].to_numpy(), kind="stable")
    share, lowest = 100 * wrong.mean(), 100 * wrong[order[:WORST]].mean()
    return (
        f"epoch {run.epochs[1]}, {len(given):,} labels: {found.estimate}; in truth {wrong.sum():,} ({share:.0f} %), "
        f"and {lowest:.0f} % of the {WORST:,} with the lowest score"
    )


PARTS: dict[str, Callable[[Path], str]] = {"figure1": figure_1, "figure4": figure_4, "audit": audit}
