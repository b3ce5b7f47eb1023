"""Finished parts of an embedding: in memory, or in a folder beside the output, where the next process finds them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from lend import storage

ROWS = 2048  # of a part: what a killed process may have to do again
SETTINGS = "settings.json"


@dataclass(frozen=True, eq=False)
class Part:
    """Embeddings of some examples that follow each other, and why others among them have none.

    Args:
        positions: (m,) positions in the source.
        embeddings: (m, d), float16 or float32.
        left_out: Reasons, by position.
        notes: What a user should know about some images, with their positions.
    """

    positions: Int[np.ndarray, " m"]
    embeddings: np.ndarray
    left_out: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[str, list[int]] = field(default_factory=dict)


class FolderParts:
    """Parts in the files of a folder; one that is damaged, and all after it, are made again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        while not storage.damages([lambda: self[self._count]]):
            self._count += 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Part:
        file = self._file(number)
        arrays = storage.read_arrays(file)
        with storage.damage_of(file):
            left_out, notes = json.loads(arrays["told"].tobytes())
            return Part(arrays["positions"], arrays["embeddings"], dict(left_out), dict(notes))

    def append(self, part: Part) -> None:
        told = json.dumps([list(part.left_out.items()), list(part.notes.items())]).encode()
        arrays = {"positions": part.positions, "embeddings": part.embeddings, "told": np.frombuffer(told, np.uint8)}
        storage.write_arrays(self._file(self._count), arrays)
        self._count += 1

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:06d}.npz"


Parts = list[Part] | FolderParts  # finished ones, all from the first on


def parts_folder(out: Path) -> Path:
    """Where the parts of an output are."""
    return out.with_name(f"{out.name}.parts")


@contextmanager
def folder_parts(out: Path, settings: Mapping[str, Any]) -> Iterator[FolderParts]:
    """Hold the folder of the parts of an output; it goes when all that is done inside has ended well.

    Args:
        out: The output.
        settings: What the parts are of.

    Raises:
        ValueError: If there are parts of other settings.
        InUseError: If another process makes this output.
    """
    folder = parts_folder(out)
    with storage.lock(folder / "lock"):
        record = folder / SETTINGS
        if record.exists():
            for name, value in storage.read_json(record).items():
                if value != settings[name]:
                    raise ValueError(
                        f"out: {folder} holds parts of another {name.replace('_', ' ')}; remove it, or name another out"
                    )
        else:
            storage.write_json(record, settings)
        yield FolderParts(folder)
    shutil.rmtree(folder)
