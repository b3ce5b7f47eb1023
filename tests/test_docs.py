"""README and documentation: every block of code runs, every command parses, every public name is there, links hold."""

import hashlib
import importlib
import inspect
import json
import pickle
import re
import shlex
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import lend
from lend.cli.main import VERBS, verb_parser

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def ids(pages):
    return [str(page.relative_to(ROOT)) for page in pages]


SETTINGS = {"train_size": 300, "epochs": 3, "width": 8, "snapshots": (1, 3), "noise": "asymmetric"}
WITH_CODE = [page for page in PAGES if blocks(page, "python")]
WITH_COMMANDS = [page for page in PAGES if blocks(page, "bash")]


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A small run with maps."""
    from lend.analysis import make_maps

    run = lend.train(lend.RunConfig(runs=str(tmp_path_factory.mktemp("runs")), **SETTINGS), progress=False)
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
        **loop(mapped),
    }


def loop(run):
    """A training loop of somebody's, cut down to one batch."""
    noisy = torch.tensor(run.labels["noisy"].to_numpy())
    features, logits = torch.tensor(run.embeddings(1)).float(), torch.tensor(run.snapshot(1)["logits"].values)
    index = torch.arange(len(noisy))
    return {
        "noisy": noisy,
        "class_names": run.class_names,
        "num_classes": len(run.class_names),
        "loader": [(index, features, noisy)],
        "model": lambda x: (features, logits),
        "cross_entropy": torch.nn.functional.cross_entropy,
        "index": index,
        "features": features,
        "logits": logits,
        "loss": 0.5,
        "accuracy": 0.9,
    }


@pytest.mark.parametrize("page", WITH_CODE, ids=ids(WITH_CODE))
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the libraries that pages import
def test_the_code_of_a_page_runs(page, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), names)


def underscored(words):
    """Options as the parser knows them: lend takes --noise-rate for --noise_rate."""
    return [re.sub("^--[^=]+", lambda option: "--" + option[0][2:].replace("-", "_"), word) for word in words]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=ids(WITH_COMMANDS))
def test_the_commands_of_a_page_are_there(page):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in "\n".join(blocks(page, "bash")).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert words[1] in targets, line
        if words[:1] == ["lend"]:
            assert words[1] in VERBS, line
            verb_parser(words[1]).parse_args(underscored(words[2:]), defaults=words[1] != "train")
        if words[:2] == ["accelerate", "launch"]:
            verb, *given = words[words.index("lend") + 1 :]
            verb_parser(verb).parse_args(
                [word.replace("-", "_").replace("__", "--", 1) for word in given], defaults=False
            )


ROOMS = sorted(path.parent.name for path in (ROOT / "lend").glob("*/__init__.py") if path.parent.name != "cli")
PUBLIC = ["lend", *(f"lend.{room}" for room in ROOMS), "lend.paper.experiments", "lend.paper.tables"]


def public(module):
    """The public names of a module, with what they are."""
    module = importlib.import_module(module)
    return {name: getattr(module, name) for name in module.__all__}


def described(value):
    """Whether somebody wrote a docstring; dataclasses make one of their signature."""
    text = inspect.getdoc(value)
    return bool(text) and not text.startswith(f"{getattr(value, '__name__', '')}(")


# properties that say by their name alone what they are; no further one
PLAIN = {"Comparison.rows", "Comparison.columns", "Comparison.measures", "Inspection.selection"}


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_has_a_docstring(module):
    without = []
    for name, value in public(module).items():
        if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
            without += [name] * (not described(value))
        if inspect.isclass(value) and value.__module__.startswith("lend."):
            own = {part: member for part, member in vars(value).items() if not part.startswith("_")}
            methods = {
                part for part, member in own.items() if inspect.isroutine(member) or isinstance(member, property)
            }
            without += [f"{name}.{part}" for part in sorted(methods) if not described(getattr(value, part))]
    assert set(without) - PLAIN == set()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The strict build without its pages, which takes seconds: what it said, and where its environment is."""
    folder = tmp_path_factory.mktemp("site")
    options = ["-W", "-n", "--keep-going", "-q", "-b", "dummy", "-d", str(folder / "trees")]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(folder / "out")]
    return subprocess.run(command, capture_output=True, text=True), folder / "trees" / "environment.pickle"


def test_the_site_builds_strictly(site):
    """Broken links, names that are not found and pages in no table of contents are errors."""
    done, _ = site
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_is_in_the_reference(site):
    _, environment = site
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that the environment imports
        addresses = set(pickle.loads(environment.read_bytes()).domaindata["py"]["objects"])
    found = {}
    for address in addresses:
        module, _, name = address.rpartition(".")
        found.setdefault(name, []).append(module)
    missing = []
    for module in PUBLIC:
        for name, value in public(module).items():
            address = value.__name__ if inspect.ismodule(value) else f"{module}.{name}"
            # a lazy module is there once its name has been asked for
            there = [sys.modules[m] for m in found.get(name, ()) if m in sys.modules]
            same = [m for m in there if getattr(m, name, None) is value]
            missing += [f"{module}.{name}"] * (address not in addresses and not same)
    assert missing == []


def test_every_verb_is_in_the_reference():
    page = (DOCS / "reference" / "command-line.md").read_text()
    assert re.findall(r"verbs/(\w+)\.txt", page) == list(VERBS)


# The run format, from its page alone: nothing of lend below but the run.


def sealed(content):
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def test_the_page_of_the_run_format_holds(mapped):
    for path in [mapped.path / "config.json", *sorted((mapped.path / "history").glob("*.json"))]:
        record = json.loads(path.read_text())
        assert record.pop("seal") == sealed(record)[:16], path
    config = json.loads((mapped.path / "config.json").read_text())
    assert config["hash"] == sealed({**SETTINGS, "snapshots": [1, 3], "seed": 0})[:10]
    info = "class_names examples held_out image_shape realised_noise_rate device threads precision versions started"
    assert set(config["info"]) == {*info.split(), "network", "defaults", "data_digest"}
    given = hashlib.sha256((mapped.path / "labels" / "given.npz").read_bytes()).hexdigest()
    assert config["files"] == {"labels/given.npz": given}
    record = json.loads((mapped.path / "history" / "0003.json").read_text())
    assert set(record["files"]) == {"labels/0003.npz", "snapshots/0003.zarr.zip", "checkpoint/0003.pt"}
    for name, digest in record["files"].items():
        content = (mapped.path / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (digest, record["sizes"][name])
    row = (DOCS / "explanation" / "run-format.md").read_text().partition("| `row` |")[2].partition(";")[0]
    assert set(record["row"]) == set(re.findall(r"`(\w+)`", row))
    kinds = {}
    for name in ("labels/given.npz", "labels/0003.npz", "maps/aligned/samples.npz", "maps/aligned/0003.npz"):
        with np.load(mapped.path / name, allow_pickle=False) as arrays:
            kinds |= {f"{name}:{key}": (str(array.dtype), array.shape) for key, array in arrays.items()}
    n = config["info"]["examples"]
    assert kinds.pop("maps/aligned/samples.npz:perplexity")[1] == ()
    assert kinds == {
        "labels/given.npz:true": ("int8", (n,)),
        "labels/given.npz:noisy": ("int8", (n,)),
        "labels/given.npz:sample_id": ("int64", (n,)),
        "labels/0003.npz:predicted": ("uint8", (n,)),
        "labels/0003.npz:diluted": ("uint8", (n,)),
        "labels/0003.npz:dominant": ("uint8", (n,)),
        "labels/0003.npz:kept": ("bool", (n,)),
        "maps/aligned/samples.npz:positions": ("int64", (n,)),
        "maps/aligned/samples.npz:seed": ("int64", ()),
        "maps/aligned/0003.npz:coordinates": ("float32", (n, 2)),
        "maps/aligned/0003.npz:neighbors": ("int32", (n, 10)),
        "maps/aligned/0003.npz:source": ("uint8", (32,)),
    }
    with zipfile.ZipFile(mapped.snapshot_path(3)) as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
        for name, kind in {"embeddings": "float16", "logits": "float32", "diluted": "float32"}.items():
            about = json.loads(archive.read(f"{name}/zarr.json"))
            assert (about["zarr_format"], about["data_type"], about["shape"][0]) == (3, kind, n)
            assert about["dimension_names"] == ["sample", "feature" if name == "embeddings" else "class"]


def test_the_readme_is_one_page_and_its_links_hold():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert links and [link for link in links if not (ROOT / link).exists()] == []
