"""Methods of training with noisy labels. A method decides one thing: the loss of a batch.

The loop (:func:`lend.train`) owns networks, optimiser, schedule, device and checkpoints, and the memory of each example
that a method asks for. A new method is one class in a file of its own and one line in ``registry.py``.
"""

from lend.methods.base import Batch, Epoch, Features, Memory, Method, label_losses, masked_mean
from lend.methods.gce import GCE
from lend.methods.lend import LEND
from lend.methods.registry import METHODS, build
from lend.methods.small_loss import SIGUA, CoTeaching, JoCoR, SmallLoss
from lend.methods.standard import Standard

__all__ = [
    "Batch",
    "CoTeaching",
    "Epoch",
    "Features",
    "GCE",
    "JoCoR",
    "LEND",
    "METHODS",
    "Memory",
    "Method",
    "SIGUA",
    "SmallLoss",
    "Standard",
    "build",
    "label_losses",
    "masked_mean",
]
