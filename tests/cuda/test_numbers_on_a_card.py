"""A card computes what the CPU computes: neighbours, dilution, selection."""

import numpy as np
import pytest
import torch

import lend
from lend.dilution import dilute_among
from lend.neighbors import knn_graph, nearest

pytestmark = pytest.mark.cuda

K = 8
NEAR = 1e-5


def embeddings(n=256, d=32, dtype=torch.float32):
    """Embeddings around ten centres and their labels; no row's K-th neighbour is as near as the next one."""
    for seed in range(100):
        generator = torch.Generator().manual_seed(seed)
        labels = torch.arange(n) % 10
        V = torch.randn(10, d, generator=generator)[labels] + torch.randn(n, d, generator=generator)
        cosines = nearest(V.double(), K + 1)[1]
        if (cosines[:, K - 1] - cosines[:, K]).min() > 2e-6:  # more than float32 mistakes
            flips = torch.randint(0, 10, (n,), generator=generator)
            return V.to(dtype), torch.where(torch.rand(n, generator=generator) < 0.3, flips, labels)
    raise AssertionError("no such embeddings")


def assert_same_labels(one, two):
    """Equal argmax, but where the two largest entries of a row are as good as equal."""
    first, second = one.topk(2).values.unbind(dim=1)
    clear = first - second > NEAR
    assert clear.float().mean() > 0.5
    assert torch.equal(one.argmax(dim=1)[clear], two.argmax(dim=1)[clear])


@pytest.mark.parametrize("affinity", ["product", "sum"])
@pytest.mark.parametrize("reserve", ["previous", "initial"])
@pytest.mark.parametrize("class_prior", [None, "balanced"])
def test_dilute(device, affinity, reserve, class_prior):
    V, y = embeddings()
    options = {"affinity": affinity, "reserve": reserve, "class_prior": class_prior}
    here, there = lend.dilute(V, y, **options), lend.dilute(V.to(device), y.to(device), **options)
    assert there.device.type == device.type
    assert (here - there.cpu()).abs().max() <= NEAR
    assert_same_labels(here, there.cpu())


def test_dilute_with_a_sparse_graph(device):
    V = torch.randn(4200, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = (V[:, 0] > 0).long() + (V[:, 1] > 0).long()
    here, there = lend.dilute(V, y), lend.dilute(V.to(device), y.to(device))
    assert (here - there.cpu()).abs().max() <= NEAR
    assert_same_labels(here, there.cpu())


@pytest.mark.parametrize("block", [4096, 100])
def test_nearest(device, block):
    V, _ = embeddings()
    indices, cosines = nearest(V, K)
    there, found = nearest(V.to(device), K, block=block)
    assert (cosines - found.cpu()).abs().max() <= NEAR
    assert torch.equal(indices.sort(dim=1).values, there.cpu().sort(dim=1).values)


@pytest.mark.parametrize("method", ["exact", "clusters", "reduced"])
def test_graph(device, method):
    V, _ = embeddings(2000, 256)
    here = knn_graph(V, K, progress=False, method="exact")
    there = knn_graph(V.to(device), K, progress=False, method=method)
    assert there.recall >= 0.98
    found = np.array([len(set(a) & set(b)) / K for a, b in zip(here.indices, there.indices, strict=True)])
    assert found.mean() >= 0.98
    same = here.indices == there.indices
    assert np.abs(here.cosines - there.cosines)[same].max() <= NEAR


@pytest.mark.parametrize("scope", ["batch", "dataset"])
def test_selector(device, scope):
    V, y = embeddings()
    here, there = (lend.Selector(y, beta=0.0, scope=scope) for _ in range(2))
    there = there.to(device)
    for part in torch.arange(len(y)).split(128):
        kept = here(part, V[part])
        assert torch.equal(kept, there(part.to(device), V[part].to(device)).cpu())
    here.after_epoch(), there.after_epoch()
    assert there.diluted.device.type == device.type
    assert torch.equal(here.kept, there.kept.cpu()) and 0.4 < here.kept.float().mean() < 1
    assert (here.diluted - there.diluted.cpu()).abs().max() <= NEAR


def test_audit(device):
    V, y = embeddings(1000)
    here, there = (lend.audit(rows, y.numpy(), progress=False).issues for rows in (V, V.to(device)))
    assert np.abs(here["label_score"] - there["label_score"]).max() < 1e-2
    assert (here["is_label_issue"] == there["is_label_issue"]).mean() > 0.99


def captured(function, inputs):
    """A function of tensors as a CUDA graph that reads them where they are; on the CPU the function itself."""
    if inputs[0].device.type != "cuda":
        return lambda: function(*inputs)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            function(*inputs)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = function(*inputs)

    def replay():
        graph.replay()
        return results

    return replay


def test_dilution_in_a_cuda_graph(device):
    """It has fixed shapes and asks nothing of the host, so that a whole step can be captured."""
    V, y = embeddings()
    static = V.clone().to(device), y.clone().to(device), torch.ones(10, device=device)
    replay = captured(lambda *tensors: dilute_among(*tensors, lend.Dilution()), static)
    for shift in (0, 17):
        static[0].copy_(V.roll(shift, dims=0))
        static[1].copy_(y.roll(shift, dims=0))
        Z, dominant = (t.cpu() for t in replay())
        expected, labels = dilute_among(V.roll(shift, dims=0), y.roll(shift, dims=0), torch.ones(10), lend.Dilution())
        assert (Z - expected).abs().max() <= NEAR
        assert (dominant == labels).float().mean() > 0.98
