"""SIGKILL at the writes of everything that writes: the same call afterwards ends as one never killed.

LEND_ATTACKS=hours takes every write; otherwise the first, the last and some between.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from verbs import VERBS, result, temporaries

HERE = Path(__file__).parent
LONG = os.environ.get("LEND_ATTACKS") == "hours"
MOST = 10_000 if LONG else 2
SWEEPS = 20


def test_killed_at_a_write(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # a child of a process with threads would wait for them
    command = [sys.executable, HERE / "killed.py", tmp_path, saved.path, MOST]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=36_000 if MOST > 100 else 280)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stdout.count("kills survived") == len(VERBS)


@pytest.mark.skipif(not LONG, reason="LEND_ATTACKS=hours")
def test_a_sweep_killed_with_all_its_processes(tmp_path):
    """At random moments, of two trainings side by side: when so many files are there."""
    command = [sys.executable, HERE / "sweeping.py"]

    def written(folder):
        return sum(len(files) for *_, files in os.walk(folder))  # folders may vanish meanwhile

    subprocess.run([*command, tmp_path / "whole"], check=True)
    most, expected, killed = written(tmp_path / "whole"), result(tmp_path / "whole"), 0
    for number, files in enumerate(np.random.default_rng(0).integers(1, most, SWEEPS)):
        folder = tmp_path / str(number)
        sweep = subprocess.Popen([*command, folder], start_new_session=True)
        while sweep.poll() is None and written(folder) < files:
            time.sleep(0.002)
        with suppress(ProcessLookupError):
            os.killpg(sweep.pid, signal.SIGKILL)
        killed += sweep.wait() == -signal.SIGKILL
        subprocess.run([*command, folder], check=True)
        assert result(folder) == expected and temporaries(folder) == [], files
    print(f"sweep of two workers: {killed} of {SWEEPS} killed")
    assert killed > SWEEPS / 2
