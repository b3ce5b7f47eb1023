"""What makes embeddings: one interface for networks of any library and for TF-IDF."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lend.inputs import require

if TYPE_CHECKING:
    from torch import nn

OFFLINE = {"images": "efficientnet-lite0", "texts": "tfidf"}  # what works without a network, and if nothing is named


@dataclass(frozen=True, eq=False)
class Model:
    """A model that is ready to embed.

    Args:
        kind: "images" or "texts".
        about: What the file of embeddings says of it: name, version, digest of the weights, how images are resized.
        prepare: One image (height, width, 3), uint8, or one text, as a batch is made of it. Runs in several threads.
        encode: A batch of what was prepared to embeddings (b, d).
        batch_size: How many it embeds best at once.
        size: Pixels of the side of an image that it sees; 0 for texts.
    """

    kind: str
    about: Mapping[str, Any]
    prepare: Callable[[Any], Any]
    encode: Callable[[Sequence[Any]], np.ndarray]
    batch_size: int
    size: int = 0


@dataclass(frozen=True)
class Wish:
    """What a user asks of a model.

    Args:
        name: As it was typed: LIBRARY:NAME, file.py:NAME, or the name of one that lend brings.
        kind: "images" or "texts".
        weights: "default" for those that the model has; "none" for random ones; or others that its library knows.
        image_size: Pixels of the side of an image; None for the model's own.
        device: As torch has it; None for a GPU where there is one.
    """

    name: str
    kind: str
    weights: str = "default"
    image_size: int | None = None
    device: str | None = None

    @property
    def short(self) -> str:
        """The name without its library."""
        return self.name.partition(":")[2]

    def require_kind(self, kind: str) -> None:
        """Raise ValueError unless this kind of data is to be embedded."""
        require(self.kind == kind, "model", f"one for {self.kind}, such as {OFFLINE[self.kind]}", self.name)

    def require_own_size(self) -> None:
        """Raise ValueError if another size of images is asked for."""
        require(self.image_size is None, "image_size", f"left to {self.name}", self.image_size)


@contextmanager
def fetching(wish: Wish) -> Iterator[None]:
    """Let a library load its weights inside; where they cannot be had, one line says so and what works offline.

    Raises:
        ValueError: In place of whatever the library raises.
    """
    hub = logging.getLogger("huggingface_hub")  # it tells of each of its attempts
    level = hub.level
    hub.setLevel(logging.CRITICAL)
    try:
        yield
    except Exception as error:  # hubs raise many kinds
        said = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise ValueError(
            f"{wish.name}: its weights cannot be had ({type(error).__name__}: {said}); "
            f"without a network: model {OFFLINE[wish.kind]}"
        ) from None
    finally:
        hub.setLevel(level)


def weights_digest(network: nn.Module) -> str:
    """SHA-256 of the names and values of all parameters and buffers of a network."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(_bytes()).numpy().tobytes())
    return digest.hexdigest()


def _bytes() -> Any:  # noqa: ANN401
    import torch

    return torch.uint8
