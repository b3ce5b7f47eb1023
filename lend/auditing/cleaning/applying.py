"""One call for all formats: corrections in, a cleaned copy and its journal out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lend.auditing.cleaning.archives import apply_to_archive, tar_ending
from lend.auditing.cleaning.corrections import read_corrections
from lend.auditing.cleaning.delimited import apply_to_text
from lend.auditing.cleaning.folders import apply_to_folder
from lend.auditing.cleaning.journal import Applied, write_journal
from lend.auditing.cleaning.jsonlines import ENDINGS as JSON_LINES
from lend.auditing.cleaning.jsonlines import apply_to_json_lines
from lend.auditing.cleaning.options import Options
from lend.auditing.cleaning.placing import require_outside
from lend.auditing.cleaning.shards import PARQUET, STREAM, apply_to_shards
from lend.auditing.cleaning.splits import apply_to_parquets, apply_to_saved, is_saved
from lend.inputs import require

TEXTS = (".csv", ".tsv", ".txt")


def apply(
    corrections: str | Path | pd.DataFrame,
    to: str | Path,
    out: str | Path,
    *,
    column: str | None = None,
    id_column: str | None = None,
    split: str | None = None,
    below: float | None = None,
    link: bool = False,
    new_classes: bool = False,
    progress: bool = True,
) -> Applied:
    """Write a copy of the data with corrected labels, in its format; the data itself stays as it is.

    - **Class folders**, on a disk or in a .zip or .tar archive: a file goes to the folder of its new class and keeps
      its name; where the new class has a file of that name, the old class is added to it, ``001-from-cat.png``. An id
      is the path from the folder, ``cat/001.png``. Folders without a file are not copied.
    - **Tables**, .parquet, .arrow, .csv, .tsv, .txt, .jsonl or .ndjson: labels are replaced, and those before are in a
      further column, ``label_before``. All else stays as it was: types, order, delimiter, quotes, encoding, line ends,
      metadata of the schema. An id is what stands in the column of ids, or the number of the row, from 0.
    - **Folders of Hugging Face's datasets**: Parquet files (``train-00000-of-00002.parquet``), or what ``save_to_disk``
      wrote. As tables; other splits and files are copied.

    Corrections are held against the data before anything is written: every id must be there, and have the label that
    it had in the audit. The same call again finds its copy and changes nothing; one that was killed goes on. Nothing is
    ever written over a file of another content. The journal, ``NAME.journal.csv`` beside the copy, is written last.

    Args:
        corrections: Table, or its file, with the columns sample_id, given_label, suggested_label and, if there is one,
            label_score, as :meth:`lend.Audit.patch` writes it. A column ``action`` may say "drop": the example is left
            out of the copy.
        to: The data.
        out: The copy; of the same ending, outside of the data.
        column: Column of the labels in a table; not needed if it is the only one beside the ids, or named label,
            labels, fine_label, class or target.
        id_column: Column of the ids in a table; if not given, sample_id in a file of :func:`lend.embed`, and in others
            the numbers of the rows, from 0.
        split: The one split of a data set that the corrections are for, whose rows are then numbered by themselves; if
            not given, through all splits, the training first, as :func:`lend.embed` does.
        below: Apply only corrections of labels with a score below this number.
        link: Of class folders, make hard links instead of copies: nothing is copied, and who changes the one file
            changes the other. Only on one disk.
        new_classes: Allow classes that the data does not have.
        progress: Show a progress bar.

    Returns:
        Where the copy and the journal are, and what was changed.

    Raises:
        FileNotFoundError: If corrections or data are missing.
        FileExistsError: If the place of the copy holds something else.
        ValueError: Naming the argument, what is allowed and what came; an example where it is about one.

    Example:
        >>> from tempfile import mkdtemp
        >>> folder = Path(mkdtemp())
        >>> _ = (folder / "animals.csv").write_text("text,label\\nmeow,cat\\nwoof,cat\\n")
        >>> wrong = pd.DataFrame({"sample_id": [1], "given_label": ["cat"], "suggested_label": ["dog"]})
        >>> done = apply(wrong, folder / "animals.csv", folder / "clean.csv", new_classes=True)
        >>> done.out.read_text().splitlines()
        ['text,label,label_before', 'meow,cat,cat', 'woof,dog,cat']
    """
    source, target = Path(to).expanduser(), Path(out).expanduser()
    if not source.exists():
        raise FileNotFoundError(f"to: {source}: no such file or folder")
    require_outside(source, target)
    wanted = read_corrections(corrections if isinstance(corrections, pd.DataFrame) else Path(corrections), below)
    options = Options(column, id_column, split, link, new_classes)
    if source.is_dir():
        if is_saved(source):
            return apply_to_saved(source, target, wanted, options)
        if any(source.rglob(f"*{PARQUET}")):
            return apply_to_parquets(source, target, wanted, options)
        return apply_to_folder(source, target, wanted, options, progress)
    ending = tar_ending(source) or source.suffix.lower()
    same = target.name.lower().endswith(ending) and not target.is_dir()
    require(same, "out", f"a file name ending in {ending}, as the data", str(out))
    if ending in TEXTS:
        return apply_to_text(source, target, wanted, options)
    if ending in JSON_LINES:
        return apply_to_json_lines(source, target, wanted, options)
    if ending in (PARQUET, STREAM):
        options.refuse(str(source), "split", "link")
        ids, n, written, _ = apply_to_shards([(source, target)], wanted, options, source)
        return write_journal(target, wanted, ids, n, written)
    known = (PARQUET, STREAM, *TEXTS, *JSON_LINES, ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
    require(
        ending == ".zip" or tar_ending(source) is not None,
        "to",
        f"a folder or a file ending in {', '.join(known)}",
        str(to),
    )
    return apply_to_archive(source, target, wanted, options)
