"""An epoch here beside a plain loop, written as the official codes of the baselines are, in turns.

An epoch: the steps of a pass, then the accuracy on test images, one for five of the training as in CIFAR-10. The plain
loop: DataLoaders with worker processes, started anew for each pass, each image through PIL, ToTensor and Normalize
(with --augment also RandomCrop and RandomHorizontalFlip), float32, the default memory layout, loss and accuracy read
with .item() after every step. Both train the same network with the same SGD on the same random images: the content does
not change the work. Each has a process of its own, as users run them: what one sets for its memory, the other does not
have. Also printed: LEND over Standard; several trainings side by side, as a sweep has them, on the same cores or GPU,
in seconds per epoch of one; what torch.compile makes of Standard where --compile is given (it takes a minute to begin
with); and the floor: the network's convolutions alone, forward and backward, each of their shapes measured on its own
on this device, in the precision that Standard has.
"""

import argparse
import time
from itertools import chain
from multiprocessing import get_context

import numpy as np
import torch
from dilution import Bar, images, wait
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

import lend
from lend import RunConfig, networks
from lend.training import Source
from lend.training.allocator import keep_freed_memory
from lend.training.loop import _device, _precision
from lend.training.parallel import Processes
from lend.training.trainer import Trainer

TRAINING_TO_TEST = 5  # images, as in CIFAR-10


class Pictures(Dataset):
    def __init__(self, pixels, labels, augment=False):
        self.images = pixels.permute(0, 2, 3, 1).numpy()
        self.labels = labels.tolist()
        further = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()] if augment else []
        steps = [*further, transforms.ToTensor(), transforms.Normalize((0.49, 0.48, 0.45), (0.2, 0.2, 0.2))]
        self.transform = transforms.Compose(steps)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.images[i])), self.labels[i], i


def plain_loop(dataset, device, options):
    """A generator of epochs."""
    torch.manual_seed(0)
    model = networks.build("resnet18", (3, 32, 32), 10, options.width).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    parts = {"batch_size": options.batch, "num_workers": options.loaders, "pin_memory": device.type == "cuda"}
    if options.loaders:
        parts["multiprocessing_context"] = "fork"  # the default on Linux, but not in a process that was spawned
    train = Pictures(dataset.train_images, dataset.train_labels, options.augment)
    loader = DataLoader(train, shuffle=True, drop_last=True, **parts)
    test_loader = DataLoader(Pictures(dataset.test_images, dataset.test_labels), **parts)
    while True:
        total, correct = 0.0, 0.0
        model.train()
        for pixels, labels, _ in loader:
            pixels, labels = pixels.to(device), labels.to(device)
            logits = model(pixels).logits
            loss = torch.nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            correct += (logits.argmax(dim=1) == labels).float().mean().item()
        model.eval()
        with torch.no_grad():
            for pixels, labels, _ in test_loader:
                logits = model(pixels.to(device)).logits
                correct += (logits.argmax(dim=1) == labels.to(device)).float().mean().item()
        yield


def ours(method, dataset, device, options, compiled=False):
    if device.type == "cpu":
        keep_freed_memory()  # as lend.train does
    config = RunConfig(
        method=method, width=options.width, batch_size=options.batch, epochs=99, snapshots=(), network="resnet18",
        augment=options.augment,
    )  # fmt: skip
    examples = Source(dataset, dataset.train_labels, dataset.train_images[:0], dataset.train_labels[:0])
    trainer = Trainer(config, lend.methods.build(method, {}), examples, device, Processes())
    trainer.learner.bf16 = _precision("auto", device) == "bf16"
    if compiled:
        trainer.learner.networks[0].compile(dynamic=False)
    for epoch in range(1, 99):
        trainer.epoch(epoch, Bar())
        wait(device)
        yield


class Way:
    """A generator of epochs in a process of its own, with some threads of torch."""

    def __init__(self, threads, make, *arguments):
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_epochs, args=(theirs, threads, make, arguments))
        self.process.start()
        theirs.close()
        epochs_of(self)  # starts workers, warms caches and allocators

    def end(self):
        self.pipe.close()
        self.process.join()


def epochs_of(*ways):
    """Seconds per epoch while each of these processes runs one at the same time."""
    start = time.perf_counter()
    for way in ways:
        way.pipe.send("one more")
    for way in ways:
        way.pipe.recv()
    return (time.perf_counter() - start) / len(ways)


def _epochs(pipe, threads, make, arguments):
    torch.set_num_threads(threads)
    epochs = make(*arguments)
    try:
        while pipe.recv():
            next(epochs)
            pipe.send("done")
    except EOFError:
        epochs.close()


def floor(device, options):
    """Seconds of an epoch's convolutions alone, each shape measured on its own."""
    if device.type == "cpu":
        keep_freed_memory()
    model = networks.build("resnet18", (3, 32, 32), 10, options.width).to(device, memory_format=torch.channels_last)
    dtype = torch.bfloat16 if _precision("auto", device) == "bf16" else torch.float32
    shapes = []
    hooks = [
        module.register_forward_hook(lambda module, inputs, _: shapes.append((module, inputs[0].shape)))
        for module in model.modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    model(torch.zeros(options.batch, 3, 32, 32, device=device))
    for hook in hooks:
        hook.remove()
    forward, backward = 0.0, 0.0
    for number, (module, shape) in enumerate(shapes):
        x = torch.randn(shape, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
        x.requires_grad_(number > 0)
        there, back = [], []
        for _ in range(8):
            there.append(time.perf_counter())
            y = module.to(dtype)(x)
            wait(device)
            there[-1] = time.perf_counter() - there[-1]
            gradient = torch.ones_like(y)
            wait(device)
            back.append(time.perf_counter())
            y.backward(gradient)
            wait(device)
            back[-1] = time.perf_counter() - back[-1]
        forward, backward = forward + min(there), backward + min(back)
    return options.steps * (forward + backward) + options.steps / TRAINING_TO_TEST * forward


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20, help="195: CIFAR-10; fewer overrate ours")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--loaders", type=int, default=4, help="worker processes of the plain loop")
    parser.add_argument("--beside", type=int, help="trainings side by side; one per core, or 4 on a GPU, if not given")
    parser.add_argument("--augment", action="store_true")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    device = _device("auto")
    n = options.batch * options.steps
    dataset = images(n, n // TRAINING_TO_TEST)
    cores = torch.get_num_threads()
    beside = options.beside or (cores if device.type == "cpu" else 4)
    standard = (ours, "standard", dataset, device, options)
    ways = {
        "plain loop": [Way(cores, plain_loop, dataset, device, options)],
        "Standard": [Way(cores, *standard)],
        "LEND": [Way(cores, ours, "lend", dataset, device, options)],
        f"{beside} side by side": [Way(max(1, cores // beside), *standard) for _ in range(beside)],
    }
    if options.compile:
        ways["compiled"] = [Way(cores, *standard, True)]
    seconds = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, processes in ways.items():
            seconds[name].append(epochs_of(*processes))
    for process in chain(*ways.values()):
        process.end()
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    print(
        f"{device.type}, {cores} threads, {_precision('auto', device)} in ours, ResNet-18 width "
        f"{options.width}, batch {options.batch}, {n:,} images and {n // TRAINING_TO_TEST:,} for the test"
    )
    for name, value in (medians | {"floor": floor(device, options)}).items():
        print(
            f"{name:14} {value:8.2f} s an epoch {value / options.steps * 1e3:8.1f} ms a step   "
            f"plain loop over it {medians['plain loop'] / value:.2f}"
        )
    print(f"LEND over Standard {medians['LEND'] / medians['Standard']:.3f}")


if __name__ == "__main__":
    main()
