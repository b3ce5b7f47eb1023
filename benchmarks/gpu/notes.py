"""Numbers as they come: a line of JSON for each, so that what is cut off later is not lost."""

import json
import os
import platform
import time
from pathlib import Path

WORK = Path(os.environ.get("LEND_GPU_WORK", "/tmp/lend-gpu"))
NUMBERS = WORK / "numbers.jsonl"


def note(step, **values):
    """Add a line, and show it."""
    line = {"step": step, **{name: _short(value) for name, value in values.items()}, "at": round(time.time())}
    with NUMBERS.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(" ".join(f"{name}={value}" for name, value in line.items() if name != "at"), flush=True)


def _short(value):
    return float(f"{value:.5g}") if isinstance(value, float) else value


def noted():
    """All lines so far."""
    return [json.loads(line) for line in NUMBERS.read_text().splitlines()] if NUMBERS.exists() else []


def machine():
    """What this machine is, in words."""
    import torch

    cuda = torch.cuda.is_available()
    return {
        "card": torch.cuda.get_device_name() if cuda else "none",
        "memory_gb": torch.cuda.get_device_properties(0).total_memory / 1e9 if cuda else 0.0,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
