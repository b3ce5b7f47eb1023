"""The package as people get it: a wheel, also one made from the source distribution, used away from the repository."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from lend.inputs import EXTRAS, MissingExtraError, extra

ROOT = Path(__file__).parent.parent


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _unneeded(where, names):
    """What a build does not read, so that the copy is small."""
    made = {"build", "data", "dist", "output", "runs"} if Path(where) == ROOT else {"__pycache__", "_build"}
    return [name for name in names if name in made or name.startswith(".") or name.endswith(".egg-info")]


@pytest.fixture(scope="session")
def distributions(tmp_path_factory):
    """A wheel, and a source distribution with the wheel that it makes; built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    source = shutil.copytree(ROOT, folder / "source", ignore=_unneeded)  # a build writes into its folder
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder / "direct", source)
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", folder, source)
    (sdist,) = folder.glob("*.tar.gz")
    run("tar", "-xzf", sdist, "-C", folder)
    (unpacked,) = folder.glob("lend-*/")
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder / "from_sdist", unpacked)
    return {name: next((folder / name).glob("*.whl")) for name in ("direct", "from_sdist")}


@pytest.fixture(scope="session")
def installed(distributions, tmp_path_factory):
    """The wheel in an environment of its own; the packages that it needs are those of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    python = binaries / Path(sys.executable).name
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    with zipfile.ZipFile(distributions["direct"]) as wheel:
        wheel.extractall(site)
    import numpy

    (site / "others.pth").write_text(f"{Path(numpy.__file__).parent.parent}\n")
    return python


def test_both_wheels_hold_the_same(distributions):
    held = {}
    for kind, path in distributions.items():
        members = zipfile.ZipFile(path).infolist()
        held[kind] = {file.filename: file.CRC for file in members if ".dist-info/" not in file.filename}
    assert held["direct"] == held["from_sdist"]
    for folder, inside in (("lend", "lend"), ("notebooks", "lend/shipped/notebooks"), ("saved", "lend/shipped/saved")):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        wanted = {f"{inside}/{path.relative_to(ROOT / folder).as_posix()}" for path in files}
        assert {name for name in wanted if "/." not in name} <= set(held["direct"])
    assert {name.split("/")[0] for name in held["direct"]} == {"lend"}
    assert not [name for name in held["direct"] if ".ipynb_checkpoints" in name]


def test_the_demo_from_the_wheel(installed, tmp_path):
    where = run(installed, "-c", "import lend; print(lend.__file__)", cwd=tmp_path)
    assert str(ROOT) not in where
    said = run(installed, "-m", "lend", "demo", "pictures", cwd=tmp_path)
    for name in ("figure1", "figure4", "audit"):
        for ending in (".png", ".pdf", ".csv"):
            assert (tmp_path / "pictures" / f"{name}{ending}").stat().st_size > 300
        assert f"{name}.png" in said
    assert len(list((tmp_path / "pictures").iterdir())) == 9
    issues = pd.read_csv(tmp_path / "pictures" / "audit.csv", index_col="sample_id")
    assert len(issues) == 10_000 and 1000 < issues["is_label_issue"].sum() < 5000
    again = subprocess.run([installed, "-m", "lend", "demo", "pictures"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 2 and "already exists" in again.stderr and again.stderr.count("\n") == 1


def test_the_notebooks_from_the_wheel(installed, tmp_path):
    run(installed, "-m", "lend", "notebooks", "mine", cwd=tmp_path)
    names = {path.name for path in (tmp_path / "mine" / "notebooks").iterdir()}
    assert names == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert "4" in run(installed, "-c", "import lend; print(len(lend.runs('mine/saved')))", cwd=tmp_path)
    again = subprocess.run([installed, "-m", "lend", "notebooks", "mine"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 2 and "already exists" in again.stderr


@pytest.mark.parametrize("name", EXTRAS)
def test_a_missing_extra_names_the_command(name):
    package = EXTRAS[name][0]
    with pytest.raises(
        MissingExtraError, match=rf'{package} is not installed; this needs: pip install "lend\[{name}\]"'
    ):
        with extra(name):
            raise ModuleNotFoundError(f"No module named '{package}.inner'", name=f"{package}.inner")
    with pytest.raises(ModuleNotFoundError, match="other"), extra(name):
        raise ModuleNotFoundError("No module named 'other'", name="other")


def test_long_work_asks_for_its_extra_first(monkeypatch, tmp_path):
    """A sweep stops before its first run, with one error and not one for each run."""
    import lend

    monkeypatch.setattr("lend.inputs.extras.find_spec", lambda name: None if name == "torchvision" else True)
    with pytest.raises(MissingExtraError, match="torchvision is not installed"):
        lend.sweep([lend.RunConfig(epochs=1, runs=str(tmp_path))])
    assert list(tmp_path.iterdir()) == []


USES = {
    "notebooks": "lend.explore(pd.DataFrame({'x': [0.0, 1.0], 'y': [0.0, 1.0], 'noisy': ['a', 'b']})).widget",
    "train": "lend.train(lend.RunConfig(epochs=1, train_size=100))",
    "sweeps": "lend.sweep([lend.RunConfig(epochs=1, runs='nowhere')], scheduler='local')",
    "faiss": "lend.knn_graph(np.eye(9), k=2, method='faiss')",
}


@pytest.mark.parametrize("name", USES)
def test_a_feature_without_its_extra_says_one_line(name, tmp_path):
    """With the packages of the extra blocked, as in an environment that does not have them."""
    code = (
        "import sys\n"
        f"for package in {EXTRAS[name]}: sys.modules[package] = None\n"
        "import lend, numpy as np, pandas as pd\n"
        "lend.dilute(np.eye(6), np.array([0, 0, 1, 1, 2, 2]), k=2)\n"
        f"try: {USES[name]}\n"
        "except ImportError as error: print(type(error).__name__, error)\n"
    )
    said = run(sys.executable, "-c", code, cwd=tmp_path)
    assert "MissingExtraError" in said and f'pip install "lend[{name}]"' in said


def test_the_core_works_without_any_extra(tmp_path):
    """Without Dask, too, snapshots open: they are then read at once."""
    blocked = sorted({package for packages in EXTRAS.values() for package in packages})
    code = (
        "import sys, warnings\n"
        "warnings.simplefilter('error')\n"
        f"for package in {blocked}: sys.modules[package] = None\n"
        "import lend\n"
        f"run = lend.runs({str(ROOT / 'saved')!r})[0]\n"
        "epoch = run.epochs[0]\n"
        "stored = run.dataset.sel(epoch=epoch)['embeddings'].to_numpy()\n"
        "assert (run.embeddings(epoch) == stored).all() and run.map(epoch).shape[1] == 2\n"
        "labels = run.labels['noisy'].to_numpy()[run.snapshot_samples]\n"
        "found = lend.audit(stored[:500], labels[:500], progress=False)\n"
        "found.plot()\n"
        "lend.LabelDilution().fit(stored[:500].astype('float32'), labels[:500])\n"
        "assert lend.noise.corrupt(labels, lend.noise.symmetric(10, 0.2), 0).shape == labels.shape\n"
        "print(len(found.issues))\n"
    )
    assert run(sys.executable, "-c", code, cwd=tmp_path).strip() == "500"


@pytest.mark.parametrize("package", EXTRAS["notebooks"][1:4])
def test_an_explorer_without_its_packages_shows_one_line(package, monkeypatch, capsys):
    import lend

    for name in [name for name in sys.modules if name.startswith(("lend.explorer.widgets", f"{package}."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    explorer = lend.explore(pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0], "noisy": ["a", "b"]}))
    explorer._ipython_display_()
    assert capsys.readouterr().out == f'{package} is not installed; this needs: pip install "lend[notebooks]"\n'
    assert explorer.figure().axes


def test_the_import_is_light():
    code = "import sys, lend; print(any(name in sys.modules for name in ('numpy', 'torch', 'pandas', 'matplotlib')))"
    assert run(sys.executable, "-c", code).strip() == "False"
