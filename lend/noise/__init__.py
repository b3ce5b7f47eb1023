"""Label noise: transition matrices, noisy labels drawn from a seed, and the noise that a set really holds.

In every matrix T[i, j] = P(given label j | true label i): row i is the true class and rows sum to one.
Every generator starts from the true labels, all at once; drawing class after class on labels that were
already changed flips some twice. Random streams come from ``np.random.RandomState``, which NumPy keeps
frozen, so that a seed means the same labels for ever.
"""

from lend.noise.drawing import corrupt
from lend.noise.flips import ASYMMETRIC, ASYMMETRIC_CLASSES
from lend.noise.instance import instance_dependent
from lend.noise.matrices import asymmetric, pair, symmetric
from lend.noise.named import NOISES, Labelled, draw, known_matrix
from lend.noise.own import as_noisy
from lend.noise.realised import empirical_matrix, realised_rate

__all__ = [
    "ASYMMETRIC",
    "ASYMMETRIC_CLASSES",
    "NOISES",
    "Labelled",
    "as_noisy",
    "asymmetric",
    "corrupt",
    "draw",
    "empirical_matrix",
    "instance_dependent",
    "known_matrix",
    "pair",
    "realised_rate",
    "symmetric",
]
