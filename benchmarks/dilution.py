"""Dilution's share of a training step: ResNet-18 of width 16, batches of 256, Eq. (1)-(4) and Definition 1 in each.

Both parts are timed in the same steps, on random images: the content does not change the work.
"""

import argparse
import time
from contextlib import contextmanager

import torch

import lend
from lend.training import Source
from lend.training.loop import _device, _precision
from lend.training.parallel import Processes
from lend.training.trainer import Trainer


def images(n, test=256):
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.arange(n) % 10
    names = tuple(str(i) for i in range(10))
    return lend.data.Dataset("random", pixels, labels, pixels[:test], labels[:test], names, torch.arange(n))


class Bar:
    def update(self):
        pass


@contextmanager
def timed(owner, name, device, times):
    """Add the seconds inside a method to a list, with the device idle before and after."""
    original = getattr(owner, name)

    def wrapper(*arguments):
        wait(device)
        start = time.perf_counter()
        result = original(*arguments)
        wait(device)
        times.append(time.perf_counter() - start)
        return result

    setattr(owner, name, wrapper)
    yield
    setattr(owner, name, original)


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()
    config = lend.RunConfig(width=options.width, batch_size=options.batch, epochs=2, snapshots=(), network="resnet18")
    device = _device("auto")
    dataset = images(options.batch * options.steps)
    precision = _precision("auto", device)
    examples = Source(dataset, dataset.train_labels, dataset.train_images[:0], dataset.train_labels[:0])
    trainer = Trainer(config, lend.methods.build("lend", {}), examples, device, Processes())
    trainer.learner.bf16 = precision == "bf16"
    steps, dilutions = [], []
    with timed(trainer, "_step", device, steps), timed(trainer, "_dilute_batch", device, dilutions):
        trainer.epoch(1, Bar())  # warms caches and allocators
        steps.clear(), dilutions.clear()
        trainer.epoch(2, Bar())
    step, dilution = sorted(steps)[len(steps) // 2], sorted(dilutions)[len(dilutions) // 2]
    print(
        f"{device.type}, {torch.get_num_threads()} threads, {precision}, width {options.width}, batch {options.batch}"
    )
    print(f"step {step * 1e3:8.2f} ms   dilution {dilution * 1e3:6.2f} ms   share {dilution / step:.2%}   (medians)")


if __name__ == "__main__":
    main()
