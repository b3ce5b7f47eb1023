"""Methods of training with noisy labels. A method decides one thing: the loss of a batch.

The loop (:func:`lend.train`) owns networks, optimiser, schedule, device and checkpoints, and the memory of each example
that a method asks for. A new method is one class in a file of its own and one line in ``registry.py``; a method of
yours is a class in a file of yours, see :class:`Method`.
"""

from lend.methods.base import Batch, Epoch, Features, Memory, Method, label_losses, masked_mean
from lend.methods.coteaching_plus import CoTeachingPlus
from lend.methods.dividemix import DivideMix
from lend.methods.elr import ELR
from lend.methods.forward import Forward
from lend.methods.gce import GCE
from lend.methods.lend import LEND
from lend.methods.lend2 import LEND2
from lend.methods.registry import METHODS, build
from lend.methods.selector import Selector
from lend.methods.small_loss import SIGUA, CoTeaching, JoCoR, SmallLoss
from lend.methods.sop import SOP
from lend.methods.standard import Standard

__all__ = [
    "Batch",
    "CoTeaching",
    "CoTeachingPlus",
    "DivideMix",
    "ELR",
    "Epoch",
    "Features",
    "Forward",
    "GCE",
    "JoCoR",
    "LEND",
    "LEND2",
    "METHODS",
    "Memory",
    "Method",
    "SIGUA",
    "SOP",
    "Selector",
    "SmallLoss",
    "Standard",
    "build",
    "label_losses",
    "masked_mean",
]
