"""LEND2: labels are voted on among all examples, and no more are dropped than held-out labels warrant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lend.dilution import momentum, one_hot
from lend.inputs import as_count, is_real, require
from lend.methods.base import Batch, Epoch, Features, Memory, Method, label_losses, masked_mean
from lend.methods.forward import corrected_losses

GAMMA = 3.0  # exponent of the similarity, as in Eq. (1)
SUREST = 0.2  # share of the examples of each voted class from which the noise is counted
ANCHORS = 0.1  # most voted examples of a class, as a share of its labels, that tell where its labels go
STEPS = 10  # of EM: more would fit the sampling noise of the votes
LEAST = 1e-12  # smallest number to divide by


@dataclass(frozen=True)
class LEND2(Method):
    """Label noise dilution with restraint: a few labels are held out, and tell how many of the others to drop.

    Some examples, H, drawn at random, the same in all runs of as many examples, are no part of the loss. After epoch e,
    from the embeddings of its pass, the k nearest of all examples vote for each example i; of the votes V the noise is
    taken out, and the share R of the examples outside H whose label has the least support is dropped. The next epoch
    is cross entropy with the others.

        v_i ∝ Σ_j max(0, cos_ij)^γ onehot(ỹ_j),   V_i ∝ (1 - β) v_i + β V_i         its own label takes no part
        T_jy  share of label y among the surest fifth of class j = argmax V         the noise, row = true class
        V_i ≈ q_i T,   support q_i,ỹ / max q_i                                      votes without the noise

        r = 1 - agreement of V with ỹ among the surest of H                         share of wrong labels, or more
        ρ = (a - 1/c) / (1 - r' - 1/c) in [0, 1],   a = agreement of V with ỹ in H  how right the votes are
        m = (b' - b - s(b)) / b,   b = agreement of the network with ỹ in H         what it has memorised
        R = r (ρ^restraint min(1, e / warmup) + pressure max(0, m)), at most 1 - a

    (γ is 3, as in Eq. (1); r' is r among all examples, b' is b outside H, s(b) the standard error of b, all in the
    course of the epoch. T is counted with one label more per class, spread evenly; q is found by ten steps of EM. A
    label with the most support is never dropped.) Weak
    embeddings make r too large, since what they cannot tell apart looks like noise; but then ρ is small. A network that
    memorises agrees with its own labels more than with those of H: then dropping is worth more than it costs, and R
    may rise to 1 - a, about what LEND drops. No rate and no prior is told.

    If ``corrected``, noise that goes one way, from class j to class y, is not dropped but explained, by forward
    correction:

        T_jy  share of label y among the examples with the most votes for j, a tenth as many as have label j
        g_ij ∝ q_ij T_jỹ                                        posterior of the true classes: q from votes
        n_jy = Σ_i g_ij [ỹ_i = y] over the kept                 labels of each class
        D_jy = (1 - β) (n_jy - n_yj) / Σ_y n_jy + β D_jy        net flow of labels, from zero
        F = max(0, D)
        loss = -log (p_ỹ (1 - Σ_y F_ỹy) + Σ_j p_j F_jỹ)         p: what the network predicts
        R = r pressure max(0, m), at most 1 - a

    Where some classes gain the labels that others lose, cross entropy learns borders in favour of those that gain, even
    if it memorises nothing: the correction takes that back. Noise that goes both ways moves no border; and what weak
    embeddings confuse goes both ways too, or differently each epoch, so that it cancels.

    Args:
        neighbors: k, below the number of examples.
        beta: β, the momentum of the votes and of the net flow over the epochs, in [0, 1).
        held: Number of examples in H, at most a fifth of all are taken; its precision does not depend on the others.
        restraint: Exponent of ρ, at least 0: how strongly weak votes hold R back.
        pressure: Factor of m, at least 0: how strongly memorisation presses R up.
        warmup: Epochs over which R rises while nothing is memorised.
        corrected: Explain the noise in the loss, and drop labels only where the network memorises; ``restraint`` and
            ``warmup`` have no effect then. For trainings with augmentation, which memorise little.

    Raises:
        ValueError: If a value is out of range.
    """

    scope: ClassVar[str] = "dataset"
    neighbors: int = 32  # type: ignore[misc]  # of the class in other methods
    beta: float = 0.7
    held: int = 500
    restraint: float = 1.0
    pressure: float = 3.0
    warmup: int = 5
    corrected: bool = False

    def __post_init__(self) -> None:
        as_count(self.neighbors, "neighbors")
        require(is_real(self.beta) and 0 <= self.beta < 1, "beta", "inside [0, 1)", self.beta)
        as_count(self.held, "held")
        for name in ("restraint", "pressure"):
            value = getattr(self, name)
            require(is_real(value) and value >= 0, name, "at least 0", value)
        as_count(self.warmup, "warmup")
        require(isinstance(self.corrected, bool), "corrected", "True or False", self.corrected)

    def initial_memory(self, labels: Int[Tensor, " n"], num_classes: int) -> Memory:
        n, device = len(labels), labels.device
        require(self.neighbors < n, "neighbors", f"below the {n} examples of the training set", self.neighbors)
        drawn = torch.randperm(n, generator=torch.Generator().manual_seed(0))[: min(self.held, max(1, n // 5))]
        held = torch.zeros(n, dtype=torch.bool).index_fill(0, drawn, True).to(device)
        votes = torch.zeros(n, num_classes, device=device)
        return {"votes": votes, "agreed": torch.zeros_like(held), "held": held, "kept": ~held}

    def build_own(self, labels: Int[Tensor, " n"], num_classes: int, features: int) -> nn.Module | None:
        if not self.corrected:
            return None
        own = nn.Module()
        own.register_buffer("flow", torch.zeros(num_classes, num_classes))
        return own

    def loss(self, outputs: list[Features], batch: Batch, memory: Memory, epoch: int) -> Float[Tensor, ""]:
        memory["agreed"][batch.index] = outputs[0].logits.detach().argmax(dim=1) == batch.labels
        if self.corrected:
            F = batch.own.flow.clamp(min=0)  # type: ignore[union-attr, operator]
            losses = corrected_losses(outputs[0].logits, batch.labels, F + torch.diag(1 - F.sum(dim=1)))
        else:
            losses = label_losses(outputs[0], batch)
        return masked_mean(losses, memory["kept"][batch.index])

    @torch.no_grad()
    def after_epoch(self, epoch: Epoch, memory: Memory) -> None:
        y, (n, c) = epoch.labels, memory["votes"].shape
        assert epoch.neighbors is not None  # given in this scope
        indices, cosines = (found[:, : self.neighbors] for found in epoch.neighbors)
        new = neighbor_votes(indices, cosines, y, c)
        memory["votes"] = momentum(new, memory["votes"], self.beta)
        votes = memory["votes"] / memory["votes"].sum(dim=1, keepdim=True)  # the memory began as zeros
        if self.corrected:
            q, posterior = explained(votes, y)
        else:
            q = unmix(votes, transition(votes, y))
        support = q.gather(1, y[:, None])[:, 0] / q.amax(dim=1)
        rank = support.masked_fill(memory["held"], torch.inf).argsort(stable=True).argsort()
        count = self.share(votes, y, memory, epoch.number) * (n - memory["held"].sum())
        kept = memory["kept"] = ((rank >= count.floor()) | (support >= 1)) & ~memory["held"]  # never against the votes
        if self.corrected:
            flow = epoch.own.flow  # type: ignore[union-attr]
            flow.copy_(momentum(net_flow(posterior[kept], y[kept]), flow, self.beta))  # type: ignore[operator]

    def share(self, votes: Float[Tensor, "n c"], y: Int[Tensor, " n"], memory: Memory, epoch: int) -> Float[Tensor, ""]:
        """Return R, from the held-out labels."""
        held, c = memory["held"], votes.shape[1]
        agrees = (votes.argmax(dim=1) == y).float()
        a = agrees[held].mean()
        r = 1 - agrees[held][surest(votes[held])].mean()
        inside, outside = (memory["agreed"][rows].float().mean() for rows in (held, ~held))  # b, b'
        error = (inside * (1 - inside) / held.sum()).sqrt()
        memorised = ((outside - inside - error) / inside.clamp(min=LEAST)).clamp(min=0)  # m
        pressed = self.pressure * memorised
        if not self.corrected:
            against = 1 - agrees[surest(votes)].mean()  # r'
            right = ((a - 1 / c) / (1 - against - 1 / c).clamp(min=LEAST)).clamp(0, 1)  # ρ
            pressed = pressed + right**self.restraint * min(1.0, epoch / self.warmup)
        return torch.minimum(r * pressed, 1 - a)


def neighbor_votes(
    indices: Int[Tensor, "n k"], cosines: Float[Tensor, "n k"], y: Int[Tensor, " n"], c: int
) -> Float[Tensor, "n c"]:
    """Return the shares of the labels of the k nearest others, by similarity; uniform where none is similar."""
    weights = cosines.float().clamp(min=0) ** GAMMA
    votes = torch.full((len(y), c), LEAST, device=y.device)
    for m in range(indices.shape[1]):  # all at once would hold n k c numbers, and a scattered sum has no order on a GPU
        votes += weights[:, [m]] * one_hot(y[indices[:, m]], c)
    return votes / votes.sum(dim=1, keepdim=True)


def surest(votes: Float[Tensor, "n c"]) -> Int[Tensor, " m"]:
    """Return the examples of each voted class with the largest lead over the second class."""
    top, classes = votes.topk(2, dim=1).values, votes.argmax(dim=1)
    order = (top[:, 0] - top[:, 1]).argsort(descending=True, stable=True)
    order = order[classes[order].argsort(stable=True)]  # by class, then by lead
    sizes = one_hot(classes, votes.shape[1]).sum(dim=0)
    rank = torch.arange(len(votes), device=votes.device) - (sizes.cumsum(dim=0) - sizes)[classes[order]]
    return order[rank < (SUREST * sizes[classes[order]]).ceil()]


def transition(votes: Float[Tensor, "n c"], y: Int[Tensor, " n"]) -> Float[Tensor, "c c"]:
    """Return T: the shares of given labels among the surest of each voted class, with one label more, spread evenly."""
    sure = surest(votes)
    return shares(one_hot(votes.argmax(dim=1)[sure], votes.shape[1]), y[sure])


def unmix(votes: Float[Tensor, "m c"], T: Float[Tensor, "c c"]) -> Float[Tensor, "m c"]:
    """Return q of votes = q T by some steps of EM from even shares: the shares of the true classes."""
    q = torch.full_like(votes, 1 / votes.shape[1])
    for _ in range(STEPS):
        q = q * ((votes / (q @ T).clamp(min=LEAST)) @ T.T)
        q = q / q.sum(dim=1, keepdim=True).clamp(min=LEAST)
    return q


def explained(votes: Float[Tensor, "n c"], y: Int[Tensor, " n"]) -> tuple[Float[Tensor, "n c"], Float[Tensor, "n c"]]:
    """Return q of votes = q T, and the posterior g of the true classes; T from the most voted examples of each class.

    The surest of each *voted* class would not do: a class that loses many labels is hardly ever voted for.
    """
    rank = votes.argsort(dim=0, descending=True, stable=True).argsort(dim=0)
    T = shares((rank < (ANCHORS * one_hot(y, votes.shape[1]).sum(dim=0)).ceil()).float(), y)
    q = unmix(votes, T)
    posterior = q * T.T[y]
    return q, posterior / posterior.sum(dim=1, keepdim=True).clamp(min=LEAST)


def shares(classes: Float[Tensor, "m c"], y: Int[Tensor, " m"]) -> Float[Tensor, "c c"]:
    """Return T: the shares of the labels of each class, of which the examples are parts."""
    c = classes.shape[1]
    counts = classes.T @ one_hot(y, c) + 1 / c
    return counts / counts.sum(dim=1, keepdim=True)


def net_flow(classes: Float[Tensor, "m c"], y: Int[Tensor, " m"]) -> Float[Tensor, "c c"]:
    """Return the share of each class j that is labelled y beyond what comes back from y: below 0 if more comes back."""
    counts = classes.T @ one_hot(y, classes.shape[1])
    return (counts - counts.T) / counts.sum(dim=1, keepdim=True).clamp(min=LEAST)
