"""Training states: tensors and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lend.storage.errors import damage_of
from lend.storage.reading import check_file, open_file
from lend.storage.writing import write_atomically


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> str:
    """Write tensors and plain values; SHA-256 back."""
    import torch

    return write_atomically(path, lambda file: torch.save(dict(state), file), follow=False)


def read_checkpoint(path: Path, digest: str) -> dict[str, Any]:
    """Read a checkpoint after checking it against its SHA-256; executes nothing."""
    import torch

    check_file(path, digest)
    with open_file(path) as file, damage_of(path):
        return torch.load(file, map_location="cpu", weights_only=True)
