"""A recorder that is killed by the system at each of its writes, with a real SIGKILL, and goes on.

killed_recorder.py FOLDER
"""

import os
import shutil
import signal
import sys
from pathlib import Path

import dask.array  # noqa: F401 (once here, not in each child, as those below)
import numpy as np
import xarray  # noqa: F401
import zarr  # noqa: F401
from killed import die_at, result_in_child

import lend
from lend.recording import Recorder

N = 40


def do_record(folder):
    """Record what is missing of three epochs, two with a snapshot."""
    with Recorder(folder / "run", labels=np.arange(N) % 2, true_labels=np.zeros(N, int), resume=True) as recorder:
        for epoch in range(recorder.epochs_done + 1, 4):
            V = np.random.default_rng(epoch).random((N, 3))
            for part in np.random.default_rng(-epoch % 7).permutation(N).reshape(2, -1):
                recorder.batch(part, embeddings=V[part], logits=V[part, :2])
            recorder.epoch(train_loss=epoch, snapshot=epoch != 2)


def in_child(folder, moment):
    """Fork, record, and return how the child ended: its exit code, or minus the signal; its writes, never killed."""
    child = os.fork()
    if child == 0:
        code = 255
        try:
            count = die_at(moment)
            do_record(folder)
            code = count() if not moment else 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    base, killed = Path(sys.argv[1]), 0
    (base / "whole").mkdir()
    writes = in_child(base / "whole", 0)
    expected = result_in_child(base / "whole")
    for moment in range(1, writes + 1):
        folder = base / f"killed-{moment}"
        folder.mkdir()
        killed += in_child(folder, moment) == -signal.SIGKILL
        assert in_child(folder, 10**9) == 0, f"killed at {moment}, it does not go on"
        assert result_in_child(folder) == expected, f"killed at {moment}, it ends otherwise"
        assert not list(folder.rglob(".*")), f"killed at {moment}, it leaves {list(folder.rglob('.*'))}"
        shutil.rmtree(folder)
    assert lend.Run.open(base / "whole" / "run").epochs_done == 3
    print(f"{killed} of {writes} kills survived")


if __name__ == "__main__":
    main()
