"""Sending the numbers of each epoch to a tracker that accelerate supports: TensorBoard, MLflow and others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from lend.inputs import extra, nearest_name
from lend.run import Run

Log = Callable[[Mapping[str, float], int], None]  # takes the numbers of an epoch, and its number


def check(name: str | None) -> None:
    """Raise ValueError unless the tracker is installed; None, no tracker, always passes."""
    if name is None:
        return
    with extra("train"):
        from accelerate.tracking import get_available_trackers

    installed = [str(tracker) for tracker in get_available_trackers()]
    if name not in installed:
        raise ValueError(f"tracker {name!r} is not installed; {nearest_name(name, installed)}")


@contextmanager
def log_to(name: str | None, run: Run) -> Iterator[Log]:
    """Open a tracker for a run; the value of the context sends it the numbers of an epoch.

    Args:
        name: Tracker that :func:`check` has found; None sends nothing.
        run: Names the tracked run; files of the tracker go into its folder.
    """
    if name is None:
        yield lambda row, epoch: None
        return
    with extra("train"):
        from accelerate import Accelerator

    tracker = Accelerator(log_with=name, project_dir=run.path / "tracking")
    settings = {key: v if isinstance(v, int | float | str) else str(v) for key, v in run.config.identity.items()}
    tracker.init_trackers(run.path.name, settings)
    try:
        yield lambda row, epoch: tracker.log(dict(row), step=epoch)
    finally:
        tracker.end_training()
