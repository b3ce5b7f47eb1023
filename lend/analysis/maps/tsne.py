"""Maps of embeddings in the plane: t-SNE by epoch, in which points keep their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lend.analysis.maps.starts import START, carry_over, principal_plane
from lend.inputs import as_matrix, is_sparse, require
from lend.neighbors import Rows, knn_graph, nearest, unit_rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Schedule = tuple[tuple[int, float, float], ...]
# (iterations, exaggeration, momentum) of each phase of the optimisation. The cold schedule is that of
# openTSNE. A map that is carried over from the epoch before has its large-scale shape already.
COLD: Schedule = ((250, 12.0, 0.5), (500, 1.0, 0.8))
WARM: Schedule = ((250, 1.0, 0.8),)
# From the principal plane, spread along the graph. Of 2,000 photographs, digits, groups and noise nine tenths or more
# of the neighbours that stay neighbours by the cold schedule do so by this one, in an eighth of its time.
QUICK: Schedule = ((100, 1.0, 0.8),)
ANGLE, QUICK_ANGLE = 0.5, 0.8  # of Barnes-Hut: how large a group of points may look that counts as one
FFT_FROM = 4_000  # points from which interpolation is faster than Barnes-Hut on two cores
FFT_CELL = 2.0  # side of a cell of the interpolation grid; half the time of openTSNE's 1
NEIGHBORS = 10  # kept with each map, for the purity of neighbourhoods
COLLAPSED = 1e-3  # spread of a map that has shrunk to a point, as maps of few points may; others have 1 and more
FEW_COLUMNS = 100  # up to which a sparse matrix is made dense, which is faster
REPORT_EVERY = 10  # iterations between two updates of the progress bar


def aligned_tsne(
    embeddings_by_epoch: Iterable[Any],
    *,
    perplexity: float = 30,
    aligned: bool = True,
    start: np.ndarray | None = None,
    quick: bool = False,
    seed: int = 0,
    n_jobs: int = -1,
    progress: bool = True,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Map the embeddings of several epochs to the plane, so that points keep their place.

    Each map is a t-SNE by cosine distance, 1 - cosine, over exact neighbours. The first starts from two
    principal components; each later one starts from the map before it and is optimised for fewer
    iterations, the way of dynamic t-SNE (Rauber et al., 2016, doi:10.2312/eurovisshort.20161164) without
    its penalty. The same seed and machine give the same maps, whatever ``n_jobs``.

    Args:
        embeddings_by_epoch: Finite (n, d) numbers in the order of their epochs, row i always the same
            example; d may vary. Of any kind that :func:`lend.inputs.as_matrix` takes, sparse ones too.
            Read one at a time; with a length, the bar shows the time left.
        perplexity: Effective number of neighbours, in [1, (n - 1) / 3].
        aligned: False makes each map a full t-SNE of its own.
        start: A map (n, 2) of an earlier epoch to start the first one from.
        quick: Take few steps for each full map, for a look at some thousand points.
        seed: Seed of the jitter in the initial map.
        n_jobs: Threads of the optimisation; -1 takes all cores.
        progress: Show a progress bar over all iterations of all epochs.

    Yields:
        For each epoch the map (n, 2) float32, and each point's nearest neighbours in the embedding, (n, 10).

    Raises:
        ValueError: If an array is not a finite (n, d), n differs between epochs, or an argument is out of range.
        FloatingPointError: If a map collapses to one point, which those of a few dozen points may.
    """
    require(n_jobs == -1 or n_jobs >= 1, "n_jobs", "-1, for all cores, or at least 1", n_jobs)
    if start is not None:
        require(start.ndim == 2 and start.shape[1] == 2, "start", "a map of shape (n, 2)", start.shape)
    previous = start
    cold, angle = (QUICK, QUICK_ANGLE) if quick else (COLD, ANGLE)
    with _progress_bar(_iterations(embeddings_by_epoch, cold, aligned, start is not None), progress) as advance:
        for embeddings in embeddings_by_epoch:
            vectors = _vectors(embeddings, perplexity, None if previous is None else len(previous))
            n = vectors.shape[0]
            indices, cosines = _neighbors(vectors, min(n - 1, max(NEIGHBORS, int(3 * perplexity))))
            affinity = affinities(indices, cosines, perplexity, n_jobs)
            warm = aligned and previous is not None
            first = previous if warm and previous is not None else principal_plane(vectors, seed)
            equal = quick and first.std() < START / 10  # the cold schedule shrinks such maps to a point
            first = carry_over(first, affinity.P) if warm or quick else first
            previous = _optimize(first, affinity, WARM if warm else cold, angle, n_jobs, advance)
            if equal or previous.std() < COLLAPSED:
                raise FloatingPointError(
                    f"the t-SNE of {n} points at perplexity {perplexity:.4g} has collapsed to one point; "
                    "take more points"
                )
            yield previous, indices[:, :NEIGHBORS].cpu().numpy()


def affinities(indices: Tensor, cosines: Tensor, perplexity: float, n_jobs: int = -1) -> Any:  # noqa: ANN401 (an openTSNE Affinities)
    """Compute the t-SNE affinities of openTSNE from known cosine neighbours.

    Args:
        indices: The 3 * perplexity nearest neighbours, or more, (n, k).
        cosines: Their cosines, decreasing, (n, k).
        perplexity: Effective number of neighbours, in [1, (n - 1) / 3].
        n_jobs: Threads; -1 takes all cores.

    Returns:
        An openTSNE ``PerplexityBasedNN``.
    """
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    indices, cosines = indices[:, : int(3 * perplexity)], cosines[:, : int(3 * perplexity)]
    squared = (1 - cosines.double()).clamp(min=0).square()
    # A row's affinities do not change when all its squared distances lose the same amount, but rows whose
    # neighbours are all equally far (a zero embedding) would underflow to 0 / 0 without it.
    distances = (squared - squared[:, :1]).clamp(min=0).sqrt()
    neighbors = PrecomputedNeighbors(indices.cpu().numpy(), distances.cpu().numpy())
    return PerplexityBasedNN(perplexity=perplexity, knn_index=neighbors, n_jobs=_threads(n_jobs, len(indices)))


def _vectors(embeddings: Any, perplexity: float, n_before: int | None) -> Tensor | csr_array:  # noqa: ANN401
    """Check one epoch's embeddings and return unit rows (n, d) on the fastest device; sparse ones as they are."""
    matrix: Any = as_matrix(embeddings)
    n = matrix.shape[0]
    if n_before is not None and n != n_before:
        raise ValueError(f"embeddings must have the same n at every epoch, got {n} after {n_before}")
    if not 1 <= perplexity <= (n - 1) / 3:
        raise ValueError(
            f"perplexity must lie in [1, (n - 1) / 3], at most {(n - 1) / 3:.4g} for n = {n}, got {perplexity}"
        )
    if is_sparse(matrix):
        if matrix.shape[1] > FEW_COLUMNS:
            return matrix
        matrix = matrix.toarray()
    rows = Rows(matrix)
    ids = torch.arange(n, device=rows.device)
    vectors = rows.take(ids) if rows.precision == torch.float64 else unit_rows(_in_float32(rows.raw(ids)))
    return vectors.to("cuda") if torch.cuda.is_available() else vectors


def _in_float32(rows: Tensor) -> Tensor:
    """The same directions in float32: rows that float32 can hold give the map that they give in float32."""
    if rows.dtype != torch.float64:
        return rows
    largest = rows.abs().amax(dim=1, keepdim=True)
    return (rows / torch.where(largest > 0, largest, 1)).float()


def _neighbors(vectors: Tensor | csr_array, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest neighbours of rows that :func:`_vectors` has checked, and their cosines."""
    if isinstance(vectors, Tensor):
        return nearest(vectors, k, check=False)
    graph = knn_graph(vectors, k, progress=False)
    return torch.from_numpy(graph.indices), torch.from_numpy(graph.cosines)


def _optimize(
    start: np.ndarray,
    affinity: Any,  # noqa: ANN401
    schedule: Schedule,
    angle: float,
    n_jobs: int,
    advance: Callable[[int], None] | None,
) -> np.ndarray:
    """Run the phases of a schedule from a map (n, 2) and return the new one, float32."""
    from openTSNE import TSNEEmbedding

    n = len(start)
    embedding = TSNEEmbedding(
        start,
        affinity,
        negative_gradient_method="fft" if n >= FFT_FROM else "bh",
        theta=angle,
        ints_in_interval=FFT_CELL,
        n_jobs=_threads(n_jobs, n),
        callbacks=None if advance is None else lambda *_: advance(REPORT_EVERY),
        callbacks_every_iters=REPORT_EVERY,
    )
    for iterations, exaggeration, momentum in schedule:
        embedding.optimize(iterations, exaggeration=exaggeration, momentum=momentum, inplace=True)
    return np.array(embedding, dtype=np.float32)


def _threads(n_jobs: int, n: int) -> int:
    # torch counts the cores that this process may use, openTSNE those of the machine. A small map is quick on one
    # thread, and much slower on several where the cores are busy: its threads wait for each other at every step.
    return n_jobs if n_jobs != -1 else torch.get_num_threads() if n >= FFT_FROM else 1


def _iterations(embeddings_by_epoch: Iterable[Any], cold: Schedule, aligned: bool, started: bool) -> int | None:
    """Count the iterations to come, or None where the number of epochs is not known."""
    try:
        epochs = len(embeddings_by_epoch)  # type: ignore[arg-type]
    except TypeError:
        return None
    full, warm = (sum(phase[0] for phase in schedule) for schedule in (cold, WARM))
    fulls = epochs if not aligned else min(epochs, 1 - started)
    return fulls * full + (epochs - fulls) * warm


@contextmanager
def _progress_bar(total: int | None, progress: bool) -> Iterator[Callable[[int], None] | None]:
    if not progress:
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc="t-SNE", unit="iteration") as bar:
        yield lambda steps: bar.update(steps) and None
