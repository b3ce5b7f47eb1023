"""Exact nearest neighbours by way of rounded rows, where the processor multiplies these many times faster.

Unit rows x are rounded to bfloat16, b. What their products may be wrong by is known,

    |x·y - b_x·b_y| <= |x - b_x| + |b_x| |y - b_y| + K 2⁻²⁴,   K terms, added in float32,

so that only columns within twice that of the k-th largest product can be among a row's k nearest: somewhat more than k.
Of these alone the cosines are taken in float32. A row for which there are too many, as one with hundreds of copies, is
compared with all. So the neighbours are those of a search in float32, by any number of threads.

The products themselves come rounded to bfloat16, which does not tell 0.95 from 0.953. So an offset, a little below the
row's k-th cosine, is subtracted within the product: what counts is small then, and rounding takes 2⁻⁹ of it.

Where rows lie so close that many columns qualify, what rounding took away is rounded, too, l = x - b, and the product
is b_x·b_y + l_x·b_y + b_x·l_y: three times the work, and hardly any error. A few rows tell which way is quicker.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int, Int16
from torch import Tensor
from tqdm.auto import tqdm

from lend.neighbors.blocks import cosines_of_pairs, nearest_by_blocks, nearest_of
from lend.neighbors.topk import Best

LEAST, LARGEST = 8192, 1 << 28  # rows, from which it is faster; numbers of all, of each of which it holds 6 to 10 bytes
WIDTH = 16  # columns of a group, whose largest product stands for them, and groups of a group of groups
CELLS = 1 << 26  # products to hold at a time: of fewer rows each call, the right factor is packed too often
TILE = (
    32  # numbers of a row that are multiplied at once; with another number of terms it takes up to three times as long
)
MANY = 16  # times k groups with a column that qualifies: a row with more is compared with all
TRIALS, CROWDED = 128, 0.25  # rows to try, and the share of them with too many for which all are compared with all
CANDIDATE = 400_000  # products that take as long as to look into one column more
SAMPLE, RANK = 1024, 4  # columns of which the offset lies below the 4th: hardly ever are so many of the k nearest here
ROOM = 0.004  # from the offset to what counts, at least
ROUNDING = 2.0**-8  # twice the relative error of bfloat16


def pay(n: int, d: int, k: int, like: Tensor) -> bool:
    """Whether :func:`nearest_by_halves` is the way to find k neighbours of n rows of d numbers.

    Args:
        n: Rows.
        d: Numbers of each.
        k: Neighbours.
        like: Gives type and device of the rows.
    """
    fits = LEAST <= n and n * d <= LARGEST and 4 * k <= n // WIDTH
    return fits and like.dtype == torch.float32 and like.device.type == "cpu" and _multiplies_tiles()


@cache
def _multiplies_tiles() -> bool:
    """Whether the processor has AMX for bfloat16. With AVX-512's alone this takes 1.7 times as long."""
    told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # an older torch does not say
    return bool(told.get("amx_bf16", False)) and torch.backends.mkldnn.is_available()


def nearest_by_halves(vectors: Float[Tensor, "n d"], k: int, progress: bool = False) -> Best:
    """Find the k nearest neighbours of every row, exactly.

    Args:
        vectors: Rows of length 1 or 0, float32, on a CPU.
        k: Neighbours per row, at most n/64.
        progress: Show a progress bar.

    Returns:
        Neighbours as columns (n, k) and cosines as values (n, k).
    """
    n, generator = len(vectors), np.random.default_rng(0)
    terms = _terms(vectors, k, generator)
    if not terms:
        return nearest_by_blocks(vectors.__getitem__, n, k, progress=progress)
    right, bound = _rounded(vectors, terms)
    size = max(64, min(SAMPLE, n // (2 * k))) // WIDTH * WIDTH
    some = right[: vectors.shape[1], torch.from_numpy(np.sort(generator.choice(n, size, replace=False)))]
    best, width = Best(n, k, vectors), -(-n // WIDTH**2) * WIDTH**2
    parts = torch.arange(n).split(max(1, CELLS // width))
    space = torch.full((len(parts[0]), width), -torch.inf, dtype=torch.bfloat16)  # columns beyond n never count
    for ids in tqdm(parts, "neighbours", unit="block", disable=not progress):
        products, margin = space[: len(ids)], 2 * bound[ids]
        b = vectors[ids].bfloat16()
        offset = _offset(torch.mm(b, some), margin)
        torch.mm(_left(vectors[ids], b, -offset, terms), right, out=products[:, :n])
        products[torch.arange(len(ids)), ids] = -torch.inf
        rows, columns = _candidates(products.view(torch.int16), k, margin)
        _keep(best, ids, vectors, rows, columns)
    for ids in (best.columns[:, -1] < 0).nonzero()[:, 0].split(1024):
        found = nearest_of(ids, vectors.__getitem__, n, k)
        best.columns[ids], best.values[ids] = found.columns, found.values
    return best


# --- The products -------------------------------------------------------------------------------------------------


def _terms(vectors: Float[Tensor, "n d"], k: int, generator: np.random.Generator) -> int:
    """One term of the product or three, whichever some rows tell to be quicker; 0 if neither tells their neighbours."""
    ids = torch.from_numpy(np.sort(generator.choice(len(vectors), TRIALS, replace=False)))
    cosines, error = vectors[ids] @ vectors.T, float(_errors(vectors[ids], 1).mean())
    cosines[torch.arange(TRIALS), ids] = -torch.inf
    least = cosines.topk(k).values[:, -1:]
    coarse, fine = ((cosines >= least - 4 * slack - ROOM / 8).sum(dim=1) for slack in (error, 0))
    if float((fine > MANY * k).double().mean()) > CROWDED:
        return 0
    return 1 if float((coarse - fine).double().mean()) * CANDIDATE <= 2 * vectors.numel() else 3


def _left(x: Float[Tensor, "b d"], b: Tensor, last: Tensor, terms: int) -> Tensor:
    """The left factor of the products (b, K): that of the offset, then zeros, are the last of the terms."""
    left = [b] if terms == 1 else [b, (x - b.float()).bfloat16(), b]
    return torch.cat([*left, last, last.new_zeros((len(x), _length(x, terms) - terms * x.shape[1] - 1))], dim=1)


def _length(x: Float[Tensor, "b d"], terms: int) -> int:
    return -(-(terms * x.shape[1] + 1) // TILE) * TILE


def _errors(x: Float[Tensor, "b d"], terms: int) -> Float[Tensor, " b"]:
    """|x - b|, or what is left of it when l is taken away as well."""
    left = x - x.bfloat16().float()
    return (left if terms == 1 else left - left.bfloat16().float()).norm(dim=1)


def _rounded(vectors: Float[Tensor, "n d"], terms: int) -> tuple[Tensor, Float[Tensor, " n"]]:
    """The right factor (K, n) of all products, and what those of each row may be wrong by at most."""
    n, d = vectors.shape
    right, bound = torch.ones((_length(vectors, terms), n), dtype=torch.bfloat16), torch.empty((2, n))
    for ids in torch.arange(n).split(4096):
        x, b = vectors[ids], vectors[ids].bfloat16()
        right[:d, ids] = b.T
        if terms == 3:
            right[d : 2 * d, ids], right[2 * d : 3 * d, ids] = b.T, (x - b.float()).bfloat16().T
        bound[0, ids], bound[1, ids] = _errors(x, terms), _errors(x, 1)
    (left, other), sums = bound, len(right) * 2.0**-24
    return right, 1.02 * (left + left.max() + sums + (0 if terms == 1 else other * other.max()))


def _offset(sample: Tensor, margin: Float[Tensor, " b"]) -> Tensor:
    """A number below the k-th largest product of each row but for a few, and close to it: (b, 1), bfloat16."""
    maxima = sample.unflatten(1, (WIDTH, -1)).amax(dim=1).topk(RANK).values[:, -1]
    return (maxima.float() - margin - ROOM).bfloat16()[:, None]


# --- The columns that qualify -------------------------------------------------------------------------------------


def _candidates(
    products: Int16[Tensor, "b m"], k: int, margin: Float[Tensor, " b"]
) -> tuple[Int[Tensor, " h"], Int[Tensor, " h"]]:
    """Rows and columns of all products that may be of the k nearest; none of a row that has too many, or no bound.

    Positive bfloat16 are in the order of their bits, read as integers, which are compared several times faster. A
    negative one is less than any positive, and nothing else is asked of it.
    """
    groups = products.unflatten(1, (WIDTH, -1)).amax(dim=1)
    supers = groups.unflatten(1, (WIDTH, -1)).amax(dim=1)
    maxima = supers if supers.shape[1] >= 4 * k else groups
    kth = maxima.topk(k).values[:, -1].contiguous().view(torch.bfloat16).float()
    low = ((kth * (1 - ROUNDING) - margin) * (1 - ROUNDING)).bfloat16()
    least = torch.where(low > 0, low, torch.inf).view(torch.int16)
    rows, places = (supers >= least[:, None]).nonzero().T
    rows, places = _within(groups, rows, places, least)
    few = torch.bincount(rows, minlength=len(products)) <= MANY * k
    return _within(products, rows[few[rows]], places[few[rows]], least)


def _within(
    scores: Int16[Tensor, "b m"], rows: Int[Tensor, " h"], groups: Int[Tensor, " h"], least: Int16[Tensor, " b"]
) -> tuple[Int[Tensor, " l"], Int[Tensor, " l"]]:
    """Rows and columns of the scores in some groups that reach the least of their row; group j holds j, j + g, ..."""
    m = scores.shape[1]
    inside = scores.reshape(-1)[(rows * m + groups)[:, None] + torch.arange(0, m, m // WIDTH)]
    entry, place = (inside >= least[rows, None]).nonzero().T
    return rows[entry], groups[entry] + place * (m // WIDTH)


def _keep(
    best: Best,
    ids: Int[Tensor, " b"],
    vectors: Float[Tensor, "n d"],
    rows: Int[Tensor, " h"],
    columns: Int[Tensor, " h"],
) -> None:
    """The candidates of largest cosine of these rows; ``rows`` are increasing positions in ``ids``."""
    count = torch.bincount(rows, minlength=len(ids))
    starts = torch.cat([count.new_zeros(1), count.cumsum(0)])
    shape, rank = (len(ids), max(int(count.max()), best.values.shape[1])), torch.arange(len(rows)) - starts[rows]
    values, places = vectors.new_full(shape, -torch.inf), torch.full(shape, -1)
    values[rows, rank], places[rows, rank] = cosines_of_pairs(vectors, ids, starts, columns), columns
    best.values[ids], order = values.topk(best.values.shape[1])
    best.columns[ids] = places.gather(1, order)
