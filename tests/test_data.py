"""Every loader on small files made here, and what it says about files that are missing, damaged or altered."""

import io
import json
import pickle
import zipfile
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from lend import data, noise

REAL = Path(__file__).parents[1].parent / "shared" / "data" / "cifar10"
real = pytest.mark.skipif(
    not REAL.with_name("cifar10-train.parquet").exists() or not REAL.with_name("cifar10-test.parquet").exists(),
    reason="needs cifar10-train.parquet and cifar10-test.parquet",
)
STREAM = np.random.RandomState(0)


def pixels(*shape):
    return STREAM.randint(0, 256, shape).astype(np.uint8)


def encoded(array, form="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form)
    return buffer.getvalue()


def toy(n=60, c=3, **changes):
    labels = torch.arange(n) % c
    fields = {
        "name": "toy",
        "train_images": torch.from_numpy(pixels(n, 3, 4, 4)),
        "train_labels": labels,
        "test_images": torch.from_numpy(pixels(6, 3, 4, 4)),
        "test_labels": torch.arange(6) % c,
        "class_names": tuple("abcdefghij"[:c]),
        "sample_ids": torch.arange(n),
        "human_labels": {"worse_label": labels.roll(1)},
    }
    return data.Dataset(**{**fields, **changes})


def one_line(caught):
    return "\n" not in str(caught.value)


# Dataset


def test_dataset_is_frozen_and_counts():
    dataset = toy()
    assert (dataset.num_classes, len(dataset), dataset.clean) == (3, 60, True)
    with pytest.raises(FrozenInstanceError):
        dataset.name = "other"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": torch.zeros(60, 3, 4, 4)}, "train_images must be .*uint8.*float32"),
        ({"train_images": torch.zeros(60, 4, 4, dtype=torch.uint8)}, r"train_images must be .*\(60, 4, 4\)"),
        ({"test_images": torch.zeros(6, 1, 4, 4, dtype=torch.uint8)}, r"test_images must be .*\(3, 4, 4\)"),
        ({"train_labels": torch.zeros(59, dtype=torch.int64)}, r"train_labels must be int64 of shape \(60,\)"),
        ({"train_labels": torch.zeros(60, dtype=torch.int32)}, "train_labels must be int64"),
        ({"test_labels": torch.full((6,), 3)}, "test_labels must be 0 to 2, the indices of 3 class names"),
        ({"sample_ids": -torch.arange(60)}, "sample_ids must be 0 or more"),
        ({"human_labels": {"worse_label": torch.full((60,), -1)}}, r"human_labels\['worse_label'\] must be 0 to 2"),
    ],
)
def test_dataset_refuses_what_does_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        toy(**changes)


def test_subset_takes_the_largest_remainders():
    labels = torch.tensor([0] * 50 + [1] * 30 + [2] * 20)
    dataset = toy(100, train_labels=labels, human_labels={})
    # Shares of 7 are 3.5, 2.1 and 1.4: the remainder of the first is the largest.
    assert dataset.subset(7).train_labels.bincount(minlength=3).tolist() == [4, 2, 1]
    assert dataset.subset(100).sample_ids.tolist() == list(range(100))
    for n in range(1, 101):
        counts = dataset.subset(n).train_labels.bincount(minlength=3)
        assert counts.sum() == n and (counts - torch.tensor([0.5, 0.3, 0.2]) * n).abs().max() < 1


def test_subset_keeps_rows_together_and_the_test_set_whole():
    dataset = toy()
    part = dataset.subset(20, seed=3)
    ids = part.sample_ids
    assert len(part) == 20 and (ids.diff() > 0).all()
    assert torch.equal(part.train_images, dataset.train_images[ids])
    assert torch.equal(part.train_labels, dataset.train_labels[ids])
    assert torch.equal(part.human_labels["worse_label"], dataset.human_labels["worse_label"][ids])
    assert torch.equal(part.test_images, dataset.test_images) and part.class_names == dataset.class_names
    again = part.subset(10, seed=0)
    assert set(again.sample_ids.tolist()) < set(ids.tolist())
    assert torch.equal(again.train_images, dataset.train_images[again.sample_ids])


def test_subset_takes_a_whole_number_of_examples():
    for n in (0, 61, True):
        with pytest.raises(ValueError, match="n must be an integer from 1 to 60, got"):
            toy().subset(n)


def test_subset_orders_by_sample_id():
    dataset = toy()
    ids = torch.from_numpy(np.random.RandomState(0).permutation(60) + 100)
    part = replace(dataset, sample_ids=ids).subset(30)
    assert (part.sample_ids.diff() > 0).all()
    rows = [ids.tolist().index(i) for i in part.sample_ids.tolist()]
    assert torch.equal(part.train_images, dataset.train_images[rows])


def test_subset_seed_repeats_and_matters():
    dataset = toy()
    first = dataset.subset(20, seed=0).sample_ids
    assert torch.equal(first, dataset.subset(20).sample_ids)
    assert not torch.equal(first, dataset.subset(20, seed=1).sample_ids)


@pytest.mark.parametrize("n", [0, -1, 61])
def test_subset_refuses(n):
    with pytest.raises(ValueError, match=f"n must be an integer from 1 to 60.*got {n}"):
        toy().subset(n)


def test_mean_std_against_floats():
    images = torch.from_numpy(pixels(50, 3, 5, 6))
    images[:, 1] //= 4
    mean, std = toy(50, train_images=images, test_images=images[:6]).mean_std()
    scaled = images.double() / 255
    assert mean.dtype == std.dtype == torch.float32 and mean.shape == std.shape == (3,)
    torch.testing.assert_close(mean.double(), scaled.mean(dim=(0, 2, 3)), rtol=0, atol=1e-7)
    torch.testing.assert_close(std.double(), scaled.std(dim=(0, 2, 3), correction=0), rtol=0, atol=1e-7)


def test_mean_std_of_a_constant_channel_can_divide():
    images = torch.full((60, 3, 4, 4), 51, dtype=torch.uint8)
    mean, std = toy(train_images=images).mean_std()
    torch.testing.assert_close(mean, torch.full((3,), 0.2))
    assert std.tolist() == [1, 1, 1]


# Names


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar11", "unknown dataset 'cifar11'; allowed: .*cifar10.*parquet:PATH; did you mean 'cifar10"),
        ("parquet:", "unknown dataset 'parquet:'; .*did you mean 'parquet:PATH'"),
        ("csv:x", "unknown dataset 'csv:x'; allowed: animal10n"),
        ("digits:x", "unknown dataset 'digits:x'"),
    ],
)
def test_unknown_name(name, message):
    with pytest.raises(ValueError, match=message):
        data.load(name)


def test_class_names():
    sizes = {name: len(names) for name, names in data.CLASS_NAMES.items()}
    assert sizes == {"digits": 10, "cifar10": 10, "cifar100": 100, "animal10n": 10}
    names = data.CLASS_NAMES["cifar100"]
    assert list(names) == sorted(set(names))
    assert list(data.CLASS_NAMES["cifar10"]) == sorted(set(data.CLASS_NAMES["cifar10"]))


# Digits


def test_digits():
    from sklearn.datasets import load_digits

    source = load_digits()
    dataset = data.load("digits")
    assert dataset.name == "digits" and dataset.class_names == tuple("0123456789") and dataset.clean
    assert dataset.train_images.shape == (1438, 1, 8, 8) and dataset.test_images.shape == (359, 1, 8, 8)
    assert int(dataset.train_images.max()) == 255 and dataset.sample_ids.tolist() == list(range(1438))
    # Each image of the source is there exactly once, with its own label; 16 levels, so scaling back is exact.
    images = torch.cat([dataset.train_images, dataset.test_images]).flatten(1).double() * 16 / 255
    labels = torch.cat([dataset.train_labels, dataset.test_labels])
    ours = sorted((*row, y) for row, y in zip(images.round().int().tolist(), labels.tolist(), strict=True))
    theirs = sorted((*row, y) for row, y in zip(source.data.astype(int).tolist(), source.target.tolist(), strict=True))
    assert ours == theirs
    share = dataset.train_labels.bincount() / torch.from_numpy(np.bincount(source.target))
    assert (share - 0.8).abs().max() < 0.006
    assert torch.equal(dataset.train_labels, data.load("digits").train_labels)


# CIFAR


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """CIFAR-10 and CIFAR-100 archives of a few images, in the official layout, with their own checksums."""
    from torchvision import datasets

    made = {}
    for source, key in ((datasets.CIFAR10, "labels"), (datasets.CIFAR100, "fine_labels")):
        folder = tmp_path / source.base_folder
        folder.mkdir()
        train = ["data_batch_1", "data_batch_2"] if source is datasets.CIFAR10 else ["train"]
        names = data.CLASS_NAMES["cifar10" if source is datasets.CIFAR10 else "cifar100"]
        rows = {file: (pixels(10, 3072), STREAM.randint(0, len(names), 10).tolist()) for file in [*train, "test_file"]}
        for file, (images, labels) in rows.items():
            entry = {"data": images, key: labels, "coarse_labels": [0] * 10}
            (folder / file).write_bytes(pickle.dumps(entry, protocol=2))
        (folder / source.meta["filename"]).write_bytes(pickle.dumps({source.meta["key"]: list(names)}, protocol=2))

        def with_checksum(file, folder=folder):
            import hashlib

            return [file, hashlib.md5((folder / file).read_bytes()).hexdigest()]

        monkeypatch.setattr(source, "train_list", [with_checksum(file) for file in train])
        monkeypatch.setattr(source, "test_list", [with_checksum("test_file")])
        monkeypatch.setattr(source, "meta", {**source.meta, "md5": with_checksum(source.meta["filename"])[1]})
        images = np.concatenate([rows[file][0] for file in train]).reshape(-1, 3, 32, 32)
        labels = np.concatenate([rows[file][1] for file in train])
        made["cifar10" if source is datasets.CIFAR10 else "cifar100"] = (images, labels, rows["test_file"])
    return tmp_path, made


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar(cifar, name):
    folder, made = cifar
    images, labels, test = made[name]
    dataset = data.load(name, folder)
    assert dataset.name == name and dataset.class_names == data.CLASS_NAMES[name] and dataset.human_labels == {}
    assert (dataset.train_images.numpy() == images).all() and (dataset.train_labels.numpy() == labels).all()
    assert (dataset.test_images.numpy() == test[0].reshape(-1, 3, 32, 32)).all()
    assert dataset.test_labels.tolist() == test[1]
    assert dataset.train_images.is_contiguous()


def test_cifar_missing_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="cifar-10-batches-py: no such folder; pass download=True") as caught:
        data.load("cifar10", tmp_path / "nowhere")
    assert one_line(caught) and "cifar-10-python.tar.gz" in str(caught.value)


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_cifar_damaged(cifar, damage):
    file = cifar[0] / "cifar-10-batches-py" / "data_batch_2"
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(content[:-1] if damage == "truncated" else content[:-1] + b"x")
    with pytest.raises(ValueError, match="cifar-10-batches-py: expected the unaltered files") as caught:
        data.load("cifar10", cifar[0])
    assert one_line(caught)


def human_file(folder, labels, name="CIFAR-10_human.pt", **changes):
    """CIFAR-N's format: torch.save of a dict of int64 arrays."""
    content = {"clean_label": labels, "worse_label": (labels + 1) % 10, **changes}
    torch.save(content, folder / name)
    return folder / name


def test_cifar10_human_labels(cifar):
    folder, made = cifar
    labels = made["cifar10"][1]
    human_file(folder, labels, random_label1=labels.astype(">i4"))
    dataset = data.load("cifar10", folder)
    assert set(dataset.human_labels) == {"worse_label", "random_label1"}
    assert (dataset.human_labels["worse_label"].numpy() == (labels + 1) % 10).all()
    assert (dataset.human_labels["random_label1"].numpy() == labels).all()
    assert (noise.draw(dataset, "human:worse", 0, 0) == (labels + 1) % 10).all()


def test_cifar100_human_labels_leave_superclasses_out(cifar):
    folder, made = cifar
    labels = made["cifar100"][1]
    coarse = {"clean_coarse_label": labels // 5, "noisy_coarse_label": labels // 5, "noisy_label": 99 - labels}
    human_file(folder, labels, "CIFAR-100_human.pt", **coarse)
    dataset = data.load("cifar100", folder)
    assert list(dataset.human_labels) == ["worse_label", "noisy_label"]
    assert (dataset.human_labels["noisy_label"].numpy() == 99 - labels).all()


def test_human_labels_in_another_order(cifar):
    folder, made = cifar
    human_file(folder, made["cifar10"][1][::-1].copy())
    assert (made["cifar10"][1] != made["cifar10"][1][::-1]).any()
    with pytest.raises(ValueError, match=r"CIFAR-10_human\.pt: expected clean_label equal to the 20 labels"):
        data.load("cifar10", folder)


def test_human_labels_out_of_range_name_the_file(cifar):
    folder, made = cifar
    human_file(folder, made["cifar10"][1], worse_label=made["cifar10"][1] + 5)
    with pytest.raises(ValueError, match=r"CIFAR-10_human\.pt: human_labels\['worse_label'\] must be 0 to 9"):
        data.load("cifar10", folder)


class Malicious:
    """Writes a file when a pickle of it is read by an ordinary unpickler."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (exec, (f"open({self.path!r}, 'w').close()",))


def test_malicious_human_labels_do_not_execute(tmp_path):
    labels, witness = np.arange(10), tmp_path / "executed"
    path = human_file(tmp_path, labels, aggre_label=Malicious(witness))
    torch.load(path, weights_only=False)
    assert witness.exists()  # the file is dangerous to an ordinary reader
    witness.unlink()
    with pytest.raises(ValueError, match=r"CIFAR-10_human\.pt: expected a torch file.*asks for .*exec") as caught:
        data.read_human_labels(path, labels)
    assert not witness.exists() and one_line(caught)


def test_damaged_human_labels(tmp_path):
    labels = np.arange(10)
    path = human_file(tmp_path, labels)
    whole = path.read_bytes()
    assert (data.read_human_labels(path, labels)["worse_label"] == (labels + 1) % 10).all()
    damaged = [whole[:-200], b"", whole[:60], pickle.dumps({"clean_label": labels})]
    for extra in (labels.astype(object), labels + 0.5, labels[:, None], "text", torch.arange(10)):
        damaged.append(human_file(tmp_path, labels, extra=extra).read_bytes())
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"CIFAR-10_human\.pt: expected a torch file of integer") as caught:
            data.read_human_labels(path, labels)
        assert one_line(caught) and "download it anew" in str(caught.value)
    assert len(damaged) == 9
    human_file(tmp_path, labels, short=labels[:5])
    with pytest.raises(ValueError, match=r"short: expected 10 labels, got shape \(5,\)"):
        data.read_human_labels(path, labels)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"worse_label": 3}))
    with pytest.raises(ValueError, match="expected a torch file of integer arrays"):
        data.read_human_labels(path, labels)
    with pytest.raises(FileNotFoundError, match="none.pt: no such file; to use human labels, download"):
        data.read_human_labels(tmp_path / "none.pt", labels)


# Animal-10N


@pytest.fixture
def animal(monkeypatch):
    """Twelve training and ten test images instead of 50,000 and 5,000."""
    monkeypatch.setattr("lend.data.animal10n.ANIMAL10N_SIZES", (12, 10))
    return {
        "training": (pixels(12, 64, 64, 3), [9, 1, 0, *range(9)]),
        "testing": (pixels(10, 64, 64, 3), list(range(9, -1, -1))),
    }


def write_animal_raw(root, animal):
    for part, (images, labels) in animal.items():
        (root / part).mkdir(parents=True)
        for i in reversed(range(len(images))):
            # JPEG in fact; PNG content keeps the pixels, and the reader goes by the content.
            (root / part / f"{labels[i]}_img_{i:03}.jpg").write_bytes(encoded(images[i]))


def write_animal_binary(root, animal):
    root.mkdir()
    for file, (images, labels) in zip(("data_batch_1.bin", "test_batch.bin"), animal.values(), strict=True):
        with open(root / file, "wb") as out:
            for i, (image, label) in enumerate(zip(images, labels, strict=True)):
                out.write((1000 + i).to_bytes(4, "big") + label.to_bytes(4, "big") + image.transpose(2, 0, 1).tobytes())


def in_name_order(images, labels):
    order = sorted(range(len(labels)), key=lambda i: (labels[i], i))
    return images[order].transpose(0, 3, 1, 2), [labels[i] for i in order]


@pytest.mark.parametrize("layout", ["raw", "folders"])
@pytest.mark.parametrize("name", ["animal10n", "animal-10n"])
def test_animal10n_of_images(tmp_path, animal, layout, name):
    root = tmp_path / name
    if layout == "raw":
        write_animal_raw(root, animal)
    else:
        for part, (images, labels) in zip(("train", "test"), animal.values(), strict=True):
            for i, label in enumerate(labels):
                (root / part / str(label)).mkdir(parents=True, exist_ok=True)
                (root / part / str(label) / f"{i:03}.png").write_bytes(encoded(images[i]))
    dataset = data.load("animal10n", tmp_path)
    assert dataset.name == "animal10n" and not dataset.clean and dataset.class_names[9] == "guinea pig"
    for part, images, labels in (
        ("training", dataset.train_images, dataset.train_labels),
        ("testing", dataset.test_images, dataset.test_labels),
    ):
        expected, expected_labels = in_name_order(*animal[part])
        assert labels.tolist() == expected_labels and (images.numpy() == expected).all()


def test_animal10n_binary(tmp_path, animal):
    write_animal_binary(tmp_path / "animal10n", animal)
    dataset = data.load("animal10n", tmp_path)
    assert (dataset.train_images.numpy() == animal["training"][0].transpose(0, 3, 1, 2)).all()
    assert dataset.train_labels.tolist() == animal["training"][1]
    assert dataset.test_labels.tolist() == animal["testing"][1]
    assert dataset.sample_ids.tolist() == list(range(12)) and not dataset.clean


def test_animal10n_damaged(tmp_path, animal):
    with pytest.raises(FileNotFoundError, match="animal10n: no such folder; ask for it"):
        data.load("animal10n", tmp_path)
    root = tmp_path / "animal10n"
    write_animal_binary(root, animal)
    file = root / "data_batch_1.bin"
    whole = file.read_bytes()
    for content, message in (
        (whole[:-1], "expected records of 12296 bytes, got 147551 bytes"),
        (b"", "expected records of 12296 bytes, got 0"),
        (whole[:-12296], "expected 12 images, got 11 images"),
        (whole[:7] + b"\x0a" + whole[8:], "expected labels 0 to 9, got labels up to 10"),
    ):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=rf"data_batch_1\.bin: {message}") as caught:
            data.load("animal10n", tmp_path)
        assert one_line(caught)
    file.unlink()
    with pytest.raises(FileNotFoundError, match="expected one of these pairs: training and testing"):
        data.load("animal10n", tmp_path)


def test_animal10n_raw_damaged(tmp_path, animal):
    root = tmp_path / "animal10n"
    write_animal_raw(root, animal)
    (root / "training" / "cat_img_1.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"cat_img_1\.jpg: expected a name <label>_img_<number>\.jpg"):
        data.load("animal10n", tmp_path)
    (root / "training" / "cat_img_1.jpg").unlink()
    (root / "training" / "3_img_006.jpg").write_bytes(encoded(pixels(64, 64, 3))[:100])
    with pytest.raises(ValueError, match=r"3_img_006\.jpg: cannot be read as an image"):
        data.load("animal10n", tmp_path)


# Folders


def write_folder(root, form="png", train=None, test=None):
    """Three classes; class "bee" has no test image."""
    train = pixels(6, 5, 7, 3) if train is None else train
    test = pixels(2, 5, 7, 3) if test is None else test
    for part, images, names in (("train", train, "ant bee cow".split()), ("test", test, "ant cow".split())):
        for i, image in enumerate(images):
            place = root / part / names[i % len(names)]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{i}.{form}")
    return train, test


def test_folder(tmp_path):
    train, test = write_folder(tmp_path / "insects")
    (tmp_path / "insects" / "train" / "ant" / "notes.txt").write_text("not an image")
    with pytest.warns(UserWarning, match="insects: left out what is no image of a class: 1 .txt$"):
        dataset = data.load(f"folder:{tmp_path / 'insects'}")
    assert dataset.name == "insects" and dataset.class_names == ("ant", "bee", "cow")
    assert dataset.train_labels.tolist() == [0, 0, 1, 1, 2, 2] and dataset.test_labels.tolist() == [0, 2]
    assert (dataset.train_images.numpy() == train[[0, 3, 1, 4, 2, 5]].transpose(0, 3, 1, 2)).all()
    assert (dataset.test_images.numpy() == test.transpose(0, 3, 1, 2)).all()


def test_folder_grey_and_mixed(tmp_path):
    grey = pixels(6, 5, 7)
    write_folder(tmp_path / "grey", train=grey, test=grey[:2])
    assert (data.load(f"folder:{tmp_path / 'grey'}").train_images[0, 0].numpy() == grey[0]).all()
    write_folder(tmp_path / "mixed", train=[*grey[:5], pixels(5, 7, 3)])
    images = data.load(f"folder:{tmp_path / 'mixed'}").train_images
    assert images.shape == (6, 3, 5, 7) and (images[0].numpy() == grey[0]).all()
    assert (images[5, 0] != images[5, 1]).any()


def test_folder_other_kinds_of_pixels(tmp_path):
    rgb = pixels(4, 5, 3)
    alpha = np.dstack([rgb, pixels(4, 5)])
    blobs = [encoded(rgb), encoded(alpha)]
    assert (data.decode_images(blobs, str).numpy() == rgb.transpose(2, 0, 1)).all()
    images = data.decode_images([encoded(rgb), encoded(pixels(4, 5).astype(np.uint16) * 257)], str)
    assert images.shape == (2, 3, 4, 5) and (images[1, 0] == images[1, 2]).all()


def test_folder_errors(tmp_path):
    root = tmp_path / "insects"
    with pytest.raises(FileNotFoundError, match="insects: no such folder; expected .*train/CLASS"):
        data.load(f"folder:{root}")
    write_folder(root)
    odd = root / "train" / "bee" / "9.png"
    Image.fromarray(pixels(5, 8, 3)).save(odd)
    with pytest.raises(ValueError, match=r"bee/9\.png: is 8x5, but .*ant/0\.png is 7x5 .*resize") as caught:
        data.load(f"folder:{root}")
    assert one_line(caught)
    odd.write_bytes(odd.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"bee/9\.png: cannot be read"):
        data.load(f"folder:{root}")
    odd.unlink()
    Image.fromarray(pixels(4, 7, 3)).save(root / "test" / "ant" / "0.png")
    Image.fromarray(pixels(4, 7, 3)).save(root / "test" / "cow" / "1.png")
    with pytest.raises(ValueError, match=r"insects: test_images must be of the shape .*\(3, 5, 7\)"):
        data.load(f"folder:{root}")
    (root / "test" / "dog").mkdir()
    Image.fromarray(pixels(5, 7, 3)).save(root / "test" / "dog" / "1.png")
    with pytest.raises(ValueError, match=r"test must be of the classes that have images in .*train, got 'dog'"):
        data.load(f"folder:{root}")
    (root / "test" / "dog" / "1.png").unlink()
    for file in (root / "train").rglob("*.png"):
        file.unlink()
    (root / "test" / "dog").rmdir()
    with pytest.raises(FileNotFoundError, match="train: no images; expected"):
        data.load(f"folder:{root}")


# Parquet


def write_parquet(path, images, metadata=None, struct=False, image="image", **columns):
    blobs = [encoded(array) for array in images]
    columns = {image: [{"bytes": blob, "path": None} for blob in blobs] if struct else blobs, **columns}
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata), path)


def test_parquet_pair_of_files(tmp_path):
    train, test, labels = pixels(10, 4, 5, 3), pixels(3, 4, 5, 3), np.arange(10)
    write_parquet(
        tmp_path / "cifar10-train.parquet",
        train,
        label=pa.array(labels, pa.int8()),
        worse_label=(labels + 1) % 10,
        random_label1=pa.array(9 - labels, pa.int8()),
        other_label=labels + 50,
        coarse_label=labels // 5,
        text_label=["x"] * 10,
        size=labels,
    )
    write_parquet(tmp_path / "cifar10-test.parquet", test, label=[0, 1, 2])
    with pytest.warns(
        UserWarning, match="column '(other|text)_label' is left out, since .* no classes: [5x]"
    ) as caught:
        dataset = data.load(f"parquet:{tmp_path / 'cifar10'}")
    assert len(caught) == 2
    assert dataset.name == "cifar10" and dataset.class_names == data.CLASS_NAMES["cifar10"] and dataset.clean
    assert (dataset.train_images.numpy() == train.transpose(0, 3, 1, 2)).all()
    assert (dataset.test_images.numpy() == test.transpose(0, 3, 1, 2)).all()
    assert dataset.train_labels.tolist() == list(range(10)) and dataset.test_labels.tolist() == [0, 1, 2]
    assert set(dataset.human_labels) == {"worse_label", "random_label1"}
    assert dataset.human_labels["random_label1"].tolist() == list(range(9, -1, -1))


def test_parquet_folder_as_on_hugging_face(tmp_path):
    features = {"img": {"_type": "Image"}, "fine_label": {"names": ["ant", "bee", "cow"], "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    root, train, test = tmp_path / "insects", pixels(5, 4, 4), pixels(2, 4, 4)
    root.mkdir()
    options = {"metadata": metadata, "struct": True, "image": "img"}
    write_parquet(
        root / "train-00000-of-00002.parquet", train[:3], fine_label=[0, 1, 0], coarse_label=[0] * 3, **options
    )
    write_parquet(root / "train-00001-of-00002.parquet", train[3:], fine_label=[1, 0], coarse_label=[0] * 2, **options)
    write_parquet(root / "test-00000-of-00001.parquet", test, fine_label=[0, 1], coarse_label=[0] * 2, **options)
    with pytest.warns(UserWarning, match="insects: classes without a training example are left out: cow$"):
        dataset = data.load(f"parquet:{root}")
    assert dataset.name == "insects" and dataset.class_names == ("ant", "bee")
    assert (dataset.train_images[:, 0].numpy() == train).all() and dataset.train_labels.tolist() == [0, 1, 0, 1, 0]
    assert dataset.human_labels == {}


def test_parquet_without_class_names(tmp_path):
    for name in ("mine", "cifar10"):  # a known name does not help where the classes are fewer
        for part in ("train", "test"):
            write_parquet(tmp_path / f"{name}-{part}.parquet", pixels(3, 4, 4), label=[0, 1, 2])
        assert data.load(f"parquet:{tmp_path / name}").class_names == ("0", "1", "2")


def test_parquet_errors(tmp_path):
    name, file = f"parquet:{tmp_path / 'mine'}", tmp_path / "mine-train.parquet"
    with pytest.raises(FileNotFoundError, match=r"mine-train\.parquet: no such file; expected .*mine/train\*"):
        data.load(name)
    images = pixels(3, 4, 4)
    write_parquet(tmp_path / "mine-test.parquet", images, label=[0, 1, 2])
    for columns, message in (
        ({"labl": [0, 1, 2]}, "expected a column named label or fine_label or labels, got image, labl"),
        (
            {"label": [0, None, 2]},
            "column 'label' must be complete, since every example .*got '1 missing of 3'",
        ),
        ({"label": [0.0, 1.5, 2.0]}, "column 'label' must be all integers or all strings, got .1.5"),
        ({"label": [[0], [1], [2]]}, "column 'label' must be"),
        ({"label": [0, -1, 2]}, "column 'label' must be complete, .*'1 missing of 3'"),
        ({"label": [1, -2, 2]}, None),
        ({"label": [0, 1, 2], "image": "photo"}, "expected a column named image or img, got photo, label"),
    ):
        write_parquet(file, images, **columns)
        message = f"mine-train.parquet: {message}" if message else "mine: train_labels must be 0 or more, got -2"
        with pytest.raises(ValueError, match=message):
            data.load(name)
    pq.write_table(pa.table({"image": [encoded(images[0]), None], "label": [0, 1]}), file)
    with pytest.raises(
        ValueError, match=r"mine-train\.parquet: column 'image', row 1: expected the bytes of an encoded"
    ):
        data.load(name)
    whole = file.read_bytes()
    for content in (whole[:-20], whole[:200], b""):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"mine-train\.parquet: not a whole parquet file") as caught:
            data.load(name)
        assert one_line(caught)


@real
def test_real_cifar10_labels_and_first_images(tmp_path):
    """CIFAR-10N's published error rates, and the first thousand images with their names."""
    table = pq.ParquetFile(REAL.with_name("cifar10-train.parquet")).read()
    labels = table["label"].to_numpy()
    for column, rate in (("aggre_label", 0.0901), ("worse_label", 0.4021), ("random_label1", 0.1723)):
        assert noise.realised_rate(labels, table[column].to_numpy()) == pytest.approx(rate, abs=5e-4)
    for part in ("train", "test"):
        source = pq.ParquetFile(REAL.with_name(f"cifar10-{part}.parquet"))
        first = pa.Table.from_batches([next(source.iter_batches(1000))])
        pq.write_table(first, tmp_path / f"cifar10-{part}.parquet")
    dataset = data.load(f"parquet:{tmp_path / 'cifar10'}")
    assert dataset.train_images.shape == dataset.test_images.shape == (1000, 3, 32, 32)
    assert [dataset.class_names[i] for i in dataset.train_labels[:3]] == ["frog", "truck", "truck"]
    assert len(dataset.human_labels) == 5
    mean, std = dataset.mean_std()
    # The known statistics of the whole training set.
    torch.testing.assert_close(mean, torch.tensor([0.4914, 0.4822, 0.4465]), rtol=0, atol=0.02)
    torch.testing.assert_close(std, torch.tensor([0.2470, 0.2435, 0.2616]), rtol=0, atol=0.02)


# NumPy archives


def npz_arrays(images=None):
    images = pixels(9, 5, 7) if images is None else images
    labels = np.arange(9) % 3
    return {"train_images": images, "train_labels": labels, "test_images": images[:3], "test_labels": labels[:3]}


@pytest.mark.parametrize("shape", [(9, 5, 7), (9, 5, 7, 1), (9, 5, 7, 3), (9, 1, 5, 7), (9, 3, 5, 7)])
def test_npz_layouts(tmp_path, shape):
    images = pixels(*shape)
    np.savez(tmp_path / "mine.npz", **npz_arrays(images))
    expected = images[:, None] if len(shape) == 3 else images if shape[1] in (1, 3) else images.transpose(0, 3, 1, 2)
    for name in ("mine", "mine.npz"):
        dataset = data.load(f"npz:{tmp_path / name}")
        assert dataset.name == "mine" and dataset.class_names == ("0", "1", "2")
        assert (dataset.train_images.numpy() == expected).all() and (dataset.test_images.numpy() == expected[:3]).all()
        assert dataset.train_labels.tolist() == [0, 1, 2] * 3 and dataset.sample_ids.tolist() == list(range(9))


def test_npz_of_keras_and_further_arrays(tmp_path):
    images, labels = pixels(10, 5, 5), np.arange(10, dtype=np.uint8)[:, None]
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(tmp_path / "cifar10.npz", **arrays)
    dataset = data.load(f"npz:{tmp_path / 'cifar10'}")
    assert dataset.train_labels.tolist() == list(range(10)) and dataset.class_names == data.CLASS_NAMES["cifar10"]
    names = np.array([f"class {i}" for i in range(10)])
    np.savez(tmp_path / "named.npz", **arrays, class_names=names, sample_ids=np.arange(100, 110))
    dataset = data.load(f"npz:{tmp_path / 'named'}")
    assert dataset.class_names[9] == "class 9" and dataset.sample_ids.tolist() == list(range(100, 110))


def test_npz_errors(tmp_path):
    name, file = f"npz:{tmp_path / 'mine'}", tmp_path / "mine.npz"
    with pytest.raises(FileNotFoundError, match=r"mine\.npz: no such file; save train_images"):
        data.load(name)
    good = npz_arrays()
    for changes, message in (
        ({"train_images": good["train_images"] / 255}, "train_images: expected uint8 .*float64"),
        ({"train_images": pixels(9, 5, 7, 2)}, r"train_images: expected uint8 .*\(9, 5, 7, 2\)"),
        ({"train_labels": np.eye(9)}, r"train_labels must be of shape \(n,\), .*multi-label.*got \(9, 9\)"),
        ({"train_labels": np.arange(8)}, r"train_labels must be int64 of shape \(9,\)"),
        ({"test_images": pixels(3, 5, 5)}, "test_images must be of the shape of the training images"),
        ({"test_labels": np.array([0, 1, -1])}, "test_labels must be complete, .*'1 missing of 3'"),
        ({"class_names": np.array(["a", "b"])}, "train_labels must be 0 to 1, the indices of 2 class names"),
        ({"class_names": np.array(["a", 3], dtype=object)}, "class_names: expected number arrays saved by np.savez"),
        ({"train_labels": np.array([0, 1, 2] * 3, dtype=object)}, "train_labels: expected number arrays saved"),
        ({"class_names": np.array(["a", "b", "a"])}, "class_names must be all different, got 'a more than once'"),
        ({"class_names": np.array([["a", "b"], ["c", "d"]])}, r"class_names must be text of shape \(c,\)"),
        ({"class_names": np.array([0.5, 1.5, 2.5])}, r"class_names must be text of shape \(c,\), got 'float64"),
        ({"test_labels": np.array(["a", "b", "c"])}, "test_labels must be of the kind of train_labels"),
        ({"test_labels": np.array([0, 1, 3])}, "test_labels must be of classes that have training examples, got '3'"),
        ({"x_train": good["train_images"]}, "train_images must be one array, got 'train_images and x_train'"),
        ({"sample_ids": np.array([4] * 9)}, "sample_ids must be all different"),
        ({"sample_ids": np.array(list("abcdefghi"))}, "sample_ids must be integers of shape"),
        ({"sample_ids": np.arange(3)}, r"sample_ids must be int64 of shape \(9,\)"),
    ):
        np.savez(file, **{**good, **changes})
        with pytest.raises(ValueError, match=rf"mine\.npz: {message}") as caught:
            data.load(name)
        assert one_line(caught)
    np.savez(file, train_images=good["train_images"])
    with pytest.raises(ValueError, match=r"mine\.npz: expected arrays train_images, .* got train_images$"):
        data.load(name)
    np.savez(file, **good)
    whole = file.read_bytes()
    np.save(tmp_path / "array.npy", np.arange(3))
    for content in (whole[:-30], whole[:50], b"", (tmp_path / "array.npy").read_bytes()):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"mine\.npz: .*: expected number arrays saved by np\.savez") as caught:
            data.load(name)
        assert one_line(caught)


def test_malicious_npz_does_not_execute(tmp_path):
    witness = tmp_path / "executed"
    objects = np.array([Malicious(witness)], dtype=object)
    np.savez(tmp_path / "mine.npz", **npz_arrays(), class_names=objects)
    with pytest.raises(ValueError, match=r"mine\.npz: class_names: expected number arrays"):
        data.load(f"npz:{tmp_path / 'mine'}")
    assert not witness.exists()
