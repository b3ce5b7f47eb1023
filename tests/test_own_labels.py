"""Labels of people's own files: the classes that exist, by name or number, or one error that names file and array."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lend import data, noise

IMAGES = np.arange(9, dtype=np.uint8)[:, None, None] * np.ones((9, 4, 4), np.uint8)


def npz(folder, train, test, name="mine", **arrays):
    path = folder / f"{name}.npz"
    train, test = np.asarray(train), np.asarray(test)
    images = {"train_images": IMAGES[: len(train)], "test_images": IMAGES[: len(test)]}
    np.savez(path, train_labels=train, test_labels=test, **images, **arrays)
    return data.load(f"npz:{path}")


def parquet(folder, train, test, name="mine", metadata=(None, None), **columns):
    for part, labels, extra, about in (("train", train, columns, metadata[0]), ("test", test, {}, metadata[1])):
        blobs = []
        for i in range(len(labels)):
            buffer = io.BytesIO()
            Image.fromarray(IMAGES[i]).save(buffer, "PNG")
            blobs.append(buffer.getvalue())
        labels = labels if isinstance(labels, pa.Array | pa.ChunkedArray) else pa.array(labels)
        table = pa.table({"image": blobs, "label": labels, **extra})
        table = table if about is None else table.replace_schema_metadata(named(about))
        pq.write_table(table, folder / f"{name}-{part}.parquet")
    return data.load(f"parquet:{folder / name}")


def named(names):
    return {"huggingface": json.dumps({"info": {"features": {"label": {"names": names}}}})}


def result(dataset):
    return dataset.class_names, dataset.train_labels.tolist(), dataset.test_labels.tolist()


EXPECTED = ("1", "2", "3"), [0, 2, 1, 2], [1, 0]


@pytest.mark.parametrize("kind", "int8 uint8 >i2 >u4 int32 >i8 uint64 float32 >f8 U S".split())
def test_labels_from_one_on_of_every_type(tmp_path, kind):
    assert result(npz(tmp_path, np.array([1, 3, 2, 3]).astype(kind), np.array([[2], [1]]).astype(kind))) == EXPECTED


@pytest.mark.parametrize(
    "make",
    [
        lambda labels: pa.array(labels, pa.int8()),
        lambda labels: pa.array(labels, pa.uint64()),
        lambda labels: pa.array(labels, pa.float32()),
        lambda labels: pa.array(labels).dictionary_encode(),
        lambda labels: pa.array(map(str, labels)),
        lambda labels: pa.array(map(str, labels), pa.large_string()).dictionary_encode(),
        lambda labels: pa.array([str(label).encode() for label in labels]),
        lambda labels: pa.Array.from_pandas(pd.Series(map(str, labels)).astype("category")),
    ],
)
def test_columns_of_every_type(tmp_path, make):
    assert result(parquet(tmp_path, make([1, 3, 2, 3]), make([2, 1]))) == EXPECTED


def test_no_class_without_examples_is_drawn(tmp_path):
    dataset = npz(tmp_path, [1, 3, 2, 3, 1, 2], [1])
    assert dataset.num_classes == 3 and set(noise.draw(dataset, "symmetric", 1, 0).tolist()) == {0, 1, 2}


def test_booleans(tmp_path):
    assert result(npz(tmp_path, [True, False], [True])) == (("False", "True"), [1, 0], [1])
    assert result(parquet(tmp_path, [True, False], [False])) == (("False", "True"), [1, 0], [0])


def test_a_gap_is_told_once(tmp_path):
    for read in (npz, parquet):
        with pytest.warns(UserWarning) as caught:
            dataset = read(tmp_path, [0, 7, 3, 7], [3])
        assert result(dataset) == (("0", "3", "7"), [0, 2, 1, 2], [1])
        (warning,) = caught
        wanted = r"labels run from 0 to 7, but these do not occur and are no classes: 1, 2, 4, 5, 6"
        assert str(warning.message).endswith(wanted) and "mine" in str(warning.message)
    with pytest.warns(UserWarning, match="from 0 to 4000000000.* 1, 2, .* and 989 more"):
        assert npz(tmp_path, [0, 4_000_000_000], [0]).class_names == ("0", "4000000000")


def test_given_names_keep_their_positions(tmp_path):
    names = np.array(["cow", "ant", "bee", "dog"])
    forms = [names, names.astype("S"), names[:, None], names.astype("S")[None]]
    for form in forms:
        with pytest.warns(UserWarning, match="mine.npz: classes without a training example are left out: ant$"):
            dataset = npz(tmp_path, [3, 0, 2], [2], class_names=form)
        assert result(dataset) == (("cow", "bee", "dog"), [2, 0, 1], [1])
    with pytest.warns(UserWarning, match="mine: classes without a training example are left out: ant$"):
        dataset = parquet(tmp_path, [3, 0, 2], [2], metadata=(names.tolist(), None))
    assert result(dataset) == (("cow", "bee", "dog"), [2, 0, 1], [1])
    whole = npz(tmp_path, [3, 0, 2, 1], [2], class_names=names)
    assert result(whole) == (tuple(names), [3, 0, 2, 1], [2])
    assert npz(tmp_path, [0, 1], [0], class_names=np.array([4, 7])).class_names == ("4", "7")


def test_labels_by_name(tmp_path):
    train, test = ["bee", "ant", "cow"], ["ant"]
    for make in (np.array, lambda labels: np.array(labels).astype("S"), lambda labels: np.array(labels)[:, None]):
        assert result(npz(tmp_path, make(train), make(test))) == (("ant", "bee", "cow"), [1, 0, 2], [0])
        ordered = npz(tmp_path, make(train), make(test), class_names=np.array(["cow", "bee", "ant"]))
        assert result(ordered) == (("cow", "bee", "ant"), [1, 2, 0], [2])
    with pytest.raises(ValueError, match="mine.npz: train_labels must be of the class names bee, ant, got 'cow'"):
        npz(tmp_path, train, test, class_names=np.array(["bee", "ant"]))
    with pytest.raises(ValueError, match="test_labels must be of classes that have training examples, got 'dog'"):
        npz(tmp_path, train, ["dog"])
    assert npz(tmp_path, ["10", "9", "nan"], ["9"]).class_names == ("10", "9", "nan")


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([0, 1, None], [0], "column 'label' must be complete, .*'1 missing of 3'"),
        (["a", None, None], ["a"], "column 'label' must be complete, .*'2 missing of 3'"),
        ([0.0, float("nan")], [0.0], "column 'label' must be complete, .*'1 missing of 2'"),
        ([[0], [1]], [[0]], "column 'label' must be"),
        ([{"a": 0}, {"a": 1}], [{"a": 0}], "column 'label' must be"),
        (pa.array([0, 1], pa.timestamp("s")), [0], "column 'label' must be"),
    ],
)
def test_columns_that_are_no_labels(tmp_path, train, test, message):
    with pytest.raises(ValueError, match=rf"mine-train\.parquet: {message}") as caught:
        parquet(tmp_path, train, test)
    assert "\n" not in str(caught.value)


def test_labels_of_two_kinds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="mine: test_labels must be of the kind of train_labels, got .*'0'"):
        parquet(tmp_path, [0, 1], ["0"])
    with pytest.raises(ValueError, match="test_labels must be of classes that have training examples, got '2'"):
        parquet(tmp_path, [0, 1], [2])
    with pytest.raises(ValueError, match="train_labels must be 0 to 1, the indices of 2 class names, got '2'"):
        parquet(tmp_path, [0, 2], [0], metadata=(["a", "b"], None))


def test_files_of_one_set_must_agree(tmp_path):
    with pytest.raises(ValueError, match="class names of the test files must be .*'a', 'b'.*got .*'b', 'a'"):
        parquet(tmp_path, [0, 1], [0], metadata=(["a", "b"], ["b", "a"]))
    assert parquet(tmp_path, [0, 1], [0], metadata=(None, ["b", "a"])).class_names == ("b", "a")
    root = tmp_path / "parts"
    root.mkdir()
    parquet(tmp_path, [0, 1], [0])
    for i in range(2):
        (root / f"train-0000{i}-of-00002.parquet").write_bytes((tmp_path / "mine-train.parquet").read_bytes())
    (root / "test.parquet").write_bytes((tmp_path / "mine-test.parquet").read_bytes())
    assert data.load(f"parquet:{root}").train_labels.tolist() == [0, 1, 0, 1]
    parquet(tmp_path, ["a", "b"], ["a"])
    (root / "train-00001-of-00002.parquet").write_bytes((tmp_path / "mine-train.parquet").read_bytes())
    with pytest.raises(ValueError, match="parts: column 'label' must be all integers or all text"):
        data.load(f"parquet:{root}")
    (root / "train-00000-of-00002.parquet").unlink()
    with pytest.raises(ValueError, match="train-00001-of-00002.parquet must be one of 2 train files, got '1 of them'"):
        data.load(f"parquet:{root}")


def test_further_labels_follow_the_classes(tmp_path):
    dataset = parquet(tmp_path, [1, 3, 2], [1], worse_label=[3, 3, 1])
    assert dataset.human_labels["worse_label"].tolist() == [2, 2, 0]
    dataset = parquet(tmp_path, ["b", "a", "c"], ["a"], worse_label=["c", "c", "a"])
    assert dataset.human_labels["worse_label"].tolist() == [2, 2, 0]
    with pytest.warns(UserWarning, match="classes without a training example are left out: d$"):
        names = ["a", "b", "c", "d"]
        dataset = parquet(tmp_path, [0, 1], [1], metadata=(names, None), worse_label=[0, 2])
    assert dataset.class_names == ("a", "b", "c") and dataset.human_labels["worse_label"].tolist() == [0, 2]
    for labels, message in (([0, None], "1 missing of 2"), ([0, 9], "these labels are no classes: 9")):
        with pytest.warns(UserWarning, match=f"column 'worse_label' is left out.*{message}"):
            assert parquet(tmp_path, [0, 1], [1], worse_label=labels).human_labels == {}


def test_names_of_known_data_sets(tmp_path):
    known = data.CLASS_NAMES["cifar10"]
    for read in (npz, parquet):
        labels = np.array([9, 8, 7, 6, 5, 4, 2, 1, 0])
        with pytest.warns(UserWarning, match="classes without a training example are left out: cat$"):
            dataset = read(tmp_path, labels, labels[:2], name="cifar10")
        assert dataset.class_names == tuple(name for name in known if name != "cat")
        assert dataset.train_labels.tolist() == [8, 7, 6, 5, 4, 3, 2, 1, 0]
        with pytest.raises(ValueError, match="class_names must be the 10 classes of .*missing: cat"):
            noise.draw(dataset, "asymmetric", 0.4, 0)


def test_npz_map_follows_the_names(tmp_path):
    """CIFAR-10 with its classes in another order: truck -> automobile stays what it is."""
    names = np.array(data.CLASS_NAMES["cifar10"])[::-1]
    labels = np.arange(10)
    np.savez(
        tmp_path / "cifar10.npz",
        train_images=np.zeros((10, 4, 4), np.uint8),
        train_labels=labels,
        test_images=np.zeros((10, 4, 4), np.uint8),
        test_labels=labels,
        class_names=names,
    )
    dataset = data.load(f"npz:{tmp_path / 'cifar10'}")
    drawn = noise.draw(dataset, "asymmetric", 1, 0)
    moved = {names[a]: names[b] for a, b in zip(labels, drawn, strict=True) if a != b}
    assert moved == {"truck": "automobile", "bird": "airplane", "cat": "dog", "dog": "cat", "deer": "horse"}


def test_objects_beside_the_data_set_are_not_read(tmp_path):
    dataset = npz(tmp_path, [0, 1], [1], notes=np.array([{"a": 1}], dtype=object))
    assert dataset.train_labels.tolist() == [0, 1]


def test_paths_as_people_write_them(tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    npz(folder, [0, 1], [1])
    parquet(folder, [0, 1], [1])
    for part in ("train", "test"):
        (folder / f"mine-{part}.parquet").rename(folder / f"{part}.parquet")
    (folder / "mine.npz").rename(folder / "Mine.NPZ")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    for path in (".", "./", "../mine/", "~/mine", "~/mine/"):
        assert data.load(f"parquet:{path}").name == "mine"
    assert data.load("npz:~/mine/Mine.NPZ").name == data.load("npz:Mine.NPZ").name == "Mine"
    for name in ("npz:.", "npz:/", "parquet:/", "folder:/", "parquet:~nobody-here/x", "npz:nowhere/"):
        with pytest.raises(FileNotFoundError, match="no such (file|folder)"):
            data.load(name)
