"""A model by its name; each library is imported when one of its models is asked for."""

from __future__ import annotations

import difflib

from lend.embedding.model import Model, Wish
from lend.embedding.source import Source
from lend.inputs import nearest_name, plugins

FORMS = ("efficientnet-lite0", "tfidf", "torchvision:NAME", "timm:NAME", "open_clip:NAME", "hf:NAME", "file.py:NAME")


def open_model(wish: Wish, source: Source) -> Model:
    """Make a model ready to embed this source.

    Raises:
        ValueError: If there is no such model, its weights cannot be had, or it embeds the other kind of data.
        MissingExtraError: If a package is missing.
        FileNotFoundError: If the file of own code is missing.
    """
    if wish.name == "tfidf":
        from lend.embedding.models.tfidf import open_tfidf

        return open_tfidf(wish, source.contents)
    if wish.name == "efficientnet-lite0":
        from lend.embedding.models.lite0 import open_lite0

        return open_lite0(wish)
    library, _, name = wish.name.partition(":")
    if library == "torchvision" and name:
        from lend.embedding.models.of_torchvision import open_torchvision

        return open_torchvision(wish)
    if library == "timm" and name:
        from lend.embedding.models.of_timm import open_timm

        return open_timm(wish)
    if library == "open_clip" and name:
        from lend.embedding.models.of_open_clip import open_open_clip

        return open_open_clip(wish)
    if library == "hf" and name:
        from lend.embedding.models.of_transformers import open_transformers

        return open_transformers(wish)
    libraries = [form.partition(":")[0] for form in FORMS]
    if not plugins.names_code(wish.name) or difflib.get_close_matches(library, libraries, cutoff=0.8):
        raise ValueError(f"unknown model {wish.name!r}; {nearest_name(wish.name, FORMS)}")
    from lend.embedding.models.own import open_own

    return open_own(wish)
