"""Many runs: what is missing is trained, once, whatever is killed meanwhile."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict

import pytest
import torch
from test_executors import alive, pids_of, wait_for
from test_training import outcome

import lend
from lend.run import epochs_done
from lend.training import sweep, train

LONG = {"epochs": 250, "train_size": 80}  # seconds long: still in training when a test looks for its process


def configs_of(tiny, count=3, **settings):
    return [tiny(seed=seed, snapshots=(), **settings) for seed in range(count)]


def written(configs):
    """When each file of each run was written."""
    return {
        path: path.stat().st_mtime_ns
        for config in configs
        for path in config.folder.rglob("*")
        if path.is_file() and path.name != "lock"
    }


@pytest.fixture
def start_sweep():
    """Starts a sweep in a process of its own, each training with one thread: two of them would wait for other tests."""
    processes = []

    def start(configs, **settings):
        script = (
            "import lend\nfrom lend.training import sweep\n"
            "if __name__ == '__main__':\n"
            f"    configs = [lend.RunConfig.from_dict(settings) for settings in {[asdict(c) for c in configs]!r}]\n"
            f"    sweep(configs, progress=False, **{ ({'threads': 1} | settings)!r})\n"
        )
        processes.append(subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@contextmanager
def paused(pid, until):
    """Stop a process until something is true, which another thread waits for."""

    def go_on():
        try:
            wait_for(until)
        finally:
            os.kill(pid, signal.SIGCONT)

    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as waiting:
        future = waiting.submit(go_on)
        yield
        future.result()


@pytest.mark.parametrize("settings", [{"workers": 0}, {"workers": 2}, {"workers": 2, "scheduler": "local"}], ids=str)
def test_a_sweep_trains_what_is_missing_and_nothing_twice(tiny, tmp_path, settings):
    configs = configs_of(tiny)
    train(configs[1], progress=False)
    before = written(configs)
    assert sweep([*configs, configs[0]], progress=False, **settings) == []
    assert all(lend.Run.find(config).complete for config in configs)
    after = written(configs)
    assert before.items() <= after.items()
    assert sweep(configs, progress=False, **settings) == []
    assert written(configs) == after


def test_threads_count_in_this_process_too(tiny, monkeypatch):
    before, seen = torch.get_num_threads(), []
    monkeypatch.setattr("lend.training.loop.train", lambda config: seen.append(torch.get_num_threads()))
    assert sweep([tiny()], workers=0, threads=before + 1, progress=False) == []
    assert seen == [before + 1] and torch.get_num_threads() == before


def test_the_numbers_are_those_of_train(tiny, tmp_path):
    config = tiny()
    sweep([config], workers=1, threads=torch.get_num_threads(), progress=False)  # another number sums in another order
    whole = train(tiny(runs=str(tmp_path / "alone")), progress=False)
    swept = lend.Run.open(config.folder)
    assert outcome(swept)[0].equals(outcome(whole)[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_failed_run_does_not_stop_the_others(tiny, workers, capsys):
    bad, diverging, foreign, good = configs = [
        tiny(snapshots=(), options={"q": 1}),
        tiny(snapshots=(), learning_rate=1e6),
        tiny(snapshots=(), seed=3),
        tiny(snapshots=(), seed=4),
    ]
    foreign.folder.mkdir(parents=True)
    (foreign.folder / "letter.txt").write_text("mine")
    failures = sweep(configs, workers=workers)
    errors = {failure.config.hash: failure.error for failure in failures}
    assert set(errors) == {bad.hash, diverging.hash, foreign.hash}
    assert "unknown option 'q'" in errors[bad.hash] and "training diverged" in errors[diverging.hash]
    assert "already exists: it holds letter.txt" in errors[foreign.hash]
    assert [path.name for path in foreign.folder.iterdir() if path.name != "lock"] == ["letter.txt"]
    assert lend.Run.find(good).complete
    shown = capsys.readouterr()
    assert "4 runs" in shown.err and "1 done, 0 running, 3 failed" in shown.err
    assert f"failed: {bad.folder.name}: " in shown.out + shown.err


def test_a_killed_sweep_goes_on(tiny, start_sweep):
    configs = configs_of(tiny, 3, epochs=40, train_size=80)
    process = start_sweep(configs, workers=1)
    wait_for(lambda: epochs_done(configs[1].folder) > 0)
    process.kill()
    process.wait()
    first = written(configs[:1])
    assert lend.Run.find(configs[0]).complete and not all(epochs_done(c.folder) == 40 for c in configs)
    assert sweep(configs, workers=2, progress=False) == []
    assert all(lend.Run.find(config).complete for config in configs)
    assert written(configs[:1]) == first


def test_two_sweeps_share_the_work(tiny, start_sweep):
    """A run that another sweep trains is left to it, and looked at again in the end."""
    taken, other = tiny(snapshots=(), **LONG), tiny(snapshots=())
    process = start_sweep([taken], workers=1)
    wait_for(lambda: epochs_done(taken.folder) > 2)
    with paused(*pids_of(taken), until=lambda: epochs_done(other.folder) == other.epochs):
        assert sweep([taken, other], workers=1, threads=1, progress=False) == []
    assert process.wait() == 0
    assert all(lend.Run.find(config).complete for config in (taken, other))
    first, last = (taken.folder / "history" / f"{epoch:04}.json" for epoch in (1, taken.epochs))
    done = other.folder / "history" / "0004.json"
    assert first.stat().st_mtime < done.stat().st_mtime < last.stat().st_mtime


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def test_a_killed_dask_worker_loses_nothing(tiny, start_sweep):
    """Two worker processes, one killed in the middle of its training: that run goes on elsewhere."""
    from distributed import Client, LocalCluster

    configs = [tiny(snapshots=(), **LONG), *configs_of(tiny, 2)]
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**settings) as cluster, Client(cluster) as client:
        process = start_sweep(configs, scheduler=cluster.scheduler_address, threads=1)
        wait_for(lambda: epochs_done(configs[0].folder) > 2)
        (training,) = pids_of(configs[0])
        worker = parent(parent(training))  # the child of the server that forks the children
        assert worker in client.run(os.getpid).values()
        os.kill(worker, signal.SIGKILL)
        before = epochs_done(configs[0].folder)
        assert process.wait(timeout=120) == 0, process.stderr.read()
    assert before < configs[0].epochs and all(lend.Run.find(config).complete for config in configs)
    assert not alive(training)
    assert lend.Run.find(configs[0]).check() == []


def test_a_killed_scheduler_is_one_clear_error_and_the_next_call_goes_on(tiny, tmp_path, start_sweep):
    configs = [tiny(snapshots=(), **LONG), *configs_of(tiny, 2)]
    dask = [sys.executable, "-m", "dask"]
    address = f"tcp://127.0.0.1:{free_port()}"
    place = {"cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*dask, "scheduler", "--port", address.rpartition(":")[2], "--no-dashboard"], **place)
    worker = subprocess.Popen([*dask, "worker", address, "--nthreads", "1", "--no-dashboard"], **place)
    try:
        process = start_sweep(configs, scheduler=address, threads=1)
        wait_for(lambda: epochs_done(configs[0].folder) > 2)
        scheduler.kill()
        assert process.wait(timeout=60) != 0
        assert "ConnectionError: the scheduler" in process.stderr.read()
    finally:
        for one in (scheduler, worker):
            one.kill()
            one.wait()
    assert sweep(configs, workers=2, progress=False) == []
    assert all(lend.Run.find(config).complete for config in configs)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_no_scheduler_at_the_address(tiny, monkeypatch):
    monkeypatch.setattr("lend.training.executors.TIMEOUT", 1)
    with pytest.raises(OSError, match="127.0.0.1"):
        sweep([tiny()], scheduler=f"tcp://127.0.0.1:{free_port()}", progress=False)
