"""The verb clean."""

from __future__ import annotations

from jsonargparse import ArgumentParser, Namespace

from lend.cli.embed import add_source, source_options


def clean(options: Namespace) -> None:
    """Embed images or texts, audit their labels, and write a report and corrections; the data stays as it is."""
    from lend.auditing import clean as clean_files

    print(clean_files(options.data, options.out, **source_options(options)))


def clean_parser(parser: ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("--out", type=str, help="Folder to write to; that of the data and -audit if not given")
