"""The verb clean."""

from __future__ import annotations

from jsonargparse import ArgumentParser, Namespace


def clean(options: Namespace) -> None:
    """Embed images or texts, audit their labels, and write a report and corrections; the data stays as it is."""
    from lend.auditing import clean as clean_files

    columns = {f"{use}_column": options[use] for use in ("image", "text", "label", "id")}
    names = ("model", "weights", "image_size", "batch_size", "device")
    print(clean_files(options.data, options.out, **columns, **{name: options[name] for name in names}))


def clean_parser(parser: ArgumentParser) -> None:
    formats = "Folder of images in class folders, .parquet, .arrow, .csv, .tsv, .txt, .jsonl, .zip, .tar"
    parser.add_argument("data", type=str, help=formats)
    parser.add_argument("--out", type=str, help="Folder to write to; that of the data and -audit if not given")
    parser.add_argument("--text", type=str, help="Column of the texts; found by its name or type if not given")
    parser.add_argument("--image", type=str, help="Column of the images")
    parser.add_argument("--label", type=str, help="Column of the labels")
    parser.add_argument("--id", type=str, help="Column of the sample ids; rows are counted from 0 if not given")
    models = "torchvision:NAME, timm:NAME, open_clip:NAME, hf:NAME, efficientnet-lite0, tfidf or file.py:NAME"
    parser.add_argument("--model", type=str, help=f"{models}; efficientnet-lite0 or tfidf if not given")
    parser.add_argument("--weights", type=str, default="default", help="default, none (random), or a name")
    parser.add_argument("--image_size", type=int, help="Pixels, for efficientnet-lite0 and own code")
    parser.add_argument("--batch_size", type=int, help="Images or texts at once; by size and memory if not given")
    parser.add_argument("--device", type=str, help="cpu, cuda, ...; a GPU where there is one if not given")
