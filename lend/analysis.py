"""What the figures show, as numbers: accuracy of labels by epoch, snapshots, the toy of the dilution, noise matrices.

Everything is read from a saved run or drawn from a seed, nothing is trained. Accuracies and purities are
fractions; they are NaN where the true labels are unknown (-1).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from lend import noise
from lend.dilution import Graph, diffuse, dilute, finish, one_hot, prior_weights
from lend.neighbors import nearest
from lend.run import Run

CURVES = ("predicted", "diluted", "dominant", "noisy")
STEPS = (1, 2, 3, 5, 10, 50, "converged")
TOY_STEPS = (1, 2, 10, "converged")


def describe(run: Run) -> str:
    """One sentence for the head of a notebook: data, noise, method, epochs and snapshots of a run."""
    config, info = run.config, run.info
    rate = info.get("realised_noise_rate")
    realised = "" if rate is None else f" ({100 * rate:.1f} % of the labels are wrong)"
    epochs = f"{config.epochs}" if run.complete else f"{run.epochs_done} of {config.epochs}"
    note = f" ({run.note})" if run.note else ""
    return (
        f"{_dataset_name(run)}{note}, {info['examples']:,} training examples of {len(run.class_names)} classes; "
        f"{config.noise} noise, rate {config.noise_rate:g}{realised}; method {config.method}; {epochs} epochs; "
        f"embeddings{_some(run)} saved after epochs {', '.join(map(str, run.epochs))}."
    )


def _some(run: Run) -> str:
    """What a compact copy kept of the embeddings."""
    if run.compact is None:
        return ""
    points, features = run.compact["points"], run.compact["features"]
    return f" of {points:,} examples (a compact copy, {features} numbers each)"


# --- Labels by epoch ----------------------------------------------------------------------------------------------


def label_accuracy(run: Run) -> pd.DataFrame:
    """Label accuracy by epoch: the curves of the paper's Fig. 4.

    Args:
        run: A run with at least one epoch.

    Returns:
        Columns predicted, diluted, dominant and noisy, fractions; indexed by epoch. Predicted, diluted and dominant
        labels are those of the training passes, batch by batch; noisy is the same in every epoch.
    """
    return run.history[[f"{kind}_label_accuracy" for kind in CURVES]].set_axis(list(CURVES), axis=1)


def accuracy_summary(curves: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Best and last label accuracy of predicted and diluted labels, and the best epochs, one row per run.

    Args:
        curves: By the name of the run; see :func:`label_accuracy`.

    Returns:
        Fractions, and whole epochs: best_predicted, best_predicted_epoch, last_predicted, the same of diluted, and
        noisy.
    """
    rows = {}
    for name, table in curves.items():
        row = {}
        for kind in ("predicted", "diluted"):
            known = table[kind].notna().any()
            row[f"best_{kind}"], row[f"last_{kind}"] = table[kind].max(), table[kind].iloc[-1]
            row[f"best_{kind}_epoch"] = table[kind].idxmax() if known else None
        rows[name] = row | {"noisy": table["noisy"].iloc[0]}
    summary = pd.DataFrame.from_dict(rows, orient="index").rename_axis("run")
    return summary.astype({f"best_{kind}_epoch": "Int64" for kind in ("predicted", "diluted")})


# --- Snapshots ----------------------------------------------------------------------------------------------------


def snapshot_points(run: Run, epoch: int) -> pd.DataFrame:
    """Place in the t-SNE map and labels of every mapped example after an epoch.

    Args:
        run: A run with maps.
        epoch: A snapshot epoch.

    Returns:
        Columns x, y, true, noisy, predicted (argmax of the logits) and diluted (argmax of the diluted
        distribution, of the graph over all training examples), indexed by sample id.
    """
    positions, snapshot = run.map_samples(), run.snapshot(epoch)
    rows = run.snapshot_rows(positions)
    points = run.labels.iloc[positions][["true", "noisy"]].copy()
    for name, source in (("predicted", "logits"), ("diluted", "diluted")):
        points[name] = snapshot[source].values[rows].argmax(axis=1)
    coordinates = run.map(epoch)
    points.insert(0, "x", coordinates[:, 0])
    points.insert(1, "y", coordinates[:, 1])
    return points


def neighbor_purity(labels: Int[np.ndarray, " m"], neighbors: Int[np.ndarray, "m k"]) -> float:
    """Share of the neighbours that have the label of the example; NaN if no label is known.

    Args:
        labels: Of each example; -1 where unknown, and such examples and neighbours do not count.
        neighbors: Positions of the neighbours of each example.
    """
    own, theirs = labels[:, None], labels[neighbors]
    return share_of(own == theirs, (own >= 0) & (theirs >= 0))


def snapshot_numbers(run: Run, epoch: int) -> pd.Series:
    """Label accuracy and neighbour purity of the mapped examples after an epoch.

    Args:
        run: A run with maps.
        epoch: A snapshot epoch.

    Returns:
        Fractions: predicted_, diluted_ and noisy_label_accuracy; true_, predicted_, diluted_ and noisy_purity, the
        share of the 10 nearest neighbours in embedding space with the same such label.
    """
    points, neighbors = snapshot_points(run, epoch), run.map_neighbors(epoch)
    true = points["true"].to_numpy()
    kinds = {name: points[name].to_numpy() for name in ("true", "predicted", "diluted", "noisy")}
    accuracies = {f"{k}_label_accuracy": share_of(y == true, true >= 0) for k, y in kinds.items() if k != "true"}
    purities = {f"{k}_purity": neighbor_purity(y, neighbors) for k, y in kinds.items()}
    return pd.Series(accuracies | purities, name=epoch)


def snapshot_table(run: Run) -> pd.DataFrame:
    """:func:`snapshot_numbers` of every snapshot, one row per epoch."""
    return pd.DataFrame([snapshot_numbers(run, epoch) for epoch in run.epochs]).rename_axis("epoch")


def share_of(hits: np.ndarray, known: np.ndarray) -> float:
    """Share of the known ones that are hits; NaN if none is known."""
    return float(hits[known].mean()) if known.any() else float("nan")


# --- Dilution, step by step ---------------------------------------------------------------------------------------


def toy(n: int = 90, noise_rate: float = 0.2, boundary: float = 0.1, seed: int = 1) -> pd.DataFrame:
    """Points of two classes on the two sides of a line, some with the wrong label: the setting of Fig. 2 and 3.

    Args:
        n: Points, spread evenly over the rectangle |x| < 1.5, |y| < 1.
        noise_rate: Share of the labels to flip, in [0, 1].
        boundary: Class 1 lies at x > boundary; above 0 it is the smaller one.
        seed: Of the places and of the flips.

    Returns:
        Columns x, y, true and noisy.
    """
    generator = np.random.default_rng(seed)
    candidates = generator.uniform((-1.5, -1.0), (1.5, 1.0), (20 * n, 2))
    points = _spread_out(candidates, n)
    true = (points[:, 0] > boundary).astype(np.int64)
    noisy = true.copy()
    wrong = generator.choice(n, round(noise_rate * n), replace=False)
    noisy[wrong] = 1 - noisy[wrong]
    return pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "true": true, "noisy": noisy})


def _spread_out(candidates: Float[np.ndarray, "m 2"], n: int) -> Float[np.ndarray, "n 2"]:
    """The first candidates that keep a distance from those before, so that markers do not cover each other."""
    chosen: list[np.ndarray] = []
    for point in candidates:
        if all(np.abs(point - other).max() > 1.1 / n**0.5 for other in chosen):
            chosen.append(point)
        if len(chosen) == n:
            return np.array(chosen)
    raise ValueError(f"n must leave room for all points, got {n}")


def toy_embeddings(points: pd.DataFrame, height: float = 2.0) -> Float[np.ndarray, "n 3"]:
    """Lift the plane to a constant height: near points of the plane then have a large cosine."""
    return np.column_stack([points["x"], points["y"], np.full(len(points), height)])


def toy_shares(points: pd.DataFrame, steps: Sequence[int | str] = TOY_STEPS, k: int = 8) -> pd.DataFrame:
    """Share of class 1 in the label distribution of each toy point, before and after steps of :func:`lend.dilute`.

    Args:
        points: From :func:`toy`.
        steps: Numbers of steps, or "converged"; its warning is expected here and kept silent.
        k: Neighbours.

    Returns:
        Columns "given labels", "1 step", "2 steps", ..., "converged", fractions.
    """
    embeddings, noisy = toy_embeddings(points), points["noisy"].to_numpy()
    shares = {"given labels": noisy.astype(float)}
    for count in steps:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "steps='converged'", UserWarning)
            Z = dilute(embeddings, noisy, num_classes=2, k=k, steps=count)
        shares[_steps_name(count)] = Z[:, 1]
    return pd.DataFrame(shares, index=points.index)


def toy_edges(points: pd.DataFrame, k: int = 8) -> Int[np.ndarray, "e 2"]:
    """Pairs of a toy point and one of its k nearest neighbours, by cosine of the embeddings, each pair once."""
    neighbors, _ = nearest(torch.from_numpy(toy_embeddings(points)), k)
    pairs = np.column_stack([np.repeat(np.arange(len(points)), k), neighbors.numpy().ravel()])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _steps_name(count: int | str) -> str:
    return str(count) if isinstance(count, str) else f"{count} step" + "s" * (count != 1)


def step_accuracy(
    run: Run, epochs: Sequence[int] | None = None, steps: Sequence[int | str] = STEPS, points: int = 10_000
) -> pd.DataFrame:
    """Label accuracy after a number of dilution steps, of saved snapshots.

    The graph and all settings but the steps are the run's. "converged" is the limit itself, :func:`limit_labels`.

    Args:
        run: A run with snapshots.
        epochs: Snapshot epochs; all of the run's if not given.
        steps: Numbers of steps, or "converged".
        points: Dilute among this many evenly spaced examples of the snapshots at most. If a whole run has no more, its
            own number of steps gives the diluted labels that it saved.

    Returns:
        Fractions, one row per number of steps, one column per epoch.
    """
    samples = run.snapshot_samples
    chosen = samples[np.unique(np.linspace(0, len(samples) - 1, min(points, len(samples))).round().astype(int))]
    true = run.labels["true"].to_numpy()[chosen]
    table = pd.DataFrame(index=pd.Index(list(steps), name="steps", dtype=object))
    for epoch in run.epochs if epochs is None else epochs:
        diluted = rediluted_labels(run, epoch, steps, chosen)
        table[epoch] = [share_of(diluted[count] == true, true >= 0) for count in steps]
    return table.rename_axis(columns="epoch")


def rediluted_labels(
    run: Run, epoch: int, steps: Sequence[int | str], chosen: Int[np.ndarray, " m"]
) -> dict[int | str, Int[np.ndarray, " m"]]:
    """Diluted labels of chosen examples of a snapshot, by the number of steps; the graph is made once.

    Args:
        run: A run with snapshots.
        epoch: A snapshot epoch.
        steps: Numbers of steps, or "converged".
        chosen: Positions of the examples in the training set, of those in the snapshots.
    """
    settings = SimpleNamespace(**asdict(run.config.dilution))
    V = torch.from_numpy(run.embeddings(epoch)[run.snapshot_rows(chosen)]).float()
    onehot = one_hot(torch.from_numpy(run.labels["noisy"].to_numpy()[chosen]), len(run.class_names))
    weights = prior_weights(settings.class_prior, onehot)
    graph = Graph.build(*nearest(V, settings.k), settings.gamma, settings.affinity)
    labels = {}
    for count in steps:
        if count == "converged" and settings.reserve == "previous":
            labels[count] = limit_labels(graph, onehot, weights)
        else:
            Z = diffuse(graph, onehot, settings.alpha, count, settings.reserve)
            labels[count] = finish(Z, onehot, weights, True).argmax(dim=1).numpy()
    return labels


def limit_labels(
    graph: Graph, onehot: Float[torch.Tensor, "n c"], weights: Float[torch.Tensor, " c"]
) -> Int[np.ndarray, " n"]:
    """The labels that Eq. (3) ends with, without iterating: one class per connected component of W.

    W has the eigenvalue 1 once per component, with the entries sqrt(d_i) as its eigenvector; all else dies out. So
    every example of a component gets the class with most sqrt(d)-weighted labels in it.

    Args:
        graph: Eq. (1) and (2).
        onehot: Given labels, Eq. (4).
        weights: What a vote of each class counts; see :func:`lend.dilution.prior_weights`.
    """
    root = graph.root_degrees.double()
    strength = torch.where(root > 0, 1 / root.clamp(min=1e-300), 1.0)  # an example of degree 0 is alone
    component = torch.from_numpy(components(graph))
    votes = torch.zeros(int(component.max()) + 1, onehot.shape[1], dtype=torch.float64)
    votes = votes.index_add(0, component, strength * onehot * weights)
    return votes.argmax(dim=1)[component].numpy()


def components(graph: Graph) -> Int[np.ndarray, " n"]:
    """Number of the connected component of W that each example belongs to; numbers may have gaps."""
    A, n = graph.A.cpu(), len(graph.A)
    A = A.to_sparse_coo().coalesce()
    A = sparse.coo_array((A.values().numpy(), tuple(A.indices().numpy())), shape=(n, n)).tocsr()
    if graph.affinity == "product":  # AᵀA joins what shares a row of A: put the rows between
        A = sparse.block_array([[None, A], [A.T, None]]).tocsr()
    return connected_components(A, directed=False)[1][-n:].astype(np.int64)


# --- Noise --------------------------------------------------------------------------------------------------------


def asked_matrix(run: Run) -> Float[np.ndarray, "c c"] | None:
    """The transition matrix that the run's labels were drawn from; None where no one matrix describes them."""
    config, c = run.config, len(run.class_names)
    nothing = np.zeros(0)
    source = SimpleNamespace(
        name=_dataset_name(run), num_classes=c, train_images=nothing, train_labels=nothing, human_labels={}
    )
    kind = config.noise.partition(":")[0]
    return None if kind in ("human", "instance") else noise.known_matrix(source, config.noise, config.noise_rate)


def noise_matrices(run: Run) -> dict[str, Float[np.ndarray, "c c"]]:
    """The transition matrix that was asked for, where there is one, and the one that the run's labels realise.

    Args:
        run: A run whose true labels are known; of others only the first can be told.
    """
    labels, asked = run.labels, asked_matrix(run)
    matrices = {} if asked is None else {f"{run.config.noise} {100 * run.config.noise_rate:.0f} %, asked": asked}
    if (labels["true"] >= 0).all():
        true, noisy = labels["true"].to_numpy(), labels["noisy"].to_numpy()
        matrices["drawn"] = noise.empirical_matrix(true, noisy, len(run.class_names))
    return matrices


def matrix_table(matrices: Mapping[str, np.ndarray], class_names: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Transition matrices in long form: columns matrix, true, given and share.

    Args:
        matrices: (c, c) fractions, by name.
        class_names: Of each matrix, by the same names.
    """
    parts = []
    for name, matrix in matrices.items():
        pairs = pd.MultiIndex.from_product([list(class_names[name])] * 2, names=["true", "given"])
        parts.append(pd.DataFrame({"share": matrix.ravel()}, index=pairs).reset_index().assign(matrix=name))
    return pd.concat(parts, ignore_index=True)[["matrix", "true", "given", "share"]]


def _dataset_name(run: Run) -> str:
    """The name by which the data set looks up its noise: its own, or the last part of its path."""
    kind, _, path = run.config.dataset.partition(":")
    return Path(path).absolute().name.removesuffix(".npz") if path else kind
