"""The verb audit."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from lend.inputs import require


def audit(options: Namespace) -> None:
    """Find the labels that their neighbours in embedding space contradict."""
    from lend.auditing import audit_files

    _check_files(options)
    settings = {name: options[name] for name in ("column", "id_column", "k", "steps")}
    prior = None if options.class_prior == "none" else options.class_prior
    found = audit_files(options.embeddings, options.labels, options.out, class_prior=prior, **settings)
    if options.patch is not None:
        found.patch(options.patch)
    if options.plot is not None:
        found.save_plot(options.plot)
    if options.report is not None:
        found.report(options.report, title=Path(options.labels).name)
    print(f"{found}\n{options.out}: every example, its suggested label and its score")


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
    parser.add_argument("embeddings", type=str, help=".npy file (n, d), or the .parquet of lend embed")
    parser.add_argument("labels", type=str, nargs="?", help=".npy file (n,), or .csv; not for a table with labels")
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
