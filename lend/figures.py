"""The main job: train what is missing, execute every notebook, write the figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lend import experiments
from lend.config import nearest_name
from lend.maps import make_maps
from lend.training import train

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def make(
    profile: str = "digits",
    *,
    runs: str = "runs",
    figures: str = "figures",
    dataset: str | None = None,
    data: str = "data",
    download: bool = False,
    only: str | None = None,
    notebooks: Path = NOTEBOOKS,
) -> list[Path]:
    """Train the profile's missing runs, map their snapshots, execute the notebooks on them.

    Executed notebooks, and the pictures and numbers they write, go to FIGURES/PROFILE. What exists is used as it is,
    so a call that was stopped goes on where it was.

    Args:
        profile: A name of `lend.experiments.PROFILES`.
        runs: Folder of the saved runs.
        figures: Folder of the figures.
        dataset: Where the profile's data set comes from, such as parquet:PATH; the profile's own if not given.
        data: Folder where data sets are kept.
        download: Fetch a public data set that is missing.
        only: One notebook, without .ipynb.
        notebooks: Folder of the notebooks; they come with the repository, not with an installed package.

    Returns:
        The executed notebooks.
    """
    configs = experiments.plan_all(profile, runs=runs, dataset=dataset)
    sources = sorted(notebooks.glob("*.ipynb"))
    if only is not None:
        names = [path.stem for path in sources]
        if only not in names:
            raise ValueError(f"unknown notebook {only!r}; {nearest_name(only, names)}")
        sources = [notebooks / f"{only}.ipynb"]
    if not sources:
        raise FileNotFoundError(f"no notebooks in {notebooks}; run from a clone of the repository")
    for config in configs:
        make_maps(train(replace(config, data=data, download=download)))
    target = Path(figures) / profile
    target.mkdir(parents=True, exist_ok=True)
    parameters = {"profile": profile, "runs": str(Path(runs).resolve()), "figures": str(Path(figures).resolve())}
    return [_execute(source, target, parameters | {"dataset": dataset}) for source in sources]


def _execute(source: Path, target: Path, parameters: dict[str, str | None]) -> Path:
    """Run one notebook in a kernel of its own; it stays readable where it failed."""
    from papermill import execute_notebook

    executed = target / source.name
    print(f"executing {source.name}", flush=True)
    execute_notebook(source, executed, parameters, cwd=source.parent, progress_bar=True, log_output=False)
    return executed
