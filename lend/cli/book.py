"""The main job: train what is missing, execute every notebook, write the figures."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lend import storage
from lend.analysis import make_maps
from lend.cli.rows import require_methods
from lend.cli.shipped import shipped
from lend.inputs import nearest_name, require, require_extra
from lend.paper import experiments
from lend.run import Run
from lend.training import RunsFailedError, cores, sweep

FIGURES = "output/figures"  # ignored by git: the figures that are committed change by `make refresh` alone


def make(
    profile: str = "digits",
    *,
    trials: int = 1,
    workers: int | None = None,
    runs: str = "runs",
    figures: str = FIGURES,
    dataset: str | None = None,
    data: str = "data",
    download: bool = False,
    note: str = "",
    rows: Mapping[str, Any] | None = None,
    only: str | None = None,
    notebooks: Path | None = None,
) -> list[Path]:
    """Train the profile's missing runs, map their snapshots, execute the notebooks on them.

    Executed notebooks, and the pictures and numbers they write, go to FIGURES/PROFILE. What exists is used as it is,
    so a call that was stopped goes on where it was.

    Args:
        profile: A name of `lend.paper.experiments.PROFILES`.
        trials: Runs of each cell of a figure or table to train; 0 trains those of Fig. 1 and 4 alone. All that are
            there are shown in any case.
        workers: Trainings side by side, as for :func:`lend.sweep`, and notebooks; one notebook per core if not given.
        runs: Folder of the saved runs.
        figures: Folder of the figures.
        dataset: Where the profile's data set comes from, such as parquet:PATH; the profile's own if not given.
        data: Folder where data sets are kept.
        download: Fetch a public data set that is missing.
        note: Of the data, for everyone who reads of a run.
        rows: Methods of your own beside the paper's: see :func:`lend.paper.experiments.own_rows`.
        only: One notebook, without .ipynb; what it does not show is not trained.
        notebooks: Folder of the notebooks; those that come with the library if not given.

    Returns:
        The executed notebooks.

    Raises:
        ValueError: If a name is unknown.
        RunsFailedError: If a run cannot be trained; the others are.
        ChildProcessError: If a cell of a notebook fails; the message names the notebook.
    """
    runs, figures = os.path.expanduser(runs), os.path.expanduser(figures)
    place: dict[str, Any] = {"runs": runs, "dataset": dataset, "data": data, "download": download, "note": note}
    require(trials >= 0, "trials", "at least 0", trials)
    require_extra("notebooks")
    own = experiments.own_rows(rows)
    notebooks = shipped("notebooks") if notebooks is None else notebooks
    sources = sorted(notebooks.glob("*.ipynb"))
    if not sources:
        raise FileNotFoundError(f"no notebooks in {notebooks}")
    shown = None
    if only is not None:
        names = [path.stem for path in sources]
        if only not in names:
            raise ValueError(f"unknown notebook {only!r}; {nearest_name(only, names)}")
        sources = [notebooks / f"{only}.ipynb"]
        shown = shown_by(sources[0])
    configs = experiments.plan_all(profile, figures=shown, trials=trials, rows=own, **place)
    require_methods(configs, own)
    failures = sweep(configs, workers=workers)
    if failures:
        raise RunsFailedError(failures, len(configs))
    if "figure1" in experiments.PROFILES[profile].figures and (shown is None or "figure1" in shown):
        for entry in experiments.plan("figure1", profile, **place):
            make_maps(Run.open(entry.config.folder))
    target = Path(figures) / profile
    target.mkdir(parents=True, exist_ok=True)
    parameters: dict[str, Any] = {
        "profile": profile,
        "runs": str(Path(runs).resolve()),
        "figures": str(Path(figures).resolve()),
    }
    parameters |= {"rows": own} if own else {}
    executed = _execute_all(sources, target, parameters, workers)
    print(f"figures, tables and executed notebooks: {target}")
    return executed


def shown_by(notebook: Path) -> list[str] | None:
    """Return the figures of the profile that a notebook shows, from its metadata; None where it does not say."""
    says: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    return says["lend"]["figures"] if "lend" in says else None


def _execute_all(sources: list[Path], target: Path, parameters: dict[str, Any], workers: int | None) -> list[Path]:
    """Run the notebooks side by side, the cores divided among them, with a bar that counts them."""
    from joblib import Parallel, delayed
    from tqdm.auto import tqdm

    slots = min(len(sources), cores() if workers is None else max(1, workers))
    jobs = (delayed(_execute)(source, target, parameters) for source in sources)
    executed = Parallel(slots, return_as="generator")(jobs)
    return list(tqdm(executed, total=len(sources), desc="executing notebooks", unit="notebook"))


def _execute(source: Path, target: Path, parameters: dict[str, Any]) -> Path:
    """Run one notebook in a kernel of its own, with those parameters that it has; it stays readable where it failed.

    It grows in the system's folder of temporary files, since papermill would leave a part of it on a full disk.
    """
    from papermill import execute_notebook, inspect_notebook
    from papermill.exceptions import PapermillExecutionError

    executed = target / source.name
    known = inspect_notebook(source)
    given = {name: value for name, value in parameters.items() if name in known}
    with TemporaryDirectory() as folder:
        draft = Path(folder) / source.name
        try:
            execute_notebook(source, draft, given, cwd=source.parent, progress_bar=False, log_output=False)
        except PapermillExecutionError as error:
            raise ChildProcessError(f"{executed} failed: {error.ename}: {error.evalue}") from error
        finally:
            if draft.exists():
                storage.write_bytes(executed, draft.read_bytes())
    return executed
