"""Each method's training step over that of Standard: same network, same batches, in turns. Medians over the rounds."""

import argparse
import time

import torch
from dilution import Bar, images

import lend
from lend.training import Source
from lend.training.loop import _device, _precision
from lend.training.parallel import Processes
from lend.training.trainer import Trainer


def trainer_of(method, dataset, device, options):
    config = lend.RunConfig(
        method=method, width=options.width, batch_size=options.batch, epochs=99, snapshots=(), network="resnet18"
    )
    examples = Source(dataset, dataset.train_labels, dataset.train_images[:0], dataset.train_labels[:0])
    trainer = Trainer(config, lend.methods.build(method, {}).with_noise_rate(0.4), examples, device, Processes())
    trainer.learner.bf16 = _precision("auto", device) == "bf16"
    trainer._scores = dict  # of the pass alone: evaluation is the same for all, per network
    return trainer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=3, help="of a round")
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    device = _device("auto")
    dataset = images(options.batch * options.steps)
    trainers = {name: trainer_of(name, dataset, device, options) for name in lend.METHODS}
    seconds = {name: [] for name in lend.METHODS}
    for round_ in range(options.rounds + 1):
        for name, trainer in trainers.items():
            start = time.perf_counter()
            trainer.read(trainer.epoch(20 + round_, Bar()))  # numbers from the device: all is done
            if round_:  # the first warms caches and allocators
                seconds[name].append((time.perf_counter() - start) / options.steps)
    medians = {name: sorted(values)[len(values) // 2] for name, values in seconds.items()}
    print(f"{device.type}, {torch.get_num_threads()} threads, ResNet-18 width {options.width}, batch {options.batch}")
    for name, value in medians.items():
        print(f"{name:12} {value * 1e3:8.1f} ms a step   {value / medians['standard']:.2f} of Standard")


if __name__ == "__main__":
    main()
