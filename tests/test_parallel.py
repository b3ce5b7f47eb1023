"""Several processes train one run: two real ones, on CPUs, against the single process that does the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_executors import locked, wait_for
from test_sweeps import free_port
from test_training import assert_same
from together import start
from torch import nn

import lend
from lend.run import epochs_done
from lend.training import train
from lend.training.parallel import Processes

# the accelerate command line, as a user starts it; its flag starts several processes on CPUs as well
LAUNCH = "accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no"
ARGUMENTS = (
    "train --train-size 240 --width 8 --batch-size 80 --snapshots 1,4 --noise asymmetric --dilution.k 5 --device cpu"
)


def launch(runs, *arguments):
    port = ["--dynamo_backend", "no", "--main_process_port", str(free_port())]
    command = [sys.executable, "-m", *LAUNCH.split(), *port, "-m", "lend", *ARGUMENTS.split(), "--runs", str(runs)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*command, *arguments], env=environment, text=True, **pipes)


def alone(config):
    """Single-threaded, as the processes are: sums of other threads differ in the last digit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train(config, progress=False)
    finally:
        torch.set_num_threads(threads)


SETTINGS = {"snapshots": (1, 4), "shards": 2, "validation": 0.1}


def test_two_processes_are_one_process_with_two_shards(tiny, tmp_path):
    """Bit for bit: labels, memory, snapshots, weights, running statistics; the mean loss is summed in another order."""
    whole = alone(tiny(**SETTINGS, method="lend", options={"beta": 0.5}, augment=True))
    given = "--epochs 4 --validation 0.1 --method lend --options.beta=0.5 --augment true"
    process = launch(tmp_path / "two", *given.split())
    shown, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    (run,) = lend.runs(tmp_path / "two")
    assert run.config.shards == 2 and run.path.name == whole.path.name
    assert_same(run, whole, loss=1e-6)
    assert shown.count("4 epochs, test accuracy") == 1


def test_two_networks_in_two_processes(tiny, tmp_path):
    settings = SETTINGS | {"method": "coteaching", "augment": True}
    together = tiny(**settings, runs=str(tmp_path / "two"))
    processes = start(together)
    whole = alone(tiny(**settings))
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert_same(lend.Run.open(together.folder), whole, loss=1e-6)


WAITING = """
import time
from pathlib import Path

from lend.methods import LEND


class Waiting(LEND):
    def after_epoch(self, epoch, memory):
        while epoch.number == 3 and Path("wait").exists():
            time.sleep(0.05)
"""


def test_killed_and_gone_on_with_another_number_of_processes(tiny, tmp_path, monkeypatch):
    """The third epoch ends only once it may, so that the kill finds it in training, however quick the machine is."""
    monkeypatch.chdir(tmp_path)
    Path("waiting.py").write_text(WAITING)
    settings = SETTINGS | {"snapshots": (1, 6), "epochs": 6, "method": "waiting.py:Waiting", "options": {"beta": 0.5}}
    whole = alone(tiny(**settings))
    Path("wait").touch()
    processes = start(tiny(**settings, runs="two"))
    folder = Path("two") / whole.path.name
    wait_for(lambda: epochs_done(folder) > 0)
    for process in processes:
        process.kill()
        process.join()
    wait_for(lambda: not locked(folder))
    assert 0 < epochs_done(folder) < 3
    Path("wait").unlink()
    assert_same(alone(tiny(**settings, runs="two")), whole, loss=1e-6)


def test_shards_share_weights_and_keep_their_own_statistics():
    networks = nn.ModuleList([nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))])
    shards = Processes().shards(3, networks)
    assert list(shards) == [0, 1, 2] and shards[0] is networks
    for number in (1, 2):
        for (name, a), b in zip(networks.named_parameters(), shards[number].parameters(), strict=True):
            assert a is b, name
        shards[number][0](torch.randn(5, 3) + number)
    means = [shard[0][1].running_mean for shard in shards.values()]
    assert not means[0].any() and means[1].any() and not torch.equal(means[1], means[2])
    assert [list(Processes(rank, 2).shards(4, networks)) for rank in (0, 1)] == [[0, 1], [2, 3]]


def test_shards_that_processes_cannot_share(tiny):
    with pytest.raises(ValueError, match="shards must be a multiple of the 2 processes, got 3"):
        Processes(0, 2).shards(3, nn.ModuleList([nn.Linear(1, 1)]))
    with pytest.raises(ValueError, match="k must be below the 5 examples of a batch in 16 shards, got 5"):
        train(tiny(shards=16), progress=False)


def test_shards_change_the_run_and_one_shard_is_plain_training(tiny):
    assert tiny(shards=2).hash != tiny().hash == tiny(shards=1).hash
    run = train(tiny(shards=3, snapshots=()), progress=False)
    assert run.complete and run.history["train_loss"].iloc[-1] < run.history["train_loss"].iloc[0]
