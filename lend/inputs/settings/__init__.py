"""The settings of a run: one frozen dataclass, the only place where defaults are written.

Imports nothing heavy, so that the command line and the notebooks can build configurations in milliseconds.
"""

from lend.inputs.settings.named import NamedConfig, saved_config
from lend.inputs.settings.own import own_code
from lend.inputs.settings.run_config import MOST_STEPS, PAPER_EPOCHS, PAPER_SNAPSHOTS, Dilution, RunConfig

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
