"""A training by the Trainer of Hugging Face for the tests; as a program, one that is killed: FOLDER BATCH."""

import os
import signal
import sys
from pathlib import Path

import torch
from seen import BATCH, C, N, Seen, digits, settings
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import Trainer, TrainingArguments, set_seed
from transformers.utils import ModelOutput

from lend.integrations.huggingface import LendCallback


class Model(nn.Module):
    """Embeds, classifies and returns its loss, as the models of the library do."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(64, 16), nn.ReLU()), nn.Linear(16, C)

    def forward(self, x, labels=None):
        logits = self.head(self.body(x))
        return ModelOutput(loss=cross_entropy(logits, labels), logits=logits)


class Noting(Trainer):
    """A trainer that notes what it sees, and may be killed at a batch."""

    def __init__(self, *given, killed_at=None, **named):
        super().__init__(*given, **named)
        self.seen, self.killed_at, self.steps = Seen(), killed_at, 0

    def training_step(self, model, inputs, *others):
        self.steps += 1
        if self.steps == self.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        index = inputs["index"].clone()
        with torch.no_grad():
            V = model.body(inputs["x"])
            logits = model.head(V)
            loss = cross_entropy(logits, inputs["labels"])
        self.seen.note(int(self.state.epoch or 0) + 1, index, V, logits, loss)
        return super().training_step(model, inputs, *others)


def data(columns=("index", "x", "labels")):
    X, true, noisy = digits()
    train = [{"index": i, "x": X[i], "labels": int(noisy[i])} for i in range(N)]
    test = [{"index": 0, "x": x, "labels": int(y)} for x, y in zip(X[N:], true[N:], strict=True)]
    return [{name: row[name] for name in columns} for row in train], test


def arguments(folder, **others):
    usual = {
        "num_train_epochs": 3,
        "per_device_train_batch_size": BATCH,
        "learning_rate": 0.01,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "logging_strategy": "epoch",
        "remove_unused_columns": False,
        "use_cpu": True,
        "disable_tqdm": True,
        "report_to": "none",
    }
    return TrainingArguments(str(folder / "checkpoints"), **(usual | others))


def fit(folder, callback=None, columns=("index", "x", "labels"), killed_at=None, resume=None, **others):
    """Train for three epochs of four batches each; the trainer, which notes what it sees."""
    set_seed(0)
    train, test = data(columns)
    trainer = Noting(
        Model(),
        arguments(folder, **others),
        train_dataset=train,
        eval_dataset=test,
        compute_metrics=lambda found: {"accuracy": float((found.predictions.argmax(axis=1) == found.label_ids).mean())},
        callbacks=[callback or LendCallback(folder / "run", **settings())],
        killed_at=killed_at,
    )
    trainer.train(resume_from_checkpoint=resume)
    return trainer


if __name__ == "__main__":
    fit(Path(sys.argv[1]), killed_at=int(sys.argv[2]))
