"""The maps of asymmetric noise: which class flips to which, written by name."""

from collections.abc import Mapping, Sequence

CIFAR10 = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())
DIGITS = tuple("0123456789")

# The fine classes of CIFAR-100's 20 superclasses (Krizhevsky, 2009), each in alphabetical order.
_SUPERCLASSES = tuple(
    tuple(line.split())
    for line in """
    beaver dolphin otter seal whale
    aquarium_fish flatfish ray shark trout
    orchid poppy rose sunflower tulip
    bottle bowl can cup plate
    apple mushroom orange pear sweet_pepper
    clock keyboard lamp telephone television
    bed chair couch table wardrobe
    bee beetle butterfly caterpillar cockroach
    bear leopard lion tiger wolf
    bridge castle house road skyscraper
    cloud forest mountain plain sea
    camel cattle chimpanzee elephant kangaroo
    fox porcupine possum raccoon skunk
    crab lobster snail spider worm
    baby boy girl man woman
    crocodile dinosaur lizard snake turtle
    hamster mouse rabbit shrew squirrel
    maple_tree oak_tree palm_tree pine_tree willow_tree
    bicycle bus motorcycle pickup_truck train
    lawn_mower rocket streetcar tank tractor
    """.strip().splitlines()
)
CIFAR100 = tuple(sorted(name for group in _SUPERCLASSES for name in group))  # labels count in alphabetical order
CIFAR100_SUPERCLASSES = tuple(tuple(CIFAR100.index(name) for name in group) for group in _SUPERCLASSES)


def _cycles(groups: Sequence[Sequence[str]]) -> dict[str, str]:
    """Every class to the next one of its group, the last to the first."""
    return {name: group[(i + 1) % len(group)] for group in groups for i, name in enumerate(group)}


_BLOCKS = _cycles([CIFAR100[start : start + 5] for start in range(0, 100, 5)])
_PAIRS = {"truck": "automobile", "bird": "airplane", "cat": "dog", "dog": "cat", "deer": "horse"}

# name -> classes in the order of their labels, and {true class: class it flips to}. See `asymmetric`.
FLIPS: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "cifar10": (CIFAR10, _PAIRS),
    "cifar10-exchange": (CIFAR10, {**{target: source for source, target in _PAIRS.items()}, **_PAIRS}),
    "cifar100-block": (CIFAR100, _BLOCKS),
    "cifar100": (CIFAR100, _BLOCKS),
    "cifar100-superclass": (CIFAR100, _cycles(_SUPERCLASSES)),
    "digits": (DIGITS, {"1": "8", "8": "1", "3": "7", "4": "6", "5": "9"}),
}

# The same as numbers of the classes in that order; the classes that are not keys never flip.
ASYMMETRIC: dict[str, dict[int, int]] = {
    name: {classes.index(source): classes.index(target) for source, target in flips.items()}
    for name, (classes, flips) in FLIPS.items()
}
ASYMMETRIC_CLASSES: dict[str, int] = {name: len(classes) for name, (classes, _) in FLIPS.items()}
