"""environment.yml and pyproject.toml name the same packages with the same bounds."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {
    "torch": "pytorch",
    "dask[array,distributed]": "dask",
    "docstring-parser": "docstring_parser",
    "lazy-loader": "lazy_loader",
}


def bounds(requirements):
    """Package name, as conda-forge has it, to its bound."""
    pairs = [re.fullmatch(r"([\w.,\[\]-]+?)\s*([<>=!~].*)?", entry).groups() for entry in requirements]
    return {CONDA_NAMES.get(name.lower(), name.lower()): bound for name, bound in pairs}


def test_the_two_files_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert conda["channels"] == ["conda-forge"]
    plain = [entry for entry in conda["dependencies"] if isinstance(entry, str)]
    expected = bounds(project["dependencies"] + project["optional-dependencies"]["dev"])
    assert bounds(plain) == expected | {"python": project["requires-python"], "pip": None}
    assert [entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict)] == [["--editable ."]]
