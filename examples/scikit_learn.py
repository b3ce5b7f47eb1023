"""scikit-learn's MLPClassifier on digits with wrong labels, epoch by epoch; its hidden layer is the embedding."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import lend

X, y = load_digits(return_X_y=True)
X, train, test = X / 16, slice(0, 1400), slice(1400, None)
noisy = lend.noise.corrupt(y[train], lend.noise.symmetric(10, 0.4), seed=0)
network = MLPClassifier(128, learning_rate_init=0.01, random_state=0)
shuffle = np.random.default_rng(0)

with lend.Recorder("runs/scikit_learn", labels=noisy, true_labels=y[train]) as recorder:
    for epoch in range(1, 21):
        for index in shuffle.permutation(1400).reshape(-1, 100):
            network.partial_fit(X[index], noisy[index], classes=range(10))
            hidden = np.maximum(X[index] @ network.coefs_[0] + network.intercepts_[0], 0)
            logits = hidden @ network.coefs_[1] + network.intercepts_[1]
            recorder.batch(index, embeddings=hidden, logits=logits)
        accuracy = network.score(X[test], y[test])
        recorder.epoch(train_loss=network.loss_, test_accuracy=accuracy, snapshot=epoch in (5, 20))

print(lend.Run.open("runs/scikit_learn").history.filter(like="accuracy").iloc[[0, 4, -1]].T.round(3))
