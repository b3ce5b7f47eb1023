"""From images and texts to a table of ids, labels and embeddings."""

from lend.embedding.job import Written
from lend.embedding.making import embed, embed_files
from lend.embedding.originals import originals
from lend.embedding.table import Embeddings, read_embeddings

__all__ = ["Embeddings", "Written", "embed", "embed_files", "originals", "read_embeddings"]
