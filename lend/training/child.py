"""One training in a child process, with threads, memory and crashes of its own.

The child ends with the process that started it, in whatever way that one ends.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from lend.inputs import RunConfig, require
from lend.storage import InUseError

PRELOADED = ["lend.training.loop", "sklearn.datasets", "zarr"]  # imported once, so that a child starts in milliseconds


class TrainingFailedError(RuntimeError):
    """A run could not be trained; the message is one line."""


def train_in_child(
    settings: dict[str, Any],
    threads: int,
    folder: str,
    environment: dict[str, str] | None = None,
    alive: set[BaseProcess] | None = None,
) -> None:
    """Train the run of these settings in a child process, and wait for it.

    Args:
        settings: Fields of the RunConfig, by name.
        threads: Threads of torch in the child, at least 1.
        folder: Working directory of the child; relative paths in the settings start from it.
        environment: Environment variables to set in the child.
        alive: Holds the child while it lives, so that the caller can end it.

    Raises:
        ValueError: If threads is below 1.
        InUseError: If another process trains the run.
        TrainingFailedError: If the child fails or dies.
    """
    require(threads >= 1, "threads", "at least 1", threads)
    alive = set() if alive is None else alive
    context = context_of_children()
    ours, theirs = context.Pipe()
    arguments = (theirs, settings, threads, folder, environment or {})
    child = context.Process(target=_child, args=arguments)  # type: ignore[attr-defined]  # every context but the base
    child.start()
    alive.add(child)
    theirs.close()
    try:
        kind, message = ours.recv()
    except EOFError:
        kind, message = "failed", "its process died; what was saved stays"
    finally:
        child.join()  # before the pipe closes, which would end the child at once
        ours.close()
        alive.discard(child)
    if kind == "in use":
        raise InUseError(message)
    if kind == "failed":
        raise TrainingFailedError(message)


def context_of_children() -> BaseContext:
    """Return what starts children: where possible, a server process that has imported everything and forks them."""
    if "forkserver" not in multiprocessing.get_all_start_methods():  # Windows: each child imports everything itself
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()
    return context


def _child(
    connection: Connection, settings: dict[str, Any], threads: int, folder: str, environment: dict[str, str]
) -> None:
    import torch

    from lend.training.loop import train

    threading.Thread(target=_end_with_parent, args=(connection,), daemon=True).start()
    os.chdir(folder)
    os.environ.update(environment)
    torch.set_num_threads(threads)
    try:
        train(RunConfig.from_dict(settings), progress=False)
        outcome = ("finished", "")
    except InUseError as error:
        outcome = ("in use", str(error))
    except Exception as error:
        outcome = ("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
    connection.send(outcome)


def _end_with_parent(connection: Connection) -> None:
    """End this process when the pipe closes: the parent sends nothing, so its end is all that can be read."""
    connection.poll(None)
    os._exit(1)
