"""The verb apply."""

from __future__ import annotations

from jsonargparse import ArgumentParser, Namespace


def apply(options: Namespace) -> None:
    """Write a copy of the data with corrected labels, in its format, and a journal beside it."""
    from lend.auditing import apply as apply_corrections

    names = ("column", "id_column", "split", "below", "link", "new_classes")
    print(apply_corrections(options.corrections, options.to, options.out, **{name: options[name] for name in names}))


def apply_parser(parser: ArgumentParser) -> None:
    parser.add_argument("corrections", type=str, help=".csv, as lend audit --patch writes it")
    data = "Class folders, also in a .zip or .tar; a table, .parquet, .csv, .tsv or .jsonl; a folder of a data set"
    parser.add_argument("--to", type=str, required=True, help=data)
    parser.add_argument(
        "--out", type=str, required=True, help="The copy, of the same ending; it takes the place of nothing"
    )
    parser.add_argument("--column", type=str, help="Of the labels in a table")
    parser.add_argument(
        "--id_column",
        type=str,
        help="Of the ids in a table; if not given, sample_id in a file of lend embed, else rows are numbered from 0",
    )
    parser.add_argument(
        "--split",
        type=str,
        help="The one that the corrections are for, such as train; all if not given",
    )
    parser.add_argument("--below", type=float, help="Only labels with a score below it, such as 0.2")
    parser.add_argument("--link", action="store_true", help="Hard links in place of copies, of class folders")
    parser.add_argument("--new_classes", action="store_true", help="Allow classes that the data does not have")
