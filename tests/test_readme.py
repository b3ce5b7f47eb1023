"""The README stays one page; links and pictures of the pages at the root hold. Code blocks: tests/test_docs.py."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "saved/README.md")
LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def links(page):
    """(is a picture, words, target) of each link inside the repository."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [(mark == "!", words, target) for mark, words, target in LINK.findall(text) if "://" not in target]


def test_the_readme_is_one_page():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES)
def test_linked_files_and_pictures_exist(page):
    missing = [target for _, _, target in links(page) if not ((ROOT / page).parent / target.partition("#")[0]).exists()]
    assert missing == []


def test_the_readme_has_its_pictures_described_and_captioned():
    pictures = [(words, target) for picture, words, target in links("README.md") if picture]
    shown = {target for _, target in pictures}
    assert {"figures/cifar10-thin/tsne_overview.png", "figures/explorer/whole.png", "figures/digits/audit.png"} <= shown
    assert [target for words, target in pictures if len(words) < 20] == []
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    after = [lines[i + 2] for i, line in enumerate(lines) if line.startswith("![")]
    assert len(after) == len(pictures) and all(line.startswith("*") for line in after)


def test_the_two_commands_are_shown_first():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0].splitlines()
    assert [line.split("#")[0].strip() for line in commands] == ["make figures", "make test"]
    assert "output/" in text and "make refresh" in text


def test_the_results_are_few_and_labelled():
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Results")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    assert 1 <= len(rows) <= 8
    unlabelled = [row for row in rows if not all(word in row for word in ("images", "epochs", "seed"))]
    assert unlabelled == [] and "CPU" in section


def test_the_pages_that_contributors_touch_name_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:lend|tests|docs|notebooks)/[\w./-]*)`", text)
    assert named and [name for name in named if not (ROOT / name).exists()] == []


def test_forms_and_workflow_parse():
    files = [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"]
    assert len(files) >= 5
    for path in files:
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict), path


def test_the_workflow_asks_for_no_more_than_it_needs():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    uses = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert uses and [one for one in uses if not re.fullmatch(r"actions/[\w-]+@v\d+", one)] == []
    assert [name for name, job in workflow["jobs"].items() if "timeout-minutes" not in job] == []
