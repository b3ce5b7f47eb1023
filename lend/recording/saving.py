"""Saving while the training goes on: a thread writes copies of finished epochs, so that no epoch waits for the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

import torch

from lend.run import EpochResult


class Copy(NamedTuple):
    """A training state in the memory of the CPU, and what has happened when it is all there; None if it is."""

    state: Any
    on_the_way: torch.cuda.Event | None


class Saver:
    """Writes finished epochs in a thread, in their order; leaving the context waits for the last.

    Args:
        commit: Writes some epochs and the training state after them: :func:`lend.run.writing.commit` of a run.

    Attributes:
        cost: Seconds that the last finished save took.
    """

    def __init__(self, commit: Callable[[list[EpochResult], Mapping[str, Any] | None], None]) -> None:
        self.commit, self.cost = commit, 0.0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="saving")
        self._writing: Future[None] | None = None

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Wait for the last save. Where the training failed as well, its error is raised, with a note of this one."""
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
        """Whether a save has not finished; raises the error of one that failed."""
        if self._writing is not None and not self._writing.done():
            return True
        self.wait()
        return False

    def save(self, epochs: list[EpochResult], state: Mapping[str, Any] | None) -> None:
        """Save finished epochs and the training state after them; the state may change as soon as this returns.

        It waits for an unfinished save, so that there is never more than one copy of the state in memory.

        Args:
            epochs: Results in the order of their epochs.
            state: Tensors in dictionaries and lists, copied here; None where nobody goes on from it.

        Raises:
            OSError: If the save before this one failed.
        """
        self.write(epochs, self.copy(state))

    def copy(self, state: Mapping[str, Any] | None) -> Copy:
        """Copy a training state, as :meth:`save` does, for :meth:`write`."""
        self.wait()
        return Copy(copied(state), on_the_way())

    def write(self, epochs: list[EpochResult], copy: Copy) -> None:
        """Save finished epochs and a copy of the training state after them; nothing may be saved since it was made."""
        self._writing = self._writer.submit(self._write, epochs, copy)

    def wait(self) -> None:
        """Wait until everything is written; raises the error of a save that failed."""
        if self._writing is not None:
            self._writing.result()

    def _write(self, epochs: list[EpochResult], copy: Copy) -> None:
        start = time.perf_counter()
        if copy.on_the_way is not None:
            copy.on_the_way.synchronize()  # this thread waits for the copies, not the one that trains
        self.commit(epochs, copy.state)
        self.cost = time.perf_counter() - start


def copied(state: Any) -> Any:  # noqa: ANN401 (a state is nested to any depth)
    """Copy a training state, every tensor to the memory of the CPU, as ``to_cpu`` does.

    Args:
        state: Tensors and plain values in dictionaries and lists, nested to any depth.
    """
    if isinstance(state, torch.Tensor):
        return to_cpu(state.detach())
    if isinstance(state, Mapping):
        return {name: copied(value) for name, value in state.items()}
    return [copied(value) for value in state] if isinstance(state, list) else state


def to_cpu(values: torch.Tensor) -> torch.Tensor:
    """Copy a tensor to the memory of the CPU; one on a CUDA device without waiting for it.

    That copy is ordered before whatever the device is asked to do next, so the values may change at once; but only
    who has waited for the device may read it. ``Saver`` does before it writes.
    """
    if not values.is_cuda:
        return values.to("cpu", copy=True)
    return torch.empty_like(values, device="cpu", pin_memory=True).copy_(values, non_blocking=True)


def on_the_way() -> torch.cuda.Event | None:
    """What has happened when all copies that were asked for so far are there; None where no device is in use."""
    if not torch.cuda.is_initialized():
        return None
    event = torch.cuda.Event()
    event.record()
    return event
