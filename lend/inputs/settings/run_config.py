"""The settings of a run, and of the dilution in it: defaults, types and ranges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from lend.inputs import plugins
from lend.inputs.errors import require, require_name
from lend.inputs.settings.naming import folder_name
from lend.inputs.settings.own import OWN_CODE, digests, place_of_method, require_places, spelled
from lend.inputs.settings.typed import make_typed, typed

T = TypeVar("T")

PAPER_EPOCHS = 200
PAPER_SNAPSHOTS = (30, 50, 100, 150, 200)
LONGEST_METHOD = 100  # characters of a method's name in that of a folder
MOST_STEPS = 10_000  # of Eq. (3), also where they are to converge: a billion would never end
LARGEST_SEED = 2**32 - 1  # that NumPy and scikit-learn take


@dataclass(frozen=True)
class Dilution:
    """The free choices of Eq. (1) to (4); see :func:`lend.dilute`.

    Args:
        k: Neighbours of each example.
        gamma: Exponent of the similarity, Eq. (1).
        alpha: Share taken from the neighbours in each step, Eq. (3), in (0, 1).
        steps: Iterations of Eq. (3), at most 10,000, or "converged".
        affinity: W' of Eq. (2): "product" (AᵀA, as printed) or "sum" (A + Aᵀ, as in the cited source).
        reserve: The reserved term of Eq. (3): "previous" (as printed) or "initial" (the cited source).
        class_prior: None (votes are not weighed, as in the paper), "balanced", or the true share of each class.

    Raises:
        ValueError: If a value is of another type, not finite or out of range. NumPy's values become Python's.
    """

    k: int = 8
    gamma: float = 3.0
    alpha: float = 0.99
    steps: int | str = 2
    affinity: str = "product"
    reserve: str = "previous"
    class_prior: str | list[float] | None = None

    def __post_init__(self) -> None:
        make_typed(self)
        require(self.k >= 1, "k", "an integer of at least 1", self.k)
        require(self.gamma >= 0, "gamma", "at least 0", self.gamma)
        require(0 < self.alpha < 1, "alpha", "inside (0, 1)", self.alpha)
        counted = 1 <= self.steps <= MOST_STEPS if isinstance(self.steps, int) else self.steps == "converged"
        require(counted, "steps", f"an integer from 1 to {MOST_STEPS:,}, or 'converged'", self.steps)
        require(self.affinity in ("product", "sum"), "affinity", "'product' or 'sum'", self.affinity)
        require(self.reserve in ("previous", "initial"), "reserve", "'previous' or 'initial'", self.reserve)
        prior = self.class_prior
        known = all(share >= 0 for share in prior) if isinstance(prior, list) else prior in (None, "balanced")
        require(known and prior != [], "class_prior", "None, 'balanced' or one share per class, none negative", prior)


def _place(default: T, *, path: bool = False) -> T:
    """Declare a field that says where or how fast a run is made, not what it is: not part of its identity."""
    return field(default=default, metadata={"identity": False, "path": path})


@dataclass(frozen=True)
class RunConfig:
    """Every setting of one training run. The defaults are the paper's protocol.

    Args:
        dataset: digits, cifar10, cifar100, animal10n, folder:PATH, parquet:PATH or npz:PATH; or FILE.py:FUNCTION of
            your own.
        train_size: Train on a stratified subset of this many examples; all of them if not given.
        method: The way to train: standard, lend, coteaching, gce, jocor, sigua, forward, elr, coteaching+, dividemix,
            sop or lend2; or FILE.py:CLASS of your own, or the name that an installed package gives to one.
        options: Hyper-parameters of the method, such as --options.beta 0.7; see `lend.METHODS`.
        dilution: The graph and the iteration that dilute labels: LEND selects by them, every run records them.
        noise: none, symmetric, symmetric-inclusive, pair, asymmetric, asymmetric:NAME, instance, human:NAME
            or matrix:FILE.npy; or FILE.py:FUNCTION of your own. (A recorded run says given, or
            what its author calls the noise.)
        noise_rate: Share of labels to corrupt; of the flipping classes, if the noise is asymmetric. Noise that is given
            (none, human, matrix) has none: 0.
        noise_seed: Seed of the noise alone; the run's seed if not given.
        validation: Share of the training examples to hold out, with their noisy labels, and to choose an epoch by.
        network: resnet18 or small; auto takes small for images under 16 pixels and resnet18 for others. Or
            torchvision:NAME, timm:NAME, or FILE.py:FACTORY of your own.
        network_options: Arguments of a network that is not lend's, such as --network-options.weights DEFAULT.
        embedding_layer: Layer of the network whose output is the embedding, averaged over places or tokens; the input
            of its last linear layer if not given.
        image_size: Height and width to which images are resized, batch by batch; as they are if not given.
        width: Channels of the first stage of the network; 64 is the paper's.
        epochs: Passes over the training examples.
        batch_size: Examples of a mini-batch, at most; an epoch is cut into batches of equal size.
        learning_rate: Learning rate of SGD in the first part of the training.
        drop_at: Share of the epochs after which the learning rate is divided by 10.
        momentum: Momentum of SGD.
        weight_decay: Weight decay of SGD.
        augment: Random crop (padding 4) and horizontal flip; the paper uses none.
        shards: Cut each batch into this many parts, each normalised, diluted and selected on its own, their gradients
            averaged; as many processes as divide it can share the work, with the same result.
        precision: fp32, bf16, or auto: bf16 where the device computes in it natively.
        seed: Seed of the initial weights and of the order of the examples.
        snapshots: Epochs whose embeddings are kept, such as 30,50,100; the paper's, scaled to the epochs,
            if not given.
        runs: Folder of the saved runs.
        data: Folder where data sets are kept.
        download: Fetch a public data set that is missing.
        device: cpu, cuda, mps, or auto.
        compile: Compile the network with torch.compile, which takes a minute to begin with; on CPUs it does not pay.
        tracker: Send the numbers of each epoch to a tracker that accelerate knows, such as tensorboard.
        note: What a reader must know about the data and its name does not say, such as "images as JPEG".
        sources: SHA-256 of the source of each own code, by the text that names it; read from the disk where it is not
            given.

    Own code is named ``FILE.py:NAME`` or ``package.module:NAME``; in Python, a class or function may be given itself.
    Its source is read here and imported by the training alone.

    Raises:
        ValueError: If a setting is of another type, not finite or out of range. NumPy's values become Python's, paths
            become text, and ``options`` a dictionary of its own.
        FileNotFoundError: If there is no file of own code.
    """

    dataset: str = "digits"
    train_size: int | None = None
    method: str = "lend"
    options: dict[str, Any] = field(default_factory=dict)
    dilution: Dilution = field(default_factory=Dilution)
    noise: str = "symmetric"
    noise_rate: float = 0.4
    noise_seed: int | None = None
    validation: float = 0.0
    network: str = "auto"
    network_options: dict[str, Any] = field(default_factory=dict)
    embedding_layer: str | None = None
    image_size: int | None = None
    width: int = 64
    epochs: int = PAPER_EPOCHS
    batch_size: int = 256
    learning_rate: float = 0.05
    drop_at: float = 0.5
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augment: bool = False
    shards: int = 1
    precision: str = "auto"
    seed: int = 0
    snapshots: tuple[int, ...] | str | None = None
    runs: str = _place("runs", path=True)
    data: str = _place("data", path=True)
    download: bool = _place(False)
    device: str = _place("auto")
    compile: bool = _place(False)
    tracker: str | None = _place(None)
    note: str = _place("")
    sources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in OWN_CODE:
            if callable(getattr(self, name)):
                object.__setattr__(self, name, spelled(name, getattr(self, name)))
        make_typed(self)
        require(self.train_size is None or self.train_size >= 1, "train_size", "at least 1", self.train_size)
        require(self.epochs >= 1, "epochs", "at least 1", self.epochs)
        require(self.batch_size >= 2, "batch_size", "at least 2", self.batch_size)
        require(self.learning_rate > 0, "learning_rate", "above 0", self.learning_rate)
        require(0 < self.drop_at <= 1, "drop_at", "inside (0, 1]", self.drop_at)
        require(0 <= self.noise_rate <= 1, "noise_rate", "inside [0, 1]", self.noise_rate)
        require(0 <= self.validation < 1, "validation", "inside [0, 1)", self.validation)
        require(self.shards >= 1, "shards", "at least 1", self.shards)
        require(self.image_size is None or self.image_size >= 1, "image_size", "at least 1", self.image_size)
        require(
            not self.network_options or ":" in self.network,
            "network_options",
            "empty for lend's own networks",
            self.network_options,
        )
        require(self.width >= 1, "width", "at least 1", self.width)
        require(0 <= self.momentum < 1, "momentum", "inside [0, 1)", self.momentum)
        require(self.weight_decay >= 0, "weight_decay", "at least 0", self.weight_decay)
        for name, seed in (("seed", self.seed), ("noise_seed", self.noise_seed)):
            require(seed is None or 0 <= seed <= LARGEST_SEED, name, f"from 0 to {LARGEST_SEED}", seed)
        for name, allowed in (
            ("precision", ("auto", "fp32", "bf16")),
            ("device", ("auto", "cpu", "cuda", "mps")),
        ):
            require_name(getattr(self, name), allowed, name)
        self._find_code()
        if not self._rated:
            object.__setattr__(self, "noise_rate", 0.0)
        if self.noise_seed is None:
            object.__setattr__(self, "noise_seed", self.seed)
        object.__setattr__(self, "snapshots", self._read_snapshots())

    def _find_code(self) -> None:
        """Find out which settings name own code, and read the digest of each that has none yet."""
        object.__setattr__(self, "method", place_of_method(self.method))
        settings = {name: getattr(self, name) for name in OWN_CODE}
        require_places(settings)
        object.__setattr__(self, "sources", digests(settings, self.sources))

    def _read_snapshots(self) -> tuple[int, ...]:
        """The snapshot epochs as given, as text, or the paper's scaled to the epochs of this run; ascending."""
        given: Iterable[int]
        if self.snapshots is None:
            given = [max(1, round(epoch * self.epochs / PAPER_EPOCHS)) for epoch in PAPER_SNAPSHOTS]
        elif isinstance(self.snapshots, str):
            words = [word.strip() for word in self.snapshots.split(",") if word.strip()]
            require(all(word.isdecimal() for word in words), "snapshots", "epochs such as 30,50,100", self.snapshots)
            given = [int(word) for word in words]
        else:
            given = self.snapshots
        epochs = tuple(sorted(set(given)))
        inside = all(1 <= epoch <= self.epochs for epoch in epochs)
        require(inside, "snapshots", f"epochs from 1 to {self.epochs}", self.snapshots)
        return epochs

    @property
    def snapshot_epochs(self) -> tuple[int, ...]:
        """The epochs whose embeddings are kept, ascending: what ``snapshots`` holds after construction."""
        return cast(tuple[int, ...], self.snapshots)

    @property
    def _rated(self) -> bool:
        return self.noise.partition(":")[0] not in ("none", "human", "matrix", "given")

    @property
    def noise_title(self) -> str:
        """The noise for a reader, with its rate if it has one."""
        kind = {"none": "no noise", "given": "labels as given"}.get(self.noise, f"{self.noise} noise")
        return f"{kind}, rate {self.noise_rate:g}" if self._rated else kind

    @property
    def identity(self) -> dict[str, Any]:
        """The settings that decide the numbers of the run; two configurations with equal ones are the same run."""
        settings = asdict(self)
        return {f.name: settings[f.name] for f in fields(self) if f.metadata.get("identity", True)}

    @property
    def hash(self) -> str:
        """Ten hexadecimal digits that name the identity.

        Settings at their default are left out, so that a new setting renames no old run.
        """
        default = RunConfig(epochs=self.epochs, seed=self.seed).identity
        own = {name: value for name, value in self.identity.items() if value != default[name]}
        own |= {"epochs": self.epochs, "seed": self.seed}
        if "dilution" in own:
            own["dilution"] = {k: v for k, v in own["dilution"].items() if v != default["dilution"][k]}
        text = json.dumps(own, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    @property
    def folder(self) -> Path:
        """The folder of the run: named by its main settings for people, and by its hash for certainty.

        A relative folder of runs is looked for where the program is when this is asked; the path stays what it is
        where the program goes elsewhere.
        """
        method = self._short("method")[-LONGEST_METHOD:]
        tail = f"-{self.noise_rate:g}-{method}-seed{self.seed}-{self.hash}"
        return Path(self.runs).absolute() / folder_name(self._short("dataset"), self._short("noise"), tail)

    def _short(self, name: str) -> str:
        """A setting as a folder's name shows it: own code without the folder of its file and without a colon."""
        text = getattr(self, name)
        return plugins.short_name(text).replace(":", "-") if text in self.sources else text

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> RunConfig:
        """Rebuild a configuration from what `dataclasses.asdict` gave, after JSON.

        Raises:
            ValueError: If a setting is unknown, of a wrong type or out of range.
        """
        return cls(**typed(cls, settings))
