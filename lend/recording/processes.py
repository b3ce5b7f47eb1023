"""The processes of a loop that record one run together: each has its rows, the first of them writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import distributed

from lend.recording.batches import Rows

T = TypeVar("T")


class Processes:
    """The processes that torch.distributed connects; this one alone where it is not initialised.

    They exchange rows by gloo, in the memory of the CPU, whatever the loop itself uses. Each must do everything in the
    same order, as with any collective call.
    """

    def __init__(self) -> None:
        together = distributed.is_available() and distributed.is_initialized()
        self.rank, self.count = (distributed.get_rank(), distributed.get_world_size()) if together else (0, 1)
        self._group: Any = distributed.new_group(backend="gloo") if self.count > 1 else None

    @property
    def main(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def first(self, action: Callable[[], T]) -> T | None:
        """Perform an action in the first process; the others get None when it is done.

        Raises:
            RuntimeError: In the others, where the action failed; the first raises its own error.
        """
        result, failure = None, None
        if self.main:
            try:
                result = action()
            except Exception as error:
                failure = error
        self.agree(failure)
        return result

    def share(self, value: T) -> T:
        """Return the value of the first process."""
        if self.count == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0, group=self._group)
        return box[0]

    def agree(self, failure: Exception | None) -> None:
        """Go on in all processes or in none: raise where this one failed, and where another did."""
        texts: list[Any] = [None if failure is None else f"{type(failure).__name__}: {failure}"]
        if self.count > 1:
            mine, texts = texts[0], [None] * self.count
            distributed.all_gather_object(texts, mine, group=self._group)
        if failure is not None:
            raise failure
        for rank, text in enumerate(texts):
            if text is not None:
                raise RuntimeError(f"process {rank} of the recording failed: {text}")

    def gather(self, rows: Rows) -> list[Rows]:
        """Return the rows of all processes to the first, on the CPU where there are several; nothing to the others."""
        if self.count == 1:
            return [rows]
        rows = {name: values.cpu() for name, values in rows.items()}
        parts: list[Any] | None = [None] * self.count if self.main else None
        distributed.gather_object(rows, parts, dst=0, group=self._group)
        return parts or []

    def wait(self) -> None:
        """Wait until all processes have called this."""
        if self.count > 1:
            distributed.barrier(group=self._group)
