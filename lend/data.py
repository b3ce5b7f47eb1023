"""Data sets as arrays: images as one uint8 tensor, labels as another, and what the source tells about them.

An experiment on labels is then one assignment, and a batch is one gather. `load` reads every format; nothing in
a file is ever executed, the checksummed CIFAR archives aside, which torchvision verifies before it reads them.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from lend.config import nearest_name, require

CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "digits": tuple("0123456789"),
    "cifar10": tuple("airplane automobile bird cat deer dog frog horse ship truck".split()),
    "cifar100": tuple(
        """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
        castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
        elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
        man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
        pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
        skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
        tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm""".split()
    ),
    "animal10n": (
        "cat",
        "lynx",
        "wolf",
        "coyote",
        "cheetah",
        "jaguar",
        "chimpanzee",
        "orangutan",
        "hamster",
        "guinea pig",
    ),
}

ANIMAL10N_SIZES = (50_000, 5_000)  # training and test images of the release (Song et al., ICML 2019)
_ANIMAL10N_SHAPE = (3, 64, 64)
_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff", ".gif")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels of a training and a test set.

    Args:
        name: What it is called in tables and where a noise is looked up by name.
        train_images: (n, channels, height, width), uint8.
        train_labels: (n,), int64: the clean labels, or the given ones where ``clean`` is False.
        test_images: (m, channels, height, width), uint8.
        test_labels: (m,), int64.
        class_names: One name per class.
        sample_ids: (n,), int64: position of each example in the training set of the source.
        human_labels: Further labels (n,), int64, of the training examples, by name.
        clean: Whether ``train_labels`` are known to be the true ones.

    Raises:
        ValueError: If shapes, types or lengths disagree, or a label is no index of ``class_names``.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]
    sample_ids: Tensor
    human_labels: Mapping[str, Tensor] = field(default_factory=dict)
    clean: bool = True

    def __post_init__(self) -> None:
        for part, images in (("train_images", self.train_images), ("test_images", self.test_images)):
            fits = images.ndim == 4 and images.dtype == torch.uint8 and images.numel() > 0
            got = f"{images.dtype} of shape {tuple(images.shape)}"
            require(fits, part, "non-empty uint8 of shape (n, channels, height, width)", got)
        train, test = tuple(self.train_images.shape[1:]), tuple(self.test_images.shape[1:])
        require(train == test, "test_images", f"of the shape of the training images, {train}", test)
        n, c = len(self.train_images), len(self.class_names)
        _check_labels("train_labels", self.train_labels, n, c)
        _check_labels("test_labels", self.test_labels, len(self.test_images), c)
        _check_labels("sample_ids", self.sample_ids, n, None)
        for name, labels in self.human_labels.items():
            _check_labels(f"human_labels[{name!r}]", labels, n, c)

    def __len__(self) -> int:
        """Number n of training examples."""
        return len(self.train_labels)

    @property
    def num_classes(self) -> int:
        """Number c of classes."""
        return len(self.class_names)

    def subset(self, n: int, seed: int = 0) -> Dataset:
        """A stratified random part of the training set; the test set is kept whole.

        Each class keeps its share by the largest remainder, so there are exactly n examples. They stay in the
        order of their sample ids.

        Args:
            n: Training examples to keep, 1 to len(self).
            seed: Of this choice alone.

        Returns:
            A data set of the same name.

        Raises:
            ValueError: If n is no integer from 1 to the number of training examples.
        """
        valid = isinstance(n, Integral) and not isinstance(n, bool) and 1 <= n <= len(self)
        require(valid, "n", f"an integer from 1 to {len(self)}, the number of training examples", n)
        kept = torch.from_numpy(_stratified(self.train_labels.numpy(), n, seed))
        return self.take(kept[self.sample_ids[kept].argsort(stable=True)])

    def take(self, positions: Tensor) -> Dataset:
        """The training examples at these positions (m,), in their order; the test set is kept whole."""
        return replace(
            self,
            train_images=self.train_images[positions],
            train_labels=self.train_labels[positions],
            sample_ids=self.sample_ids[positions],
            human_labels={name: labels[positions] for name, labels in self.human_labels.items()},
        )

    def mean_std(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel of the training images scaled to [0, 1].

        Counted from a histogram of the 256 values, so no float copy of the images is made. A constant channel
        gets the standard deviation 1, so that one can always divide.

        Returns:
            Mean (channels,) and standard deviation (channels,), float32.
        """
        values = torch.arange(256, dtype=torch.float64) / 255
        counts = [torch.bincount(channel.flatten(), minlength=256) for channel in self.train_images.unbind(1)]
        share = torch.stack(counts).double() / counts[0].sum()
        mean = share @ values
        std = (share * (values - mean[:, None]) ** 2).sum(dim=1).sqrt()
        return mean.float(), torch.where(std > 0, std, 1.0).float()


def load(name: str, folder: str | Path = "data", download: bool = False) -> Dataset:
    """Load a data set by name, or from files of your own by format and path.

    - ``digits``: scikit-learn's 1,797 digits of 8x8 pixels, 80 % for training; part of scikit-learn.
    - ``cifar10``, ``cifar100``: the original archives in ``folder``; CIFAR-N's human labels where
      ``CIFAR-10_human.pt`` or ``CIFAR-100_human.pt`` lies in ``folder``.
    - ``animal10n``: the release in ``folder``/animal10n, in any of its three layouts; clean labels unknown.
    - ``folder:PATH``: PATH/train/CLASS/*.png and PATH/test/CLASS/*.png (or other formats), images of one size.
    - ``parquet:PATH``: PATH-train.parquet and PATH-test.parquet, or PATH/train*.parquet and PATH/test*.parquet.
    - ``npz:PATH``: arrays train_images, train_labels, test_images and test_labels in one file.

    Data sets read from a PATH are named after its last part, and get the class names of a known data set of that
    name where the file has none and the number of classes agrees.

    Args:
        name: One of the above. A PATH is relative to the working directory.
        folder: Where archives are looked for and downloaded to.
        download: Let torchvision fetch CIFAR where it is missing.

    Returns:
        The data set, on the CPU.

    Raises:
        ValueError: If the name is unknown, or a file is not what was expected.
        FileNotFoundError: If a file is missing; the message says how to get it.
    """
    kind, colon, path = name.partition(":")
    if colon and path and kind in _FORMATS:
        return _FORMATS[kind](Path(path).expanduser())
    if name in _NAMED:
        return _NAMED[name](Path(folder).expanduser(), download)
    formats = [f"{kind}:PATH" for kind in _FORMATS]
    raise ValueError(f"dataset: unknown {name!r}; {nearest_name(name, [*_NAMED, *formats])}")


# Digits and CIFAR


def _digits(folder: Path, download: bool) -> Dataset:
    """scikit-learn's digits: values 0..16 stretched to 0..255, a fixed stratified split, 1,438 and 359 images."""
    from sklearn.datasets import load_digits

    source = load_digits()
    images = torch.from_numpy(np.rint(source.images * (255 / 16)).astype(np.uint8))[:, None]
    labels = source.target.astype(np.int64)
    train = _stratified(labels, round(0.8 * len(labels)), seed=0)
    test = np.setdiff1d(np.arange(len(labels)), train)
    return _dataset("digits", (images[train], labels[train]), (images[test], labels[test]))


def _cifar(name: str, folder: Path, download: bool) -> Dataset:
    """CIFAR-10 or CIFAR-100 from the original archive, with CIFAR-N's labels where their file is there."""
    from torchvision import datasets

    source = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    unpacked = folder / source.base_folder
    if not download and not unpacked.is_dir():
        raise FileNotFoundError(
            f"{unpacked}: no such folder; pass download=True (--download true), "
            f"unpack {source.filename} ({source.url}) in {folder}, or read your own copy with parquet:PATH or npz:PATH"
        )
    try:
        parts = [source(str(folder), train=train, download=download) for train in (True, False)]
    except (RuntimeError, OSError) as error:
        raise ValueError(
            f"{unpacked}: expected the unaltered files of {source.filename} ({source.url}); delete the folder and pass "
            f"download=True, or unpack the archive there again ({_line(error)})"
        ) from error
    train, test = ((torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), part.targets) for part in parts)
    human_file = folder / {"cifar10": "CIFAR-10_human.pt", "cifar100": "CIFAR-100_human.pt"}[name]
    human = read_human_labels(human_file, np.asarray(train[1])) if human_file.exists() else {}
    return _dataset(name, train, test, tuple(parts[0].classes), human, source=human_file if human else unpacked)


def read_human_labels(path: str | Path, clean_labels: np.ndarray) -> dict[str, np.ndarray]:
    """Read the human labels of CIFAR-N (Wei et al., ICLR 2022, arXiv:2110.12088) for images in a known order.

    The file is what ``torch.save`` makes of a dict of NumPy arrays. It is a pickle, which could run code when read
    by torch or NumPy; this reader builds arrays of integers and nothing else.

    Args:
        path: CIFAR-10_human.pt or CIFAR-100_human.pt.
        clean_labels: True labels (n,) of the training set, in the order of the images.

    Returns:
        Labels (n,), int64, by their name in the file; without the clean ones and those of superclasses.

    Raises:
        ValueError: If the file is damaged, holds anything but integer arrays, or its ``clean_label`` are not the
            given ones, in this order.
        FileNotFoundError: If the file is missing.
    """
    get = "download it anew from github.com/UCSC-REAL/cifar-10-100n"
    path = _existing(path, f"to use human labels, {get}")
    try:
        with zipfile.ZipFile(path) as archive:
            (inner,) = (name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl")
            content = _ArrayUnpickler(io.BytesIO(archive.read(inner))).load()
        arrays = {str(name): value.integers() for name, value in content.items()}
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(f"{path}: expected a torch file of integer arrays; {get} ({_line(error)})") from error
    if "clean_label" not in arrays or not np.array_equal(arrays["clean_label"], clean_labels):
        raise ValueError(
            f"{path}: expected clean_label equal to the {len(clean_labels)} labels of the data set in its original "
            f"order, since labels of another order would belong to other images; {get}"
        )
    human = {name: labels for name, labels in arrays.items() if name != "clean_label" and "coarse" not in name}
    for name, labels in human.items():
        if labels.shape != clean_labels.shape:
            raise ValueError(f"{path}: {name}: expected {len(clean_labels)} labels, got shape {labels.shape}; {get}")
    return human


class _PickledDtype:
    """Stands for ``numpy.dtype`` in a pickle: keeps its code and byte order."""

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]


class _PickledArray:
    """Stands for ``numpy.ndarray`` in a pickle: keeps shape, type and bytes."""

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.dtype, self.fortran, self.raw = state

    def integers(self) -> np.ndarray:
        """The array, where it is one of integers of one axis, as int64 (n,)."""
        dtype = np.dtype(self.dtype.code)
        if dtype.kind not in "iu" or len(self.shape) != 1:
            raise ValueError(f"expected integers of shape (n,), got {self.dtype.code} of shape {self.shape}")
        order = self.dtype.order if self.dtype.order in "<>" else "="
        return np.frombuffer(self.raw, dtype.newbyteorder(order)).reshape(self.shape).astype(np.int64)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads containers, numbers, text and NumPy arrays; every array function is replaced by one that only records."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        """The stand-in for an allowed name; every other name is refused before anything is imported."""
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return lambda kind, shape, code: _PickledArray()
        allowed = {
            ("numpy", "ndarray"): _PickledArray,
            ("numpy", "dtype"): _PickledDtype,
            ("_codecs", "encode"): lambda text, encoding="latin1": text.encode("latin1"),
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which label arrays do not need")
        return allowed[module, name]


# Animal-10N


def _animal10n(folder: Path, download: bool) -> Dataset:
    """Animal-10N (Song et al., ICML 2019) in its raw, class-folder or binary layout."""
    roots = [folder / "animal10n", folder / "animal-10n"]
    root = next((root for root in roots if root.is_dir()), None)
    get = "ask for it at dm.kaist.ac.kr/datasets/animal-10n"
    if root is None:
        raise FileNotFoundError(f"{roots[0]}: no such folder; {get} and unpack it there")
    layouts = {
        ("training", "testing"): _animal10n_raw,
        ("train", "test"): _animal10n_folders,
        ("data_batch_1.bin", "test_batch.bin"): _animal10n_binary,
    }
    found = [names for names in layouts if all((root / name).exists() for name in names)]
    if not found:
        wanted = "; ".join(" and ".join(names) for names in layouts)
        raise FileNotFoundError(f"{root}: expected one of these pairs: {wanted}; {get}")
    read, paths = layouts[found[0]], [root / name for name in found[0]]
    parts = []
    for path, size in zip(paths, ANIMAL10N_SIZES, strict=True):
        images, labels = read(path)
        for what, fits, wanted in (
            (f"{len(labels)} images", len(labels) == size, f"{size} images"),
            (f"images {tuple(images.shape[1:])}", tuple(images.shape[1:]) == _ANIMAL10N_SHAPE, "images (3, 64, 64)"),
            (f"labels up to {max(labels)}", 0 <= min(labels) and max(labels) < 10, "labels 0 to 9"),
        ):
            if not fits:
                raise ValueError(f"{path}: expected {wanted}, got {what}; {get} and unpack it again")
        parts.append((images, labels))
    return _dataset("animal10n", *parts, clean=False, source=root)


def _animal10n_raw(path: Path) -> tuple[Tensor, list[int]]:
    """Files <label>_img_<number>.jpg in one folder, in the order of their names."""
    files = _image_files(path)
    labels = [file.name.partition("_")[0] for file in files]
    for file, label in zip(files, labels, strict=True):
        if not label.isdecimal():
            raise ValueError(f"{file}: expected a name <label>_img_<number>.jpg; remove it or name it so")
    return _decode_files(files), [int(label) for label in labels]


def _animal10n_folders(path: Path) -> tuple[Tensor, list[int]]:
    """Folders 0 to 9 of images."""
    names = _class_folders(path)
    if set(names) - set("0123456789"):
        raise ValueError(f"{path}: expected folders 0 to 9, got {', '.join(names)}")
    images, places = _read_class_folders(path, names)
    return images, [int(names[place]) for place in places]


def _animal10n_binary(path: Path) -> tuple[Tensor, list[int]]:
    """Records of a big-endian id and label of 4 bytes each and 12,288 bytes, channel-major."""
    record = np.dtype([("id", ">i4"), ("label", ">i4"), ("image", np.uint8, _ANIMAL10N_SHAPE)])
    size = path.stat().st_size
    if not size or size % record.itemsize:
        raise ValueError(f"{path}: expected records of {record.itemsize} bytes, got {size} bytes; copy it again")
    records = np.fromfile(path, record)
    return torch.from_numpy(records["image"].copy()), records["label"].tolist()


# Folders of images


def _folder(path: Path) -> Dataset:
    """Images in class folders; the class order is that of the sorted folder names."""
    want = f"{path}/train/CLASS/*.png and {path}/test/CLASS/*.png"
    for part in (path, path / "train", path / "test"):
        if not part.is_dir():
            raise FileNotFoundError(f"{part}: no such folder; expected {want}")
    names = _class_folders(path / "train")
    extra = set(_class_folders(path / "test")) - set(names)
    if extra:
        raise ValueError(f"{path / 'test'}: class folders {sorted(extra)} are not in {path / 'train'}; expected {want}")
    train, test = (_read_class_folders(path / part, names) for part in ("train", "test"))
    return _dataset(_basename(path), train, test, tuple(names), source=path)


def _class_folders(path: Path) -> list[str]:
    """Sorted names of the visible folders in a folder."""
    names = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise FileNotFoundError(f"{path}: no class folders; expected {path}/CLASS/*.png")
    return names


def _read_class_folders(path: Path, names: Sequence[str]) -> tuple[Tensor, list[int]]:
    """Images of every class folder, and the place of their folder in ``names``; a missing folder is an empty class."""
    found = [(file, c) for c, name in enumerate(names) for file in _image_files(path / name, allow_empty=True)]
    if not found:
        raise FileNotFoundError(f"{path}: no images; expected {path}/CLASS/*.png or {', '.join(_IMAGE_ENDINGS[1:])}")
    return _decode_files([file for file, _ in found]), [c for _, c in found]


def _image_files(path: Path, allow_empty: bool = False) -> list[Path]:
    """The image files of a folder, sorted by name, since the order of a listing is the file system's."""
    entries = path.iterdir() if path.is_dir() else ()
    files = sorted(file for file in entries if file.suffix.lower() in _IMAGE_ENDINGS and not file.name.startswith("."))
    if not files and not allow_empty:
        raise FileNotFoundError(f"{path}: no images; expected files ending in {', '.join(_IMAGE_ENDINGS)}")
    return files


# Parquet


def _parquet(path: Path) -> Dataset:
    """Parquet tables with an image and a label column, as on Hugging Face or written by pandas."""
    name = _basename(path)
    parts, human, names = [], {}, None
    for part in ("train", "test"):
        files = _parquet_files(path, part)
        images, labels, further, part_names = _read_parquet(files, human_labels=part == "train")
        parts.append((images, labels))
        human, names = {**human, **further}, names or part_names
    train, test = parts
    names = _class_names(name, (train[1], test[1]), names)
    # A column with other values counts something else, such as superclasses.
    human = {key: labels for key, labels in human.items() if 0 <= labels.min() and labels.max() < len(names)}
    return _dataset(name, train, test, names, human, source=path)


def _parquet_files(path: Path, part: str) -> list[Path]:
    single = path.with_name(f"{path.name}-{part}.parquet")
    files = [single] if single.is_file() else sorted(path.glob(f"{part}*.parquet"))
    if not files:
        raise FileNotFoundError(
            f"{single}: no such file; expected {path}-train.parquet and {path}-test.parquet, "
            f"or {path}/train*.parquet and {path}/test*.parquet"
        )
    return files


def _read_parquet(
    files: list[Path], human_labels: bool
) -> tuple[Tensor, np.ndarray, dict[str, np.ndarray], tuple[str, ...] | None]:
    """Images, labels (n,), further labels by column and class names (None where unknown) of one part."""
    tables = [_read_table(file) for file in files]
    first = tables[0].schema
    image = _column(files[0], first.names, ("image", "img"))
    label = _column(files[0], first.names, ("label", "fine_label", "labels"))
    further = [name for name in first.names if name != label and _is_label_column(first.field(name))]
    wanted = (label, *further) if human_labels else (label,)
    blobs, rows, columns = [], [], {name: [] for name in wanted}
    for file, table in zip(files, tables, strict=True):
        for name in (image, *wanted):
            _column(file, table.column_names, (name,))
        for name in wanted:
            columns[name].append(_integers(file, name, table[name]))
        blobs += [cell.get("bytes") if isinstance(cell, dict) else cell for cell in table[image].to_pylist()]
        rows += [(file, row) for row in range(len(table))]

    def where(i: int) -> str:
        return f"{rows[i][0]}: column {image!r}, row {rows[i][1]}"

    for i, blob in enumerate(blobs):
        if not isinstance(blob, bytes):
            raise ValueError(f"{where(i)}: expected the bytes of an encoded image, got {type(blob).__name__}")
    images = decode_images(blobs, where)
    labels = {name: np.concatenate(parts) for name, parts in columns.items()}
    return images, labels.pop(label), labels, _hugging_face_names(first, label)


def _read_table(file: Path) -> Any:  # noqa: ANN401
    """One parquet file as a pyarrow table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{file}: not a whole parquet file; get or write it again ({_line(error)})") from error


def _column(file: Path, columns: list[str], names: tuple[str, ...]) -> str:
    for name in names:
        if name in columns:
            return name
    raise ValueError(f"{file}: expected a column named {' or '.join(names)}, got {', '.join(columns)}")


def _is_label_column(field: Any) -> bool:  # noqa: ANN401
    """Whether a column may hold further labels of the same classes, such as those of CIFAR-10N."""
    import pyarrow as pa

    named = field.name.endswith("_label") or field.name.startswith("random_label")
    return named and "coarse" not in field.name and pa.types.is_integer(field.type)


def _integers(file: Path, name: str, column: Any) -> np.ndarray:  # noqa: ANN401
    """A column of whole numbers as int64 (n,)."""
    import pyarrow as pa

    if not pa.types.is_integer(column.type) or column.null_count or not len(column):
        got = f"{column.type}, {len(column)} rows, {column.null_count} of them null"
        raise ValueError(f"{file}: column {name!r}: expected an integer in every row, got {got}")
    return column.to_numpy().astype(np.int64)


def _hugging_face_names(schema: Any, label: str) -> tuple[str, ...] | None:  # noqa: ANN401
    """Class names that the Hugging Face library writes beside the schema."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features[label]["names"])
    except (TypeError, KeyError, ValueError):
        return None


# NumPy archives


def _npz(path: Path) -> Dataset:
    """One .npz file with our names of the arrays, or those of Keras."""
    file = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
    _existing(file, "save train_images, train_labels, test_images and test_labels with np.savez_compressed")
    try:
        # Opened here, because np.load leaves a file that it refuses open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # a damaged zip may raise anything
        raise ValueError(
            f"{file}: expected number arrays saved by np.savez; save it again, without Python objects ({_line(error)})"
        ) from error
    keras = {"x_train": "train_images", "y_train": "train_labels", "x_test": "test_images", "y_test": "test_labels"}
    arrays = {keras.get(name, name): array for name, array in arrays.items()}
    for name in keras.values():
        if name not in arrays:
            raise ValueError(f"{file}: expected arrays {', '.join(keras.values())}, got {', '.join(arrays)}")
    train, test = (
        (_channels_first(file, f"{part}_images", arrays), _npz_labels(file, f"{part}_labels", arrays))
        for part in ("train", "test")
    )
    ids = _npz_labels(file, "sample_ids", arrays) if "sample_ids" in arrays else None
    names = tuple(str(name) for name in arrays["class_names"]) if "class_names" in arrays else None
    name = _basename(file).removesuffix(".npz")
    names = _class_names(name, (train[1], test[1]), names)
    return _dataset(name, train, test, names, sample_ids=ids, source=file)


def _channels_first(file: Path, name: str, arrays: Mapping[str, np.ndarray]) -> Tensor:
    """Images as (n, channels, height, width); an axis of length 1 or 3 is the channels, the first one where two are."""
    images = arrays[name]
    if images.dtype == np.uint8 and images.ndim == 3:
        images = images[:, None]
    elif images.dtype == np.uint8 and images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not images.size:
        raise ValueError(
            f"{file}: {name}: expected uint8 of shape (n, height, width), (n, height, width, channels) or "
            f"(n, channels, height, width) with 1 or 3 channels, got {arrays[name].dtype} of shape {arrays[name].shape}"
        )
    return torch.from_numpy(np.ascontiguousarray(images))


def _npz_labels(file: Path, name: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Integers as int64 (n,); Keras writes (n, 1)."""
    labels = arrays[name]
    flat = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1 or flat.dtype.kind not in "iu" or not len(flat):
        raise ValueError(f"{file}: {name}: expected integers of shape (n,), got {labels.dtype} of shape {labels.shape}")
    return flat.astype(np.int64)


# Decoding


def decode_images(blobs: Iterable[bytes | Path], where: Callable[[int], str]) -> Tensor:
    """Decode encoded images of one size, in one thread.

    Grey images stay grey where all are; where some are coloured, all become RGB. Transparency is dropped.
    One thread on purpose: the decoder gives up Python's lock so briefly that on images of 32x32 two threads take
    1.8 times as long as one (9.2 s and 5.1 s for 50,000).

    Args:
        blobs: The content of one image file each, or its path.
        where: The place of image i, for errors.

    Returns:
        Images (n, channels, height, width), uint8, 1 or 3 channels.

    Raises:
        ValueError: If an image cannot be decoded, has more than 8 bits a channel, or another size than the first.
    """
    images: list[np.ndarray] = []
    for i, blob in enumerate(tqdm(blobs, desc="decode", unit=" images", leave=False)):
        try:
            image = _decode(blob)
        except Exception as error:  # decoders raise many kinds
            raise ValueError(f"{where(i)}: cannot be read as an image of 8 bits a channel ({_line(error)})") from error
        if images and image.shape[:2] != images[0].shape[:2]:
            (height, width), (first_height, first_width) = image.shape[:2], images[0].shape[:2]
            raise ValueError(
                f"{where(i)}: is {width}x{height}, but {where(0)} is {first_width}x{first_height} (width x height); "
                f"resize all images to one size"
            )
        images.append(image)
    if len({image.shape[2] for image in images}) > 1:
        images = [np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image for image in images]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def _decode(blob: bytes | Path) -> np.ndarray:
    """One image as (height, width, 1 or 3), uint8."""
    from PIL import Image

    with Image.open(io.BytesIO(blob) if isinstance(blob, bytes) else blob) as image:
        if image.mode[0] in "IF":
            raise ValueError(f"its mode is {image.mode}")
        grey = image.mode in ("L", "1", "LA", "La")
        mode = "L" if grey else "RGB"
        array = np.array(image if image.mode == mode else image.convert(mode))
    return array[:, :, None] if grey else array


def _decode_files(files: Sequence[Path]) -> Tensor:
    return decode_images(files, lambda i: str(files[i]))


# Parts of every loader


def _dataset(
    name: str,
    train: tuple[Tensor, Any],
    test: tuple[Tensor, Any],
    class_names: tuple[str, ...] | None = None,
    human_labels: Mapping[str, Any] | None = None,
    sample_ids: Any = None,  # noqa: ANN401
    clean: bool = True,
    source: Path | None = None,
) -> Dataset:
    """Put a data set together from images as tensors and labels as lists or arrays; errors name the source."""
    labels, test_labels = (torch.as_tensor(np.asarray(part[1], dtype=np.int64)) for part in (train, test))
    ids = np.arange(len(labels)) if sample_ids is None else sample_ids
    try:
        return Dataset(
            name=name,
            train_images=train[0],
            train_labels=labels,
            test_images=test[0],
            test_labels=test_labels,
            class_names=class_names or CLASS_NAMES[name],
            sample_ids=torch.as_tensor(ids, dtype=torch.int64),
            human_labels={
                key: torch.as_tensor(value, dtype=torch.int64) for key, value in (human_labels or {}).items()
            },
            clean=clean,
        )
    except ValueError as error:
        raise ValueError(f"{source or name}: {error}") from error


def _class_names(name: str, labels: Sequence[np.ndarray], names: tuple[str, ...] | None) -> tuple[str, ...]:
    """The source's names, those of a known data set of this name and as many classes, or "0", "1", ..."""
    c = 1 + max(int(part.max()) for part in labels)
    if names:
        return names
    known = CLASS_NAMES.get(name, ())
    return known if len(known) == c else tuple(str(i) for i in range(c))


def _stratified(labels: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Choose n positions at random, each class with its share by the largest remainder; sorted, int64 (n,)."""
    counts = np.bincount(labels)
    # Whole numbers, so that rounding cannot lose an example: quota = n counts / total.
    quota, remainder = np.divmod(n * counts, len(labels))
    largest = np.argsort(-remainder, kind="stable")[: n - quota.sum()]
    quota[largest] += 1
    stream = np.random.RandomState(seed)
    chosen = [stream.permutation(np.flatnonzero(labels == c))[:k] for c, k in enumerate(quota)]
    return np.sort(np.concatenate(chosen))


def _check_labels(name: str, labels: Tensor, n: int, c: int | None) -> None:
    """Refuse labels that are not int64 (n,) inside 0..c-1 (from 0 up where c is None)."""
    fits = labels.shape == (n,) and labels.dtype == torch.int64
    require(fits, name, f"int64 of shape ({n},)", f"{labels.dtype} of shape {tuple(labels.shape)}")
    low, high = int(labels.min()), int(labels.max())
    allowed = "0 or more" if c is None else f"0 to {c - 1}, the indices of {c} class names"
    require(low >= 0 and (c is None or high < c), name, allowed, f"{low} to {high}")


def _existing(path: str | Path, get: str) -> Path:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; {get}")
    return path


def _basename(path: Path) -> str:
    """The last part of a path, also of one that ends in "." or ".."; a link keeps its own name."""
    return os.path.basename(os.path.abspath(path))


def _line(error: BaseException) -> str:
    """The message of an error in one line."""
    return " ".join(str(error).split()) or type(error).__name__


_NAMED: dict[str, Callable[[Path, bool], Dataset]] = {
    "digits": _digits,
    "cifar10": lambda folder, download: _cifar("cifar10", folder, download),
    "cifar100": lambda folder, download: _cifar("cifar100", folder, download),
    "animal10n": _animal10n,
}
_FORMATS: dict[str, Callable[[Path], Dataset]] = {"folder": _folder, "parquet": _parquet, "npz": _npz}
