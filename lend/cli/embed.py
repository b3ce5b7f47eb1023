"""The verb embed."""

from __future__ import annotations

from typing import Any

from jsonargparse import ArgumentParser, Namespace

COLUMNS = ("image", "text", "label", "id")
MODEL = ("model", "weights", "image_size", "batch_size", "device")


def embed(options: Namespace) -> None:
    """Make embeddings of images or texts, to audit their labels."""
    from lend.embedding import embed_files

    written = embed_files(options.data, options.out, precision=options.precision, **source_options(options))
    print(f"{written}\nlend audit {written.path}")


def source_options(options: Namespace) -> dict[str, Any]:
    """What :func:`add_source` has read, by the names of :func:`lend.embed`."""
    return {f"{use}_column": options[use] for use in COLUMNS} | {name: options[name] for name in MODEL}


def embed_parser(parser: ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("--out", type=str, default="embeddings.parquet", help="Table: sample_id, label, embedding")
    parser.add_argument("--precision", type=str, default="float16", help="float16 or float32, of the embeddings")


def add_source(parser: ArgumentParser) -> None:
    """The arguments that say what is to be embedded, and by which model."""
    formats = "Folder of images, .parquet, .arrow, .csv, .tsv, .txt, .jsonl, .zip, .tar, or a folder of such"
    parser.add_argument("data", type=str, help=formats)
    models = "torchvision:NAME, timm:NAME, open_clip:NAME, hf:NAME, efficientnet-lite0, tfidf or file.py:NAME"
    parser.add_argument(
        "--model", type=str, help=f"{models}; efficientnet-lite0 for images, tfidf for texts if not given"
    )
    parser.add_argument(
        "--weights", type=str, default="default", help="default, none (random), or a name of the library"
    )
    parser.add_argument("--image_size", type=int, help="Pixels, for efficientnet-lite0 and own code; 128 if not given")
    parser.add_argument("--image", type=str, help="Column of the images; found by its name or type if not given")
    parser.add_argument("--text", type=str, help="Column of the texts")
    parser.add_argument("--label", type=str, help="Column of the labels")
    parser.add_argument("--id", type=str, help="Column of the sample ids; rows are counted from 0 if not given")
    parser.add_argument("--batch_size", type=int, help="Images or texts at once; by size and memory if not given")
    parser.add_argument("--device", type=str, help="cpu, cuda, ...; a GPU where there is one if not given")
