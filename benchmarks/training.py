"""A step here beside a plain loop, written as the official codes of the baselines are, in turns.

The plain loop: a DataLoader with worker processes, each image through PIL, ToTensor and Normalize (with --augment also
RandomCrop and RandomHorizontalFlip), float32, the default memory layout, loss and accuracy read with .item() after
every step. Both train the same network with the same SGD on the same random images: the content does not change the
work. Each has a process of its own, as users run them: what one sets for its memory, the other does not have. Also
printed: LEND over Standard, what torch.compile makes of Standard where --compile is given (it takes a minute to begin
with), and how far Standard's step is from the floor: the network's convolutions alone, forward and backward, each of
their shapes measured on its own on this device.
"""

import argparse
import time
from multiprocessing import get_context

import numpy as np
import torch
from dilution import Bar, images, wait
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from lend import networks
from lend.allocator import keep_freed_memory
from lend.config import RunConfig
from lend.methods import build
from lend.parallel import Processes
from lend.source import Source
from lend.trainer import Trainer
from lend.training import _device, _precision


class Pictures(Dataset):
    def __init__(self, dataset, augment):
        self.images = dataset.train_images.permute(0, 2, 3, 1).numpy()
        self.labels = dataset.train_labels.tolist()
        further = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()] if augment else []
        steps = [*further, transforms.ToTensor(), transforms.Normalize((0.49, 0.48, 0.45), (0.2, 0.2, 0.2))]
        self.transform = transforms.Compose(steps)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.images[i])), self.labels[i], i


def plain_loop(dataset, device, options):
    """A generator of epochs; each gives its seconds."""
    torch.manual_seed(0)
    model = networks.build("resnet18", (3, 32, 32), 10, options.width).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(
        Pictures(dataset, options.augment), options.batch, shuffle=True, num_workers=options.loaders, drop_last=True,
        pin_memory=device.type == "cuda", persistent_workers=True,
    )  # fmt: skip
    while True:
        start, total, correct = time.perf_counter(), 0.0, 0.0
        for pixels, labels, _ in loader:
            pixels, labels = pixels.to(device), labels.to(device)
            logits = model(pixels).logits
            loss = torch.nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            correct += (logits.argmax(dim=1) == labels).float().mean().item()
        yield time.perf_counter() - start


def ours(method, dataset, device, options, compiled=False):
    if device.type == "cpu":
        keep_freed_memory()  # as lend.train does
    config = RunConfig(
        method=method, width=options.width, batch_size=options.batch, epochs=99, snapshots=(), network="resnet18",
        augment=options.augment,
    )  # fmt: skip
    examples = Source(dataset, dataset.train_labels, dataset.train_images[:0], dataset.train_labels[:0])
    trainer = Trainer(config, build(method, {}), examples, device, Processes())
    trainer.bf16 = _precision("auto", device) == "bf16"
    if compiled:
        trainer.networks[0].compile(dynamic=False)
    trainer._scores = dict  # the pass alone: the plain loop does not evaluate either
    for epoch in range(1, 99):
        start = time.perf_counter()
        trainer.epoch(epoch, Bar())
        wait(device)
        yield time.perf_counter() - start


class Way:
    """A generator in a process of its own: :meth:`epoch` runs one and gives its seconds."""

    def __init__(self, make, *arguments):
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_epochs, args=(theirs, make, arguments))
        self.process.start()
        theirs.close()
        self.epoch()  # starts workers, warms caches and allocators

    def epoch(self):
        self.pipe.send("one more")
        return self.pipe.recv()

    def end(self):
        self.pipe.close()
        self.process.join()


def _epochs(pipe, make, arguments):
    epochs = make(*arguments)
    try:
        while pipe.recv():
            pipe.send(next(epochs))
    except EOFError:
        epochs.close()


def floor(device, options):
    """Seconds of a step's convolutions alone, each shape measured on its own."""
    if device.type == "cpu":
        keep_freed_memory()
    model = networks.build("resnet18", (3, 32, 32), 10, options.width).to(device, memory_format=torch.channels_last)
    shapes = []
    hooks = [
        module.register_forward_hook(lambda module, inputs, _: shapes.append((module, inputs[0].shape)))
        for module in model.modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    bf16 = _precision("auto", device) == "bf16"
    model(torch.zeros(options.batch, 3, 32, 32, device=device))
    for hook in hooks:
        hook.remove()
    seconds = 0.0
    for number, (module, shape) in enumerate(shapes):
        x = torch.randn(shape, device=device).contiguous(memory_format=torch.channels_last).requires_grad_(number > 0)
        times = []
        for _ in range(8):
            wait(device)
            start = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                y = module(x)
            y.backward(torch.ones_like(y))
            wait(device)
            times.append(time.perf_counter() - start)
        seconds += min(times)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=8, help="of an epoch")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--loaders", type=int, default=4, help="worker processes of the plain loop")
    parser.add_argument("--augment", action="store_true")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    device = _device("auto")
    dataset = images(options.batch * options.steps)
    ways = {
        "plain loop": Way(plain_loop, dataset, device, options),
        "Standard": Way(ours, "standard", dataset, device, options),
        "LEND": Way(ours, "lend", dataset, device, options),
    }
    if options.compile:
        ways["compiled"] = Way(ours, "standard", dataset, device, options, True)
    seconds = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            seconds[name].append(way.epoch() / options.steps)
    for way in ways.values():
        way.end()
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    print(f"{device.type}, {torch.get_num_threads()} threads, ResNet-18 width {options.width}, batch {options.batch}")
    for name, value in medians.items():
        print(f"{name:12} {value * 1e3:8.1f} ms a step   plain loop over it {medians['plain loop'] / value:.2f}")
    least = floor(device, options)
    print(f"LEND over Standard {medians['LEND'] / medians['Standard']:.3f}")
    print(f"floor        {least * 1e3:8.1f} ms a step   {least / medians['Standard']:.0%} of Standard's step")


if __name__ == "__main__":
    main()
