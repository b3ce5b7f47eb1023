"""Labels as a file writes them, as codes of the classes that exist: the last thing before a data set of one's own."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lend.data.names import CLASS_NAMES
from lend.inputs import Labels, as_labels, require


@dataclass(frozen=True)
class Classes:
    """What `settle_classes` makes of labels: codes (n,), int64, of all parts, and one name per class."""

    train: np.ndarray
    test: np.ndarray
    further: dict[str, np.ndarray]
    names: tuple[str, ...]


def read_labels(values: Any, place: str) -> Labels:  # noqa: ANN401
    """Labels (n,) of integers, booleans or text, of any kind of `as_labels`, none of them missing.

    Raises:
        ValueError: If they are of another kind or one is missing; it names the place.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that -1 stands for a missing label: here it is refused
        labels = as_labels(values, place)
    missing = int(labels.missing.sum())
    allowed = "complete, since every example of a data set needs its label"
    require(not missing, place, allowed, f"{missing:,} missing of {len(labels):,}")
    return labels


def join_labels(parts: Sequence[Labels], place: str) -> Labels:
    """The labels of several files, one after another, in one encoding."""
    kinds = {isinstance(part.names[0], str) for part in parts}
    require(len(kinds) == 1, place, "all integers or all text", "both in several files")
    return as_labels(np.concatenate([written(part) for part in parts]), place)


def written(labels: Labels) -> np.ndarray:
    """The labels as the file has them (n,): integers, booleans or text."""
    return np.array(labels.names, dtype=object if isinstance(labels.names[0], str) else None)[labels.codes]


def settle_classes(
    name: str,
    place: str,
    train: Labels,
    test: Labels,
    class_names: Sequence[str] | None = None,
    further: Mapping[str, Labels] | None = None,
) -> Classes:
    """Close the labels of a data set up to the classes that exist.

    Class names of the source, or else those of a known data set of this name and as many classes, are meant by
    position where labels are integers. Without such names a class is called as its label is written. A class without a
    training example is none: a warning names it, where the source or a gap between the integers speaks of it.

    Args:
        name: Of the data set.
        place: Of its source, for errors and warnings.
        train: Training labels, complete.
        test: Test labels, complete.
        class_names: The names that the source has of its classes, or None.
        further: Other labels of the training examples. Those that are no classes of the data set are left out, which
            a warning says.

    Raises:
        ValueError: If labels are of two kinds, or one is no class of the training set.
    """
    text = [isinstance(part.names[0], str) for part in (train, test)]
    require(text[0] == text[1], f"{place}: test_labels", "of the kind of train_labels", f"{test.names[:1]}")
    if not text[0]:
        require(train.names[0] >= 0, f"{place}: train_labels", "0 or more", train.names[0])
    names = class_names or _known_names(name, train, test)
    classes: dict[Any, str]  # written label -> name
    if names is None:
        classes = {label: str(label) for label in train.names}
        _tell_gaps(place, train.names)
    elif text[0]:
        classes = {label: label for label in names}
    else:
        classes = dict(enumerate(names))
    if names is not None:
        allowed = f"of the class names {_some(names)}"
        allowed = allowed if text[0] else f"0 to {len(names) - 1}, the indices of {len(names)} class names"
        for part, labels in (("train_labels", train), ("test_labels", test)):
            unknown = [label for label in labels.names if label not in classes]
            require(not unknown, f"{place}: {part}", allowed, _some(unknown))
    kept = _of_these_classes(place, further or {}, classes)
    used = {label for labels in (train, *kept.values()) for label in labels.names}
    unused = [called for label, called in classes.items() if label not in used]
    only_test = [label for label in test.names if label not in used]
    allowed = "of classes that have training examples"
    require(not only_test, f"{place}: test_labels", allowed, _some([classes.get(label, label) for label in only_test]))
    if unused:
        warnings.warn(f"{place}: classes without a training example are left out: {_some(unused)}", stacklevel=2)
    existing = [label for label in classes if label in used]
    code = {label: i for i, label in enumerate(existing)}

    def codes(labels: Labels) -> np.ndarray:
        return np.array([code[label] for label in labels.names], np.int64)[labels.codes]

    others = {column: codes(labels) for column, labels in kept.items()}
    return Classes(codes(train), codes(test), others, tuple(classes[label] for label in existing))


def _known_names(name: str, train: Labels, test: Labels) -> tuple[str, ...] | None:
    """The class names of the known data set of this name, where the integers count as many."""
    known = CLASS_NAMES.get(name)
    if known is None or isinstance(train.names[0], str):
        return None
    return known if len(known) == 1 + max(train.names[-1], test.names[-1]) else None


def _tell_gaps(place: str, labels: Sequence[Any]) -> None:
    """Warn where integers leave some between them out."""
    if isinstance(labels[0], str) or labels[-1] - labels[0] + 1 == len(labels):
        return
    present, first = set(labels), labels[0]
    absent = [str(label) for label in range(first, min(labels[-1], first + 1000)) if label not in present]
    warnings.warn(
        f"{place}: labels run from {first} to {labels[-1]}, but these do not occur and are no classes: {_some(absent)}",
        stacklevel=3,
    )


def _of_these_classes(place: str, further: Mapping[str, Labels], classes: Mapping[Any, str]) -> dict[str, Labels]:
    kept = {}
    for column, labels in further.items():
        other = [label for label in labels.names if label not in classes]
        if other:
            warnings.warn(
                f"{place}: column {column!r} is left out, since these labels are no classes: {_some(other)}",
                stacklevel=3,
            )
        else:
            kept[column] = labels
    return kept


def _some(labels: Sequence[Any]) -> str:
    """The first of some labels, and how many more there are."""
    more = f" and {len(labels) - 10:,} more" if len(labels) > 10 else ""
    return ", ".join(map(str, labels[:10])) + more
