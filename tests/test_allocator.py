import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from lend.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        arrays = [torch.ones(4 << 20) for _ in range(8)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults(), keep_freed_memory(), faults() and faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is the C library of Linux")
def test_pages_are_faulted_in_once():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    before, kept, after = done.stdout.split()
    if kept == "False":
        pytest.skip("another C library than glibc")
    assert int(before) > 20 * 10 * max(int(after), 1)


def test_another_c_library_is_no_error(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    from lend.allocator import keep_freed_memory

    assert keep_freed_memory() is False
