"""Every table and picture of a folder of results, from its files alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from lend import plots, storage
from lend.inputs import safe_table
from lend.paper.results.cells import MEANING, as_markdown, cells
from lend.paper.results.files import Result, results
from lend.paper.results.pays import compared, margins
from lend.paper.results.studies import Study, studies
from lend.paper.results.words import data_and_training, surroundings

DECIMALS = 6  # of fractions in tables: more would tell one machine's sums from another's
RUNS = "runs"  # folder of the files, in that of the results
HEADINGS = {
    "symmetric": "Symmetric noise",
    "asymmetric": "Asymmetric noise",
    "human": "Human labels",
    "symmetric_rates": "Symmetric noise by its rate",
    "asymmetric_rates": "Asymmetric noise by its rate",
}
MADE = "<!-- made by `make results` from the files in runs/; changes here are lost -->"


def draw(folder: str | Path) -> list[Path]:
    """Draw the tables and pictures of all results of a folder, beside them; nothing is trained and no data are read.

    PROFILE/STUDY.csv has the numbers of a table and PROFILE/STUDY.png the test accuracy by epoch; measured.md is a page
    of all of them, and when_it_pays.md, .png and .csv are the margins over cross entropy.

    Args:
        folder: Folder of the results; the files themselves are in its folder runs.

    Returns:
        The files that were written.

    Raises:
        FileNotFoundError: If there is no result. One that no profile plans is named in a warning.
        DamagedFileError: If a file is no result.
    """
    folder = Path(folder)
    read = results(folder / RUNS)
    found = studies(read)
    unplaced = sorted({result.file_name for result in read} - {result.file_name for result in _used(found)})
    if unplaced:
        warnings.warn(f"in no comparison of a profile, so not drawn: {', '.join(unplaced)}", stacklevel=2)
    if not read:
        raise FileNotFoundError(
            f"nothing to draw in {folder / RUNS}; lend results RUNS --to {folder} adds finished runs"
        )
    written, page = [], [MADE]
    for profile, group in groupby(found, lambda study: study.profile):
        there, shown = list(group), set[str]()
        page += [f"## {data_and_training(_used(there))}", f"Profile `{profile}`."]
        for study in there:
            if not study.found.keys() <= shown:  # else it would say again what the tables above say
                written += _draw_study(study, folder / profile)
                page += _shown(study)
            shown |= study.found.keys()
    written += [_write(folder / "measured.md", page)]
    return written + (_draw_margins(found, folder) if len(margins(found)) else [])


def _used(found: Sequence[Study]) -> list[Result]:
    return list({key: result for study in found for key, result in study.found.items()}.values())


def _draw_study(study: Study, folder: Path) -> list[Path]:
    table = folder / f"{study.name}.csv"
    storage.write_text(table, safe_table(cells(study).round(DECIMALS)).to_csv(index=False))
    return [table, *(plots.save(plots.accuracy_curves(study.curves), study.name, folder) if _has_curves(study) else [])]


def _has_curves(study: Study) -> bool:
    return not study.name.endswith("_rates")  # more panels than a page is wide


def _shown(study: Study) -> list[str]:
    where = f"*{data_and_training(_used([study]))}; {surroundings(_used([study]))}."
    picture = [
        f"![Test accuracy by epoch, {HEADINGS[study.name].lower()}]({study.profile}/{study.name}.png)",
        f"{where} Mean over the seeds, band: ± 1 standard deviation.*",
    ]
    table = [as_markdown(cells(study)), f"{where} {MEANING}.*"]
    return [f"### {HEADINGS[study.name]}", *(picture if _has_curves(study) else []), *table]


def _draw_margins(found: Sequence[Study], folder: Path) -> list[Path]:
    name, table, there = "when_it_pays", margins(found), _used(compared(found))
    files = plots.save(plots.margin_panels(table), name, folder, table.round(DECIMALS).set_index("noise"))
    page = [
        MADE,
        f"![Margin over cross entropy against the share of wrong labels]({name}.png)",
        f"*{data_and_training(there)}; {surroundings(there)}. Above the line a method is better than cross entropy.*",
    ]
    return [*files, _write(folder / f"{name}.md", page)]


def _write(path: Path, blocks: Sequence[str]) -> Path:
    return storage.write_text(path, "\n\n".join(blocks) + "\n")
