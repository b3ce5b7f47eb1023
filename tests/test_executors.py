"""One training in a child process: it fails, dies and ends on its own account."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest

import lend
from lend import storage
from lend.run import epochs_done
from lend.storage import InUseError
from lend.training import TrainingFailedError, cores
from lend.training.child import train_in_child
from lend.training.executors import children

LONG = {"epochs": 5000, "snapshots": (), "train_size": 80}


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def locked(folder):
    """Whether a process trains this run; a dying one holds the lock for a moment longer than it can be seen."""
    try:
        with storage.lock(folder / "lock"):
            return False
    except InUseError:
        return True


def test_more_workers_than_gpus_share_them_evenly(tiny, monkeypatch):
    places, everyone = [], threading.Barrier(4)

    def training(settings, threads, folder, environment, alive):
        places.append((environment, threads))
        everyone.wait(30)  # all four are at work at once

    monkeypatch.setattr("lend.training.executors.context_of_children", lambda: None)
    monkeypatch.setattr("lend.training.executors._gpus", lambda: ["3", "5"])
    monkeypatch.setattr("lend.training.executors.cores", lambda: 16)
    monkeypatch.setattr("lend.training.executors.train_in_child", training)
    with children(workers=4) as executor:
        assert executor.slots == 4
        for future in [executor.submit(tiny(seed=seed)) for seed in range(4)]:
            future.result(30)
    assert sorted(environment["CUDA_VISIBLE_DEVICES"] for environment, _ in places) == ["3", "3", "5", "5"]
    assert {threads for _, threads in places} == {4}


def test_a_child_trains_with_its_own_threads_in_its_folder(tiny, tmp_path):
    config = tiny(runs="relative")
    train_in_child(asdict(config), 1, str(tmp_path))
    (run,) = lend.runs(tmp_path / "relative")
    assert run.complete and run.info["threads"] == 1


def test_the_childs_error_is_one_line(tiny, tmp_path):
    with pytest.raises(TrainingFailedError, match="^ValueError: unknown option 'q' of method lend; allowed: beta"):
        train_in_child(asdict(tiny(options={"q": 1})), 1, str(tmp_path))


def test_a_run_that_another_process_trains(tiny, tmp_path):
    config = tiny()
    with storage.lock(config.folder / "lock"), pytest.raises(InUseError, match="in use by another process"):
        train_in_child(asdict(config), 1, str(tmp_path))


def test_a_killed_child_is_an_error_and_lets_go_of_its_run(tiny, tmp_path):
    config = tiny(**LONG)
    with children(1, 1) as executor:
        future = executor.submit(config)
        wait_for(lambda: epochs_done(config.folder) > 3)
        (child,) = pids_of(config)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(TrainingFailedError, match="its process died"):
            future.result(timeout=30)
    wait_for(lambda: not locked(config.folder))
    assert 3 < epochs_done(config.folder) < config.epochs


def test_children_end_with_their_parent(tiny):
    """Even where the parent is killed and can clean up nothing."""
    config = tiny(**LONG)
    script = (
        "import lend\nfrom lend.training import sweep\n"
        "if __name__ == '__main__':\n"
        f"    sweep([lend.RunConfig.from_dict({asdict(config)!r})], workers=1, progress=False)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: epochs_done(config.folder) > 3)
    (child,) = pids_of(config)
    parent.kill()
    parent.wait()
    wait_for(lambda: not alive(child) and not locked(config.folder))


def pids_of(config):
    """The processes that hold the lock of the run."""
    lock = (config.folder / "lock").resolve()
    others = [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid()]
    return [pid for pid in others if lock in open_files(pid)]


def open_files(pid):
    """Those that stay open while they are listed: a training opens and closes files of its run all the time."""
    found = []
    with suppress(OSError):  # it ended, or belongs to someone else
        for file in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                found.append(Path(os.readlink(f"/proc/{pid}/fd/{file}")))
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_as_many_children_as_cores():
    with children() as executor:
        assert 1 <= executor.slots <= cores()  # one per GPU where there are some
    with children(3) as executor:
        assert executor.slots == 3
