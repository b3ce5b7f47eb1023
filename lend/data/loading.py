"""A data set by its name, or by format and path.

`load` reads every format; nothing in a file is ever executed, the checksummed CIFAR archives aside, which
torchvision verifies before it reads them.
"""

from collections.abc import Callable
from pathlib import Path

from lend.data.animal10n import read_animal10n
from lend.data.cifar import read_cifar
from lend.data.dataset import Dataset
from lend.data.digits import read_digits
from lend.data.files import full_path
from lend.data.folders import read_folder
from lend.data.npz import read_npz
from lend.data.parquet import read_parquet
from lend.inputs import require_name

_NAMED: dict[str, Callable[[Path, bool], Dataset]] = {
    "digits": read_digits,
    "cifar10": lambda folder, download: read_cifar("cifar10", folder, download),
    "cifar100": lambda folder, download: read_cifar("cifar100", folder, download),
    "animal10n": read_animal10n,
}
_FORMATS: dict[str, Callable[[Path], Dataset]] = {"folder": read_folder, "parquet": read_parquet, "npz": read_npz}


def load(name: str, folder: str | Path = "data", download: bool = False) -> Dataset:
    """Load a data set by name, or from files of your own by format and path.

    - ``digits``: scikit-learn's 1,797 digits of 8x8 pixels, 80 % for training; part of scikit-learn.
    - ``cifar10``, ``cifar100``: the original archives in ``folder``; CIFAR-N's human labels where
      ``CIFAR-10_human.pt`` or ``CIFAR-100_human.pt`` lies in ``folder``.
    - ``animal10n``: the release in ``folder``/animal10n, in any of its three layouts; clean labels unknown.
    - ``folder:PATH``: PATH/train/CLASS/*.png and PATH/test/CLASS/*.png, also in further folders, or whatever else
      Pillow decodes; images of one size.
    - ``parquet:PATH``: PATH-train.parquet and PATH-test.parquet, or PATH/train*.parquet and PATH/test*.parquet, with
      columns of encoded images and of labels.
    - ``npz:PATH``: arrays train_images, train_labels, test_images and test_labels in one file, class_names and
      sample_ids where they are known.

    Data sets read from a PATH are named after its last part, and get the class names of a known data set of that
    name where the file has none and the number of classes agrees. Labels are integers or text; the classes are those
    of the training labels. What is left out (files that are no images, classes without an example, further frames of
    an image, columns of labels of something else) is told in a warning.

    Args:
        name: One of the above. A PATH is relative to the working directory.
        folder: Where archives are looked for and downloaded to.
        download: Let torchvision fetch CIFAR where it is missing.

    Returns:
        The data set, on the CPU.

    Raises:
        ValueError: If the name is unknown, a file is not what was expected, a label is missing, or a class has test
            examples alone.
        FileNotFoundError: If a file is missing; the message says how to get it.
    """
    kind, colon, path = name.partition(":")
    if colon and path and kind in _FORMATS:
        return _FORMATS[kind](full_path(path))
    if name not in _NAMED:
        require_name(name, [*_NAMED, *(f"{kind}:PATH" for kind in _FORMATS)], "dataset")
    return _NAMED[name](Path(folder).expanduser(), download)
