"""The audit of a training's epochs: those heard together without true labels, beside each one and all of them.

Needs saved runs whose true labels are known, such as `lend sweep human --profile cifar10-thin-all` trains. AP: average
precision of the label score, errors are the positives; accuracy: of the suggested labels.
"""

import argparse

import numpy as np
from sklearn.metrics import average_precision_score

import lend
from lend.auditing import audit, audit_epochs


def judged(found, true):
    """Average precision, accuracy of the suggestions, and how many flagged labels are wrong and right."""
    issues = found.issues
    wrong, flagged = (issues["given_label"] != true).to_numpy(), issues["is_label_issue"].to_numpy()
    precision = average_precision_score(wrong, -issues["label_score"])
    return precision, (issues["predicted_label"] == true).mean(), (flagged & wrong).sum(), (flagged & ~wrong).sum()


def measure(run, examples):
    kept = np.linspace(0, len(run.snapshot_samples) - 1, min(examples, len(run.snapshot_samples))).astype(int)
    labels = run.labels.iloc[run.snapshot_samples[kept]]
    given, true = labels["noisy"].to_numpy(), labels["true"].to_numpy()
    V = {epoch: run.embeddings(epoch)[kept].astype(np.float32) for epoch in run.epochs}
    print(f"\n{run.path.name}: {len(given):,} labels, {(given != true).sum():,} wrong")
    print(f"{'epochs':24} {'AP':>7} {'accuracy':>9} {'found':>7} {'falsely':>8} {'estimate'}")
    together = audit_epochs(V, given, progress=False)
    audits = {f"{epoch} alone": audit(v, given, progress=False) for epoch, v in V.items()}
    audits[f"together: {', '.join(map(str, together.settings['epochs']))}"] = together
    audits["all"] = audit(V, given, progress=False)
    for name, found in audits.items():
        precision, accuracy, right, false = judged(found, true)
        print(f"{name:24} {precision:7.3f} {accuracy:9.3f} {right:7,} {false:8,} {found.estimate}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="folders of saved runs")
    parser.add_argument("--examples", type=int, default=10**9, help="at most so many, evenly spaced")
    options = parser.parse_args()
    for folder in options.runs:
        measure(lend.Run.open(folder), options.examples)
