"""The verbs that show what the library does, from what comes along with it: demo and notebooks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from lend.cli.shipped import copy_notebooks, shipped

PROFILE = "cifar10-thin"  # of the saved runs


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

    folder = Path(options.folder)
    taken = [path for name in PARTS for path in folder.glob(f"{name}.*")]
    if taken:
        raise FileExistsError(f"{taken[0]} already exists; name a folder without the demo's files")
    lines = [part(folder) for part in tqdm(PARTS.values(), "demo", unit="picture")]
    print("\n".join(lines))
    print(f"the runs: {shipped('saved')}, CIFAR-10 (JPEG), 20,000 images, ResNet-18 of width 16, on a CPU")


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
    return f"{folder / 'figure1.png'}: classes form early; at the end all sit with their given labels, right or wrong"


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
    return f"{folder / 'figure4.png'}: diluted labels are right more often than predicted ones in the first epochs"


def audit(folder: Path) -> str:
    """An audit of one snapshot's embeddings and their noisy labels."""
    import numpy as np

    from lend.auditing import audit
    from lend.paper import experiments
    from lend.plots import save
    from lend.run import Run

    (entry,) = experiments.plan("figure1", PROFILE, runs=str(shipped("saved")))
    run = Run.open(entry.config.folder)
    epoch = run.epochs[1]
    given = np.array(run.class_names)[run.labels["noisy"].to_numpy()[run.snapshot_samples]]
    found = audit(run.embeddings(epoch), given, sample_ids=run.labels.index[run.snapshot_samples], progress=False)
    save(found.plot(), "audit", folder, found.issues.round(4))
    return f"{folder / 'audit.png'}: of {len(given):,} labels {found.estimate}; audit.csv: every label and its score"


PARTS: dict[str, Callable[[Path], str]] = {"figure1": figure_1, "figure4": figure_4, "audit": audit}
