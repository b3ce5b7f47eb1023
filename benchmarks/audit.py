"""The audit beside cleanlab, a linear probe, label spreading and a vote of ten, on labels whose errors are known.

Each method gets the same embeddings and given labels, one after the other in this process. AP and AUROC judge the
label score (errors are the positives), accuracy the suggested labels against the true ones; the last two columns are
the share of errors among the 100 and 500 lowest scores. The ratio is seconds of the method over those of the audit.
cleanlab takes part where it is installed, as Datalab where that is complete.
"""

import argparse
import contextlib
import io
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

import lend
from lend import audit
from lend.neighbors import nearest

NOISES = {
    "symmetric 20 %": lend.noise.symmetric(10, 0.2),
    "symmetric 40 %": lend.noise.symmetric(10, 0.4),
    "asymmetric 40 %": lend.noise.asymmetric("digits", 0.4),
    "pair 30 %": lend.noise.pair(10, 0.3),
}


def ours(V, given, c):
    issues = audit(V, given, progress=False).issues
    return issues["label_score"].to_numpy(), issues["predicted_label"].to_numpy()


def diluted(V, given, c):
    """Two steps among the default graph: what every other part of the audit comes on top of."""
    Z = lend.dilute(None, given, num_classes=c, k=16, affinity="sum", knn_graph=lend.knn_graph(V, 16, progress=False))
    return Z[np.arange(len(given)), given], Z.argmax(axis=1)


def vote(V, given, c, k=10):
    neighbors, _ = nearest(torch.from_numpy(V), k)
    votes = np.eye(c)[given][neighbors.numpy()].mean(axis=1)
    return votes[np.arange(len(given)), given], votes.argmax(axis=1)


def spreading(V, given, c):
    """Label spreading from all given labels, neighbours of unit vectors; α is the share taken from them."""
    unit = V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-12)
    shares = LabelSpreading(kernel="knn", n_neighbors=10, alpha=0.9, max_iter=100).fit(unit, given)
    return shares.label_distributions_[np.arange(len(given)), given], shares.transduction_


def datalab(V, given, c):
    from cleanlab import Datalab

    with contextlib.redirect_stdout(io.StringIO()):
        lab = Datalab({"label": given}, label_name="label", verbosity=0)
        lab.find_issues(features=V, issue_types={"label": {}})
        found = lab.get_issues("label")
    return found["label_score"].to_numpy(), found["predicted_label"].to_numpy()


def cleaning(V, given, c, k=10):
    """The label check of Datalab on features, without its data set: Euclidean neighbours, then confident learning."""
    from cleanlab.classification import CleanLearning
    from sklearn.neighbors import NearestNeighbors

    neighbors = NearestNeighbors(n_neighbors=k).fit(V).kneighbors(return_distance=False)
    shares = np.eye(c)[given][neighbors].mean(axis=1)
    found = CleanLearning().find_label_issues(labels=given, pred_probs=shares)
    return found["label_quality"].to_numpy(), found["predicted_label"].to_numpy()


def neighbors(V, given, c):
    issues = audit(V, given, method="neighbors", progress=False).issues
    return issues["label_score"].to_numpy(), issues["predicted_label"].to_numpy()


def probe(V, given, c):
    """A linear probe of the given labels, out of fold; its probability of the given label."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    shares = cross_val_predict(model, V, given, cv=5, method="predict_proba")
    return shares[np.arange(len(given)), given], shares.argmax(axis=1)


def confident(V, given, c):
    """The same probe with confident learning on top."""
    from cleanlab.classification import CleanLearning

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    shares = cross_val_predict(model, V, given, cv=5, method="predict_proba")
    found = CleanLearning().find_label_issues(labels=given, pred_probs=shares)
    return found["label_quality"].to_numpy(), found["predicted_label"].to_numpy()


FIRST = (100, 500)
METHODS = {"lend audit": ours, "lend, neighbours": neighbors, "lend dilute": diluted, "vote of 10": vote}
METHODS |= {"LabelSpreading": spreading, "linear probe": probe}
if find_spec("cleanlab"):
    METHODS["cleanlab, probe"] = confident
    METHODS |= {"cleanlab Datalab": datalab} if find_spec("datasets") else {"cleanlab on 10-NN": cleaning}


def compare(title, V, true, given, c):
    wrong, base = true != given, None
    print(f"\n{title}: {len(true):,} labels, {100 * wrong.mean():.1f} % wrong")
    print(f"{'method':18} {'seconds':>8} {'ratio':>6} {'AP':>7} {'AUROC':>7} {'accuracy':>9} {'100':>6} {'500':>6}")
    for name, method in METHODS.items():
        start = time.perf_counter()
        score, predicted = method(V, given, c)
        seconds = time.perf_counter() - start
        base = base or seconds
        ranks = average_precision_score(wrong, -score), roc_auc_score(wrong, -score)
        accuracy = (np.asarray(predicted) == true).mean()
        first = [wrong[np.argsort(score, kind="stable")[:count]].mean() for count in FIRST]
        print(
            f"{name:18} {seconds:8.2f} {seconds / base:6.2f} {ranks[0]:7.3f} {ranks[1]:7.3f} {accuracy:9.3f} "
            f"{first[0]:6.3f} {first[1]:6.3f}",
            flush=True,
        )


def digits():
    source = load_digits()
    V, true = source.data.astype(np.float32), source.target.astype(np.int64)
    for name, matrix in NOISES.items():
        yield f"digits, pixels, {name}", V, true, lend.noise.corrupt(true, matrix, 0), 10


def clustered(n, d, c=10):
    """Each class of ten clusters that overlap with others, symmetric noise of 40 %."""
    generator = np.random.default_rng(0)
    true = generator.integers(0, c, n)
    centres = generator.normal(size=(10 * c, d)) / d**0.5
    V = 3 * centres[true * 10 + generator.integers(0, 10, n)] + generator.normal(size=(n, d)) / 16
    given = lend.noise.corrupt(true, lend.noise.symmetric(c, 0.4), 0)
    return f"clustered, {n:,} x {d}", V.astype(np.float32), true, given, c


def blob(n, d, c):
    """Random labels of many classes on one Gaussian: every class overlaps with every other, the longest way there is.

    No label is told wrong, so all are errors but the few that a second draw makes the same.
    """
    generator = np.random.default_rng(0)
    true, given = generator.integers(0, c, (2, n))
    return f"blob, {n:,} x {d}, {c:,} classes", generator.normal(size=(n, d)).astype(np.float32), true, given, c


def embedded(path, table, true, columns, limit):
    """Embeddings of a .npy file, or of a column of texts, with columns of labels; examples without are left out."""
    frame = pd.read_parquet(table, columns=[true, *columns, *(() if path else ("text",))])[:limit]
    if path:
        V = np.load(path, mmap_mode="r")[: len(frame)].astype(np.float32)
    else:
        V = lend.embed(frame["text"].tolist(), progress=False).embeddings.astype(np.float32)
    for column in columns:
        known = (frame[column] >= 0).to_numpy()
        labels = frame[known]
        _, codes = np.unique(labels[[true, column]].to_numpy(), return_inverse=True)
        right, given = codes.reshape(-1, 2).T
        yield f"{Path(table).stem}, {column}", V[known], right, given, int(codes.max()) + 1


def snapshots(paths, points, epochs):
    for path in paths:
        run = lend.Run.open(path)
        if missing := sorted(set(epochs or ()) - set(run.epochs)):
            raise SystemExit(f"{run.path.name} has no snapshots of the epochs {missing}; it has {list(run.epochs)}")
        true, given = (run.labels[name].to_numpy()[run.snapshot_samples] for name in ("true", "noisy"))
        chosen = np.unique(np.linspace(0, len(true) - 1, min(points, len(true))).round().astype(int))
        for epoch in [epoch for epoch in run.epochs if not epochs or epoch in epochs] if (true >= 0).all() else ():
            V = run.embeddings(epoch)[chosen].astype(np.float32)
            yield f"{run.path.name}, epoch {epoch}", V, true[chosen], given[chosen], len(run.class_names)


def with_snapshots(folder):
    return [run.path for run in lend.runs(folder) if run.epochs]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("runs", nargs="*", help="folders of saved runs; all with snapshots in runs/ if none is given")
    parser.add_argument("--points", type=int, default=10_000, help="examples of a run, evenly spaced")
    parser.add_argument("--epochs", type=int, nargs="+", help="snapshots to use; all if not given")
    parser.add_argument("--clustered", type=int, nargs=2, metavar=("N", "D"), help="these instead, for the time")
    parser.add_argument("--blob", type=int, nargs=2, metavar=("N", "D"), help="or these")
    parser.add_argument("--classes", type=int, default=10, help="of --clustered and --blob")
    parser.add_argument("--table", help="or the labels of this .parquet, and its texts if there are no --embeddings")
    parser.add_argument("--embeddings", help=".npy of the embeddings of the rows of --table")
    parser.add_argument("--true", default="label", help="column of the true labels of --table")
    parser.add_argument("--given", nargs="+", default=["noisy_label"], help="columns of given labels of --table")
    parser.add_argument("--methods", nargs="+", choices=METHODS, help="these alone")
    options = parser.parse_args()
    for name in set(METHODS) - set(options.methods or METHODS):
        del METHODS[name]
    paths = [Path(path) for path in options.runs] or with_snapshots("runs")
    for method in METHODS.values():  # imports are not timed
        method(np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32), np.arange(100) % 3, 3)
    made = [clustered(*options.clustered, options.classes)] if options.clustered else []
    made += [blob(*options.blob, options.classes)] if options.blob else []
    if options.table:
        made += embedded(options.embeddings, options.table, options.true, options.given, options.points or None)
    for case in made or [*digits(), *snapshots(paths, options.points, options.epochs)]:
        compare(*case)


if __name__ == "__main__":
    main()
