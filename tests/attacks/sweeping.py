"""A process that trains several runs side by side in a folder, to be killed: sweeping.py FOLDER."""

import sys
from pathlib import Path

from verbs import do_sweep

if __name__ == "__main__":
    do_sweep(Path(sys.argv[1]), workers=2)
