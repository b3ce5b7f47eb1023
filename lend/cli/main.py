"""The verbs of `lend`. Each is thin: it reads the command line and calls one function of the library."""

from __future__ import annotations

import errno
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from lend.cli.apply import apply, apply_parser
from lend.cli.audit import audit, audit_parser
from lend.cli.clean import clean, clean_parser
from lend.cli.embed import embed, embed_parser
from lend.cli.results import results, results_parser
from lend.cli.runs import compact, compact_parser, list_parser, list_runs, tsne, tsne_parser
from lend.cli.sweep import figures, figures_parser, sweep, sweep_parser
from lend.cli.tour import demo, demo_parser, notebooks, notebooks_parser
from lend.cli.train import train, train_parser
from lend.cli.words import hyphens, one_line, speak_everywhere
from lend.inputs import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable


VERBS: dict[str, tuple[Callable[[Namespace], None], Callable[[ArgumentParser], None]]] = {
    "train": (train, train_parser),
    "sweep": (sweep, sweep_parser),
    "figures": (figures, figures_parser),
    "list": (list_runs, list_parser),
    "tsne": (tsne, tsne_parser),
    "compact": (compact, compact_parser),
    "results": (results, results_parser),
    "embed": (embed, embed_parser),
    "audit": (audit, audit_parser),
    "clean": (clean, clean_parser),
    "apply": (apply, apply_parser),
    "demo": (demo, demo_parser),
    "notebooks": (notebooks, notebooks_parser),
}

# Options and arguments of all verbs that are paths: "~" stands for the home, also where no shell has replaced it.
PATHS = {"run", "runs", "folder", "like", "data", "embeddings", "labels", "out", "patch", "plot", "report", "figures"}
PATHS |= {"corrections", "to"}


# What a file system without room says, also where a child process or a notebook has passed it on as text.
NO_ROOM = re.compile(rf"\[Errno ({errno.ENOSPC}|{errno.EDQUOT}|{errno.EFBIG})\]")


class _Parser(ArgumentParser):
    """Shows --noise-rate where jsonargparse knows --noise_rate; :func:`_arguments` takes both."""

    def format_help(self, *arguments: Any, **options: Any) -> str:  # noqa: ANN401
        return hyphens(super().format_help(*arguments, **options))


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
    options = _parser().parse_args(argv, defaults=argv[:1] != ["train"])
    for name, value in options[options.verb].items():
        if name in PATHS and isinstance(value, str):
            options[options.verb][name] = os.path.expanduser(value)
    return options


def _known(argv: list[str]) -> list[str]:
    """The options of the verb that was typed."""
    parser = verb_parser(argv[0]) if argv and argv[0] in VERBS else _parser()
    return list(parser._option_string_actions)


def _show_warning(message: Warning | str, *place: object, **further: object) -> None:
    """A warning in one line, without its place in the code."""
    print(f"lend: {message}", file=sys.stderr)


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 2 with one line on bad input or no room; 1 where runs or a notebook failed; 130 where stopped."""
    argv = sys.argv[1:] if argv is None else argv
    speak_everywhere()
    try:
        options = _arguments(argv)
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            VERBS[options.verb][0](options[options.verb])
    except (ArgumentError, ValueError, KeyError, OSError, FloatingPointError, MissingExtraError) as error:
        print(f"lend: error: {one_line(error, argv, _known(argv))}", file=sys.stderr)
        return 1 if isinstance(error, ChildProcessError) and not NO_ROOM.search(str(error)) else 2
    except KeyboardInterrupt:
        print("lend: stopped; the same command goes on from what is saved", file=sys.stderr)
        return 130
    return 0
