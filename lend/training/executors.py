"""Who trains the runs of a sweep: this process, children of it, or the workers of a Dask cluster.

A child's crash, memory and threads are its own. It ends with the process that started it, however that one ends.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import cycle, islice
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, NamedTuple

from lend.config import RunConfig, require
from lend.extras import extra
from lend.storage import InUseError

PRELOADED = ["lend.training.loop", "sklearn.datasets", "zarr"]  # so a child starts in milliseconds
TIMEOUT = 20  # seconds to reach a scheduler
UNLIMITED = 1_000_000  # a cluster takes all runs at once and orders them itself


class TrainingFailedError(RuntimeError):
    """A run could not be trained; the message is one line."""


class Executor(NamedTuple):
    """Takes runs: the future is done when the run is, and holds its error."""

    submit: Callable[[RunConfig], Future]
    slots: int  # runs to hand over at once


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def here() -> Iterator[Executor]:
    """Train in this process, one run after another, each with a progress bar of its own."""
    from lend.training.loop import train

    def submit(config: RunConfig) -> Future:
        future: Future = Future()
        try:
            future.set_result(bool(train(config)))
        except Exception as error:  # any one run's: the others go on
            future.set_exception(error)
        return future

    yield Executor(submit, 1)


@contextmanager
def children(workers: int | None = None, threads: int | None = None) -> Iterator[Executor]:
    """Train in child processes, as many side by side as there are workers.

    Args:
        workers: One per GPU if not given, or one per core where there is none.
        threads: Of each child; the cores divided among the workers if not given, so that they do not fight.
    """
    _context()  # begins to import while this process looks for GPUs
    gpus = _gpus()
    workers = workers or len(gpus) or cores()
    threads = threads or max(1, cores() // workers)
    places: SimpleQueue[dict[str, str]] = SimpleQueue()
    for gpu in islice(cycle(gpus or [None]), workers):
        places.put({} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu})
    alive: set[Any] = set()

    def run(config: RunConfig) -> None:
        place = places.get()
        try:
            train_in_child(asdict(config), threads, os.getcwd(), place, alive)
        finally:
            places.put(place)

    with ThreadPoolExecutor(workers) as pool:
        try:
            yield Executor(lambda config: pool.submit(run, config), workers)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in tuple(alive):
                child.kill()  # a run survives it
            raise


def _gpus() -> list[str]:
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return visible.split(",")[:count] if visible else [str(number) for number in range(count)]


@contextmanager
def cluster(scheduler: str, workers: int | None = None, threads: int | None = None) -> Iterator[Executor]:
    """Train in children of the workers of a Dask cluster, which must see the same folders.

    Args:
        scheduler: Address such as tcp://host:8786, or "local" for a cluster on this machine.
        workers: Of a local cluster; one per core if not given.
        threads: Of each training; the cores that a worker sees, divided by the trainings that it takes at once, if
            not given.

    Raises:
        OSError: If there is no scheduler at the address.
    """
    with extra("sweeps"):
        from distributed import Client, LocalCluster

    with ExitStack() as stack:
        address: Any = scheduler
        if scheduler == "local":
            workers = workers or cores()
            threads = threads or max(1, cores() // workers)
            own = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            address = stack.enter_context(own)
        client = stack.enter_context(Client(address, timeout=TIMEOUT))
        pool = client.get_executor(pure=False)

        def submit(config: RunConfig) -> Future:
            if client.status != "running":
                raise ConnectionError(f"the scheduler at {scheduler} is gone")
            return pool.submit(_on_worker, asdict(config), threads, os.getcwd())

        yield Executor(submit, UNLIMITED)


def _on_worker(settings: dict[str, Any], threads: int | None, folder: str) -> None:
    from distributed import get_worker

    # Dask's workers are daemons, which may have no children, lest these outlive them: ours do not
    multiprocessing.current_process().daemon = False
    train_in_child(settings, threads or max(1, cores() // get_worker().state.nthreads), folder)


# --- One training in a child process ------------------------------------------------------------------------------


def train_in_child(
    settings: dict[str, Any],
    threads: int,
    folder: str,
    environment: dict[str, str] | None = None,
    alive: set[Any] | None = None,
) -> None:
    """Train the run of these settings in a child process, and wait for it.

    Args:
        settings: Of the RunConfig.
        threads: Of torch in the child.
        folder: Working directory of the child, which relative paths in the settings start from.
        environment: Variables of the child.
        alive: Holds the child while it lives.

    Raises:
        InUseError: If another process trains the run.
        TrainingFailedError: If the child fails or dies.
    """
    require(threads >= 1, "threads", "at least 1", threads)
    alive = set() if alive is None else alive
    context = _context()
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs, settings, threads, folder, environment or {}))
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


def _context() -> Any:  # noqa: ANN401
    """A server process that has imported everything, and forks the children."""
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
    """The parent sends nothing: what is to be read is the end of the pipe, when it closes or dies."""
    connection.poll(None)
    os._exit(1)
