"""When things happen on the page: many calls become one, slow work leaves the kernel free, errors are told.

In a kernel all of it runs on the event loop. Without a loop, as in a test or a script, everything happens at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

Action = Callable[..., None]


def guarded(action: Action, tell: Callable[[Exception], None]) -> Action:
    """The action; an exception is told instead of raised, since nobody sees what a callback of the page raises."""

    @wraps(action)
    def call(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        try:
            action(*args, **kwargs)
        except Exception as error:  # whatever a callback may raise belongs on the page
            tell(error)

    return call


class Coalesced:
    """An action that happens once for many calls close together, with the arguments of the last one.

    Args:
        action: Called without waiting where there is no event loop.
        wait: Seconds from the first call to the action.
    """

    def __init__(self, action: Action, wait: float = 0.03) -> None:
        self.action, self.wait = action, wait
        self._newest: tuple[Any, ...] | None = None

    def __call__(self, *args: Any) -> None:  # noqa: ANN401
        loop = _loop()
        if loop is None:
            self.action(*args)
            return
        waiting, self._newest = self._newest is not None, args
        if not waiting:
            loop.call_later(self.wait, self._act)

    def _act(self) -> None:
        args, self._newest = self._newest, None
        self.action(*(args or ()))


def in_background(work: Callable[[], Any], then: Callable[[Any], None]) -> None:
    """Do slow work in a thread of its own; its value, or the exception that it raised, goes to ``then`` on the loop."""
    loop = _loop()
    if loop is None:
        then(_outcome(work))
        return
    threading.Thread(target=lambda: loop.call_soon_threadsafe(then, _outcome(work)), daemon=True).start()


def _outcome(work: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return work()
    except Exception as error:  # told on the page by whoever asked
        return error


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
