"""A noise by its name: its transition matrix where one is known, and the given labels of a data set."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from lend.inputs import nearest_name, require, require_name
from lend.noise.checks import check_labels, check_matrix, check_rate
from lend.noise.drawing import corrupt
from lend.noise.flips import ASYMMETRIC
from lend.noise.instance import instance_dependent
from lend.noise.matrices import asymmetric, pair, symmetric

# Spellings of `draw`; the upper-case words stand for the user's own.
NOISES = (
    "none",
    "symmetric",
    "symmetric-inclusive",
    "pair",
    "asymmetric",
    "asymmetric:NAME",
    "instance",
    "human:NAME",
    "matrix:PATH.npy",
)


@runtime_checkable
class Labelled(Protocol):
    """What `draw` needs of a data set; `lend.data.Dataset` has it."""

    @property
    def name(self) -> str:
        """Name of the data set."""

    @property
    def train_images(self) -> Any:  # noqa: ANN401 (an array or tensor)
        """Images (n, channels, height, width)."""

    @property
    def train_labels(self) -> Any:  # noqa: ANN401
        """True labels (n,)."""

    @property
    def human_labels(self) -> Mapping[str, Any]:
        """Labels (n,) by the name of their annotators."""

    @property
    def class_names(self) -> Sequence[str]:
        """The c names of the classes, in the order of the labels: a map of asymmetric noise goes by them."""

    @property
    def num_classes(self) -> int:
        """Number of classes c."""


def known_matrix(dataset: Labelled, noise: str, rate: float) -> np.ndarray | None:
    """The transition matrix behind a noise of `draw`, where one is known before drawing.

    Args:
        dataset: The data set; its name chooses the map of "asymmetric", which goes by its class names.
        noise: A noise as `draw` takes it.
        rate: Noise rate in [0, 1]; "none" and "matrix:..." do not use it.

    Returns:
        Matrix (c, c), float64; None for "instance" and "human:NAME", which no one matrix describes.

    Raises:
        ValueError: If the noise is unknown, rate lies outside [0, 1], the map is for other class names, or the matrix
            for another c.
        FileNotFoundError: If the file of "matrix:PATH.npy" is missing.
    """
    check_rate(rate)
    c = dataset.num_classes
    kind, argument = _parse(noise, dataset)
    enough = c >= 2 or kind in ("none", "human", "matrix")
    require(enough, f"data set {dataset.name!r}", f"of at least 2 classes for noise {noise}", c)
    if kind == "none":
        return np.eye(c)
    if kind in ("symmetric", "symmetric-inclusive"):
        return symmetric(c, rate, include_true=kind == "symmetric-inclusive")
    if kind == "pair":
        return pair(c, rate)
    if kind == "asymmetric":
        return _asymmetric_for(dataset, argument, rate)
    if kind == "matrix":
        return _load_matrix(argument, c)
    return None


def draw(dataset: Labelled, noise: str, rate: float, seed: int) -> np.ndarray:
    """Draw the given labels of a data set's training examples.

    - "none": the labels as they are.
    - "symmetric", "symmetric-inclusive", "pair", "asymmetric", "asymmetric:NAME": see the functions; without NAME the
      data set's own name chooses the map, and in both cases its class names decide which label is which class.
    - "instance": `instance_dependent` on the training images.
    - "human:NAME": further labels that come with the data set, such as CIFAR-10N's "human:worse", with or without
      the ending "_label". Neither rate nor seed is used.
    - "matrix:PATH.npy": a transition matrix (c, c) saved with np.save. The rate is not used.

    On a data set whose clean labels are unknown (``dataset.clean`` is False) noise is added to the given labels:
    the realised rate is then relative to those, and unknown relative to the truth.

    Args:
        dataset: Has name, train_images, train_labels, num_classes, class_names and human_labels, as
            `lend.data.Dataset`.
        noise: One of the above.
        rate: Noise rate in [0, 1].
        seed: Seed of the noise alone, 0 to 2**32 - 1.

    Returns:
        Given labels (n,), int64, NumPy.

    Raises:
        ValueError: If the noise is unknown, rate or seed are out of range, the map is for other class names, or the
            matrix for another c.
        FileNotFoundError: If the file of "matrix:PATH.npy" is missing.
    """
    matrix = known_matrix(dataset, noise, rate)
    labels = check_labels("train_labels", dataset.train_labels, dataset.num_classes)
    kind, argument = _parse(noise, dataset)
    if kind == "human":
        return _human(dataset, argument)
    if kind == "instance":
        return instance_dependent(dataset.train_images, labels, rate, seed, dataset.num_classes)
    return corrupt(labels, matrix, seed)


def _parse(noise: str, dataset: Labelled) -> tuple[str, str]:
    """Split a noise into its kind and what follows the colon, refusing the unknown."""
    kind, _, argument = noise.partition(":")
    plain = noise in ("none", "symmetric", "symmetric-inclusive", "pair", "asymmetric", "instance")
    if not plain and not (kind in ("asymmetric", "human", "matrix") and argument):
        known = [n for n in NOISES if n.islower()] + [f"asymmetric:{name}" for name in ASYMMETRIC]
        require_name(noise, [*known, *_human_names(dataset), NOISES[-1]], "noise")
    return kind, argument


def _asymmetric_for(dataset: Labelled, name: str, rate: float) -> np.ndarray:
    """The map ``name``, or that of the data set's name where it is empty, in the order of the data set's classes."""
    if not name and dataset.name not in ASYMMETRIC:
        raise ValueError(
            f"noise: no asymmetric map for data set {dataset.name!r}; write asymmetric:NAME with one of "
            f"{', '.join(ASYMMETRIC)}, or matrix:PATH.npy with a matrix of your own"
        )
    try:
        return asymmetric(name or dataset.name, rate, dataset.class_names)
    except ValueError as error:
        raise ValueError(f"noise: data set {dataset.name!r}: {error}") from error


def _load_matrix(path: str, c: int) -> np.ndarray:
    """Read and check a (c, c) transition matrix from a .npy file; nothing in it is executed."""
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"noise: {path}: no such file; save a ({c}, {c}) transition matrix there with np.save")
    try:
        with open(path, "rb") as file:
            rows = check_matrix(np.load(file, allow_pickle=False))
    except Exception as error:  # a damaged file may raise anything
        reason = " ".join(str(error).split())
        raise ValueError(f"noise: {path}: expected a transition matrix saved with np.save; {reason}") from error
    require(len(rows) == c, f"noise: {path}", f"of shape ({c}, {c}) for {c} classes", rows.shape)
    return rows


def _human(dataset: Labelled, name: str) -> np.ndarray:
    """The data set's further labels of that name, with or without the ending "_label"."""
    found = [key for key in dataset.human_labels if name in (key, key.removesuffix("_label"))]
    if not found:
        names = _human_names(dataset)
        hint = nearest_name(f"human:{name}", names) if names else "it has no human labels"
        raise ValueError(f"noise: unknown 'human:{name}' for data set {dataset.name!r}; {hint}")
    labels = dataset.human_labels[name if name in found else found[0]]
    labels = check_labels(f"human_labels[{found[0]!r}]", labels, dataset.num_classes)
    n = len(dataset.train_labels)
    require(len(labels) == n, f"human_labels[{found[0]!r}]", f"{n} labels, one per training example", len(labels))
    return labels


def _human_names(dataset: Labelled) -> list[str]:
    """The noises "human:NAME" that the data set offers."""
    return [f"human:{key.removesuffix('_label')}" for key in dataset.human_labels]
