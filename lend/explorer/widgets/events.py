"""Timing on the page: many calls become one, slow work leaves the kernel free, and errors are shown.

In a kernel all of it runs on the event loop. Without a loop, as in a test or a script, everything happens at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

Action = Callable[..., None]
Value = TypeVar("Value")


def guarded(action: Action, tell: Callable[[Exception], None]) -> Action:
    """Return the action with its exceptions handed to ``tell``: nobody sees what a callback of the page raises."""

    @wraps(action)
    def call(*args: object, **kwargs: object) -> None:
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
        self._newest: tuple[object, ...] | None = None

    def __call__(self, *args: object) -> None:
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


def in_background(work: Callable[[], Value], then: Callable[[Value | Exception], None]) -> None:
    """Do slow work in a thread of its own.

    Args:
        work: Called in the thread; at once where there is no event loop.
        then: Called on the event loop with the value, or with the exception that the work raised.
    """
    loop = _loop()
    if loop is None:
        then(_outcome(work))
        return
    threading.Thread(target=lambda: loop.call_soon_threadsafe(then, _outcome(work)), daemon=True).start()


def _outcome(work: Callable[[], Value]) -> Value | Exception:
    try:
        return work()
    except Exception as error:  # shown on the page by the caller
        return error


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
