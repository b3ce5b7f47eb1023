from .diluting import half, make_snapshot
from .numbers import kept_shares, label_accuracies
from .recorder import Recorder
from .saving import Saver, copied

__all__ = [
    "Recorder",
    "Saver",
    "copied",
    "half",
    "kept_shares",
    "label_accuracies",
    "make_snapshot",
]
