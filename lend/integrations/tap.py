"""A hook on the layer that gives the logits: its input is the embedding, its output the logits."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lend.inputs import require


class Tap:
    """Keep the embeddings and logits of the newest forward pass, while it is on.

    Args:
        model: The model, which gets a hook until :meth:`remove`.
        classes: Number c of classes.
        head: Name of the layer, as ``model.named_modules()`` has it; the only linear layer of c outputs if not given.

    Raises:
        ValueError: If there is no such layer, or several.
    """

    def __init__(self, model: nn.Module, classes: int, head: str | None) -> None:
        self.head = _find(model, classes) if head is None else _named(model, head)
        self.on = False
        self._newest: tuple[Any, Any] | None = None
        self._hook = model.get_submodule(self.head).register_forward_hook(self._keep, with_kwargs=True)

    def take(self) -> tuple[Tensor, Tensor]:
        """Return the newest embeddings and logits, and forget them.

        Raises:
            ValueError: If the layer was not called since.
        """
        newest, self._newest = self._newest, None
        require(newest is not None, "head", "a layer that every training step calls", f"{self.head!r}, not called")
        assert newest is not None
        return newest

    def remove(self) -> None:
        """Take the hook off the model."""
        self._hook.remove()

    def _keep(self, layer: nn.Module, given: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:  # noqa: ANN401
        if self.on:
            first = given[0] if given else next(iter(named.values()), None)
            tensors = isinstance(first, Tensor) and isinstance(output, Tensor)
            allowed = "a layer of one tensor that returns one"
            require(tensors, "head", allowed, f"{self.head!r}, of {type(first).__name__} to {type(output).__name__}")
            assert isinstance(first, Tensor) and isinstance(output, Tensor)
            self._newest = first.detach(), output.detach()


def of_its_token(
    embeddings: Float[Tensor, "b t d"], scores: Float[Tensor, "b t c"], logits: Float[Tensor, "b c"]
) -> Float[Tensor, "b d"]:
    """Return the embeddings of the tokens whose logits a model returned.

    Decoders classify every token and return the logits of one, as a rule the last that is no padding.

    Args:
        embeddings: Of all tokens.
        scores: Logits of all tokens.
        logits: What the model returned.

    Raises:
        ValueError: If they are the logits of no token.
    """
    same = (scores.float() == logits.float()[:, None]).all(dim=2)
    require(bool(same.any(dim=1).all()), "head", "a layer whose logits the model returns", "others, or their mean")
    return embeddings[torch.arange(len(same), device=same.device), same.int().argmax(dim=1)]


def _find(model: nn.Module, classes: int) -> str:
    linear = {name: layer.out_features for name, layer in model.named_modules() if isinstance(layer, nn.Linear)}
    found = [name for name, outputs in linear.items() if outputs == classes]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"head must be given: {', '.join(found)} are linear layers of {classes} outputs, one per class"
        )
    known = ", ".join(f"{name} ({outputs})" for name, outputs in list(linear.items())[-4:]) or "none"
    raise ValueError(
        f"head must be given: no linear layer of the model has {classes} outputs, one per class; its last ones are "
        f"{known}. Classes that occur in no label must be told by class_names"
    )


def _named(model: nn.Module, head: str) -> str:
    layers = [name for name, _ in model.named_modules() if name]
    near = difflib.get_close_matches(head, layers, n=3) or layers[-3:]
    require(head in layers, "head", f"the name of a layer, such as {' or '.join(near)}", head)
    return head
