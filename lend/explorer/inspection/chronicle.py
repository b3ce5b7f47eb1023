"""Labels of the points of maps over the epochs: how right they are, which points they single out, their history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Shaped

from lend.config import nearest_name

FILTERS = {
    "class": "the noisy label is this class",
    "mislabelled": "the noisy label is not the true one",
    "predicted differs": "the network predicts another class than the noisy label in this epoch",
    "dropped": "the method did not train on it in this epoch",
    "memorised": "the noisy label is wrong, and the network predicts it in this epoch",
    "learned then forgotten": "the noisy label is wrong, the network predicted the true one in an earlier epoch, and "
    "predicts the noisy one in this epoch",
}
NEEDS = {
    "class": ("noisy",),
    "mislabelled": ("true", "noisy"),
    "predicted differs": ("predicted", "noisy"),
    "dropped": ("kept",),
    "memorised": ("true", "noisy", "predicted"),
    "learned then forgotten": ("true", "noisy", "predicted"),
}


@dataclass(frozen=True, eq=False)
class History:
    """Labels of some examples over all epochs; codes, -1 where unknown. What was not recorded is None.

    Args:
        sample_ids: Of the examples.
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
    """

    def __init__(
        self, fixed: Mapping[str, np.ndarray], epochs: Sequence[int], read: Callable[[int], Mapping[str, np.ndarray]]
    ) -> None:
        self.fixed, self.epochs, self._read = fixed, tuple(epochs), read
        self._known: dict[int, Mapping[str, np.ndarray]] = {}

    def at(self, epoch: int) -> Mapping[str, np.ndarray]:
        """The labels that change, at an epoch."""
        if epoch not in self._known:
            self._known[epoch] = self._read(epoch)
        return self._known[epoch]

    def accuracies(self, epoch: int) -> dict[str, float]:
        """predicted, diluted and noisy label accuracy, share kept, kept_precision; fractions, NaN where unknown."""
        labels = {**self.fixed, **self.at(epoch)}
        true, kept, unknown = labels.get("true"), labels.get("kept"), float("nan")
        result = {name: _accuracy(labels.get(name), true) for name in ("predicted", "diluted", "noisy")}
        precision = unknown if kept is None else _accuracy(labels.get("noisy"), true, kept)
        return result | {"kept": unknown if kept is None else float(kept.mean()), "kept_precision": precision}

    @property
    def wrong(self) -> Bool[np.ndarray, " m"]:
        """Points whose noisy label is not the true one; not those of which one is unknown."""
        true, noisy = self.fixed["true"], self.fixed["noisy"]
        return (noisy != true) & (true >= 0) & (noisy >= 0)

    def found(self, name: str, epoch: int, code: int | None = None) -> Bool[np.ndarray, " m"]:
        """The points that a filter finds, of all or of the noisy label of this code.

        Raises:
            ValueError: If the filter is unknown, or labels that it wants are not there.
        """
        if name not in FILTERS:
            raise ValueError(f"unknown filter {name!r}; {nearest_name(name, FILTERS)}")
        labels = {**self.fixed, **self.at(epoch)}
        for kind in (*NEEDS[name], *(() if code is None else ("noisy",))):
            if kind not in labels:
                raise ValueError(
                    f"the filter {name!r} needs {kind!r}, which is not there; there are {', '.join(labels)}"
                )
        if name == "class":
            found = labels["noisy"] >= 0
        elif name == "dropped":
            found = ~labels["kept"]
        elif name == "predicted differs":
            found = (labels["predicted"] != labels["noisy"]) & (labels["predicted"] >= 0) & (labels["noisy"] >= 0)
        else:
            found = self.wrong
        if name in ("memorised", "learned then forgotten"):
            found = found & (labels["predicted"] == labels["noisy"])
        if name == "learned then forgotten":
            found = found & self._learned(epoch)
        return found if code is None else found & (labels["noisy"] == code)

    def _learned(self, epoch: int) -> Bool[np.ndarray, " m"]:
        """Points whose true label was predicted in an earlier epoch."""
        learned = np.zeros(len(self.fixed["true"]), bool)
        for earlier in self.epochs[: self.epochs.index(epoch)]:
            learned |= self.at(earlier)["predicted"] == self.fixed["true"]
        return learned

    def history(self, ids: Shaped[np.ndarray, " s"], positions: Int[np.ndarray, " s"]) -> History:
        """Labels of some points over all epochs."""
        epochs = [self.at(epoch) for epoch in self.epochs]
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
