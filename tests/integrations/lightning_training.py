"""A training by Lightning for the tests; as a program, one that is killed: FOLDER CHECKPOINTS-AT BATCH."""

import os
import signal
import sys
import warnings

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from seen import BATCH, TEST, C, N, Seen, digits, settings
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from lend.integrations.lightning import LendCallback

CHECKPOINTS = {
    "epoch end": {"save_on_train_epoch_end": True},
    "validation": {},
    "within an epoch": {"every_n_train_steps": 3},
}


class Digits(Dataset):
    def __init__(self, form):
        self.X, true, self.noisy = digits()
        self.form = form

    def __len__(self):
        return N

    def __getitem__(self, i):
        if self.form is dict:
            return {"index": i, "x": self.X[i], "y": self.noisy[i]}
        return self.X[i], self.noisy[i], i


class Model(L.LightningModule):
    def __init__(self, seen=None, killed_at=None):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(64, 16), nn.ReLU()), nn.Linear(16, C)
        self.seen, self.killed_at, self.steps = seen, killed_at, 0

    def training_step(self, batch, batch_idx):
        x, y, index = (batch["x"], batch["y"], batch["index"]) if isinstance(batch, dict) else batch
        self.steps += 1
        if self.steps == self.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        V = self.body(x)
        logits = self.head(V)
        loss = cross_entropy(logits, y)
        if self.seen is not None:
            self.seen.note(self.current_epoch + 1, index, V, logits, loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_acc", (self.head(self.body(x)).argmax(dim=1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def tests():
    X, true, _ = digits()
    return DataLoader(list(zip(X[N:], torch.tensor(true[N:]), strict=True)), batch_size=TEST)


def trainer(folder, callback, checkpoints=None, epochs=3, **others):
    saving = (
        [ModelCheckpoint(folder / "checkpoints", save_last=True, **CHECKPOINTS[checkpoints])] if checkpoints else []
    )
    return L.Trainer(
        max_epochs=epochs,
        callbacks=[*saving, callback],
        enable_checkpointing=bool(saving),
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **others,
    )


def fit(folder, checkpoints=None, form=dict, killed_at=None, ckpt_path=None, validate=True, callback=None, **others):
    """Train for three epochs of four batches each; what the training saw, and its trainer."""
    L.seed_everything(0, verbose=False)
    seen = Seen()
    place = {} if form is dict else {"index": 2}
    callback = callback or LendCallback(folder / "run", **settings(), **place)
    made = trainer(folder, callback, checkpoints, **others)
    model = Model(seen, killed_at)
    loaders = DataLoader(Digits(form), batch_size=BATCH), tests() if validate else None
    made.fit(model, *loaders, ckpt_path=ckpt_path)
    return seen, made


if __name__ == "__main__":
    from pathlib import Path

    warnings.simplefilter("ignore")
    fit(Path(sys.argv[1]), sys.argv[2], killed_at=int(sys.argv[3]))
