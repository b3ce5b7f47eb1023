"""Where images and texts come from: one file per format."""

from lend.embedding.sources.opening import open_source

__all__ = ["open_source"]
