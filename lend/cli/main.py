"""The verbs of `lend`. Each is thin: it reads the command line and calls one function of the library."""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from lend.cli.audit import audit, audit_parser
from lend.cli.runs import compact, compact_parser, list_parser, list_runs, tsne, tsne_parser
from lend.cli.sweep import figures, figures_parser, sweep, sweep_parser
from lend.cli.tour import demo, demo_parser, notebooks, notebooks_parser
from lend.cli.train import train, train_parser
from lend.config import Dilution, RunConfig
from lend.extras import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable


VERBS: dict[str, tuple[Callable[[Namespace], None], Callable[[ArgumentParser], None]]] = {
    "train": (train, train_parser),
    "sweep": (sweep, sweep_parser),
    "figures": (figures, figures_parser),
    "list": (list_runs, list_parser),
    "tsne": (tsne, tsne_parser),
    "compact": (compact, compact_parser),
    "audit": (audit, audit_parser),
    "demo": (demo, demo_parser),
    "notebooks": (notebooks, notebooks_parser),
}


class _Parser(ArgumentParser):
    """Shows --noise-rate where jsonargparse knows --noise_rate; :func:`_arguments` takes both."""

    def format_help(self, *arguments: Any, **options: Any) -> str:  # noqa: ANN401
        return _hyphens(super().format_help(*arguments, **options))


def _hyphens(text: str) -> str:
    return re.sub(r"--[a-z_.]+", lambda option: option[0].replace("_", "-"), text)


def _parser() -> ArgumentParser:
    from lend import __version__

    about = "See, measure and dilute label noise through embeddings."
    parser = ArgumentParser(
        prog="lend", description=about, exit_on_error=False, version=__version__, allow_abbrev=False
    )
    verbs = parser.add_subcommands(required=True, dest="verb", metavar="VERB")
    for name, (function, _) in VERBS.items():
        verbs.add_subcommand(name, verb_parser(name), help=function.__doc__)
    return parser


def verb_parser(name: str) -> ArgumentParser:
    """The parser of one verb; the documentation prints its help, too."""
    function, fill = VERBS[name]
    parser = _Parser(prog=f"lend {name}", description=function.__doc__, exit_on_error=False, allow_abbrev=False)
    fill(parser)
    return parser


def _arguments(argv: list[str]) -> Namespace:
    """Parse; only `train` leaves unset options out, since another run may set them (`--like`)."""
    argv = [re.sub(r"^--[^=]+", lambda option: option[0][:2] + option[0][2:].replace("-", "_"), a) for a in argv]
    return _parser().parse_args(argv, defaults=argv[:1] != ["train"])


def _one_line(error: Exception) -> str:
    """A library's message on one line; an unknown option gets the nearest known one."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    unknown = re.search(r"[Uu]nrecognized arguments: (--[\w.-]+)", text)
    if unknown:
        known = sorted({f"--{f.name}" for f in fields(RunConfig)} | {f"--dilution.{f.name}" for f in fields(Dilution)})
        close = difflib.get_close_matches(unknown[1], known, n=1)
        text += f"; did you mean {close[0]}?" if close else ""
    return _hyphens(" ".join(text.split()))


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 2 with one line on bad input; 1 where runs of a sweep failed; 130 where the user stopped it."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        options = _arguments(argv)
        VERBS[options.verb][0](options[options.verb])
    except (ArgumentError, ValueError, KeyError, OSError, FloatingPointError, MissingExtraError) as error:
        print(f"lend: error: {_one_line(error)}", file=sys.stderr)
        return 1 if isinstance(error, ChildProcessError) else 2
    except KeyboardInterrupt:
        print("lend: stopped; the same command goes on from what is saved", file=sys.stderr)
        return 130
    return 0
