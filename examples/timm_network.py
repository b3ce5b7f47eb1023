"""A network of timm, from random weights, on digits with wrong labels. The lines that end in "# lend" record it."""

import timm
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy, interpolate
from torch.utils.data import DataLoader, TensorDataset

import lend

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(y)
X = interpolate(X, size=32)
noisy = torch.tensor(lend.noise.corrupt(y[:1400].numpy(), lend.noise.symmetric(10, 0.4), seed=0))

torch.manual_seed(0)
network = timm.create_model("test_resnet.r160_in1k", pretrained=False, in_chans=1, num_classes=10)
optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
loader = DataLoader(TensorDataset(torch.arange(1400), X[:1400], noisy), batch_size=100, shuffle=True)

recorder = lend.Recorder("runs/timm", labels=noisy, true_labels=y[:1400])  # lend
for epoch in range(1, 11):
    network.train()
    total = torch.zeros(())
    for index, images, labels in loader:  # the loader gives the position of each example, too
        maps = network.forward_features(images)
        embeddings = network.forward_head(maps, pre_logits=True)  # lend
        logits = network.forward_head(maps)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()
        recorder.batch(index, embeddings=embeddings, logits=logits)  # lend
    network.eval()
    with torch.no_grad():
        accuracy = (network(X[1400:]).argmax(dim=1) == y[1400:]).float().mean()
    recorder.epoch(train_loss=total / len(loader), test_accuracy=accuracy, snapshot=epoch in (3, 10))  # lend
recorder.close()  # lend

print(lend.Run.open("runs/timm").history.filter(like="accuracy").iloc[[0, 2, -1]].T.round(3))
