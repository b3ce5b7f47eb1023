"""All steps of the kit within one call's time; called again it goes on: what is done is not done anew.

Each step is a process with its own limit. One that fails or takes too long is recorded and stops no other. What has
come out so far is in the output folder after every step. The reference runs are a process that outlives a call.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from arrive import ARRIVED, arrive
from notes import NUMBERS, WORK, noted
from plan import BYTES, FILES, plan

import lend

LOGS, STATE, BUNDLES = WORK / "logs", WORK / "steps.json", FILES - 4  # files beside the runs: four
TRAINING = "reference"


class Report:
    """How each step went, and the output folder."""

    def __init__(self, out):
        self.out, self.steps = out, json.loads(STATE.read_text()) if STATE.exists() else {}

    def record(self, name, outcome, seconds):
        self.steps[name] = {"outcome": outcome, "seconds": round(seconds, 1)}
        STATE.write_text(json.dumps(self.steps, indent=1))
        print(f"--- {name}: {outcome}, {seconds:.0f} s", flush=True)
        self.export()

    def export(self):
        self.out.mkdir(parents=True, exist_ok=True)
        for path in (STATE, NUMBERS, WORK / "history.json"):
            if path.exists():
                shutil.copy(path, self.out)
        logs = [
            f"=== {path.stem}\n{path.read_text(errors='replace')[-200_000:]}\n" for path in sorted(LOGS.glob("*.log"))
        ]
        (self.out / "log.txt").write_text("".join(logs))


def start(name, command):
    """Start a Python process in a session of its own, which writes to its log."""
    with (LOGS / f"{name}.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, *command], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip


def end(process):
    """End a process and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run_step(step, dry, limit):
    """Run a step to its end or to its limit; how it went, in words."""
    command = step.command if step.name == "tests" else (*step.command, *["--dry"] * dry)
    process = start(step.name, command)
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        end(process)
        return f"over its time of {limit:.0f} s"
    return "done" if code == 0 else f"failed ({code}), see log.txt"


def settle(process, deadline):
    """Wait for a process until then, and end it."""
    try:
        process.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        end(process)


def alive(pid):
    """Whether a process of this number runs; one that only waits to be asked how it ended does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def train(report, dry, deadline):
    """Start the reference runs, or find them running; wait until they are done or the time is up."""
    mark, started, process = WORK / "reference.pid", time.monotonic(), None
    if not (mark.exists() and alive(int(mark.read_text()))):
        process = start(TRAINING, ("benchmarks/gpu/reference.py", "train", *["--dry"] * dry))
        mark.write_text(str(process.pid))
    pid = int(mark.read_text())
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.5 if dry else 5)
    report.record(TRAINING, trained(process, dry) if not alive(pid) else "goes on", time.monotonic() - started)
    if dry and alive(pid):
        end(process)
        report.record(TRAINING, "over its time", time.monotonic() - started)


def trained(process, dry):
    """How the reference runs ended."""
    from reference import configs

    if process is not None:
        process.wait()
    runs = [lend.Run.find(config) for config in configs(dry)]
    whole = sum(run is not None and run.complete for run in runs)
    return "done" if whole == len(runs) else f"failed: {whole} of {len(runs)} runs are complete, see log.txt"


def bring(report, dry, deadline):
    """History of all runs, and archives of those that fit."""
    from reference import history, saved

    (WORK / "history.json").write_text(json.dumps(history(), default=str))
    report.export()
    folder, began = WORK / "archives", time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    runs, packing = saved(), {}
    for run in runs:
        archive = folder / f"{run.path.name}.tar.xz"
        command = ("benchmarks/gpu/reference.py", "pack", str(run.path), str(archive), *["--dry"] * dry)
        packing[archive] = start("pack", command)
        if dry:
            packing[archive].wait()
    done = []
    for archive, process in packing.items():
        try:
            if process.wait(max(0.1, deadline - time.monotonic())) == 0:
                done.append(archive)
        except subprocess.TimeoutExpired:
            end(process)
    left = bundle(done, report.out)
    words = f"{len(done) - len(left)} of {len(runs)} runs" + (f"; no room for {', '.join(left)}" if left else "")
    report.record("bring", words, time.monotonic() - began)


def bundle(archives, out):
    """Put archives into few files below the largest size; returns the names of those that do not fit."""
    for old in out.glob("runs-*.tar"):
        old.unlink()
    space, left = [BYTES] * BUNDLES, []
    for archive in archives:
        size = archive.stat().st_size + 2048  # what tar adds
        number = next((i for i, free in enumerate(space) if size <= free), None)
        if number is None:
            left.append(archive.name)
            continue
        space[number] -= size
        with tarfile.open(out / f"runs-{number}.tar", "a") as file:
            file.add(archive, archive.name)
    return left


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry", action="store_true", help="tiny sizes on the CPU")
    parser.add_argument("--take", action="store_true", help="only take in the parts that were sent")
    parser.add_argument("--seconds", type=float, help="of this call")
    parser.add_argument("--again", nargs="*", default=[], help="steps to do anew")
    options = parser.parse_args()
    whole, began = plan(options.dry), time.monotonic()
    deadline = began + (options.seconds or whole.seconds)
    LOGS.mkdir(parents=True, exist_ok=True)
    out = Path(os.environ.get("OUT") or "results/gpu")
    report = Report(out)
    absent = arrived(report)
    if options.take:
        print(absent or "all parts are here")
        return
    for step in whole.steps:
        left = deadline - whole.packing - time.monotonic()
        if (step.name in report.steps and step.name not in options.again) or left < 5:
            continue
        at, beside = time.monotonic(), None
        if step.name == "tests":  # which measure no time: beside them compilers fill their cache
            beside = start("warm", ("benchmarks/gpu/speed.py", "--group", "warm", *["--dry"] * options.dry))
        outcome = run_step(step, options.dry, min(step.seconds, left))
        if beside is not None:
            settle(beside, at + min(step.seconds, left))
        report.record(step.name, outcome, time.monotonic() - at)
    if ARRIVED.exists():
        if report.steps.get(TRAINING, {}).get("outcome") != "done":
            train(report, options.dry, deadline - whole.packing)
        at = time.monotonic()
        try:
            bring(report, options.dry, deadline)
        except Exception as error:  # whatever it is, the table is still to be shown
            report.record("bring", f"failed: {type(error).__name__}: {error}", time.monotonic() - at)
    else:
        report.record(TRAINING, f"not begun: {absent}", 0)
    show(report)
    sys.exit(0 if all(good(step["outcome"]) for step in report.steps.values()) else 1)


def arrived(report):
    """Take in what was sent; what is missing, in words. An error in it is recorded."""
    at = time.monotonic()
    try:
        return arrive(Path(os.environ.get("LEND_GPU_SENT", ".gpu")))
    except (ValueError, OSError, KeyError, tarfile.TarError, subprocess.CalledProcessError) as error:
        report.record("arrive", f"failed: {error}", time.monotonic() - at)
        return str(error)


def good(outcome):
    return not outcome.startswith(("failed", "over", "not"))


def show(report):
    """A short table at the end."""
    for line in noted():
        print(" ".join(f"{name}={value}" for name, value in line.items() if name != "at"))
    for name, step in report.steps.items():
        print(f"{name:10} {step['outcome']}, {step['seconds']} s")
    print(
        "files:",
        ", ".join(f"{path.name} {path.stat().st_size / 2**20:.2f} MiB" for path in sorted(report.out.iterdir())),
    )


if __name__ == "__main__":
    main()
