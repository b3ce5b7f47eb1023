"""A recorder for anybody's training loop: it leaves a run like those that lend trains."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch

from lend.dilution import one_hot, prior_weights
from lend.inputs import Checks, Dilution, NamedConfig, is_whole, read_index, read_mask, read_rows, require, require_name
from lend.recording.batches import Batches, Rows, merge
from lend.recording.given import Given, read_given
from lend.recording.opening import open_or_create, require_usable
from lend.recording.processes import Processes
from lend.recording.results import MISSING, Examples, make_result, read_numbers
from lend.recording.saving import Saver
from lend.run import Run, writing

SCOPES = ("batch", "dataset")
RESUME = "True, False, or the number of epochs to keep"
SMALL = ("predicted", "kept")  # what an epoch keeps of each example, without its embeddings and logits


class Recorder:
    """Record a training loop, whatever it is, as a run: tables, figures, maps and the explorer open it like any other.

    Call :meth:`batch` for every batch of training examples and :meth:`epoch` after each pass. Diluted labels (Eq. (1)
    to (4)) and dominant labels (Definition 1) are computed here. An epoch is saved whole or not at all, by a thread; a
    loop that was stopped or killed at any moment goes on with ``resume=True`` after :attr:`epochs_done`. A recorder
    that recorded nothing leaves a run without epochs.

    The newest rows of all examples are kept until the epoch ends, on the device of the first batch: n (d + c) numbers
    of 4 bytes. Where torch.distributed is initialised, every process makes the recorder, gives it its own rows and ends
    every epoch; the first one writes. Of an example that is seen several times in an epoch the last row counts; of one
    that several processes see, that of the last process.

    What is not given is missing in the run, never zero: an accuracy is NaN, a label -1. So are the labels of an example
    that an epoch did not see; it counts in no accuracy of the epoch, and is in no snapshot of it.

    Args:
        folder: Folder of the run, made at once; the one above it is a folder of runs.
        labels: (n,) given labels of the training examples: codes 0..c-1 or names of classes, -1 or missing where
            unlabelled. An unlabelled example has no vote.
        true_labels: (n,) true labels of the same kind, missing where unknown.
        class_names: c names in the order of the logits; the labels themselves if not given.
        sample_ids: (n,) integers or strings, all different; the index of the labels, or positions, if not given.
        note: What a reader must know, such as "ViT-S, Lightning".
        dataset: Name of the data, for tables; that of the folder if not given.
        method: What the loop does, for tables and figures.
        noise: What is known of the noise, such as "symmetric"; "given" says nothing.
        noise_rate: Its rate; needed where the noise is named, such as "pair".
        seed: Number that tells this run from repeated ones.
        scope: "batch": labels are diluted among the rows of each call of :meth:`batch`, as lend trains. "dataset":
            among all examples of the epoch, at its end.
        dilution: Settings of the dilution; the paper's if not given.
        resume: Go on with the run in the folder, if there is one. A number, such as that of the epoch of the loop's own
            checkpoint, keeps so many epochs of it and removes later ones.

    Raises:
        ValueError: If an argument is wrong, before anything is written, or the run that is to go on has others, or is
            not there where some of its epochs are to be kept.
        FileExistsError: If the folder holds something else, or a run and ``resume`` is not given.
        InUseError: If another recorder writes to it.
        DamagedFileError: If a file of the run that is to go on is damaged.

    Attributes:
        path: The folder.
        class_names: One per class, in the order of the logits.
        epochs_done: Number of epochs recorded; the newest may not be on the disk yet, see :meth:`wait`.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> folder = Path(tempfile.mkdtemp()) / "mine"
        >>> features = np.random.default_rng(0).random((20, 3))
        >>> with Recorder(folder, labels=[0, 1] * 10) as recorder:
        ...     recorder.batch(np.arange(20), embeddings=features)
        ...     recorder.epoch(train_loss=0.7, snapshot=True)
        >>> Run.open(folder)
        Run(mine: 1 epochs, snapshots [1])
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        labels: Any,  # noqa: ANN401 (arrays of any library here and below)
        true_labels: Any = None,  # noqa: ANN401
        class_names: Iterable[Any] | None = None,
        sample_ids: Any = None,  # noqa: ANN401
        note: str = "",
        dataset: str | None = None,
        method: str = "recorded",
        noise: str = "given",
        noise_rate: float | None = None,
        seed: int = 0,
        scope: str = "batch",
        dilution: Dilution | None = None,
        resume: bool | int = False,
    ) -> None:
        require(isinstance(folder, str | os.PathLike), "folder", "a path", folder)
        self.path = Path(folder).absolute()
        require(isinstance(resume, bool) or (is_whole(resume) and resume >= 0), "resume", RESUME, resume)
        require_name(scope, SCOPES, "scope")
        require(dilution is None or isinstance(dilution, Dilution), "dilution", "a lend.Dilution", dilution)
        named = {"dataset": self.path.name if dataset is None else dataset, "method": method, "noise": noise}
        for name, value in named.items():
            require(isinstance(value, str) and bool(value.strip()), name, "a name", value)
        rated = noise.partition(":")[0] not in ("given", "none", "human", "matrix")
        allowed = "given where the noise has a rate, such as 'pair', and only there"
        require(rated == (noise_rate is not None), "noise_rate", allowed, noise_rate)
        config = NamedConfig(
            dataset=named["dataset"],
            method=method,
            noise=noise,
            noise_rate=noise_rate or 0.0,
            seed=seed,
            note=note,
            dilution=dilution or Dilution(),
            epochs=1,  # as many as will be committed, which nobody knows yet
            snapshots=(),
            runs=str(self.path.parent),
        )
        given = read_given(labels, true_labels, class_names, sample_ids)
        self.class_names = given.class_names
        self._here = self._examples = _examples(given, config.dilution)
        self._scope, self._checks, self._batches = scope, Checks(), Batches(len(given))
        self._with_logits: bool | None = None  # in the batches of this epoch
        self._warned, self._closed = False, False
        self._open = ExitStack()
        self._saver: Saver | None = None  # in the process that writes
        self._processes = Processes()
        begin = partial(open_or_create, self.path, config, given, scope, resume)
        opened = self._processes.share(self._processes.first(lambda: self._begin(begin, resume)))
        assert opened is not None  # the first process says what it has opened
        self.epochs_done, self._features = opened
        self._start = time.perf_counter()

    def _begin(self, begin: partial[tuple[Run, int]], resume: bool | int) -> tuple[int, int | None]:
        """Take hold of the folder; the epochs that are there, and the width of their embeddings, if one is saved."""
        require_usable(self.path, resume)
        with ExitStack() as stack:
            stack.enter_context(writing.lock(self.path, f"{self.path} is being recorded"))
            run, done = begin()
            saved = run.epochs[-1:]
            features = run.snapshot(*saved).sizes["feature"] if saved else None
            self._saver = stack.enter_context(Saver(partial(writing.commit, run)))
            self._open = stack.pop_all()
        return done, features

    # --- While the loop runs ----------------------------------------------------------------------------------------

    def batch(
        self,
        index: Any,  # noqa: ANN401
        *,
        embeddings: Any,  # noqa: ANN401
        logits: Any = None,  # noqa: ANN401
        kept: Any = None,  # noqa: ANN401
    ) -> None:
        """Record a batch of training examples, in any order, from any device.

        A batch of at most k examples has no diluted and dominant labels, which a warning says once.

        Args:
            index: (b,) positions of the examples in ``labels``, each once.
            embeddings: (b, d) last hidden layer, finite numbers.
            logits: (b, c), finite numbers; in all batches of an epoch or in none: then predicted labels are missing.
            kept: (b,) bool, which examples the loss used; all if not given.

        Raises:
            ValueError: Naming the argument; the recorder is as before. On a device other than the CPU, a position that
                is out of range or repeated and numbers that are not finite are found by :meth:`epoch`.
        """
        self._require_open()
        with torch.inference_mode(False), torch.no_grad():
            positions = read_index(index, len(self._examples.noisy), self._checks)
            b, c = len(positions), self._examples.classes
            V = read_rows(embeddings, "embeddings", b, self._features, self._checks)
            outputs = None if logits is None else read_rows(logits, "logits", b, c, self._checks).to(V.device)
            mask = torch.ones(b, dtype=torch.bool, device=V.device) if kept is None else read_mask(kept, b)
            same = self._with_logits in (None, outputs is not None)
            require(same, "logits", "given in all batches of an epoch or in none", "both")
            positions = positions.to(V.device)
            rows = {"embeddings": V, "kept": mask.to(V.device)}
            if outputs is None:
                rows["predicted"] = torch.full_like(positions, MISSING)
            else:
                rows |= {"logits": outputs, "predicted": outputs.argmax(dim=1)}
            if self._scope == "batch":
                rows["diluted"], rows["dominant"] = self._on(V.device).labels(V, positions)
                self._warn_if_few(b)
            self._batches.add(positions, rows)
        self._features, self._with_logits = V.shape[1], outputs is not None

    def epoch(
        self,
        *,
        train_loss: Any = float("nan"),  # noqa: ANN401
        test_accuracy: Any = float("nan"),  # noqa: ANN401
        snapshot: bool = False,
        **numbers: Any,  # noqa: ANN401
    ) -> None:
        """End an epoch: what its batches brought is saved by a thread, and counts when all of it is on the disk.

        Args:
            train_loss: Mean loss of the epoch; NaN where unknown.
            test_accuracy: Fraction of the test set; NaN where there is none.
            snapshot: Save the embeddings, logits and diluted distribution of the examples that were seen.
            numbers: Further columns of the history, such as ``learning_rate=0.1``; names that end in _accuracy are
                fractions.

        Raises:
            ValueError: If a number is wrong, or a row of a batch was: then the rows of the epoch are forgotten.
            OSError: If an earlier epoch could not be written.
            RuntimeError: If another of several processes failed.
        """
        self._require_open()
        rows, row, failure = {}, {}, None
        try:
            require(isinstance(snapshot, bool | np.bool_), "snapshot", "True or False", snapshot)
            row = read_numbers({"train_loss": train_loss, "test_accuracy": test_accuracy, **numbers})
            rows = self._rows(bool(snapshot))
        except Exception as error:
            failure = error
        self._processes.agree(failure)
        parts = self._processes.gather(rows)
        self._processes.first(lambda: self._save(parts, row, bool(snapshot)))
        self._forget()
        self.epochs_done += 1

    def _rows(self, snapshot: bool) -> Rows:
        """The rows of this process that the first one needs."""
        try:
            self._checks.settle()
        except ValueError:
            self._forget()
            raise
        names = SMALL + (("diluted", "dominant") if self._scope == "batch" else ())
        names += ("embeddings",) if snapshot or self._scope == "dataset" else ()
        names += ("logits",) if snapshot and self._with_logits else ()
        return self._batches.rows(names)

    def _save(self, parts: list[Rows], row: dict[str, float], snapshot: bool) -> None:
        rows = merge(parts, len(self._examples.noisy))
        require(bool(rows), "epoch", "called after its batches", "no batch")
        device = self._batches.device
        rows = {name: values.to(device) for name, values in rows.items()}
        if self._scope == "dataset":
            self._warn_if_few(len(rows["index"]))
        seconds = time.perf_counter() - self._start
        with torch.inference_mode(False), torch.no_grad():
            result = make_result(self.epochs_done + 1, rows, self._on(device), row, seconds, snapshot)
        assert self._saver is not None
        self._saver.save([result], None)
        self._start = time.perf_counter()

    def _forget(self) -> None:
        self._batches.clear()
        self._with_logits = None

    def _on(self, device: torch.device) -> Examples:
        if self._here.noisy.device != device:
            self._here = self._examples.to(device)
        return self._here

    def _warn_if_few(self, count: int) -> None:
        k = self._examples.settings.k
        if count <= k and not self._warned:
            self._warned = True
            part = "a batch" if self._scope == "batch" else "an epoch"
            text = f"{part} of {count} examples, none with k = {k} neighbours, has no diluted and dominant labels"
            warnings.warn(text, stacklevel=3)

    # --- The end ----------------------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Wait until all recorded epochs are on the disk: before the loop saves a checkpoint of its own, for instance.

        Raises:
            OSError: If one could not be written.
        """
        self._require_open()
        self._processes.first(lambda: self._saver.wait() if self._saver else None)

    def close(self) -> None:
        """Wait as :meth:`wait`, and let go of the folder; leaving the ``with`` does it.

        Rows of an epoch that was not ended are not saved, which a warning says.
        """
        if self._closed:
            return
        if self._batches.any:
            text = f"rows after epoch {self.epochs_done} are not saved: epoch() was not called"
            warnings.warn(text, stacklevel=2)
        self._closed = True
        self._processes.first(self._open.close)

    def __enter__(self) -> Recorder:
        self._require_open()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        elif not self._closed:  # the other processes may never come here
            self._closed = True
            self._open.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"Recorder({self.path.name}: {self.epochs_done} epochs)"

    def _require_open(self) -> None:
        require(not self._closed, "recorder", "open", "one that was closed")


def _examples(given: Given, dilution: Dilution) -> Examples:
    noisy = torch.from_numpy(given.noisy)
    true = torch.from_numpy(given.true) if (given.true >= 0).any() else None
    weights = prior_weights(dilution.class_prior, one_hot(noisy[noisy >= 0], len(given.class_names)))
    return Examples(noisy, true, weights, dilution)
