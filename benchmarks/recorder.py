"""What lend.Recorder and lend.Selector cost a plain PyTorch loop: epochs with them and without, in turn, in one run.

The loop trains lend's ResNet-18 on random images of the size of CIFAR-10. An epoch with the recorder holds all that it
does: checks, neighbours, dilution, the end of the epoch and what the thread that writes takes from the steps; one epoch
in five has a snapshot. The ratio is the median over the rounds; that of CPU seconds does not see other programs.
"""

import argparse
import statistics
import tempfile
import time

import torch
from torch.nn.functional import cross_entropy

import lend
from lend import networks

CLASSES = 10


def epoch(network, optimizer, images, labels, size, helper, snapshot):
    """Seconds, and CPU seconds of all threads, of an epoch."""
    start = time.perf_counter(), time.process_time()
    total = torch.zeros((), device=images.device)
    for index in torch.randperm(len(images)).split(size):
        embeddings, logits = network(images[index])
        if isinstance(helper, lend.Selector):
            kept = helper(index, embeddings)
            loss = (cross_entropy(logits, labels[index], reduction="none") * kept).sum() / kept.sum().clamp(min=1)
        else:
            loss = cross_entropy(logits, labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()
        if isinstance(helper, lend.Recorder):
            helper.batch(index, embeddings=embeddings, logits=logits)
    mean = total.item() / -(-len(images) // size)  # the loop itself waits for the device once an epoch
    if isinstance(helper, lend.Recorder):
        helper.epoch(train_loss=mean, snapshot=snapshot)
    return time.perf_counter() - start[0], time.process_time() - start[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=10)
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
    wall, cpu = {"recorder": [], "selector": []}, {"recorder": [], "selector": []}
    with tempfile.TemporaryDirectory() as folder:
        with lend.Recorder(f"{folder}/run", labels=labels, true_labels=labels, scope=options.scope) as recorder:
            selector = lend.Selector(labels, CLASSES, scope=options.scope).to(options.device)
            helpers = {"plain": None, "recorder": recorder, "selector": selector}
            for number in range(options.rounds + 1):
                order = list(helpers)[number % 3 :] + list(helpers)[: number % 3]
                seconds = {name: epoch(*arguments, helpers[name], number % 5 == 1) for name in order}
                if number:  # the first imports what saving needs
                    for name in wall:
                        wall[name].append(seconds[name][0] / seconds["plain"][0])
                        cpu[name].append(seconds[name][1] / seconds["plain"][1])
                    print(
                        f"{seconds['plain'][0]:.2f} s plain",
                        *(f"{name} {wall[name][-1]:.3f}" for name in wall),
                        sep=", ",
                    )
    print(f"ResNet-18, width {options.width}, {n} images, batches of {options.batch_size}, {options.device}")
    for name in wall:
        print(f"with the {name}: {statistics.median(wall[name]):.3f}; CPU seconds: {statistics.median(cpu[name]):.3f}")


if __name__ == "__main__":
    main()
