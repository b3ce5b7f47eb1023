import numpy as np
import pytest
import torch
from torch import Tensor

from lend.neighbors import nearest, unit_rows
from lend.neighbors.blocks import compare_two, nearest_of
from lend.neighbors.exact import check_finite
from lend.neighbors.topk import Best


def clustered(n: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn((5, d), generator=generator) * 2
    return (centres[torch.arange(n) % 5] + torch.randn((n, d), generator=generator)).to(dtype)


def slow_cosines(embeddings: Tensor) -> np.ndarray:
    """All cosines (n, n) in float64, row by row; 0 with a zero row, -inf with itself."""
    rows = embeddings.double().numpy()
    n = len(rows)
    cosines = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            lengths = np.sqrt(np.sum(rows[i] ** 2)) * np.sqrt(np.sum(rows[j] ** 2))
            cosines[i, j] = -np.inf if i == j else np.sum(rows[i] * rows[j]) / lengths if lengths else 0.0
    return cosines


@pytest.mark.parametrize("block", [4096, 60, 17, 1])
@pytest.mark.parametrize("k", [1, 8, 59])
def test_agrees_with_a_slow_loop(k: int, block: int) -> None:
    embeddings = clustered(60, 7)
    indices, cosines = nearest(embeddings, k, block=block)
    expected = slow_cosines(embeddings)
    order = np.argsort(-expected, axis=1)[:, :k]
    assert indices.dtype == torch.int64 and indices.shape == cosines.shape == (60, k)
    assert np.array_equal(indices.numpy(), order)
    assert np.allclose(cosines.numpy(), np.take_along_axis(expected, order, axis=1), atol=1e-6)


@pytest.mark.parametrize("block", [7, 100, 299])
def test_block_changes_nothing(block: int) -> None:
    embeddings = clustered(300, 16)
    indices, cosines = nearest(embeddings, 10)
    by_block = nearest(embeddings, 10, block=block, progress=block == 100)
    assert torch.equal(by_block[0], indices)
    assert torch.allclose(by_block[1], cosines, atol=1e-6)


def matrix_cosines(embeddings: Tensor) -> Tensor:
    """All cosines (n, n) in float64; -inf with itself."""
    rows = embeddings.double()
    rows = rows / rows.norm(dim=1, keepdim=True)
    return (rows @ rows.T).fill_diagonal_(-torch.inf)


@pytest.mark.parametrize("block", [350, 1000, 1999])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_groups_of_columns_lose_no_neighbour(k: int, block: int) -> None:
    """Blocks large enough that most cosines are only read as one of a group."""
    embeddings = clustered(2000, 12, seed=k)
    indices, cosines = nearest(embeddings, k, block=block)
    expected = matrix_cosines(embeddings)
    assert torch.allclose(cosines.double(), expected.topk(k).values, atol=1e-6)
    assert torch.allclose(expected.gather(1, indices), expected.topk(k).values, atol=1e-6)


@pytest.mark.parametrize("transposed", [True, False])
def test_the_best_of_parts_are_the_best_of_all(transposed: bool) -> None:
    """In any order of the parts, in memory of either order, with scores that never count."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand((40, 3000), generator=generator, dtype=torch.float64)
    scores[:, ::3] = -torch.inf
    scores[5, 4:] = -torch.inf
    order = torch.randperm(3000, generator=generator)
    best = Best(40, 6, scores)
    for columns in order.split([1, 20, 979, 2000]):
        for rows in torch.randperm(40, generator=generator).split(15):
            part = scores[rows[:, None], columns]
            best.update(rows, part.T.contiguous().T if transposed else part, columns)
    expected = scores.topk(6)
    assert torch.equal(best.values, expected.values)
    found = expected.values > -torch.inf
    assert torch.equal(best.columns[found], expected.indices[found])
    assert (best.columns[~found] == -1).all() and found[5].sum() == 2


def test_some_rows_among_all() -> None:
    embeddings = clustered(500, 9)
    ids = torch.tensor([0, 3, 250, 499])
    best = nearest_of(ids, unit_rows(embeddings).__getitem__, 500, 7, block=120)
    indices, cosines = nearest(embeddings, 7)
    assert torch.equal(best.columns, indices[ids]) and torch.allclose(best.values, cosines[ids], atol=1e-6)


def test_two_sets_of_blocks() -> None:
    """Rows of one set get neighbours in the other only."""
    embeddings = clustered(300, 9)
    best = Best(300, 4, embeddings)
    sets = torch.arange(100).split(30), torch.arange(100, 300).split(64)
    assert len(list(compare_two(best, *sets, unit_rows(embeddings).__getitem__))) == 16
    expected = matrix_cosines(embeddings)
    expected[:100, :100] = expected[100:, 100:] = -torch.inf
    assert torch.equal(best.columns, expected.topk(4).indices)


@pytest.mark.parametrize("block", [4096, 9])
def test_duplicates_are_neighbours_and_self_never_is(block: int) -> None:
    embeddings = clustered(50, 6)
    embeddings[40:] = 3 * embeddings[:10]
    indices, cosines = nearest(embeddings, 5, block=block)
    assert not (indices == torch.arange(50)[:, None]).any()
    assert torch.equal(indices[:10, 0], torch.arange(40, 50)) and torch.equal(indices[40:, 0], torch.arange(10))
    assert torch.allclose(cosines[:10, 0], torch.ones(10))


def test_all_rows_equal() -> None:
    with pytest.warns(UserWarning, match="nearly parallel, with a mean cosine of 1.000000"):
        indices, cosines = nearest(torch.ones((30, 4)), 29)
    assert all(set(row.tolist()) == set(range(30)) - {i} for i, row in enumerate(indices))
    assert torch.allclose(cosines, torch.ones(30, 29))


@pytest.mark.parametrize("block", [4096, 11])
def test_zero_rows_have_cosine_zero(block: int) -> None:
    embeddings = clustered(40, 5).abs()
    embeddings[[3, 8]] = 0
    indices, cosines = nearest(embeddings, 6, block=block)
    assert torch.equal(cosines[[3, 8]], torch.zeros(2, 6))
    assert not (indices[[3, 8]] == torch.tensor([[3], [8]])).any()
    others = [i for i in range(40) if i not in (3, 8)]
    assert not torch.isin(indices[others], torch.tensor([3, 8])).any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_input_types(dtype: torch.dtype) -> None:
    embeddings = clustered(60, 7, dtype=dtype)
    _, cosines = nearest(embeddings, 5)
    assert cosines.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    expected = -np.sort(-slow_cosines(embeddings), axis=1)[:, :5]
    assert np.allclose(cosines.numpy(), expected, atol=1e-12 if dtype == torch.float64 else 1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_length_of_the_rows_changes_nothing(scale: float) -> None:
    embeddings = clustered(60, 7)
    assert torch.equal(nearest(embeddings * scale, 5)[0], nearest(embeddings, 5)[0])
    assert torch.allclose(unit_rows(embeddings * scale).norm(dim=1), torch.ones(60))


def test_permuted_examples_permute_the_neighbours() -> None:
    embeddings = clustered(60, 7)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    assert torch.equal(order[nearest(embeddings[order], 5)[0]], nearest(embeddings, 5)[0][order])


def test_input_is_unchanged_and_autocast_and_gradients_are_left_out() -> None:
    embeddings = clustered(60, 7).requires_grad_()
    before = embeddings.detach().clone()
    expected = nearest(before, 5)[1]
    with torch.autocast("cpu", torch.bfloat16):
        indices, cosines = nearest(embeddings, 5, check=False)
    assert torch.equal(cosines, expected) and not cosines.requires_grad
    assert torch.equal(embeddings, before) and embeddings.requires_grad


@pytest.mark.parametrize(("k", "block", "message"), [(0, 10, "k must"), (10, 10, "n = 10, got 10"), (3, 0, "block")])
def test_refuses_arguments_out_of_range(k: int, block: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nearest(clustered(10, 3), k, block=block)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_refuses_values_that_are_not_finite(value: float) -> None:
    embeddings = clustered(10, 3)
    embeddings[4, 1] = value
    with pytest.raises(ValueError, match="finite, got NaN or inf in 1 rows, the first is row 4"):
        nearest(embeddings, 2)
    with pytest.raises(ValueError, match="finite"):
        check_finite(embeddings)


def test_refuses_other_shapes_and_types() -> None:
    with pytest.raises(ValueError, match=r"shape \(n, d\), got \(10,\)"):
        nearest(torch.zeros(10), 2)
    with pytest.raises(ValueError, match="floating point, got torch.int64"):
        nearest(torch.zeros((10, 2), dtype=torch.int64), 2)


def test_finite_rows_whose_sum_is_not() -> None:
    check_finite(torch.full((300, 40), 3e38))
    rows = torch.full((300, 40), 6e4).half()
    check_finite(rows)
    rows[7, 0], rows[9, 1] = torch.inf, -torch.inf
    with pytest.raises(ValueError, match="2 rows, the first is row 7"):
        check_finite(rows)
