"""Networks: the two that lend brings, those of torchvision and timm, and people's own.

Each returns the embeddings and the logits of a batch (:class:`lend.methods.Features`). One that returns logits alone
does so too, after ``embedding.py`` has found where its embeddings are.
"""

from lend.training.networks.building import Built, build, make
from lend.training.networks.shipped import NETWORKS, ResNet18, Small

__all__ = ["NETWORKS", "Built", "ResNet18", "Small", "build", "make"]
