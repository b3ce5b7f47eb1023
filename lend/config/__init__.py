"""The settings of a run: one frozen dataclass, the only place where defaults are written.

Imports nothing heavy, so that the command line and the notebooks can build configurations in milliseconds.
"""

from lend.config.named import NamedConfig, saved_config
from lend.config.own import own_code
from lend.config.settings import MOST_STEPS, PAPER_EPOCHS, PAPER_SNAPSHOTS, Dilution, RunConfig

__all__ = [
    "MOST_STEPS",
    "PAPER_EPOCHS",
    "PAPER_SNAPSHOTS",
    "Dilution",
    "NamedConfig",
    "RunConfig",
    "own_code",
    "saved_config",
]
