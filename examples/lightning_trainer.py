"""A training by Lightning on digits with wrong labels. The lines marked "# lend" record it."""

import lightning as L
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import lend
from lend.integrations.lightning import LendCallback  # lend

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
noisy = torch.tensor(lend.noise.corrupt(y[:1400].numpy(), lend.noise.symmetric(10, 0.4), seed=0))


class Classifier(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(64, 128), nn.ReLU()), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.body(x))

    def training_step(self, batch, batch_idx):
        index, x, labels = batch
        return cross_entropy(self(x), labels)

    def validation_step(self, batch, batch_idx):
        x, labels = batch
        self.log("val_accuracy", (self(x).argmax(dim=1) == labels).float().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


L.seed_everything(0)
train = TensorDataset(torch.arange(1400), X[:1400], noisy)  # lend: the data set gives the position of each example
callback = LendCallback("runs/lightning", labels=noisy, true_labels=y[:1400], index=0, snapshots=(5, 20))  # lend
trainer = L.Trainer(
    max_epochs=20,
    callbacks=[callback],  # lend
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    log_every_n_steps=1,
)
trainer.fit(
    Classifier(),
    DataLoader(train, batch_size=100, shuffle=True),
    DataLoader(TensorDataset(X[1400:], y[1400:]), batch_size=397),
)

print(lend.Run.open("runs/lightning").history.filter(like="accuracy").iloc[[0, 4, -1]].T.round(3))
