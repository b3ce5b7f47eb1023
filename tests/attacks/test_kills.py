"""SIGKILL at the writes of train, tsne, compact and audit: the same call afterwards ends as one never killed.

LEND_ATTACKS=hours takes every write; otherwise the first, the last and some between.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MOST = 10_000 if os.environ.get("LEND_ATTACKS") == "hours" else 2


def test_killed_at_a_write(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # a child of a process with threads would wait for them
    command = [sys.executable, HERE / "killed.py", tmp_path, saved.path, MOST]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=36_000 if MOST > 100 else 280)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stdout.count("kills survived") == 4
