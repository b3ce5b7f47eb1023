"""README and documentation: every block of code runs, every command parses, every public name is there, links hold."""

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lend
from lend.__main__ import VERBS, verb_parser

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def ids(pages):
    return [str(page.relative_to(ROOT)) for page in pages]


WITH_CODE = [page for page in PAGES if blocks(page, "python")]
WITH_COMMANDS = [page for page in PAGES if blocks(page, "bash")]


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A small run with maps."""
    from lend.maps import make_maps

    settings = {"train_size": 300, "epochs": 3, "width": 8, "snapshots": (1, 3), "noise": "asymmetric"}
    run = lend.train(lend.RunConfig(runs=str(tmp_path_factory.mktemp("runs")), **settings), progress=False)
    make_maps(run, progress=False)
    return run


@pytest.fixture
def names(mapped):
    """What the pages take as given."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"umap_1": rng.normal(size=40), "umap_2": rng.normal(size=40), "epoch": [1] * 20 + [2] * 20})
    frame["noisy"] = np.tile(["cat", "dog"], 20)
    return {
        "__name__": "page",
        "run": mapped,
        "embeddings": mapped.embeddings(1).astype(np.float32),
        "labels": mapped.labels["noisy"].to_numpy(),
        "true": mapped.labels["true"].to_numpy(),
        "images": rng.integers(0, 255, (300, 8, 8, 3), dtype=np.uint8),
        "frame": frame,
        "names": ["cat", "dog"],
        "load": lambda sample: np.zeros((8, 8), np.uint8),
    }


@pytest.mark.parametrize("page", WITH_CODE, ids=ids(WITH_CODE))
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the libraries that pages import
def test_the_code_of_a_page_runs(page, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), names)


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=ids(WITH_COMMANDS))
def test_the_commands_of_a_page_are_there(page):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    checked = 0
    for line in "\n".join(blocks(page, "bash")).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert words[1] in targets, line
        if words[:1] == ["lend"]:
            given = [re.sub("^--[^=]+", lambda o: "--" + o[0][2:].replace("-", "_"), word) for word in words[2:]]
            assert words[1] in VERBS, line
            verb_parser(words[1]).parse_args(given, defaults=words[1] != "train")
        checked += words[:1] in (["make"], ["lend"])
    assert checked or "pip" in page.read_text() or "accelerate launch" in page.read_text()


def public_modules():
    reference = "".join(path.read_text() for path in (DOCS / "reference").glob("*.md"))
    return ["lend", *re.findall(r"automodule:: (\S+)", reference)]


def test_every_public_name_is_documented():
    without = []
    for name in public_modules():
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public)
            if callable(value) and not getattr(value, "__doc__", None):
                without.append(f"{name}.{public}")
    assert without == []


def test_every_public_name_is_in_the_reference():
    reference = "".join(path.read_text() for path in (DOCS / "reference").glob("*.md"))
    missing = [name for name in lend.__all__ if f"lend.{name}\n" not in reference and f"`{name}`" not in reference]
    assert missing == []
    assert [verb for verb in VERBS if f"verbs/{verb}.txt" not in reference] == []


def test_the_readme_is_one_page_and_its_links_hold():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_the_site_builds_strictly(tmp_path):
    """Broken links, names that are not found and missing pages are errors; without writing pages it takes seconds."""
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "-n",
        "--keep-going",
        "-q",
        "-b",
        "dummy",
        "-d",
        tmp_path / "trees",
    ]
    done = subprocess.run([*map(str, command), str(DOCS), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
