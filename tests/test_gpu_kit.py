"""The kit for a machine with a card (benchmarks/gpu): its plan, its parcels there and back. No card is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lend
from lend import storage

ROOT = Path(__file__).parent.parent
KIT = ROOT / "benchmarks" / "gpu"


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """The kit's modules, which find their work in a folder of this test; forgotten after it."""
    for folder in (KIT.parent, KIT):
        monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("LEND_GPU_WORK", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    names = [path.stem for path in KIT.glob("*.py")]

    def module(name):
        return __import__(name)

    yield module
    for name in names:
        sys.modules.pop(name, None)


def test_the_plan_fits_into_a_call_and_the_dry_one_is_the_same_but_small(kit):
    module = kit("plan")
    full, dry = module.plan(False), module.plan(True)
    assert [step.name for step in full.steps] == [step.name for step in dry.steps] == ["tests", "speed", "scale"]
    for step in full.steps:
        assert step.command[0] == "-m" or (ROOT / step.command[0]).is_file()
    # a minute and a half at least for the reference runs in the first call
    assert sum(step.seconds for step in full.steps) + full.packing + 90 <= full.seconds <= 580
    assert full.sizes.keys() == dry.sizes.keys() and all(dry.sizes[name] <= full.sizes[name] for name in full.sizes)
    assert module.FILES * module.BYTES <= 8 * 16 * 2**20
    said = (KIT / "README.md").read_text()
    for command in ("prepare.py", "run.sh --dry", "run.sh --take", "run.sh", "parcel.py"):
        assert command in said
    assert next(iter(module.GROUPS)) == "eager" and max(module.GROUPS.values()) < full.steps[1].seconds


@pytest.mark.parametrize("option", ["--dry", "--take"])
def test_a_python_without_packages_is_one_line(tmp_path, option):
    """The first command of a newcomer, before `make install`."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')  # -S: no packages but those of Python itself
    bare.chmod(0o755)
    environment = os.environ | {"PYTHON": str(bare), "LEND_GPU_WORK": str(tmp_path)}
    command = ["bash", str(KIT / "run.sh"), option]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"{bare} lacks numpy or torch: make install, or ") and done.stderr.count("\n") == 1


def test_parts_arrive_whole_or_are_refused(kit, tmp_path):
    arrive = kit("arrive")
    command = [sys.executable, KIT / "prepare.py", "--no-wheels", "--part", "300000", "--into", tmp_path / "sent"]
    subprocess.run(command, check=True, capture_output=True)
    parts = sorted((tmp_path / "sent").iterdir())
    assert len(parts) == 3
    (tmp_path / "first").mkdir()
    parts[0].rename(tmp_path / "first" / "0")
    assert arrive.arrive(tmp_path / "nothing") == "no part of the data has arrived"
    assert arrive.arrive(tmp_path / "first") == "part-1, part-2 of 3 not yet here"
    broken = tmp_path / "sent" / "2" / "part-2"
    good = broken.read_bytes()
    broken.write_bytes(good[:-1] + b"x")
    with pytest.raises(ValueError, match="do not make the parcel"):
        arrive.arrive(tmp_path / "sent")
    broken.write_bytes(good)
    assert arrive.arrive(tmp_path / "sent") is None
    dataset = lend.data.load(arrive.place()["dataset"])
    assert len(dataset.train_labels) == 200 and dataset.num_classes == 10 and dataset.name == "cifar10"
    assert (arrive.SITE / f"lend-{lend.__version__}.dist-info" / "METADATA").is_file()


def test_the_reference_runs_are_those_of_the_papers_figures(kit, tmp_path):
    reference, notes = kit("reference"), kit("notes")
    (notes.WORK / "arrived.json").write_text(json.dumps({"dataset": "cifar10", "data": "data", "note": ""}))
    runs = reference.configs(dry=False)
    told = [(run.noise, run.method, run.dilution.class_prior, run.noise_rate, run.epochs, run.width) for run in runs]
    expected = [
        (noise, method, prior, 0.4, 200, 64)
        for noise in ("asymmetric", "symmetric")
        for method, prior in (("standard", None), ("lend", None), ("lend", "balanced"))
    ]
    assert [row for row in told if row[1] in ("standard", "lend")] == expected
    planned = {run.hash for run in lend.experiments.plan_all("cifar10")}
    assert {run.hash for run in runs if run.method != reference.NEW} <= planned
    assert all(run.snapshot_epochs == (30, 50, 100, 150, 200) and not run.compile for run in runs)
    assert reference.side_by_side(6) == 6
    for count, seconds in ((1, 3.0), (2, 2.0), (4, 1.5), (8, 1.6)):
        notes.note("aside", trainings=count, s_per_epoch=seconds)
    assert reference.side_by_side(6) == 4 and reference.side_by_side(3) == 3
    notes.note("speed", way="LEND", ms_per_step=10.0)
    notes.note("speed", way="LEND, compiled", ms_per_step=5.0)
    assert all(run.compile for run in reference.configs(dry=False))


def test_a_run_comes_back_as_its_compact_copy(kit, saved, tmp_path):
    parcel, run = kit("parcel"), kit("run")
    copy = lend.compact(saved, tmp_path / "copies", features=16)
    archive = tmp_path / f"{saved.path.name}.tar.xz"
    parcel.pack(saved, archive, features=16)
    out = tmp_path / "out"
    out.mkdir()
    assert run.bundle([archive], out) == []
    command = [sys.executable, KIT / "parcel.py", out, tmp_path / "back"]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    (back,) = lend.runs(tmp_path / "back")
    assert back.check() == [] and back.path.name == copy.path.name and back.epochs == copy.epochs
    assert back.history.equals(copy.history) and back.labels.equals(copy.labels)
    for epoch in range(1, copy.epochs_done + 1):
        one, two = (storage.read_arrays(which.labels_path(epoch)) for which in (copy, back))
        assert one.keys() == two.keys()
        assert all(np.array_equal(one[name], two[name]) and one[name].dtype == two[name].dtype for name in one)
    assert not (back.path / "changes").exists()


def test_what_does_not_fit_is_named(kit, tmp_path, monkeypatch):
    run = kit("run")
    monkeypatch.setattr(run, "BYTES", 10_000)
    archives = [tmp_path / f"{number}.tar.xz" for number in range(6)]
    for archive in archives:
        archive.write_bytes(b"0" * 7000)
    assert run.bundle(archives, tmp_path) == ["4.tar.xz", "5.tar.xz"]
    assert len(list(tmp_path.glob("runs-*.tar"))) == run.BUNDLES == 4
    assert all(path.stat().st_size <= 10_240 for path in tmp_path.glob("runs-*.tar"))  # tar's records


def test_a_step_that_fails_or_hangs_is_recorded(kit, tmp_path):
    run, plan = kit("run"), kit("plan")
    run.LOGS.mkdir()
    report = run.Report(tmp_path / "out")
    fails, hangs = (tmp_path / name for name in ("fails.py", "hangs.py"))
    fails.write_text("print('a reason'); raise SystemExit(3)")
    hangs.write_text("import time; print('begun', flush=True); time.sleep(60)")
    for script, seconds, outcome in ((fails, 30, "failed (3), see log.txt"), (hangs, 2, "over its time of 2 s")):
        told = run.run_step(plan.Step(script.stem, (str(script),), seconds), False, seconds)
        assert told == outcome and not run.good(told)
        report.record(script.stem, told, 0)
    assert "a reason" in (tmp_path / "out" / "log.txt").read_text()
    assert set(json.loads((tmp_path / "out" / "steps.json").read_text())) == {"fails", "hangs"}
    assert set(run.Report(tmp_path / "out").steps) == {"fails", "hangs"}  # as a second call finds them
