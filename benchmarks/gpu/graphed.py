"""A trainer whose step is one CUDA graph: dilution, forward and backward pass, optimiser, without Python in between.

An experiment of the benchmark. A graph is captured anew in each epoch for each size of a batch, since the learning rate
and the number of the epoch are constants in it. Nothing may be drawn at random in a step: no augmentation, no dropout.
"""

from unittest import mock

import torch

from lend.training.trainer import Trainer

WARM = 3  # steps before the first capture, in which libraries begin


class Graphed(Trainer):
    """Where there is no CUDA device, steps are as ever."""

    warm, current, graphs = 0, None, {}

    def _step(self, step, parts, current):
        ((shard, index, generator),) = parts
        if self.warm < WARM or self.device.type != "cuda":
            self.warm += 1
            return super()._step(step, parts, current)
        if current is not self.current:
            self.current, self.graphs = current, {}
        if len(index) not in self.graphs:
            self.graphs[len(index)] = self._capture(shard, index.clone(), generator, current)
        graph, static, total = self.graphs[len(index)]
        static.copy_(index)
        graph.replay()
        return total

    def _capture(self, shard, static, generator, current):
        graph = torch.cuda.CUDAGraph()
        # a generator may not be seeded while a graph is captured
        with torch.cuda.graph(graph), mock.patch.object(torch, "manual_seed"):
            total = super()._step(0, [(shard, static, generator)], current)
        return graph, static, total
