"""What to do about an epoch that a run does not have: the last sentence of an error message."""

from __future__ import annotations

from pathlib import Path

from lend.inputs import RunConfig


def how_to_make(path: Path, config: RunConfig, epoch: int) -> str:
    """Return the command that makes the labels or the snapshot of this epoch.

    Args:
        path: Folder of a run that can be trained on: not of a compact copy, not of a recorded run.
        config: Its settings.
        epoch: The epoch that is missing.
    """
    if epoch < 1:
        return "Epochs are counted from 1"
    if epoch in config.snapshot_epochs:
        return f"Go on with: lend train --like {path}"
    if epoch <= config.epochs:
        wanted = ",".join(str(e) for e in sorted({*config.snapshot_epochs, epoch}))
        return f"A new run with: lend train --like {path} --snapshots {wanted}"
    return f"Its configuration ends at epoch {config.epochs}; train a longer one with lend train --epochs"
