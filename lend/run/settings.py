"""The settings of a run, what was noted when it began, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lend.inputs import RunConfig
from lend.run.advice import how_to_make
from lend.run.layout import RunFolder, numbered


@dataclass(frozen=True, repr=False)
class RunSettings(RunFolder):
    """What config.json says of a run; :class:`lend.Run` describes the fields."""

    config: RunConfig
    info: Mapping[str, Any]
    given_digest: str | None = None

    @property
    def epochs_done(self) -> int:
        """Number of committed epochs: that of the newest history record."""
        committed = numbered(self.path / "history", ".json")
        return max((epoch for epoch in committed if epoch <= self.config.epochs), default=0)

    @property
    def complete(self) -> bool:
        """Whether all epochs of the configuration are committed."""
        return self.epochs_done == self.config.epochs

    @property
    def compact(self) -> Mapping[str, Any] | None:
        """What a compact copy keeps: hash of the whole run, features, points and snapshots; None for a whole run."""
        return self.info.get("compact")

    @property
    def recorded(self) -> Mapping[str, Any] | None:
        """How :class:`lend.Recorder` diluted labels, such as {"scope": "batch"}; None for a run that lend trained."""
        return self.info.get("recorded")

    @property
    def note(self) -> str:
        """What a reader must know about the data and its name does not say; empty if nothing."""
        return self.info.get("note", self.config.note)  # a copy may have one of its own

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their labels."""
        return tuple(self.info["class_names"])

    def _command(self, epoch: int) -> str:
        """The end of an error message: the command that makes the snapshot or the labels of this epoch."""
        if self.compact is not None:
            return "It is a compact copy, which cannot be trained on"
        if self.recorded is not None:
            return "lend.Recorder saves the embeddings of an epoch that it is told to: epoch(snapshot=True)"
        return how_to_make(self.shown, self.config, epoch)

    def require_trainable(self) -> None:
        """Raise ValueError if this is a compact copy or a recorded run."""
        if self.recorded is not None:
            raise ValueError(
                f"{self.shown} is a recorded run: lend has neither its network nor its training loop. Go on in that "
                f"loop with lend.Recorder(..., resume=True)"
            )
        if self.compact is not None:
            raise ValueError(
                f"{self.shown} is a compact copy, without the network: it cannot be trained on. Train a run of its "
                f"settings in another folder with: lend train --like {self.shown} --runs FOLDER"
            )
