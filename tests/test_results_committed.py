"""The results that come with the repository: small, all shown, and every table of them is what their files say."""

import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq

from lend import methods
from lend.__main__ import main
from lend.paper import results

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "results" / "runs"


def test_make_results_redraws_what_is_committed(tmp_path):
    """Every table and page from the committed files alone; pictures are drawn, their bytes are matplotlib's."""
    assert re.search(
        r"^results:.*\n\t\$\(BIN\)/lend results \$\(ARGS\)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    shutil.copytree(RUNS, tmp_path / "runs")
    assert main(["results", "--to", str(tmp_path)]) == 0
    texts = {path.relative_to(tmp_path) for ending in ("md", "csv") for path in tmp_path.rglob(f"*.{ending}")}
    committed = {path.relative_to(RUNS.parent) for path in RUNS.parent.rglob("*.*") if path.suffix in (".md", ".csv")}
    assert texts == committed - {Path("README.md")}
    for name in sorted(texts):
        assert (tmp_path / name).read_bytes() == (RUNS.parent / name).read_bytes(), name
    pictures = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.png")}
    assert pictures and all((RUNS.parent / name).exists() for name in pictures)


def test_no_committed_result_is_of_other_defaults_than_todays():
    for result in results.results(RUNS):
        today = asdict(methods.build(result.config.method, result.config.options))
        noted = result.info.get("defaults", {})
        assert noted.items() <= today.items(), result.file_name


def test_committed_results_are_small_and_every_one_is_shown():
    found = results.results(RUNS)
    shown = {result.file_name for study in results.studies(found) for result in study.found.values()}
    assert {result.file_name for result in found} == shown
    assert sum(path.stat().st_size for path in RUNS.iterdir()) < 3e6
    for path in RUNS.iterdir():
        assert not any(word in str(pq.read_metadata(path).metadata) for word in ("/home", "/tmp", "/work"))
