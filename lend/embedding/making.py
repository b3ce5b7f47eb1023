"""Embed images or texts: `embed` returns the table, `embed_files` writes it without holding it in memory."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lend.embedding.job import Job, Written, make_job
from lend.embedding.parts import Part
from lend.embedding.source import TEXTS
from lend.embedding.sources.choosing import Columns
from lend.embedding.table import Embeddings, as_series, read_embeddings
from lend.inputs import require_name


def embed(
    data: Any,  # noqa: ANN401 (a path, or images or texts of any library)
    labels: Any = None,  # noqa: ANN401 (arrays of any library, here and below)
    *,
    model: str | None = None,
    out: str | Path | None = None,
    sample_ids: Any = None,  # noqa: ANN401
    image_column: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
    weights: str = "default",
    image_size: int | None = None,
    precision: str = "float16",
    batch_size: int | None = None,
    device: str | None = None,
    progress: bool = True,
) -> Embeddings:
    """Make embeddings of images or texts with a network that has not seen their labels, or with TF-IDF.

    A path may be:

    - a folder of image files: in class folders, these in train and test or not, or side by side without labels;
    - a .zip or .tar of such folders; a .tar with the label of each image beside it, as WebDataset has it, or a folder
      of such shards;
    - a .parquet file, a folder of them, or a folder that ``datasets`` has saved, with a column of images or of texts;
    - a table of texts: .csv, .tsv, .txt or .jsonl.

    An image or text that cannot be read is left out, and a warning names it.

    Args:
        data: A path; or in memory an array of images, uint8, of shape (n, height, width), (n, height, width, channels)
            or (n, channels, height, width), a list of images of any size (arrays, images of Pillow, ``Path`` of files,
            bytes of files), or a list of texts.
        labels: (n,) labels of what is in memory, as :func:`lend.audit` takes them; those of a path are found there.
        model: ``efficientnet-lite0``, if not given for images; ``tfidf``, if not given for texts;
            ``torchvision:NAME``, ``timm:NAME``, ``open_clip:NAME``, ``hf:NAME``, or ``file.py:NAME`` of your own.
        out: .parquet or .zarr to write as well; the same call goes on where one that was killed has stopped.
        sample_ids: (n,) ids of what is in memory, all different; positions if not given.
        image_column: Of the images in a table; found by its name or type if not given, as the next two.
        text_column: Of the texts.
        label_column: Of the labels.
        id_column: Of the ids; rows are counted from 0 if not given.
        weights: Of the network: "default", "none" for random ones, or a name that its library knows.
        image_size: Pixels of the side of an image, for efficientnet-lite0 (128 if not given) and own code.
        precision: "float16" or "float32", of the embeddings.
        batch_size: Images or texts at once; by the size of the images and the memory if not given.
        device: As torch has it; a GPU where there is one if not given.
        progress: Show a progress bar.

    Returns:
        The embeddings, with ids and labels.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.
        FileNotFoundError: If there is no such file, or no image in a folder.
        MissingExtraError: If a package is missing.

    Example:
        >>> table = embed(["a red apple", "a green apple", "an old house"], ["fruit", "fruit", "house"], progress=False)
        >>> table.embeddings.shape, table.labels.tolist()
        ((3, 3), ['fruit', 'fruit', 'house'])
    """
    job = make_job(
        data,
        labels,
        sample_ids=sample_ids,
        columns=Columns(image_column, text_column, label_column, id_column),
        model=model,
        weights=weights,
        image_size=image_size,
        precision=precision,
        batch_size=batch_size,
        device=device,
        progress=progress,
        out=out,
    )
    return _in_memory(job) if out is None else read_embeddings(job.write().path)


def embed_files(data: str | Path, out: str | Path, **options: Any) -> Written:  # noqa: ANN401
    """Embed files into a file, a few images or texts in memory at a time.

    Finished parts are kept in the folder OUT.parts. Where a process was killed, the same call goes on from them, and
    the file is bit for bit what it would have been. What could not be read is named in OUT.left_out.csv.

    Args:
        data: A path, as :func:`lend.embed` takes it.
        out: .parquet file, or .zarr folder, of columns sample_id, label, embedding, and text or path. If it is there
            already, of the same input and settings, nothing is done.
        options: Further arguments of :func:`lend.embed`.

    Returns:
        What was written.

    Raises:
        ValueError: As :func:`lend.embed`; if an option is unknown; or if the output is there, of another input or other
            settings.
    """
    known = [name for name in signature(embed).parameters if name not in ("data", "out")]
    for name in options:
        require_name(name, known, "option")
    columns = Columns(*(options.pop(f"{name}_column", None) for name in ("image", "text", "label", "id")))
    return make_job(data, columns=columns, out=out, **options).write()


def _in_memory(job: Job) -> Embeddings:
    parts: list[Part] = []
    left_out = job.run(parts)
    source, kept = job.source, [part for part in parts if len(part.positions)]
    positions = np.concatenate([part.positions for part in kept]).tolist()
    texts = None
    if source.kind == TEXTS:
        every = list(source.contents(0))
        texts = [str(every[i]) for i in positions]
    embeddings = np.concatenate([part.embeddings for part in kept])
    return Embeddings(
        embeddings,
        None if source.labels is None else as_series([source.labels[i] for i in positions]),
        pd.Index([source.ids[i] for i in positions], name="sample_id"),
        texts=texts,
        paths=None if source.paths is None else [source.paths[i] for i in positions],
        left_out=left_out,
        about=job.about(*embeddings.shape),
    )
