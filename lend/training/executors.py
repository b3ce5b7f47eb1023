"""Ways to train the runs of a sweep: in this process, in child processes, or on the workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import cycle, islice
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any, NamedTuple

from lend.inputs import RunConfig, extra
from lend.training.child import context_of_children, train_in_child

TIMEOUT = 20  # seconds to reach a scheduler
UNLIMITED = 1_000_000  # a cluster takes all runs at once and orders them itself


class Executor(NamedTuple):
    """A way to train runs: the future is done when the run is, and holds its error."""

    submit: Callable[[RunConfig], Future[Any]]
    slots: int  # runs to hand over at once


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def here(threads: int | None = None) -> Iterator[Executor]:
    """Train in this process, one run after another, each with a progress bar of its own.

    Args:
        threads: Threads of torch meanwhile; as many as it has if not given.
    """
    from lend.neighbors import torch_threads
    from lend.training.loop import train

    def submit(config: RunConfig) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(train(config))
        except Exception as error:  # of one run; the others go on
            future.set_exception(error)
        return future

    with torch_threads(threads):
        yield Executor(submit, 1)


@contextmanager
def children(workers: int | None = None, threads: int | None = None) -> Iterator[Executor]:
    """Train in child processes, as many side by side as there are workers.

    Args:
        workers: Children at a time; if not given, one per GPU, or one per core where there is no GPU.
        threads: Threads of each child; the cores divided by the workers if not given.
    """
    context_of_children()  # begins to import while this process looks for GPUs
    gpus = _gpus()
    workers = workers or len(gpus) or cores()
    threads = threads or max(1, cores() // workers)
    places: SimpleQueue[dict[str, str]] = SimpleQueue()
    for gpu in islice(cycle(gpus or [None]), workers):
        places.put({} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu})
    alive: set[BaseProcess] = set()

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
                child.kill()  # what the run has saved stays
            raise


def _gpus() -> list[str]:
    """Return the names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them."""
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return visible.split(",")[:count] if visible else [str(number) for number in range(count)]


@contextmanager
def cluster(scheduler: str, workers: int | None = None, threads: int | None = None) -> Iterator[Executor]:
    """Train in children of the workers of a Dask cluster, which must see the same folders.

    Args:
        scheduler: Address such as tcp://host:8786, or "local" for a cluster on this machine.
        workers: Workers of a local cluster; one per core if not given.
        threads: Threads of each training; if not given, the cores that a worker sees, divided by the trainings that it
            takes at once.

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

        def submit(config: RunConfig) -> Future[Any]:
            if client.status != "running":
                raise ConnectionError(f"the scheduler at {scheduler} is gone")
            return pool.submit(_on_worker, asdict(config), threads, os.getcwd())

        yield Executor(submit, UNLIMITED)


def _on_worker(settings: dict[str, Any], threads: int | None, folder: str) -> None:
    from distributed import get_worker

    # Dask's workers are daemons, which may have no children, lest these outlive them: ours do not
    multiprocessing.current_process().daemon = False
    train_in_child(settings, threads or max(1, cores() // get_worker().state.nthreads), folder)
