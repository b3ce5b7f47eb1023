"""Label noise: transition matrices, noisy labels drawn from a seed, and the noise that a set really holds.

In every matrix T[i, j] = P(given label j | true label i): row i is the true class and rows sum to one.
Every generator starts from the true labels, all at once; drawing class after class on labels that were
already changed flips some twice. Random streams come from ``np.random.RandomState``, which NumPy keeps
frozen, so that a seed means the same labels for ever.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from lend.config import nearest_name

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

# The fine classes of CIFAR-100's 20 superclasses (Krizhevsky, 2009), in the alphabetical order of the fine names.
_CIFAR100_SUPERCLASSES = (
    (4, 30, 55, 72, 95),
    (1, 32, 67, 73, 91),
    (54, 62, 70, 82, 92),
    (9, 10, 16, 28, 61),
    (0, 51, 53, 57, 83),
    (22, 39, 40, 86, 87),
    (5, 20, 25, 84, 94),
    (6, 7, 14, 18, 24),
    (3, 42, 43, 88, 97),
    (12, 17, 37, 68, 76),
    (23, 33, 49, 60, 71),
    (15, 19, 21, 31, 38),
    (34, 63, 64, 66, 75),
    (26, 45, 77, 79, 99),
    (2, 11, 35, 46, 98),
    (27, 29, 44, 78, 93),
    (36, 50, 65, 74, 80),
    (47, 52, 56, 59, 96),
    (8, 13, 48, 58, 90),
    (41, 69, 81, 85, 89),
)
_CIFAR100_BLOCK = {i: 5 * (i // 5) + (i % 5 + 1) % 5 for i in range(100)}

# name -> {true class: class it flips to}; the classes that are not keys never flip. See `asymmetric`.
ASYMMETRIC: dict[str, dict[int, int]] = {
    "cifar10": {9: 1, 2: 0, 3: 5, 5: 3, 4: 7},
    "cifar10-exchange": {9: 1, 1: 9, 2: 0, 0: 2, 3: 5, 5: 3, 4: 7, 7: 4},
    "cifar100-block": _CIFAR100_BLOCK,
    "cifar100": _CIFAR100_BLOCK,
    "cifar100-superclass": {
        fine: group[(place + 1) % 5] for group in _CIFAR100_SUPERCLASSES for place, fine in enumerate(group)
    },
    "digits": {1: 8, 8: 1, 3: 7, 4: 6, 5: 9},
}
ASYMMETRIC_CLASSES: dict[str, int] = {
    "cifar10": 10,
    "cifar10-exchange": 10,
    "cifar100-block": 100,
    "cifar100": 100,
    "cifar100-superclass": 100,
    "digits": 10,
}


@runtime_checkable
class Labelled(Protocol):
    """What `draw` needs of a data set; `lend.data.Dataset` has it."""

    name: str
    train_images: Any
    train_labels: Any
    human_labels: Mapping[str, Any]

    @property
    def num_classes(self) -> int:
        """Number of classes c."""


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
    _check_classes(c)
    _check_rate(rate)
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
    _check_classes(c)
    _check_rate(rate)
    return _flip_matrix({i: (i + 1) % c for i in range(c)}, c, rate)


def asymmetric(name: str, rate: float) -> np.ndarray:
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

    Returns:
        Matrix (c, c), float64.

    Raises:
        ValueError: If the name is unknown or rate lies outside [0, 1].
    """
    if name not in ASYMMETRIC:
        raise ValueError(f"name: no asymmetric map {name!r}; {nearest_name(name, ASYMMETRIC)}")
    _check_rate(rate)
    return _flip_matrix(ASYMMETRIC[name], ASYMMETRIC_CLASSES[name], rate)


def corrupt(labels: Any, matrix: Any, seed: int) -> Any:  # noqa: ANN401
    """Draw a noisy label for every true one, independently, from its row of a transition matrix.

    The stream is that of Co-teaching's code and its successors: one ``RandomState(seed)``, one multinomial draw
    per example in their order. So seed 0 gives the very labels used in that line of papers.

    Args:
        labels: True labels (n,), integers in 0..c-1; NumPy, torch or a list.
        matrix: Transition matrix (c, c), row = true class.
        seed: Of the noise alone, 0 to 2**32 - 1.

    Returns:
        Noisy labels (n,), int64; NumPy, or torch on the same device where labels are torch.

    Raises:
        ValueError: If the matrix is not square, has a negative or non-finite entry or a row that does not sum to
            one within 1e-6; if labels are not integers of shape (n,) inside 0..c-1; if the seed is out of range.
    """
    rows = _check_matrix(matrix)
    clean = _check_labels("labels", labels, len(rows))
    stream = _stream(seed)
    noisy = np.fromiter((stream.multinomial(1, rows[y]).argmax() for y in clean), np.int64, len(clean))
    return _as_given(noisy, labels)


def instance_dependent(images: Any, labels: Any, rate: float, seed: int, num_classes: int | None = None) -> Any:  # noqa: ANN401
    """Part-dependent noise (Xia et al., 2020, arXiv:2006.07836, algorithm 2): the image decides how a label flips.

        q_i ~ normal(r, 0.1²) truncated to [0, 1],   W_y in R^(d x c) standard normal, one per true class y
        u = x_i W_{y_i}, u_{y_i} = -inf,   P(given | i) = q_i softmax(u), and 1 - q_i for the true class

    x is the image with one mean and one standard deviation of the whole set removed, so uint8 and the same values
    scaled to [0, 1] give the same labels, and the order of the axes does not matter for these two numbers. With
    d = 3,072 the logits u still spread by sqrt(d) = 55, as in the published generators: on CIFAR-10 the likeliest
    target takes 98 % of softmax(u) on average, so an image that flips has in effect one target, and similar
    images share it.

    Truncation moves the mean of q within 0.2 of 0 and 1 (r = 0.1 realises 0.129): report `realised_rate`.
    Rate 0 is taken as no noise.

    Args:
        images: Images or vectors (n, ...), uint8 or floats; NumPy or torch. Held as float64 one class at a time.
        labels: True labels (n,), integers.
        rate: Mean flip probability r, in [0, 1].
        seed: Of the noise alone, 0 to 2**32 - 1.
        num_classes: Number of classes c; the largest label plus one where it is None.

    Returns:
        Noisy labels (n,), int64; NumPy, or torch on the same device where labels are torch.

    Raises:
        ValueError: If rate, labels, seed or num_classes are out of range, or images are of another length, of no
            number type, or not finite.
    """
    _check_rate(rate)
    clean = _check_labels("labels", labels, num_classes)
    c = int(clean.max()) + 1 if num_classes is None else num_classes
    _check_classes(c)
    vectors = _check_images(images, len(clean))
    stream = _stream(seed)
    flip = _truncated_normal(stream, rate, 0.1, len(clean)) if rate > 0 else np.zeros(len(clean))
    uniform = stream.random_sample(len(clean))
    mean, std = _mean_std(vectors)
    noisy = clean.copy()
    for label in range(c):
        weights = stream.standard_normal((vectors.shape[1], c))  # drawn for absent classes too: one stream for all
        members = np.flatnonzero(clean == label)
        if len(members):
            logits = ((vectors[members].astype(np.float64) - mean) / std) @ weights
            noisy[members] = _flip_by_logits(logits, label, flip[members], uniform[members])
    return _as_given(noisy, labels)


def realised_rate(clean: Any, noisy: Any) -> float:  # noqa: ANN401
    """Share of the labels that differ from the clean ones.

    Args:
        clean: True labels (n,), integers.
        noisy: Given labels (n,), integers.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: If the two are no integers (n,) of the same length, n >= 1.
    """
    clean, noisy = _check_both(clean, noisy, None)
    return float(np.mean(clean != noisy))


def empirical_matrix(clean: Any, noisy: Any, c: int) -> np.ndarray:  # noqa: ANN401
    """The transition matrix that two label sets realise: T[i, j] = share of j among the examples of true class i.

    Args:
        clean: True labels (n,), integers in 0..c-1.
        noisy: Given labels (n,), integers in 0..c-1.
        c: Number of classes.

    Returns:
        Matrix (c, c), float64. Rows sum to one; the row of a class without examples is zero.

    Raises:
        ValueError: If the two are no integers (n,) of the same length inside 0..c-1.
    """
    clean, noisy = _check_both(clean, noisy, c)
    counts = np.bincount(clean * c + noisy, minlength=c * c).reshape(c, c)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def known_matrix(dataset: Labelled, noise: str, rate: float) -> np.ndarray | None:
    """The transition matrix behind a noise of `draw`, where one is known before drawing.

    Args:
        dataset: The data set; its name chooses the map of "asymmetric".
        noise: A noise as `draw` takes it.
        rate: Noise rate in [0, 1]; "none" and "matrix:..." do not use it.

    Returns:
        Matrix (c, c), float64; None for "instance" and "human:NAME", which no one matrix describes.

    Raises:
        ValueError: If the noise is unknown, rate lies outside [0, 1], or the map or matrix is for another c.
        FileNotFoundError: If the file of "matrix:PATH.npy" is missing.
    """
    _check_rate(rate)
    c = dataset.num_classes
    kind, argument = _parse(noise, dataset)
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
      data set's own name chooses the map.
    - "instance": `instance_dependent` on the training images.
    - "human:NAME": further labels that come with the data set, such as CIFAR-10N's "human:worse", with or without
      the ending "_label". Neither rate nor seed is used.
    - "matrix:PATH.npy": a transition matrix (c, c) saved with np.save. The rate is not used.

    On a data set whose clean labels are unknown (``dataset.clean`` is False) noise is added to the given labels:
    the realised rate is then relative to those, and unknown relative to the truth.

    Args:
        dataset: Has name, train_images, train_labels, num_classes and human_labels, as `lend.data.Dataset`.
        noise: One of the above.
        rate: Noise rate in [0, 1].
        seed: Of the noise alone, 0 to 2**32 - 1.

    Returns:
        Given labels (n,), int64, NumPy.

    Raises:
        ValueError: If the noise is unknown, rate or seed are out of range, or the map or matrix is for another c.
        FileNotFoundError: If the file of "matrix:PATH.npy" is missing.
    """
    matrix = known_matrix(dataset, noise, rate)
    labels = _numpy(dataset.train_labels)
    kind, argument = _parse(noise, dataset)
    if kind == "human":
        return _human(dataset, argument)
    if kind == "instance":
        return instance_dependent(dataset.train_images, labels, rate, seed, dataset.num_classes)
    return corrupt(labels, matrix, seed)


def _flip_matrix(targets: Mapping[int, int], c: int, rate: float) -> np.ndarray:
    """Identity with ``rate`` moved from the diagonal to one target in each row of ``targets``."""
    matrix = np.eye(c)
    for source, target in targets.items():
        matrix[source, source] = 1 - rate
        matrix[source, target] = rate
    return matrix


def _truncated_normal(stream: np.random.RandomState, mean: float, std: float, n: int) -> np.ndarray:
    """Draw n normal numbers and draw anew those outside [0, 1]; a mean inside keeps half of each round at least."""
    values = stream.normal(mean, std, n)
    while (outside := (values < 0) | (values > 1)).any():
        values[outside] = stream.normal(mean, std, outside.sum())
    return values


def _flip_by_logits(logits: np.ndarray, label: int, flip: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Labels (m,) of examples of one class, by inverse cumulative probability from one uniform number each."""
    logits[:, label] = -np.inf
    logits -= logits.max(axis=1, keepdims=True)
    probability = np.exp(logits)
    probability *= (flip / probability.sum(axis=1))[:, None]
    probability[:, label] = 1 - flip
    drawn = (uniform[:, None] >= probability.cumsum(axis=1)).sum(axis=1)
    return np.minimum(drawn, logits.shape[1] - 1)  # the last sum may be 1 - 1e-16


def _mean_std(vectors: np.ndarray, rows: int = 1000) -> tuple[float, float]:
    """Mean and standard deviation over all entries of (n, d), in float64, without a float64 copy of them all."""
    parts = [vectors[start : start + rows] for start in range(0, len(vectors), rows)]
    mean = sum(part.sum(dtype=np.float64) for part in parts) / vectors.size
    if not np.isfinite(mean):
        raise ValueError("images: expected finite values, got NaN or infinity")
    variance = sum(np.square(part.astype(np.float64) - mean).sum() for part in parts) / vectors.size
    return mean, variance**0.5 or 1.0


def _parse(noise: str, dataset: Labelled) -> tuple[str, str]:
    """Split a noise into its kind and what follows the colon, refusing the unknown."""
    kind, colon, argument = noise.partition(":")
    plain = noise in ("none", "symmetric", "symmetric-inclusive", "pair", "asymmetric", "instance")
    if plain or (kind in ("asymmetric", "human", "matrix") and argument):
        return kind, argument
    known = [n for n in NOISES if n.islower()] + [f"asymmetric:{name}" for name in ASYMMETRIC]
    raise ValueError(f"noise: unknown {noise!r}; {nearest_name(noise, [*known, *_human_names(dataset), NOISES[-1]])}")


def _asymmetric_for(dataset: Labelled, name: str, rate: float) -> np.ndarray:
    """The map ``name``, or that of the data set's name where it is empty, for a data set of as many classes."""
    if not name and dataset.name not in ASYMMETRIC:
        raise ValueError(
            f"noise: no asymmetric map for data set {dataset.name!r}; write asymmetric:NAME with one of "
            f"{', '.join(ASYMMETRIC)}, or matrix:PATH.npy with a matrix of your own"
        )
    matrix = asymmetric(name or dataset.name, rate)
    if len(matrix) != dataset.num_classes:
        raise ValueError(
            f"noise: the asymmetric map {name or dataset.name!r} is for {len(matrix)} classes, "
            f"but data set {dataset.name!r} has {dataset.num_classes}"
        )
    return matrix


def _load_matrix(path: str, c: int) -> np.ndarray:
    """Read and check a (c, c) transition matrix from a .npy file; nothing in it is executed."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"noise: {path}: no such file; save a ({c}, {c}) transition matrix there with np.save")
    try:
        with open(path, "rb") as file:
            rows = _check_matrix(np.load(file, allow_pickle=False))
    except Exception as error:  # a damaged file may raise anything
        reason = " ".join(str(error).split())
        raise ValueError(f"noise: {path}: expected a transition matrix saved with np.save; {reason}") from error
    if len(rows) != c:
        raise ValueError(f"noise: {path}: expected shape ({c}, {c}) for {c} classes, got {rows.shape}")
    return rows


def _human(dataset: Labelled, name: str) -> np.ndarray:
    """The data set's further labels of that name, with or without the ending "_label"."""
    found = [key for key in dataset.human_labels if name in (key, key.removesuffix("_label"))]
    if not found:
        names = _human_names(dataset)
        hint = nearest_name(f"human:{name}", names) if names else "it has no human labels"
        raise ValueError(f"noise: unknown 'human:{name}' for data set {dataset.name!r}; {hint}")
    labels = dataset.human_labels[name if name in found else found[0]]
    return _check_labels(f"human_labels[{found[0]!r}]", labels, dataset.num_classes)


def _human_names(dataset: Labelled) -> list[str]:
    """The noises "human:NAME" that the data set offers."""
    return [f"human:{key.removesuffix('_label')}" for key in dataset.human_labels]


def _numpy(values: Any) -> np.ndarray:  # noqa: ANN401
    """NumPy view of an array, list or torch tensor, without importing torch."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)


def _as_given(result: np.ndarray, given: Any) -> Any:  # noqa: ANN401
    """Torch for torch, on its device; NumPy otherwise."""
    if not hasattr(given, "detach"):
        return result
    import torch

    return torch.from_numpy(result).to(given.device)


def _stream(seed: int) -> np.random.RandomState:
    """The frozen generator of a seed."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed: expected an integer from 0 to {2**32 - 1}, got {seed!r}")
    return np.random.RandomState(seed)


def _check_classes(c: int) -> None:
    if isinstance(c, bool) or not isinstance(c, int | np.integer) or c < 2:
        raise ValueError(f"c: expected a number of classes of at least 2, got {c!r}")


def _check_rate(rate: float) -> None:
    if not isinstance(rate, int | float | np.number) or not 0 <= rate <= 1:  # also false for NaN
        raise ValueError(f"rate: expected a number in [0, 1], got {rate!r}")


def _check_labels(name: str, labels: Any, c: int | None) -> np.ndarray:  # noqa: ANN401
    """Labels as int64 (n,), n >= 1, inside 0..c-1 (from 0 up where c is None)."""
    array = _numpy(labels)
    if array.ndim != 1 or not len(array) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name}: expected integers of shape (n,), n >= 1, got {array.dtype} of shape {array.shape}")
    low, high = int(array.min()), int(array.max())
    if low < 0 or (c is not None and high >= c):
        allowed = "0 or more" if c is None else f"0 to {c - 1} ({c} classes)"
        raise ValueError(f"{name}: expected values {allowed}, got {low} to {high}")
    return array.astype(np.int64)


def _check_both(clean: Any, noisy: Any, c: int | None) -> tuple[np.ndarray, np.ndarray]:  # noqa: ANN401
    """Both label sets as int64 (n,), of one length."""
    clean, noisy = _check_labels("clean", clean, c), _check_labels("noisy", noisy, c)
    if len(clean) != len(noisy):
        raise ValueError(f"noisy: expected {len(clean)} labels, as many as clean, got {len(noisy)}")
    return clean, noisy


def _check_matrix(matrix: Any) -> np.ndarray:  # noqa: ANN401
    """A transition matrix as float64 (c, c) whose rows sum to one as closely as multinomial draws ask."""
    rows = _numpy(matrix)
    if rows.ndim != 2 or rows.shape[0] != rows.shape[1] or rows.dtype.kind not in "fiu":
        raise ValueError(f"matrix: expected real numbers of shape (c, c), got {rows.dtype} of shape {rows.shape}")
    rows = rows.astype(np.float64)
    if not (np.isfinite(rows).all() and (rows >= 0).all()):
        raise ValueError(f"matrix: expected finite entries of at least 0, got {rows.min()} to {rows.max()}")
    sums = rows.sum(axis=1)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > 1e-6:
        raise ValueError(f"matrix: expected rows (true classes) that sum to 1, row {worst} sums to {sums[worst]:.6g}")
    # Rows already within rounding stay bit for bit: dividing them could change a published noise stream.
    return np.where(np.abs(sums - 1)[:, None] > 1e-12, rows / sums[:, None], rows)


def _check_images(images: Any, n: int) -> np.ndarray:  # noqa: ANN401
    """Images as numbers (n, d)."""
    array = _numpy(images)
    if array.ndim < 2 or len(array) != n or array.dtype.kind not in "fiu":
        raise ValueError(f"images: expected numbers of shape ({n}, ...), got {array.dtype} of shape {array.shape}")
    return array.reshape(n, -1)
