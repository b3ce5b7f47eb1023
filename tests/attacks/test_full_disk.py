"""A full disk: one line with the file, nothing half-written, and the same command goes on when there is room."""

import os
import resource
import shutil
import subprocess
from contextlib import contextmanager

import pytest

import lend
from lend import storage
from lend.__main__ import main

LONG = os.environ.get("LEND_ATTACKS") == "hours"
TRAIN = "train --train-size 240 --width 8 --batch-size 80 --epochs 3 --snapshots 1,3 --dilution.k 5".split()
WHOLE = "20m"


@contextmanager
def files_of_at_most(size):
    """What the system says of a longer file stands for a full disk: the same way through every library."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def one_line(capsys, number, folder):
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lend: error:")]
    assert line.startswith(f"lend: error: [Errno {number}] ") and str(folder) in line and ".tmp" not in line
    return line


@pytest.mark.parametrize("size", [500, 2_000, 10_000, 20_000, 40_000] if LONG else [500, 10_000])
def test_files_may_not_grow(tmp_path, capsys, size):
    command = [*TRAIN, "--runs", str(tmp_path / "runs")]
    with files_of_at_most(size):
        assert main(command) == 2
    line = one_line(capsys, 27, tmp_path)
    assert size < 2_000 or ".pt'" in line or ".zarr.zip'" in line
    assert not list(tmp_path.rglob("*.tmp"))
    assert all(run.check() == [] for run in lend.runs(tmp_path / "runs"))
    assert main(command) == 0
    (run,) = lend.runs(tmp_path / "runs")
    assert run.complete and run.check() == []


def test_copies_and_tables_may_not_grow(saved, tmp_path, capsys):
    with files_of_at_most(600):
        assert main(["compact", str(saved.path), str(tmp_path / "copies")]) == 2
        one_line(capsys, 27, tmp_path)
        with pytest.raises(OSError, match=r"labels\.csv"):
            storage.write_csv(tmp_path / "labels.csv", saved.labels)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert main(["compact", str(saved.path), str(tmp_path / "copies")]) == 0


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_an_error_that_a_library_hides_is_told(tmp_path, monkeypatch, moment):
    """torch puts an error of its own in the place of the file's."""
    import errno

    import torch

    from lend.storage import writing

    write, count = writing._RememberingFile.write, 0

    class Full(writing._RememberingFile):
        def write(self, data):
            nonlocal count
            count += 1
            if count >= moment:
                self.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                raise self.error
            return write(self, data)

    monkeypatch.setattr(writing, "_RememberingFile", Full)
    with pytest.raises(OSError, match=r"\[Errno 28\] No space left on device: '.*0001\.pt'"):
        storage.write_checkpoint(tmp_path / "0001.pt", {"x": torch.rand(100_000)})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system in memory, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def resize(size, kind="remount,"):
        command = ["mount", "-t", "tmpfs", "-o", f"{kind}size={size}", "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True).returncode == 0

    if os.geteuid() != 0 or shutil.which("mount") is None or not resize("16k", ""):
        pytest.skip("no file system can be mounted here")
    yield folder, resize
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("size", ["16k", "40k", "60k", "100k", "140k"] if LONG else ["60k"])
def test_full_disk(small_disk, capsys, size):
    folder, resize = small_disk
    assert resize(size)
    command = [*TRAIN, "--runs", str(folder / "runs")]
    assert main(command) == 2
    one_line(capsys, 28, folder)
    assert not list(folder.rglob("*.tmp"))
    assert resize(WHOLE)
    assert main(command) == 0
    (run,) = lend.runs(folder / "runs")
    assert run.complete and run.check() == []
