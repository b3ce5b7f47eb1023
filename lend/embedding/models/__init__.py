"""Models by their names: one file per library."""

from lend.embedding.models.opening import open_model

__all__ = ["open_model"]
