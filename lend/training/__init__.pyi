from . import networks
from .examples import Source
from .executors import TrainingFailedError, cores
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
