from . import networks
from .child import TrainingFailedError
from .examples import Source
from .executors import cores
from .loop import train
from .own import build_method
from .sweeps import Failure, RunsFailedError, sweep

__all__ = [
    "Failure",
    "RunsFailedError",
    "Source",
    "TrainingFailedError",
    "build_method",
    "cores",
    "networks",
    "sweep",
    "train",
]
