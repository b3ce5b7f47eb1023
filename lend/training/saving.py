"""Saving beside the training: a thread writes copies of what an epoch left, so no epoch waits for the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import torch

from lend.run import EpochResult


class Saver:
    """Commits epochs one call at a time, in their order; leaving the context waits for the last.

    Args:
        commit: :func:`lend.run.writing.commit` of a run.

    Attributes:
        cost: Seconds that the last finished save took.
    """

    def __init__(self, commit: Callable[[list[EpochResult], Mapping[str, Any]], None]) -> None:
        self.commit, self.cost = commit, 0.0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="saving")
        self._writing: Future[None] | None = None

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """However the training ends, what was handed over is written, or its error told."""
        self._writer.shutdown()
        try:
            self.wait()
        except BaseException as failure:
            if error is None:
                raise
            if failure is not error:
                error.add_note(f"saving failed as well: {failure}")

    @property
    def busy(self) -> bool:
        """Whether a save is under way; raises the error of one that failed."""
        if self._writing is not None and not self._writing.done():
            return True
        self.wait()
        return False

    def save(self, epochs: list[EpochResult], state: Mapping[str, Any]) -> None:
        """Hand over finished epochs and the state after the last of them, which may change as soon as this returns.

        Waits for a save that is under way: there is never more than one copy of the state in memory.
        """
        self.wait()
        self._writing = self._writer.submit(self._write, epochs, copied(state))

    def wait(self) -> None:
        """Until everything is written; raises the error of a save that failed."""
        if self._writing is not None:
            self._writing.result()

    def _write(self, epochs: list[EpochResult], state: Any) -> None:  # noqa: ANN401
        start = time.perf_counter()
        self.commit(epochs, state)
        self.cost = time.perf_counter() - start


def copied(state: Any) -> Any:  # noqa: ANN401
    """The state with every tensor copied to the memory of the CPU."""
    if isinstance(state, torch.Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, Mapping):
        return {name: copied(value) for name, value in state.items()}
    return [copied(value) for value in state] if isinstance(state, list) else state
