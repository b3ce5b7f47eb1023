"""Milliseconds of a step and seconds of an epoch of ResNet-18, by method, precision, layout, compiler, CUDA graphs, and
trainings side by side; a plain DataLoader loop and the convolutions alone beside them.

Each group runs in a process of its own within its own limit, so that one that fails or hangs costs itself alone. An
epoch is scaled to 50,000 images and 10,000 of the test. Images are random: the content does not change the work.
"""

import argparse
import functools
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import torch
from dilution import Bar, images, wait
from graphed import Graphed
from notes import machine, note
from plan import GROUPS, plan
from training import floor, plain_loop

import lend
from lend import RunConfig
from lend.training import Source
from lend.training.loop import _device, _precision
from lend.training.parallel import Processes
from lend.training.trainer import Trainer

CIFAR10 = 50_000


class Timed(Trainer):
    """Notes when the steps of an epoch are done."""

    def _scores(self):
        wait(self.device)
        self.stepped = time.perf_counter()
        return super()._scores()


class TimedGraphed(Timed, Graphed):
    """The same, in CUDA graphs."""


def trainer(sizes, method, *, kind=Timed, precision="auto", channels_last=True, compiled=False, mode=None):
    device, n = _device("auto"), sizes["images"]
    dataset = images(n, n // 5)
    config = RunConfig(
        method=method, width=sizes["width"], batch_size=sizes["batch"], epochs=99, snapshots=(), network="resnet18",
        compile=compiled,
    )  # fmt: skip
    source = Source(dataset, dataset.train_labels, dataset.train_images[:0], dataset.train_labels[:0])
    way, bf16 = lend.methods.build(method, {}), _precision(precision, device) == "bf16"
    made = kind(config, way, source, device, Processes(), bf16=bf16)
    made.learner.call.mode = mode
    if not channels_last:
        made.learner.networks.to(memory_format=torch.contiguous_format)
        made.learner.prepare = replace(made.learner.prepare, channels_last=False)
    return made


def epoch(made, number):
    """Seconds of the steps and of the whole epoch."""
    wait(made.device)
    start = time.perf_counter()
    made.epoch(number, Bar())
    wait(made.device)
    return made.stepped - start, time.perf_counter() - start


def in_turns(sizes, trainers):
    """Warm each up for an epoch, then an epoch of each in turns; returns ms of a step and s of an epoch by name."""
    first = {name: epoch(made, 1)[1] for name, made in trainers.items()}
    taken = {name: [] for name in trainers}
    for number in range(sizes["rounds"]):
        for name, made in trainers.items():
            taken[name].append(epoch(made, number + 2))
    found = {}
    for name, made in trainers.items():
        steps, whole = np.median(taken[name], axis=0)
        found[name] = float(steps / made.steps * 1e3), float(whole * CIFAR10 / sizes["images"])
        precision = "bf16" if made.learner.bf16 else "fp32"
        ms, seconds = found[name]
        note("speed", way=name, ms_per_step=ms, s_per_epoch=seconds, first_epoch_s=first[name], precision=precision)
    return found


def eager(sizes):
    ways = {name: trainer(sizes, name.lower()) for name in ("Standard", "LEND")}
    ways["Standard, fp32"] = trainer(sizes, "standard", precision="fp32")
    ways["Standard, not channels_last"] = trainer(sizes, "standard", channels_last=False)
    found = in_turns(sizes, ways)
    note("speed", way="LEND over Standard", ratio=found["LEND"][0] / found["Standard"][0])
    if torch.cuda.is_available():
        note("speed", way="memory of these four", gb=torch.cuda.max_memory_allocated() / 1e9)
    del ways
    torch.backends.cudnn.benchmark = True  # cuDNN may choose another algorithm in each process: numbers, too
    in_turns(sizes, {"LEND, cudnn.benchmark": trainer(sizes, "lend")})
    torch.backends.cudnn.benchmark = False
    device, steps = _device("auto"), -(-sizes["images"] // sizes["batch"])
    options = argparse.Namespace(width=sizes["width"], batch=sizes["batch"], loaders=sizes["loaders"], augment=False)
    options.steps = steps
    least = floor(device, options) * CIFAR10 / sizes["images"]
    note("speed", way="floor: convolutions alone, with a test", s_per_epoch=least)
    note("speed", way="floor over LEND", ratio=least / found["LEND"][1])
    ceilings(device)
    loop, taken = plain_loop(images(sizes["images"], sizes["images"] // 5), device, options), []
    for _ in range(2):
        start = time.perf_counter()
        next(loop)
        wait(device)
        taken.append(time.perf_counter() - start)
    plain = min(taken) * CIFAR10 / sizes["images"]
    note("speed", way="plain loop, fp32", s_per_epoch=plain)
    note("speed", way="plain loop over LEND", ratio=plain / found["LEND"][1])


def ceilings(device):
    """What the card gives at most: a large matrix product, and a large copy."""
    n = 8192 if device.type == "cuda" else 256
    a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
    big = torch.empty(n, n, 16, device=device, dtype=torch.uint8)
    note("speed", way="bf16 product", tflops=2 * n**3 / quickest(lambda: a @ b, device) / 1e12)
    note("speed", way="copy", gb_per_s=2 * big.numel() / quickest(big.clone, device) / 1e9)


def quickest(work, device, repeats=10):
    times = []
    for _ in range(repeats):
        wait(device)
        start = time.perf_counter()
        work()
        wait(device)
        times.append(time.perf_counter() - start)
    return min(times)


def graphs(sizes):
    """The whole step captured, dilution included."""
    in_turns(
        sizes, {f"{name}, CUDA graph": trainer(sizes, name.lower(), kind=TimedGraphed) for name in ("Standard", "LEND")}
    )


MODES = (None, "reduce-overhead")  # of torch.compile


def warm(sizes):
    """Compile what will be measured, so that its cache on the disk is warm; nothing is timed."""
    for mode in MODES:
        epoch(trainer(sizes, "lend", compiled=True, mode=mode), 1)
        torch._dynamo.reset()


def compiled(sizes):
    for mode in MODES:
        name, made = f"LEND, compiled{f', {mode}' if mode else ''}", trainer(sizes, "lend", compiled=True, mode=mode)
        in_turns(sizes, {name: made})
        if not made.learner.call.wanted:
            note("speed", way=f"{name}: measured WITHOUT", failed="torch.compile, see the log")
        torch._dynamo.reset()


def aside(sizes, counts, seconds):
    """Several trainings of LEND at once, each in a process of its own, as a sweep has them."""
    context = torch.multiprocessing.get_context("spawn")
    pipes, threads = [], max(1, torch.get_num_threads() // max(counts))
    for _ in range(max(counts)):
        ours, theirs = context.Pipe()
        context.Process(target=beside, args=(theirs, sizes, threads), daemon=True).start()
        pipes.append(ours)
    deadline = time.monotonic() + seconds
    for pipe in pipes:
        answer(pipe, deadline)
    for count in (1, *counts):
        start = time.perf_counter()
        for pipe in pipes[:count]:
            pipe.send("an epoch")
        for pipe in pipes[:count]:
            answer(pipe, deadline)
        taken = (time.perf_counter() - start) * CIFAR10 / sizes["images"]
        note("aside", trainings=count, s_per_epoch_of_each=taken, s_per_epoch=taken / count)


def answer(pipe, deadline):
    if not pipe.poll(max(0, deadline - time.monotonic())):
        raise TimeoutError("a training side by side does not answer")
    pipe.recv()


def beside(pipe, sizes, threads):
    torch.set_num_threads(threads)
    made, number = trainer(sizes, "lend"), 1
    epoch(made, number)
    pipe.send("ready")
    while pipe.recv():
        number += 1
        epoch(made, number)
        pipe.send("done")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--group", choices=[*GROUPS, "warm"])
    options = parser.parse_args()
    whole = plan(options.dry)
    if options.group is None:
        note("machine", **machine())
        deadline = time.monotonic() + next(step.seconds for step in whole.steps if step.name == "speed") - 5
        failed = [name for name in GROUPS if not run_group(name, options.dry, deadline)]
        sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
    if options.dry:  # the compiler itself takes minutes on a CPU
        torch.compile = functools.partial(torch.compile, backend="eager")
    if options.group == "aside":
        aside(whole.sizes, whole.aside, GROUPS["aside"])
    else:
        {"eager": eager, "graphs": graphs, "compiled": compiled, "warm": warm}[options.group](whole.sizes)


def run_group(name, dry, deadline):
    command = [sys.executable, __file__, "--group", name, *["--dry"] * dry]
    try:
        subprocess.run(command, timeout=max(1, min(GROUPS[name], deadline - time.monotonic())), check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        note("speed", way=name, failed=f"{type(error).__name__}, see the log")
        return False
    return True


if __name__ == "__main__":
    main()
