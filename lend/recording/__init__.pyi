from .diluting import half, make_snapshot
from .numbers import kept_shares, label_accuracies
from .recorder import Recorder
from .saving import Copy, Saver, copied, on_the_way, to_cpu

__all__ = [
    "Copy",
    "Recorder",
    "Saver",
    "copied",
    "half",
    "kept_shares",
    "label_accuracies",
    "make_snapshot",
    "on_the_way",
    "to_cpu",
]
