"""What lend.Recorder costs a plain PyTorch loop: epochs with it and without it, in pairs, in one run.

The loop trains lend's ResNet-18 on random images of the size of CIFAR-10. An epoch with the recorder holds all that it
does: checks, neighbours, dilution, the end of the epoch and what the thread that writes takes from the steps; one epoch
in five has a snapshot. The ratio is the median over the pairs; that of CPU seconds does not see other programs.
"""

import argparse
import statistics
import tempfile
import time

import torch
from torch.nn.functional import cross_entropy

import lend
from lend.training import networks

CLASSES = 10


def epoch(network, optimizer, images, labels, size, recorder, snapshot):
    """Seconds, and CPU seconds of all threads, of an epoch."""
    start = time.perf_counter(), time.process_time()
    total = torch.zeros((), device=images.device)
    for index in torch.randperm(len(images)).split(size):
        embeddings, logits = network(images[index])
        loss = cross_entropy(logits, labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()
        if recorder is not None:
            recorder.batch(index, embeddings=embeddings, logits=logits)
    mean = total.item() / -(-len(images) // size)  # the loop itself waits for the device once an epoch
    if recorder is not None:
        recorder.epoch(train_loss=mean, snapshot=snapshot)
    return time.perf_counter() - start[0], time.process_time() - start[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--scope", default="batch", choices=["batch", "dataset"])
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    n = options.batches * options.batch_size
    torch.manual_seed(0)
    images = torch.rand(n, 3, 32, 32, device=options.device)
    labels = torch.randint(CLASSES, (n,), device=options.device)
    network = networks.build("resnet18", (3, 32, 32), CLASSES, options.width).to(options.device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    arguments = network, optimizer, images, labels, options.batch_size
    wall, cpu = [], []
    with tempfile.TemporaryDirectory() as folder:
        with lend.Recorder(f"{folder}/run", labels=labels, true_labels=labels, scope=options.scope) as recorder:
            for number in range(options.pairs + 1):
                kinds = [None, recorder] if number % 2 else [recorder, None]
                seconds = {kind is not None: epoch(*arguments, kind, number % 5 == 1) for kind in kinds}
                if number:  # the first imports what saving needs
                    wall.append(seconds[True][0] / seconds[False][0])
                    cpu.append(seconds[True][1] / seconds[False][1])
                    print(f"{seconds[False][0]:.2f} s plain, {seconds[True][0]:.2f} s recorded; CPU {cpu[-1]:.3f}")
    print(f"ResNet-18, width {options.width}, {n} images, batches of {options.batch_size}, {options.device}")
    print(f"recorded over plain: {statistics.median(wall):.3f}; CPU seconds: {statistics.median(cpu):.3f}")


if __name__ == "__main__":
    main()
