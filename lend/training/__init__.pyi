from . import networks
from .child import TrainingFailedError
from .examples import Source
from .executors import cores
from .loop import train
from .sweeps import Failure, RunsFailedError, sweep

__all__ = [
    "Failure",
    "RunsFailedError",
    "Source",
    "TrainingFailedError",
    "cores",
    "networks",
    "sweep",
    "train",
]
