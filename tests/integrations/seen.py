"""What a training saw, noted by the training itself, against the run that was recorded of it."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits

import lend

N, TEST, C, K, BATCH = 200, 100, 10, 5, 50


def digits():
    """Images, true labels, and labels of the training examples of which 40 % are wrong."""
    X, true = load_digits(return_X_y=True)
    X, true = X[: N + TEST] / 16, true[: N + TEST]
    return (
        torch.tensor(X, dtype=torch.float32),
        true,
        lend.noise.corrupt(true[:N], lend.noise.symmetric(C, 0.4), seed=0),
    )


def settings(**others):
    """Arguments of the recorder."""
    _, true, noisy = digits()
    return {"labels": noisy, "true_labels": true[:N], "dilution": lend.Dilution(k=K), "snapshots": (1, 3)} | others


class Seen:
    """Batches by epoch: index, embeddings, logits and loss."""

    def __init__(self):
        self.epochs = {}

    def note(self, epoch, index, embeddings, logits, loss):
        parts = (index, embeddings, logits, loss)
        self.epochs.setdefault(epoch, []).append([part.detach().clone() for part in parts])

    def gather(self, epoch):
        """Embeddings (n, d) and logits (n, c) by position, as the epoch left them."""
        batches = self.epochs[epoch]
        V, logits = (torch.full((N, batches[0][part].shape[1]), torch.nan) for part in (1, 2))
        for index, embeddings, outputs, _ in batches:
            V[index], logits[index] = embeddings, outputs
        return V.numpy(), logits.numpy()

    def loss(self, epoch):
        return np.mean([loss.item() for *_, loss in self.epochs[epoch]])


def compare(run, seen, epochs=3):
    """Assert that a run holds what was seen, in every epoch."""
    _, true, noisy = digits()
    assert run.epochs_done == epochs and run.epochs == (1, 3)
    assert np.array_equal(run.labels["noisy"], noisy) and np.array_equal(run.labels["true"], true[:N])
    for epoch in range(1, epochs + 1):
        V, logits = seen.gather(epoch)
        assert np.isfinite(V).all() and np.array_equal(run.predicted(epoch), logits.argmax(axis=1))
        for index, embeddings, *_ in seen.epochs[epoch]:
            expected = lend.dilute(embeddings.numpy(), noisy[index], num_classes=C, k=K).argmax(axis=1)
            assert np.array_equal(run.diluted(epoch)[index], expected)
        row = run.history.loc[epoch]
        assert row["train_loss"] == pytest.approx(seen.loss(epoch), rel=1e-4)
        assert row["predicted_label_accuracy"] == pytest.approx((logits.argmax(axis=1) == true[:N]).mean())
        if epoch in run.epochs:
            assert np.array_equal(run.embeddings(epoch), V.astype(np.float16))
            assert np.array_equal(run.snapshot(epoch)["logits"], logits)


def same(one, other):
    """Assert that two runs hold the same, but for the clock."""
    pd.testing.assert_frame_equal(one.labels, other.labels)
    pd.testing.assert_frame_equal(one.history.drop(columns="seconds"), other.history.drop(columns="seconds"))
    assert one.epochs == other.epochs
    for epoch in range(1, one.epochs_done + 1):
        here, there = one.epoch_labels(epoch), other.epoch_labels(epoch)
        assert here.keys() == there.keys() and all(np.array_equal(here[name], there[name]) for name in here)
    for epoch in one.epochs:
        assert one.snapshot(epoch).equals(other.snapshot(epoch))
