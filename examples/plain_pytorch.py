"""A plain PyTorch loop on digits with wrong labels. The lines that end in "# lend" record it."""

# not called pytorch.py: scripts of this folder would import it in the place of a package that torchvision looks for

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import lend

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
noisy = torch.tensor(lend.noise.corrupt(y[:1400].numpy(), lend.noise.symmetric(10, 0.4), seed=0))

torch.manual_seed(0)
body, head = nn.Sequential(nn.Linear(64, 128), nn.ReLU()), nn.Linear(128, 10)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1, momentum=0.9)
loader = DataLoader(TensorDataset(torch.arange(1400), X[:1400], noisy), batch_size=100, shuffle=True)

recorder = lend.Recorder("runs/pytorch", labels=noisy, true_labels=y[:1400])  # lend
for epoch in range(1, 21):
    total = torch.zeros(())
    for index, images, labels in loader:  # the loader gives the position of each example, too
        embeddings = body(images)
        logits = head(embeddings)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()
        recorder.batch(index, embeddings=embeddings, logits=logits)  # lend
    accuracy = (head(body(X[1400:])).argmax(dim=1) == y[1400:]).float().mean()
    recorder.epoch(train_loss=total / len(loader), test_accuracy=accuracy, snapshot=epoch in (5, 20))  # lend
recorder.close()  # lend

print(lend.Run.open("runs/pytorch").history.filter(like="accuracy").iloc[[0, 4, -1]].T.round(3))
