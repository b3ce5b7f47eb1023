"""Labels of the points over all epochs: how many are right, and the history of single examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Shaped

from lend.inputs import require

# Two kinds of predicted and diluted labels of an epoch, as the paper has them: Fig. 1 and 9 to 12, and Fig. 4
SOURCES = {"snapshot": "snapshot (evaluation mode)", "training": "training passes of the epoch"}


@dataclass(frozen=True, eq=False)
class History:
    """Labels of s examples over e epochs: codes, -1 where unknown. What was not recorded is None.

    Args:
        sample_ids: (s,) of the examples.
        epochs: In order.
        predicted: The network's labels in each epoch's training passes.
        diluted: The diluted labels.
        kept: Whether the method trained on the example.
        true: True labels.
        noisy: Noisy labels.
    """

    sample_ids: Shaped[np.ndarray, " s"]
    epochs: tuple[int, ...]
    predicted: Int[np.ndarray, "s e"] | None
    diluted: Int[np.ndarray, "s e"] | None
    kept: Bool[np.ndarray, "s e"] | None
    true: Int[np.ndarray, " s"] | None
    noisy: Int[np.ndarray, " s"] | None


class Chronicle:
    """Labels of m points at every epoch; each epoch is read once, at most 5 bytes a point of a run.

    Args:
        fixed: Labels that no epoch changes, by name.
        epochs: In order.
        read: Gives the other labels of an epoch, by name.
        after: Gives the labels after an epoch that take the place of those of the same name while :attr:`source` is
            "snapshot"; None where there are no such.

    Attributes:
        source: Whose labels :meth:`at` returns, a key of SOURCES; "" where there is no choice.
    """

    def __init__(
        self,
        fixed: Mapping[str, np.ndarray],
        epochs: Sequence[int],
        read: Callable[[int], Mapping[str, np.ndarray]],
        after: Callable[[int], Mapping[str, np.ndarray]] | None = None,
    ) -> None:
        self.fixed, self.epochs, self._read, self._after = fixed, tuple(epochs), read, after
        self.source = "" if after is None else "snapshot"
        self._kept: dict[int, Mapping[str, np.ndarray]] = {}

    def require_epoch(self, epoch: int) -> int:
        """Return the epoch as a plain integer.

        Raises:
            ValueError: If there is no such epoch; the message names those that there are.
        """
        first, last = self.epochs[0], self.epochs[-1]
        whole = self.epochs == tuple(range(first, last + 1))
        require(epoch in self.epochs, "epoch", f"from {first} to {last}" if whole else f"one of {self.epochs}", epoch)
        return int(epoch)

    def at(self, epoch: int) -> Mapping[str, np.ndarray]:
        """Return all labels at an epoch, (m,) by name: those that no epoch changes, and those of the source."""
        passes = self.passes(epoch)
        return passes if self._after is None or self.source != "snapshot" else {**passes, **self._after(epoch)}

    def passes(self, epoch: int) -> Mapping[str, np.ndarray]:
        """Return all labels at an epoch, (m,) by name, those of its training passes where there is a choice."""
        if epoch not in self._kept:
            self._kept[epoch] = {**self.fixed, **self._read(epoch)}
        return self._kept[epoch]

    def learned(self, epoch: int) -> Bool[np.ndarray, " m"]:
        """Return a mask of the points whose true label was predicted in the passes of an epoch before this one."""
        learned = np.zeros(len(self.fixed["true"]), bool)
        for earlier in self.epochs[: self.epochs.index(epoch)]:
            learned |= self.passes(earlier)["predicted"] == self.fixed["true"]
        return learned

    def accuracies(self, epoch: int) -> dict[str, float]:
        """Return the label accuracy of predicted, diluted and noisy labels, the share kept, and kept_precision.

        All are fractions of the points, NaN where unknown; kept_precision is the label accuracy of the kept points. The
        share kept is one of the points that the epoch saw.
        """
        labels = self.at(epoch)
        true, kept, unknown = labels.get("true"), labels.get("kept"), float("nan")
        result = {name: _accuracy(labels.get(name), true) for name in ("predicted", "diluted", "noisy")}
        precision = unknown if kept is None else _accuracy(labels.get("noisy"), true, kept)
        seen = None if kept is None else kept[labels.get("seen", slice(None))]
        share = unknown if seen is None or not len(seen) else float(seen.mean())
        return result | {"kept": share, "kept_precision": precision}

    def history(self, ids: Shaped[np.ndarray, " s"], positions: Int[np.ndarray, " s"]) -> History:
        """Return the labels of some points over all epochs, those of the training passes."""
        epochs = [self.passes(epoch) for epoch in self.epochs]
        lines = {
            name: np.stack([labels[name][positions] for labels in epochs], axis=1) if name in epochs[0] else None
            for name in ("predicted", "diluted", "kept")
        }
        fixed = {name: labels[positions] for name, labels in self.fixed.items()}
        return History(ids, self.epochs, **lines, true=fixed.get("true"), noisy=fixed.get("noisy"))


def _accuracy(labels: np.ndarray | None, true: np.ndarray | None, among: np.ndarray | None = None) -> float:
    if labels is None or true is None:
        return float("nan")
    known = (true >= 0) & (labels >= 0) & (True if among is None else among)
    return float((labels == true)[known].mean()) if known.any() else float("nan")
