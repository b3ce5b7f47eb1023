"""A process that is killed by the system at its n-th write, with a real SIGKILL: what it leaves is what a crash leaves.

    killed.py FOLDER RUN MOST

Every verb of VERBS is killed at MOST of its writes (flushes and moves of files), evenly spaced, in a new folder each.
"""

import importlib
import os
import shutil
import signal
import sys
from pathlib import Path

import dask.array  # noqa: F401 (once here, not in each child, as those below)
import distributed  # noqa: F401
import openTSNE  # noqa: F401
import pyarrow.parquet  # noqa: F401
import sklearn.datasets  # noqa: F401
import sklearn.feature_extraction.text  # noqa: F401
import torchvision  # noqa: F401
import xarray  # noqa: F401
import zarr  # noqa: F401
from verbs import VERBS, prepare, result, temporaries

IMPORTS = (
    "matplotlib.backends.backend_pdf",
    "docstring_parser",
    "filelock",
    "lend.auditing.cleaning",
    "lend.auditing.epochs",
    "lend.auditing.files",
    "lend.auditing.raw_files",
    "lend.auditing.reporting",
    "lend.embedding.models.tfidf",
    "lend.analysis.maps.making",
    "lend.paper.tables",
    "lend.plots",
    "lend.run.compacting",
    "lend.storage.checkpoints",
    "lend.storage.snapshots",
    "lend.training.loop",
)


def die_at(moment):
    """Kill this process at the n-th flush or move from now."""
    count = 0

    def before(function):
        def counted(*arguments, **options):
            nonlocal count
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return counted

    os.fsync, os.replace, os.rename = before(os.fsync), before(os.replace), before(os.rename)
    return lambda: count


def result_in_child(folder):
    """As :func:`result`, in a process of its own: the threads that it starts would be missing in later children."""
    child = os.fork()
    if child == 0:
        try:
            (folder.parent / "result").write_text(result(folder))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    text = (folder.parent / "result").read_text()
    (folder.parent / "result").unlink()
    return text


def run_in_child(verb, folder, moment):
    """Fork, do it, and return how the child ended: its exit code, or minus the signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            count = die_at(moment)
            assert not VERBS[verb](folder)
            code = 0 if moment else min(255, count())  # never killed: the number of its writes
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def main():
    base, run, most = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    for module in IMPORTS:
        importlib.import_module(module)
    for verb in VERBS:
        attack(verb, base, run, most)


def attack(verb, base, run, most):
    """Kill a verb at some of its writes; print how many were survived."""
    whole = base / f"{verb}-whole"
    prepare(whole, run)
    writes = run_in_child(verb, whole, 0)
    expected = result_in_child(whole)
    moments = sorted({1 + round(i * (writes - 1) / max(1, most - 1)) for i in range(most)} & set(range(1, writes + 1)))
    left, killed = 0, 0
    for moment in moments:
        folder = base / f"{verb}-{moment}"
        prepare(folder, run)
        killed += run_in_child(verb, folder, moment) == -signal.SIGKILL
        left += bool(temporaries(folder))
        code = run_in_child(verb, folder, 10**9)
        assert code == 0, f"{verb} killed at {moment} of {writes} writes ends in {code} afterwards"
        assert result_in_child(folder) == expected, f"{verb} killed at {moment} of {writes} writes ends otherwise"
        assert temporaries(folder) == [], f"{verb} killed at {moment} of {writes} writes: {temporaries(folder)}"
        shutil.rmtree(folder)
    print(f"{verb}: {writes} writes, {killed} kills survived, {left} left temporaries until the next call")
    assert killed == len(moments)


if __name__ == "__main__":
    main()
