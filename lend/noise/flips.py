"""The maps of asymmetric noise: which class flips to which."""

# The fine classes of CIFAR-100's 20 superclasses (Krizhevsky, 2009), in the alphabetical order of the fine names.
CIFAR100_SUPERCLASSES = (
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
        fine: group[(place + 1) % 5] for group in CIFAR100_SUPERCLASSES for place, fine in enumerate(group)
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
