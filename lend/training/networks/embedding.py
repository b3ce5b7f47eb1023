"""Where the embeddings of a network are: any module becomes one that returns :class:`lend.methods.Features`.

Two hooks do it, so that neither the module's class nor the names of its parameters change. One remembers what a layer
was given, or gave; the other puts it beside the logits when the network returns.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lend.methods import Features

FORMS = "logits (b, c), (embeddings, logits), or an object with .logits"
RETURNED = "returned by the network"


class Tap:
    """Remembers the value of a layer during a forward pass.

    A copy of a network that has the hooks (for shards, or an average of weights) gets a tap of its own.

    Args:
        place: Of the network, for errors.
        classes: Number c of logits.
        layer: Name of the layer; empty where the network returns the embeddings itself.
    """

    def __init__(self, place: str, classes: int, layer: str) -> None:
        self.place, self.classes, self.layer = place, classes, layer
        self.value: Tensor | None = None

    def keep_input(self, layer: nn.Module, given: tuple[Any, ...]) -> None:
        """Hook before a layer: its first argument is the embedding."""
        self.value = given[0] if given else None

    def keep_output(self, layer: nn.Module, given: tuple[Any, ...], output: Any) -> None:  # noqa: ANN401
        """Hook after a layer: its output is the embedding."""
        self.value = output

    def features(self, network: nn.Module, given: tuple[Any, ...], output: Any) -> Features:  # noqa: ANN401
        """Hook after the network: what it returned, as features."""
        embeddings, logits = parts_of(output)
        if self.layer:
            embeddings, self.value = self.value, None
        require_logits(output, self.classes, self.place)
        if embeddings is None:
            raise ValueError(f"{self.place}: its layer {self.layer!r} was not called, so there are no embeddings")
        return Features(pooled(embeddings, self.place), logits)


def parts_of(output: Any) -> tuple[Any, Any]:  # noqa: ANN401 (whatever a network returns)
    """Return the embeddings and logits that a network returned; None where it returned none of these."""
    if isinstance(output, Mapping):
        return None, output.get("logits")
    if hasattr(output, "logits"):
        return getattr(output, "embeddings", None), output.logits
    if isinstance(output, tuple | list) and len(output) == 2:
        return output[0], output[1]
    return None, output


def require_logits(output: Any, classes: int, place: str) -> None:  # noqa: ANN401
    """Raise ValueError unless a network returned logits of these classes, in one of the forms that it may."""
    logits = parts_of(output)[1]
    if not (isinstance(logits, Tensor) and logits.ndim == 2 and logits.shape[1] == classes):
        raise ValueError(f"{place}: must return {FORMS}, with c = {classes}; got {described(output)}")


def pooled(values: Any, place: str) -> Tensor:  # noqa: ANN401
    """Return embeddings (b, d): the mean over height and width of maps (b, d, h, w), over the tokens of (b, t, d)."""
    if isinstance(values, Tensor) and values.is_floating_point():
        if values.ndim == 2:
            return values
        if values.ndim == 3:
            return values.mean(dim=1)
        if values.ndim == 4:
            return values.mean(dim=(2, 3))
    wanted = "(b, d), (b, tokens, d) or (b, d, height, width)"
    raise ValueError(f"{place}: embeddings must be of shape {wanted}; got {described(values)}")


def described(value: Any) -> str:  # noqa: ANN401
    """What a network returned, for an error."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple | list) else ()
    names = f" of {', '.join(described(part) for part in list(inside)[:4])}" if inside else ""
    return f"{type(value).__name__}{names}"


@torch.no_grad()
def head_of(network: nn.Module, images: Tensor) -> tuple[str, Any]:
    """Call a network on images in evaluation mode; return the name of the linear layer that gave its logits.

    Lazy layers get their sizes by it.

    Returns:
        The name, or None where no linear layer did, and what the network returned.
    """
    called: list[tuple[str, Any]] = []
    handles = [
        layer.register_forward_hook(lambda layer, given, output, name=name: called.append((name, output)))
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear)
    ]
    try:
        output = network.eval()(images)
    finally:
        for handle in handles:
            handle.remove()
    logits = parts_of(output)[1]
    names = [name for name, gave in called if isinstance(logits, Tensor) and _same(gave, logits)]
    return (names[-1] if names else ""), output


def _same(gave: Any, logits: Tensor) -> bool:  # noqa: ANN401 (a subclass of nn.Linear may return more)
    if not isinstance(gave, Tensor) or gave.shape != logits.shape or gave.dtype != logits.dtype:
        return False
    return gave is logits or torch.equal(gave, logits)


def tap(network: nn.Module, place: str, classes: int, layer: str | None, head: str, returned: bool) -> str:
    """Let a network return features; say where its embeddings are.

    Args:
        network: Gets hooks.
        place: Of the network, for errors.
        classes: Number c of logits.
        layer: Name of the layer that was asked for; None for the input of the head.
        head: Name of the linear layer that gives the logits; empty where there is none.
        returned: Whether the network returns embeddings itself.

    Raises:
        ValueError: If there is no such layer, or nothing tells where the embeddings are.
    """
    found = layer or ("" if returned else head)
    hooks = Tap(place, classes, found)
    said = RETURNED
    if found and found == head:
        network.get_submodule(head).register_forward_pre_hook(hooks.keep_input)
        said = f"input of {head}"
    elif found:
        _layer(network, place, found).register_forward_hook(hooks.keep_output)
        said = f"output of {found}"
    elif not returned:
        layers = any(True for _ in network.children())
        named = f"so its embeddings must be named: embedding_layer is one of {_some(network)}"
        what = named if layers else "and it has no layer to name: return (embeddings, logits)"
        raise ValueError(f"{place}: no nn.Linear gives its logits, {what}")
    network.register_forward_hook(hooks.features)
    return said


def _layer(network: nn.Module, place: str, name: str) -> nn.Module:
    layers = dict(network.named_modules())
    if name not in layers:
        near = difflib.get_close_matches(name, layers, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"{place}: embedding_layer must be one of {_some(network)}, got {name!r}{hint}")
    return layers[name]


def _some(network: nn.Module) -> str:
    """The layers of a network that have no layers above them, and a word on the others."""
    return f"{', '.join(name for name, _ in network.named_children()) or 'none'}, or a layer inside them"
