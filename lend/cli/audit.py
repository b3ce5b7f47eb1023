"""The verb audit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from lend.inputs import require

if TYPE_CHECKING:
    from lend.auditing import Audit


def audit(options: Namespace) -> None:
    """Find the labels that their neighbours in embedding space contradict."""
    _check_files(options)
    settings = {name: options[name] for name in ("k", "steps")}
    settings["class_prior"] = None if options.class_prior == "none" else options.class_prior
    found = (_of_run if _is_run(options.embeddings) else _of_files)(options, settings)
    if options.patch is not None:
        found.patch(options.patch)
    if options.plot is not None:
        found.save_plot(options.plot)
    if options.report is not None:
        found.report(options.report, title=Path(options.labels or options.embeddings).name)
    heard = found.settings.get("epochs")
    told = "" if heard is None else f"\nheard together: the embeddings of epochs {', '.join(map(str, heard))}"
    print(f"{found}{told}\n{options.out}: {len(found.issues):,} examples, their suggested labels and scores")


def _is_run(path: str) -> bool:
    place = Path(path).expanduser()
    return place.is_dir() and place.suffix != ".zarr"  # a table of lend embed may be a folder as well


def _of_files(options: Namespace, settings: dict[str, Any]) -> Audit:
    from lend.auditing import audit_files

    columns = {name: options[name] for name in ("column", "id_column")}
    return audit_files(options.embeddings, options.labels, options.out, **columns, **settings)


def _of_run(options: Namespace, settings: dict[str, Any]) -> Audit:
    """Audit the given labels of a run by its snapshots."""
    from lend import storage
    from lend.auditing import audit_epochs
    from lend.inputs import safe_table
    from lend.run import Run

    for name in ("labels", "column", "id_column"):
        require(options[name] is None, name, "left out with a run, which has its labels", options[name])
    run = Run.open(options.embeddings)
    embeddings = {epoch: run.embeddings(epoch) for epoch in run.require_snapshots()}
    samples, n = run.require_samples(), len(run.labels)
    if len(samples) < n:
        warnings.warn(
            f"{len(samples):,} of {n:,} examples are in all snapshots; the others are not audited", stacklevel=2
        )
    labels = run.labels["noisy"].iloc[samples]
    known = dict(enumerate(run.class_names))
    found = audit_epochs(embeddings, labels.map(known), **settings)  # -1, without a label, is in no name
    storage.write_csv(Path(options.out).expanduser(), safe_table(found.issues))
    return found


def _check_files(options: Namespace) -> None:
    """Raise ValueError if a file cannot be written, or is another one, before the audit begins."""
    from matplotlib.backend_bases import FigureCanvasBase

    pictures = [f".{kind}" for kind in sorted(FigureCanvasBase.get_supported_filetypes())]
    taken = {Path(options[name]).resolve(): name for name in ("embeddings", "labels") if options[name]}
    for name, endings in (("out", [".csv"]), ("patch", [".csv"]), ("plot", pictures), ("report", [".html"])):
        if options[name] is None:
            continue
        path = Path(options[name])
        allowed = f"a file name ending in {' or '.join(endings)}"
        require(path.suffix.lower() in endings and not path.is_dir(), name, allowed, options[name])
        above = next(folder for folder in path.absolute().parents if folder.exists())
        require(above.is_dir(), name, "in a folder", options[name])
        twin = taken.setdefault(path.resolve(), name)
        require(twin == name, name, f"another file than {twin}", options[name])


def audit_parser(parser: ArgumentParser) -> None:
    parser.add_argument("embeddings", type=str, help=".npy file (n, d), the .parquet of lend embed, or a saved run")
    parser.add_argument(
        "labels", type=str, nargs="?", help=".npy file (n,), or .csv; not with a run, or a table with labels"
    )
    parser.add_argument("--out", type=str, default="issues.csv", help="Every example: suggested label, score, issue")
    parser.add_argument("--patch", type=str, help="CSV of the suggested corrections alone, worst first")
    parser.add_argument("--plot", type=str, help="Figure, such as audit.pdf")
    parser.add_argument("--report", type=str, help="One page to read and to print, such as report.html")
    parser.add_argument("--column", type=str, help="Of the labels in a .csv")
    parser.add_argument("--id_column", type=str, help="Of the sample ids in a .csv; positions if not given")
    parser.add_argument("--k", type=int, help="Neighbours; 16 if not given")
    parser.add_argument("--steps", type=int, default=2, help="Iterations of Eq. (3)")
    priors = "estimated, balanced (true classes equally frequent) or none (as printed in the paper)"
    parser.add_argument("--class_prior", type=str, default="estimated", help=priors)
