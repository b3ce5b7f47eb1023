"""Transition matrices by their formulas: symmetric, pair and asymmetric noise."""

from collections.abc import Mapping, Sequence

import numpy as np

from lend.inputs import as_count, require, require_name
from lend.noise.checks import MOST_CLASSES, check_rate
from lend.noise.flips import FLIPS


def symmetric(c: int, rate: float, include_true: bool = False) -> np.ndarray:
    """Symmetric noise: a label moves to any other class with equal probability.

        T_ii = 1 - r,  T_ij = r / (c - 1)            true class excluded (Patrini, Co-teaching, JoCoR, SIGUA, LEND)
        T_ii = 1 - r + r / c,  T_ij = r / c          true class included (DivideMix, ELR, SOP, UNICON)

    Args:
        c: Number of classes, at least 2.
        rate: Share r of the labels that move, or are redrawn, in [0, 1].
        include_true: Redraw over all classes: the realised rate is then r (1 - 1/c).

    Returns:
        Matrix (c, c), float64.

    Raises:
        ValueError: If c < 2 or rate lies outside [0, 1].
    """
    c = as_count(c, "c", least=2, most=MOST_CLASSES)
    check_rate(rate)
    if include_true:
        return (1 - rate) * np.eye(c) + rate / c
    matrix = np.full((c, c), rate / (c - 1))
    np.fill_diagonal(matrix, 1 - rate)
    return matrix


def pair(c: int, rate: float) -> np.ndarray:
    """Pair noise: class i moves to i + 1 (mod c) with probability ``rate`` (Han et al., 2018, arXiv:1804.06872).

    Args:
        c: Number of classes, at least 2.
        rate: Share of the labels that move, in [0, 1].

    Returns:
        Matrix (c, c), float64.

    Raises:
        ValueError: If c < 2 or rate lies outside [0, 1].
    """
    c = as_count(c, "c", least=2, most=MOST_CLASSES)
    check_rate(rate)
    return flip_matrix({i: (i + 1) % c for i in range(c)}, c, rate)


def asymmetric(name: str, rate: float, class_names: Sequence[str] | None = None) -> np.ndarray:
    """Asymmetric noise: some classes move to one similar class with probability ``rate``.

    The maps are in `ASYMMETRIC`:

    - ``cifar10`` (Patrini et al., 2017, arXiv:1609.03683): truck -> automobile, bird -> airplane, cat <-> dog,
      deer -> horse. Five classes never flip, so the overall rate is r / 2. LEND's text writes deer <-> horse;
      every public generator has deer -> horse only, and so have we.
    - ``cifar10-exchange``: the same pairs, each in both directions, so that no class gains labels from another and the
      given labels stay as even as the true ones. The overall rate is 0.8 r.
    - ``cifar100-block`` (also ``cifar100``): the next fine class inside blocks of five *indices*, cyclic, as in
      Patrini, JoCoR, ELR and SOP. Fine indices are alphabetical: only 6 of the 100 flips stay in a superclass.
    - ``cifar100-superclass``: the next fine class inside the true superclass, cyclic, as in MOIT and Sel-CL.
      Numbers of the two CIFAR-100 kinds are not comparable.
    - ``digits`` (scikit-learn's 8x8 digits): 1 <-> 8, 3 -> 7, 4 -> 6, 5 -> 9; the form of CIFAR-10's map. Among all
      maps of one mutual pair and three flips into distinct classes that never flip, it covers the most
      5-fold cross-validated errors of nearest centroid, 5 nearest neighbours and logistic regression together
      (108 of 441).

    Args:
        name: One of `ASYMMETRIC`.
        rate: Share of the labels of a flipping class that move, in [0, 1].
        class_names: The names of the map's classes in the order of your labels; if not given, in the order of the
            original data set. The map goes by these names and never by position.

    Returns:
        Matrix (c, c), float64.

    Raises:
        ValueError: If the name is unknown, rate lies outside [0, 1], or the class names are not those of the map.
    """
    require_name(name, FLIPS, "asymmetric map")
    check_rate(rate)
    classes, flips = FLIPS[name]
    names = list(classes if class_names is None else class_names)
    _check_names(name, classes, names)
    return flip_matrix({names.index(source): names.index(flips[source]) for source in flips}, len(names), rate)


def _check_names(name: str, classes: Sequence[str], names: Sequence[str]) -> None:
    """Refuse class names that are not those of a map, each once, and name what differs."""
    differing = {
        "unknown": [given for given in names if given not in classes],
        "missing": [own for own in classes if own not in names],
        "repeated": sorted({given for given in names if names.count(given) > 1}),
    }
    got = "; ".join(f"{what}: {_some(which)}" for what, which in differing.items() if which)
    allowed = f"the {len(classes)} classes of the asymmetric map {name!r}, in any order"
    require(not got, "class_names", allowed, f"{len(names)} names, {got}")


def _some(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(str, names[:10])) + more


def flip_matrix(targets: Mapping[int, int], c: int, rate: float) -> np.ndarray:
    """Identity with ``rate`` moved from the diagonal to one target in each row of ``targets``."""
    matrix = np.eye(c)
    for source, target in targets.items():
        matrix[source, source] = 1 - rate
        matrix[source, target] = rate
    return matrix
