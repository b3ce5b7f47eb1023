import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from lend.training.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [torch.ones(16 << 20) for _ in range(2)]  # larger than glibc ever keeps by default
    del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = min(faults() for _ in range(5))
print(before, keep_freed_memory(), min(faults() for _ in range(20)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is the C library of Linux")
def test_pages_are_not_faulted_in_again():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    before, kept, after = done.stdout.split()
    if kept == "False":
        pytest.skip("another C library than glibc")
    assert int(before) > 1000 > int(after)


def test_another_c_library_is_no_error(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    from lend.training.allocator import keep_freed_memory

    assert keep_freed_memory() is False
