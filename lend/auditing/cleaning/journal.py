"""What was done: a journal beside the copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lend.auditing.cleaning.corrections import Correction
from lend.auditing.cleaning.placing import put
from lend.inputs import safe_table


@dataclass(frozen=True)
class Applied:
    """What :func:`lend.apply` did.

    Args:
        out: The cleaned copy.
        journal: CSV beside it, one row per correction.
        changes: That journal as a table: index ``sample_id``; ``label_before``; ``label_after``, missing where the
            example is left out; ``label_score``; ``output_id``, the id of the example in the copy.
        examples: Number of examples in the data.
        written: Whether anything was written: not if all was there from a call before.
    """

    out: Path
    journal: Path
    changes: pd.DataFrame
    examples: int
    written: bool

    def __str__(self) -> str:
        if not self.written:
            return f"{self.out}: nothing to do, these corrections are there already"
        dropped = int(self.changes["label_after"].isna().sum())
        return (
            f"{self.out}: {len(self.changes) - dropped:,} labels changed and {dropped:,} examples left out, of "
            f"{self.examples:,}; {self.journal} lists them"
        )


def journal_path(out: Path) -> Path:
    """Where the journal of a copy is: beside it."""
    return out.with_name(f"{out.name}.journal.csv")


def write_journal(
    out: Path, corrections: Sequence[Correction], output_ids: Sequence[str | None], examples: int, written: bool
) -> Applied:
    """Write the journal, after everything else: where there is none, the copy is not finished.

    Args:
        out: The copy.
        corrections: What was done.
        output_ids: The ids of these examples in the copy; None where they are left out.
        examples: Number of examples in the data.
        written: Whether anything of the copy was written.
    """
    columns = {
        "label_before": [each.before for each in corrections],
        "label_after": [each.after for each in corrections],
        "output_id": list(output_ids),
    }
    index = pd.Index([each.sample_id for each in corrections], name="sample_id", dtype=object)
    table = pd.DataFrame({name: pd.Series(cells, index, dtype=object) for name, cells in columns.items()})
    table.insert(2, "label_score", [each.score for each in corrections])
    text = safe_table(table).to_csv(lineterminator="\n")
    fresh = put(journal_path(out), lambda file: file.write(text.encode("utf-8", "surrogatepass")))
    return Applied(out, journal_path(out), table, examples, written or fresh)
