"""The verb audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

if TYPE_CHECKING:
    pass


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


def audit_parser(parser: ArgumentParser) -> None:
    parser.add_argument("embeddings", type=str, help=".npy file (n, d)")
    parser.add_argument("labels", type=str, help=".npy file (n,), or .csv")
    parser.add_argument("--out", type=str, default="issues.csv", help="Every example: suggested label, score, issue")
    parser.add_argument("--patch", type=str, help="CSV of the suggested corrections alone, worst first")
    parser.add_argument("--plot", type=str, help="Figure, such as audit.pdf")
    parser.add_argument("--column", type=str, help="Of the labels in a .csv")
    parser.add_argument("--id_column", type=str, help="Of the sample ids in a .csv; positions if not given")
    parser.add_argument("--k", type=int, help="Neighbours; 16 if not given")
    parser.add_argument("--steps", type=int, default=2, help="Iterations of Eq. (3)")
    priors = "estimated, balanced (true classes equally frequent) or none (as printed in the paper)"
    parser.add_argument("--class_prior", type=str, default="estimated", help=priors)
