"""Fixtures: one tiny trained run feeds runs, maps, analysis and notebooks."""

import gc
import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")

import pytest
from jaxtyping import install_import_hook

gc.disable()  # while libraries and tests are loaded: see pytest_collection_finish

# Shapes and types are checked at every call of a module that tells shapes. In the others, of settings, files and words,
# mypy checks the types: at every call they took half the time of all tests.
ROOT = Path(__file__).parents[1]
SHAPED = [path for path in (ROOT / "lend").rglob("*.py") if "from jaxtyping" in path.read_text(encoding="utf-8")]
install_import_hook(
    [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SHAPED],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)

from lend.inputs import Dilution, RunConfig  # noqa: E402  (only what is imported later is checked)

ENVIRONMENT = dict(os.environ)
TINY = {
    "dataset": "digits",
    "train_size": 240,
    "epochs": 4,
    "batch_size": 80,
    "width": 8,
    "snapshots": (1, 3, 4),
    "noise": "asymmetric",
    "noise_rate": 0.4,
    "dilution": Dilution(k=5),
    "device": "cpu",
}


def pytest_collection_finish():
    """Keep a million objects of libraries and collected tests out of every garbage collection."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """A local Dask cluster leaves OMP_NUM_THREADS=1 behind, for all processes that are started later."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        if name in ENVIRONMENT:
            monkeypatch.setenv(name, ENVIRONMENT[name])
        else:
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tiny(tmp_path):
    """A factory of tiny configurations with runs in this test's own folder."""

    def make(**settings):
        return RunConfig(**(TINY | {"runs": str(tmp_path / "runs")} | settings))

    return make


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A finished tiny LEND run; read it, do not change it."""
    from lend.training import train

    options = {"options": {"beta": 0.5}, "runs": str(tmp_path_factory.mktemp("runs"))}
    return train(RunConfig(**(TINY | options)), progress=False)


@pytest.fixture(scope="module")
def short_maps():
    """Few iterations of t-SNE: what is mapped, kept and shown does not depend on them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lend.analysis.maps.tsne.COLD", ((20, 12.0, 0.5), (30, 1.0, 0.8)))
        patch.setattr("lend.analysis.maps.tsne.WARM", ((20, 1.0, 0.8),))
        yield
