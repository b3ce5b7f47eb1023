"""From images and texts to a table of ids, labels and embeddings."""

from lend.embedding.images import read_images
from lend.embedding.job import Written
from lend.embedding.making import embed, embed_files
from lend.embedding.table import Embeddings, read_embeddings

__all__ = ["Embeddings", "Written", "embed", "embed_files", "read_embeddings", "read_images"]
