"""What is measured after an epoch, against counts by hand."""

import math

import pytest
import torch
from torch import nn

from lend.methods import Features
from lend.recording import kept_shares, label_accuracies
from lend.training import evaluation


class Fixed(nn.Module):
    """Gives the logits of a table to the images, whose only pixel is their row in it."""

    def __init__(self, logits):
        super().__init__()
        self.logits, self.sizes = torch.tensor(logits), []

    def forward(self, pixels):
        assert not self.training
        self.sizes.append(len(pixels))
        rows = pixels.flatten().long()
        return Features(rows[:, None].float(), self.logits[rows])


def images(n):
    return torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1)


def forward(network, pixels):
    return network(pixels)


def test_features_are_those_of_all_images_in_their_order(monkeypatch):
    monkeypatch.setattr(evaluation, "BATCH", 2)
    network = Fixed([[float(i), -1.0] for i in range(5)])
    features = evaluation.features(network, images(5), forward)
    assert network.sizes == [2, 2, 1]
    assert features.embeddings.flatten().tolist() == features.logits[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_accuracies_of_two_networks_and_of_their_mean_softmax():
    """The first is right twice, the second once; together the surer one decides: right three times."""
    first = Fixed([[9.0, 0.0], [0.0, 9.0], [1.0, 0.0], [0.0, 1.0]])
    second = Fixed([[0.0, 1.0], [1.0, 0.0], [0.0, 9.0], [0.0, 1.0]])
    labels = torch.tensor([0, 1, 1, 0])
    mean, together = evaluation.accuracies([first, second], images(4), labels, forward)
    assert (mean.item(), together.item()) == (3 / 8, 3 / 4)


def test_accuracies_of_labels():
    labels = {"noisy": torch.tensor([0, 1, 2, 2]), "predicted": torch.tensor([0, 0, 2, 2])}
    measured = label_accuracies(labels, torch.tensor([0, 0, 0, 2]))
    assert measured == {"noisy_label_accuracy": 0.5, "predicted_label_accuracy": 0.75}
    unknown = label_accuracies(labels, None)
    assert unknown.keys() == measured.keys() and all(math.isnan(value) for value in unknown.values())


@pytest.mark.parametrize(
    ("kept", "known", "share", "precision"),
    [
        ([True, True, True, False], True, 0.75, 1 / 3),
        ([False, False, False, False], True, 0.0, math.nan),
        ([True, True, False, False], False, 0.5, math.nan),
    ],
)
def test_kept_shares(kept, known, share, precision):
    noisy, true = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 0, 0, 2])
    row = kept_shares(torch.tensor(kept), noisy, true if known else None)
    assert row == {"kept_share": share, "kept_precision": pytest.approx(precision, nan_ok=True)}
