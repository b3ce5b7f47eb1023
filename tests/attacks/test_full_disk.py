"""A full disk: one line with the file, nothing half-written, and the same call ends as ever when there is room.

LEND_ATTACKS=hours leaves every verb room for 0, 1, 2, ... pages, and for so many files, until it is enough.
"""

import errno
import os
import resource
import shutil
import subprocess
from contextlib import contextmanager
from itertools import count

import numpy as np
import pytest
from verbs import VERBS, prepare, result, temporaries

import lend
from lend import plots, storage
from lend.__main__ import main
from lend.run import Run

LONG = os.environ.get("LEND_ATTACKS") == "hours"
TRAIN = "train --train-size 240 --width 8 --batch-size 80 --epochs 3 --snapshots 1,3 --dilution.k 5".split()
PAGE = 4096


@contextmanager
def files_of_at_most(size):
    """What the system says of a longer file stands for a full disk: the same way through every library."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def told(verb, folder, capsys):
    """What an unsuccessful verb says: the line of the command line, or the error of a function; None after success."""
    capsys.readouterr()
    try:
        code = VERBS[verb](folder)
    except OSError as error:
        return str(error)
    if not code:
        return None
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lend: error:")]
    assert code == 2
    return line


def check_failure(line, number, folder):
    """One line with the number of the error and the file; what is there is whole."""
    assert "\n" not in line and f"[Errno {number}] " in line and f"'{folder}" in line and ".tmp" not in line, line
    assert temporaries(folder) == []
    runs = [path.parent for path in folder.glob("*/*/config.json")]
    assert [problem for path in [folder / "run", *runs] for problem in Run.open(path).check()] == []


@pytest.fixture(scope="module")
def expected(saved, tmp_path_factory):
    """What a verb leaves where there is room, made when it is asked for."""
    found = {}

    def make(verb):
        if verb not in found:
            folder = tmp_path_factory.mktemp("whole")
            prepare(folder, saved.path)
            assert not VERBS[verb](folder)
            found[verb] = result(folder)
        return found[verb]

    return make


@pytest.mark.parametrize("size", [500, 2_000, 10_000, 20_000, 40_000] if LONG else [500])
def test_files_may_not_grow(tmp_path, capsys, size):
    command = [*TRAIN, "--runs", str(tmp_path / "runs")]
    with files_of_at_most(size):
        assert main(command) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lend: error:")]
    assert line.startswith(f"lend: error: [Errno {errno.EFBIG}] ") and str(tmp_path) in line and ".tmp" not in line
    assert size < 2_000 or ".pt'" in line or ".zarr.zip'" in line
    assert not list(tmp_path.rglob("*.tmp"))
    assert all(run.check() == [] for run in lend.runs(tmp_path / "runs"))
    assert main(command) == 0
    (run,) = lend.runs(tmp_path / "runs")
    assert run.complete and run.check() == []


def test_a_sweep_without_room_ends_as_other_verbs_do(tmp_path, capsys):
    with files_of_at_most(500):
        assert main(["sweep", "figure4", "--profile", "tiny", "--workers", "0", "--runs", str(tmp_path)]) == 2
    assert f"[Errno {errno.EFBIG}] " in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("verb", ["demo", "notebooks"])
def test_what_comes_along_names_the_folder_asked_for(tmp_path, capsys, monkeypatch, verb):
    picture = plots.transition_matrices({"a": np.eye(3)}, {"a": ["x", "y", "z"]})
    monkeypatch.setattr("lend.cli.tour.PARTS", {"audit": lambda folder: plots.save(picture, "audit", folder)})
    with files_of_at_most(500):
        assert main([verb, str(tmp_path / "new" / "mine")]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lend: error:")]
    reason = os.strerror(errno.EFBIG)
    assert line == f"lend: error: [Errno {errno.EFBIG}] {reason}: '{tmp_path / 'new' / 'mine'}'"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", VERBS if LONG else ["figures"])
def test_files_of_every_verb_may_not_grow(saved, expected, tmp_path, capsys, verb):
    prepare(tmp_path, saved.path)
    for size in (0, 300, 600, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 40_000, 80_000) if LONG else (600,):
        with files_of_at_most(size):
            line = told(verb, tmp_path, capsys)
        if line is None:
            break
        check_failure(line, errno.EFBIG, tmp_path)
    assert told(verb, tmp_path, capsys) is None
    assert result(tmp_path) == expected(verb) and temporaries(tmp_path) == []


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_an_error_that_a_library_hides_is_told(tmp_path, monkeypatch, moment):
    """torch puts an error of its own in the place of the file's."""
    import torch

    from lend.storage import writing

    write, number = writing._RememberingFile.write, 0

    class Full(writing._RememberingFile):
        def write(self, data):
            nonlocal number
            number += 1
            if number >= moment:
                self.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                raise self.error
            return write(self, data)

    monkeypatch.setattr(writing, "_RememberingFile", Full)
    with pytest.raises(OSError, match=r"\[Errno 28\] No space left on device: '.*0001\.pt'"):
        storage.write_checkpoint(tmp_path / "0001.pt", {"x": torch.rand(100_000)})
    assert list(tmp_path.iterdir()) == []


class Disk:
    """A file system in memory, whose room is set: in bytes, or in files and folders."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def mount(self, options, kind=""):
        command = ["mount", "-t", "tmpfs", "-o", kind + options, "tmpfs", str(self.folder)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def leave(self, room, unit):
        """Leave room for so many pages, or files and folders; None is plenty."""
        there = os.statvfs(self.folder)
        pages, files = there.f_blocks - there.f_bfree, there.f_files - there.f_ffree
        size = (pages + room) * PAGE if unit == "pages" and room is not None else 50 << 20
        inodes = files + room if unit == "files" and room is not None else 10_000
        assert self.mount(f"size={size},nr_inodes={inodes}", "remount,")


@pytest.fixture
def small_disk(tmp_path):
    """A disk, where this user may mount one."""
    disk = Disk(tmp_path / "disk")
    if os.geteuid() != 0 or shutil.which("mount") is None or not disk.mount("size=50m,nr_inodes=10000"):
        pytest.skip("no file system can be mounted here")
    (disk.folder / "page").write_bytes(b"x")  # room for nothing beside nothing, size=0, would be no limit at all
    yield disk
    subprocess.run(["umount", "-l", str(disk.folder)], check=True)


@pytest.mark.parametrize("unit", ["pages", "files"])
@pytest.mark.parametrize("verb", VERBS if LONG else ["compact"])
def test_full_disk(small_disk, saved, expected, capsys, verb, unit):
    """Each attempt begins anew, with a little more room, and ends when there is plenty."""
    failures = 0
    for room in count() if LONG else (3,):
        folder = small_disk.folder / str(room)
        folder.mkdir()
        prepare(folder, saved.path)
        small_disk.leave(room, unit)
        line = told(verb, folder, capsys)
        if line is not None:
            failures += 1
            check_failure(line, errno.ENOSPC, folder)
        small_disk.leave(None, unit)
        assert told(verb, folder, capsys) is None
        assert result(folder) == expected(verb) and temporaries(folder) == []
        shutil.rmtree(folder)
        if line is None:
            break
    print(f"{verb}: {failures} times no room, in {unit}")
    assert failures > 0


@pytest.mark.skipif(not LONG, reason="LEND_ATTACKS=hours")
@pytest.mark.filterwarnings("ignore")  # papermill, nbclient and ipykernel warn of their own matters
@pytest.mark.parametrize("room", [0, 1, 5, 20, 40, 80])
def test_the_figures_on_a_full_disk(small_disk, tmp_path, capsys, room):
    """`lend figures` itself, with a notebook that draws two figures."""
    runs, figures = str(tmp_path / "runs"), str(small_disk.folder / "figures")
    command = ["figures", "--profile", "tiny", "--only", "tsne_snapshots", "--runs", runs, "--figures", figures]
    small_disk.leave(room, "pages")
    assert main(command) == 2  # also where it is a notebook's kernel that finds no room
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lend: error:")]
    assert "[Errno 28] " in line and figures in line
    small_disk.leave(None, "pages")
    assert main(command) == 0
