"""The last step of every reader: a data set from its images, labels and names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lend.data.dataset import Dataset
from lend.data.names import CLASS_NAMES


def assemble(
    name: str,
    train: tuple[Tensor, Any],
    test: tuple[Tensor, Any],
    class_names: tuple[str, ...] | None = None,
    human_labels: Mapping[str, Any] | None = None,
    sample_ids: Any = None,  # noqa: ANN401
    clean: bool = True,
    source: Path | None = None,
) -> Dataset:
    """Put a data set together from images as tensors and labels as lists or arrays; errors name the source."""
    labels, test_labels = (torch.as_tensor(np.asarray(part[1], dtype=np.int64)) for part in (train, test))
    ids = np.arange(len(labels)) if sample_ids is None else sample_ids
    images, test_images = _of_equal_channels(train[0], test[0])
    try:
        return Dataset(
            name=name,
            train_images=images,
            train_labels=labels,
            test_images=test_images,
            test_labels=test_labels,
            class_names=class_names or CLASS_NAMES[name],
            sample_ids=torch.as_tensor(ids, dtype=torch.int64),
            human_labels={
                key: torch.as_tensor(value, dtype=torch.int64) for key, value in (human_labels or {}).items()
            },
            clean=clean,
        )
    except ValueError as error:
        raise ValueError(f"{source or name}: {error}") from error


def _of_equal_channels(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """Both parts in colour where one of them is: a grey image has three equal channels."""
    grey = [images.ndim == 4 and images.shape[1] == 1 for images in (train, test)]
    if grey[0] == grey[1]:
        return train, test
    return (train.repeat(1, 3, 1, 1), test) if grey[0] else (train, test.repeat(1, 3, 1, 1))
