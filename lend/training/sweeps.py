"""Training of many runs: those that are missing or unfinished, with one progress bar for all."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from tqdm.auto import tqdm

from lend.inputs import RunConfig, require, require_extra
from lend.run import Run, epochs_done
from lend.storage import InUseError
from lend.training import executors
from lend.training.executors import Executor

POLL = 0.5  # seconds between two looks at the runs


class Failure(NamedTuple):
    """A run that could not be trained, and its error."""

    config: RunConfig
    error: str


class RunsFailedError(ChildProcessError):
    """Some runs could not be trained; the message has each error once, with the first run and how many more."""

    def __init__(self, failures: list[Failure], total: int) -> None:
        places: dict[str, list[str]] = {}
        for config, error in failures:
            places.setdefault(error, []).append(str(config.folder))
        each = [f"{_and_others(folders)}: {error}" for error, folders in places.items()]
        super().__init__("; ".join([f"{len(failures)} of {total} runs failed", *each]))


def _and_others(folders: list[str]) -> str:
    return folders[0] if len(folders) == 1 else f"{folders[0]} and {len(folders) - 1} more"


def sweep(
    configs: Iterable[RunConfig],
    *,
    workers: int | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    progress: bool = True,
) -> list[Failure]:
    """Train the runs that are missing or unfinished; a finished run is left as it is.

    A sweep that was stopped or killed goes on when it is called again. Several sweeps at the same time, on machines
    with a common folder, share the work. A failed run does not stop the others.

    Args:
        configs: The runs, each in the folder that its configuration names.
        workers: Trainings at a time; if not given, one per GPU, or one per core where there is no GPU. 0 trains in this
            process.
        threads: Threads of each training; the cores divided by the workers if not given.
        scheduler: Address of a Dask scheduler whose workers train the runs, or "local" to start a cluster on this
            machine; None trains without one.
        progress: Show one progress bar over the epochs of all runs, with the time left.

    Returns:
        The runs that failed.

    Raises:
        ValueError: If workers is below 0, or threads below 1.
        OSError: If there is no scheduler at the address.
        ConnectionError: If the scheduler is lost; what was saved stays.
    """
    require(workers is None or workers >= 0, "workers", "at least 0", workers)
    require(threads is None or threads >= 1, "threads", "at least 1", threads)
    configs = [configs] if isinstance(configs, RunConfig) else list(configs)
    for config in configs:
        require(isinstance(config, RunConfig), "configs", "a lend.RunConfig each", type(config).__name__)
    configs = list({config.hash: config for config in configs}.values())
    waiting = deque(config for config in configs if not _complete(config))
    failures: list[Failure] = []
    if not waiting:
        return failures
    require_extra("train")
    with _executor(workers, threads, scheduler) as executor, _View(configs, progress) as view:
        for config, error in _trained(waiting, executor, view):
            view.ended(config, error)
            if error is not None:
                failures.append(Failure(config, error))
    return failures


def _executor(workers: int | None, threads: int | None, scheduler: str | None) -> AbstractContextManager[Executor]:
    if scheduler is not None:
        return executors.cluster(scheduler, workers, threads)
    return executors.here(threads) if workers == 0 else executors.children(workers, threads)


def _complete(config: RunConfig) -> bool:
    from lend.training.opening import defaults_of, require_same_defaults  # these import torch, which takes a second
    from lend.training.own import build_method

    try:
        run = Run.find(config)
        if run is None or not run.complete:
            return False
        require_same_defaults(run, defaults_of(build_method(config), config))
    except (OSError, ValueError):
        return False  # its training fails with this error, and the sweep reports it
    return True


def _trained(waiting: deque[RunConfig], executor: Executor, view: _View) -> Iterator[tuple[RunConfig, str | None]]:
    """Yield each run when it has finished, with None, or has failed, with its error."""
    running: dict[Future[Any], RunConfig] = {}
    taken: list[RunConfig] = []  # by another sweep: looked at again when the others are done
    while waiting or taken or running:
        if not (waiting or running):
            time.sleep(POLL)
            waiting, taken = deque(taken), []
        while waiting and len(running) < executor.slots:
            config = waiting.popleft()
            running[executor.submit(config)] = config
        ended, _ = wait(running, POLL, FIRST_COMPLETED)
        for future in ended:
            config, error = running.pop(future), _error(future)
            if isinstance(error, InUseError):
                taken.append(config)
            else:
                yield config, None if error is None else f"{error}"
        view.update(running.values())


def _error(future: Future[Any]) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError:
        raise ConnectionError("the scheduler is gone; the same command goes on from what is saved") from None


class _View:
    """One progress bar for all runs: their epochs, and the number of runs done, running and failed."""

    def __init__(self, configs: list[RunConfig], progress: bool) -> None:
        self.counts = {config.hash: min(epochs_done(config.folder), config.epochs) for config in configs}
        self.done = sum(self.counts[config.hash] == config.epochs for config in configs)
        self.failed = 0
        total, initial = sum(config.epochs for config in configs), sum(self.counts.values())
        self.bar = tqdm(total=total, initial=initial, unit="epoch", desc=f"{len(configs)} runs", disable=not progress)

    def __enter__(self) -> _View:
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    def ended(self, config: RunConfig, error: str | None) -> None:
        self._count(config)
        self.done += error is None
        self.failed += error is not None
        if error is not None:
            self.bar.write(f"failed: {config.folder.name}: {error}")

    def update(self, running: Iterable[RunConfig]) -> None:
        running = list(running)
        for config in running:
            self._count(config)
        self.bar.set_postfix_str(f"{self.done} done, {len(running)} running, {self.failed} failed")

    def _count(self, config: RunConfig) -> None:
        now = epochs_done(config.folder)
        self.bar.update(now - self.counts[config.hash])
        self.counts[config.hash] = now
