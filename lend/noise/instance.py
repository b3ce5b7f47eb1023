"""Noise that depends on the image and not on its class alone."""

from typing import Any

import numpy as np

from lend.inputs import as_count, require
from lend.noise.checks import MOST_CLASSES, as_given, check_images, check_labels, check_rate, random_stream


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
        seed: Seed of the noise alone, 0 to 2**32 - 1.
        num_classes: Number of classes c; the largest label plus one where it is None.

    Returns:
        Noisy labels (n,), int64; NumPy, or torch on the same device where labels are torch.

    Raises:
        ValueError: If rate, labels, seed or num_classes are out of range, or images are of another length, of no
            number type, or not finite.
    """
    check_rate(rate)
    if num_classes is not None:
        as_count(num_classes, "num_classes", least=2)
    clean = check_labels("labels", labels, num_classes)
    c = as_count(int(clean.max()) + 1 if num_classes is None else num_classes, "num_classes", least=2)
    require(c <= MOST_CLASSES, "labels", f"codes of at most {MOST_CLASSES:,} classes", c - 1)
    vectors = check_images(images, len(clean))
    stream = random_stream(seed)
    flip = truncated_normal(stream, rate, 0.1, len(clean)) if rate > 0 else np.zeros(len(clean))
    uniform = stream.random_sample(len(clean))
    mean, std = _mean_std(vectors)
    noisy = clean.copy()
    for label in range(c):
        weights = stream.standard_normal((vectors.shape[1], c))  # drawn for absent classes too: one stream for all
        members = np.flatnonzero(clean == label)
        if len(members):
            logits = ((vectors[members].astype(np.float64) - mean) / std) @ weights
            noisy[members] = _flip_by_logits(logits, label, flip[members], uniform[members])
    return as_given(noisy, labels)


def truncated_normal(stream: np.random.RandomState, mean: float, std: float, n: int) -> np.ndarray:
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
    require(bool(np.isfinite(mean)), "images", "of finite values", "NaN or infinity")
    variance = sum(np.square(part.astype(np.float64) - mean).sum() for part in parts) / vectors.size
    return mean, variance**0.5 or 1.0
