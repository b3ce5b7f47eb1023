"""The graph and the dilution of shards, on a real cluster of two processes, against one process."""

import os
import signal
import threading
import time

import numpy as np
import pyarrow as pa
import pytest
import zarr
from distributed import Client, LocalCluster
from pyarrow import parquet

import lend
from lend.dilution import sharded_dilute
from lend.neighbors import knn_graph, read_shard, sharded_graph, shards

SIZES = (700, 1500, 20, 980, 800)  # of uneven shards, one of them with fewer rows than neighbours
ENDINGS = (".npy", ".parquet", ".zarr", ".npy", ".parquet")


@pytest.fixture(scope="module")
def client():
    """Of two processes on this machine, one thread each."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as processes:
        with Client(processes) as client:
            yield client


@pytest.fixture(scope="module")
def whole():
    """Embeddings (4000, 32) in clusters, and noisy labels of 5 classes."""
    generator = np.random.default_rng(0)
    classes = generator.integers(0, 5, sum(SIZES))
    embeddings = 2 * generator.standard_normal((5, 32))[classes] + generator.standard_normal((sum(SIZES), 32))
    noisy = np.where(generator.random(len(classes)) < 0.3, generator.integers(0, 5, len(classes)), classes)
    embeddings[[10, 3900]] = 0
    return embeddings.astype(np.float32), noisy


def write(path, array, name):
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".parquet":
        column = pa.array(list(array)) if array.ndim == 2 else pa.array(array)
        parquet.write_table(pa.table({"other": np.arange(len(array)), name: column}), path, row_group_size=300)
    else:
        zarr.open_group(path, mode="w").create_array(name, data=array, chunks=(100, *array.shape[1:]))
    return path


def cut(folder, array, name):
    """One file for each shard, of every format in turn."""
    parts = zip(np.split(array, np.cumsum(SIZES)[:-1]), ENDINGS, strict=True)
    return [write(folder / f"{name}{number}{end}", part, name) for number, (part, end) in enumerate(parts)]


@pytest.fixture(scope="module")
def sources(whole, tmp_path_factory):
    return cut(tmp_path_factory.mktemp("shards"), whole[0], "embeddings")


@pytest.fixture(scope="module")
def expected(whole):
    return knn_graph(whole[0], 30, method="exact", progress=False)


def agree(graph, expected):
    """The same cosines, and the same neighbours wherever cosines differ."""
    clear = np.abs(np.diff(expected.cosines, axis=1, append=-2)) > 1e-6
    clear[:, 1:] &= clear[:, :-1]
    clear[:, -1] = False  # the next one is not known
    same = (graph.indices == expected.indices)[clear].all() and clear[:, :-1].mean() > 0.9
    return same and np.allclose(graph.cosines, expected.cosines, atol=1e-6)


def test_the_graph_is_that_of_one_process(sources, client, expected):
    graph = sharded_graph(sources, 30, client, progress=False)
    assert agree(graph, expected) and (graph.method, graph.recall) == ("sharded", 1)


def test_one_shard_and_urls(sources, client, whole, capsys):
    graph = sharded_graph([f"file://{sources[0]}"], 5, client)
    assert agree(graph, knn_graph(whole[0][: SIZES[0]], 5, progress=False))
    assert "neighbours" in capsys.readouterr().err


@pytest.mark.parametrize(
    "settings", [{}, {"affinity": "sum", "steps": 3, "reserve": "initial", "class_prior": "balanced", "k": 5}]
)
def test_diluted_labels_are_those_of_one_process(settings, sources, client, whole):
    embeddings, labels = whole
    diluted = sharded_dilute(sources, labels, client, progress=False, **settings)
    assert np.abs(diluted - lend.dilute(embeddings, labels, **settings)).max() < 1e-5


def test_labels_in_shards(sources, client, whole, tmp_path):
    labels = cut(tmp_path, whole[1], "labels")
    diluted = sharded_dilute(sources, labels, client, num_classes=7, progress=False)
    assert np.array_equal(diluted, sharded_dilute(sources, whole[1], client, num_classes=7, progress=False))
    assert diluted.shape == (4000, 7)


def test_a_task_holds_two_shards_at_most(monkeypatch, sources):
    opened = []
    monkeypatch.setattr(shards, "read_shard", lambda source, name: opened.append(source) or read_shard(source, name))
    parts = [shards.Part(str(source), 0, size) for source, size in zip(sources, SIZES, strict=True)]
    shards._compare(parts[0], parts[1], 5, "embeddings")
    shards._compare(parts[2], parts[2], 5, "embeddings")
    assert opened == [str(sources[0]), str(sources[1]), str(sources[2])]


def test_duplicates_in_other_shards(client, whole, tmp_path):
    shard = whole[0][:9]
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", shard * (number + 1))
    graph = sharded_graph([tmp_path / f"{number}.npy" for number in range(3)], 2, client, progress=False)
    own = np.arange(27)
    expected = np.sort(np.stack([(own + 9) % 27, (own + 18) % 27], axis=1), axis=1)
    assert np.array_equal(np.sort(graph.indices, axis=1), expected) and np.allclose(graph.cosines, 1)


def test_a_killed_worker_loses_nothing(sources, client, expected):
    """It is killed at work, when some pairs of shards are done."""
    client.run(slow_down)
    victim, _ = client.run(os.getpid).values()
    killer = threading.Timer(1, os.kill, (victim, signal.SIGKILL))
    killer.start()
    graph = sharded_graph(sources, 30, client, progress=False)
    assert not killer.is_alive()  # it struck before the graph was done
    assert agree(graph, expected)
    client.run(restore)
    assert victim not in client.run(os.getpid).values()


def slow_down():
    """In a worker: every pair of shards takes a moment longer."""
    compare = shards._compare_two
    shards._compare_two = lambda *arguments: time.sleep(0.3) or compare(*arguments)
    shards._compare_two.compare = compare


def restore():
    shards._compare_two = getattr(shards._compare_two, "compare", shards._compare_two)


# --- Reading and errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("ending", [".npy", ".parquet", ".zarr"])
def test_every_format_is_read(ending, dtype, tmp_path):
    array = np.random.default_rng(0).standard_normal((50, 6)).astype(dtype)
    path = write(tmp_path / f"shard{ending}", array, "embeddings")
    for source in (path, str(path), f"file://{path}"):
        read = read_shard(source)
        assert read.dtype == dtype and np.array_equal(read, array)


def test_other_layouts_of_a_table(tmp_path):
    array = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), 6)
    parquet.write_table(pa.table({"vectors": fixed}), tmp_path / "fixed.parquet", row_group_size=7)
    assert np.array_equal(read_shard(tmp_path / "fixed.parquet", "vectors"), array)
    zarr.save_array(tmp_path / "bare.zarr", array)
    assert np.array_equal(read_shard(tmp_path / "bare.zarr"), array)


def test_refuses_shards_that_it_cannot_read(tmp_path):
    with pytest.raises(ValueError, match=r"path ending in .npy, .parquet, .zarr, got 'embeddings.csv'"):
        read_shard("embeddings.csv")
    for ending in (".parquet", ".zarr"):
        path = write(tmp_path / f"shard{ending}", np.zeros((4, 2)), "embeddings")
        with pytest.raises(ValueError, match=f"source must hold 'labels', got '.*shard{ending}' without it"):
            read_shard(path, "labels")
    uneven = pa.table({"embeddings": [[1.0], [1.0, 2.0]]})
    parquet.write_table(uneven, tmp_path / "uneven.parquet")
    with pytest.raises(ValueError, match=r"lists of one length in .*uneven.parquet, got \[1, 2\]"):
        read_shard(tmp_path / "uneven.parquet")
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="pickle"):
        read_shard(tmp_path / "objects.npy")


def test_refuses_arguments_out_of_range(sources, client, whole, tmp_path):
    with pytest.raises(ValueError, match="sources must be at least one shard, got 0"):
        sharded_graph([], 3, client)
    with pytest.raises(ValueError, match="k must be an integer from 1 to 19, got 20"):
        sharded_graph(sources[2:3], 20, client, progress=False)
    np.save(tmp_path / "narrow.npy", np.ones((10, 3), np.float32))
    with pytest.raises(ValueError, match=r"sources must be of embeddings of one length, got \[3, 32\]"):
        sharded_graph([sources[0], tmp_path / "narrow.npy"], 3, client, progress=False)
    np.save(tmp_path / "nan.npy", np.full((10, 32), np.nan, np.float32))
    with pytest.raises(ValueError, match="nan.npy: embeddings must be finite, got NaN or inf in 10 rows"):
        sharded_graph([sources[0], tmp_path / "nan.npy"], 3, client, progress=False)
    for labels, message in (
        (whole[1][:-1], r"labels must be of shape \(4000,\), one per embedding, got \(3999,\)"),
        (whole[1] / 2, "labels must be all integers or all strings"),
        (whole[1] - 2, r"labels must be inside 0..2, or -1 where unlabelled, got '-2..2'"),
    ):
        with pytest.raises(ValueError, match=message):
            sharded_dilute(sources, labels, client, progress=False)
    with pytest.raises(ValueError, match="alpha must be"):
        sharded_dilute(sources, whole[1], client, alpha=1.0)
