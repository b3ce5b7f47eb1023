"""Fixtures: one tiny trained run feeds runs, maps, analysis and notebooks."""

import os

os.environ.setdefault("MPLBACKEND", "agg")

import pytest

from lend.inputs import Dilution, RunConfig

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
