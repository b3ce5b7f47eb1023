"""Folders of images as people have them: every image is taken, everything else is told, classes are those with any."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from lend import data
from lend.data.listing import image_endings

COUNT = iter(range(1, 10**9))


def put(path, form=None):
    """A grey image of its own shade, which is returned."""
    shade = next(COUNT) % 256
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (6, 5), shade).save(path, form)
    return shade


def two_classes(root):
    for part in ("train", "test"):
        for name in ("ant", "bee"):
            put(root / part / name / "0.png")
    return root


def load(root):
    return data.load(f"folder:{root}")


def shades(images):
    return images[:, 0, 0, 0].tolist()


def test_every_ending_and_folders_in_folders(tmp_path):
    root = two_classes(tmp_path / "insects")
    ant = root / "train" / "ant"
    (ant / "0.png").unlink()
    names = ["a.PNG", "b.Bmp", "c.tif", "d.TIFF", "e.gif", "f.pgm", "g.tga", "h/1.png", "h/2/3.PCX", "i j.webp"]
    wanted = []
    for name in names:
        form = "WEBP" if name.endswith("webp") else None
        path = ant / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shade = next(COUNT) % 256
        options = {"lossless": True} if form else {}
        Image.new("L", (6, 5), shade).save(path, form, **options)
        wanted.append(shade)
    dataset = load(root)
    assert dataset.train_labels.tolist() == [0] * 10 + [1]
    assert shades(dataset.train_images)[:10] == wanted  # in the order of their names
    assert {".jfif", ".avif", ".jpe", ".jp2", ".webp", ".png", ".jpeg"} <= image_endings()
    assert not {".eps", ".pdf", ".mp4", ".mpg", ".h5", ".npy"} & image_endings()


def test_jpegs_by_their_other_endings(tmp_path):
    root = two_classes(tmp_path / "insects")
    for ending in ("jfif", "JPG", "jpe", "jpeg"):
        put(root / "train" / "ant" / f"x.{ending}", "JPEG")
    put(root / "train" / "ant" / "y.avif", "AVIF")
    assert load(root).train_labels.tolist() == [0] * 6 + [1]


def test_one_warning_counts_what_is_left_out(tmp_path):
    root = two_classes(tmp_path / "insects")
    for name in ("train/ant/Thumbs.db", "train/bee/a.txt", "test/bee/b.TXT", "train/.DS_Store", "train/ant/.DS_Store"):
        (root / name).write_text("no image")
    for name in ("train/ant/README", "train/ant/clip.mp4", "train/ant/scan.eps"):
        (root / name).write_text("no image")
    put(root / "train" / "lost.png")
    put(root / "train" / "ant" / "._0.png")
    put(root / "train" / "ant" / ".cache" / "1.png")
    put(root / "train" / "__MACOSX" / "ant" / "0.png")
    put(root / "test" / "ant" / "__MACOSX" / "0.png")
    put(root / "train" / ".git" / "0.png")
    (root / "train" / "cow").mkdir()
    with pytest.warns(UserWarning) as caught:
        dataset = load(root)
    (warning,) = caught
    told = str(warning.message)
    assert told.startswith(f"{root}: left out what is no image of a class: ")
    assert sorted(told.rpartition(": ")[2].split(", ")) == sorted(
        [
            "1 .DS_Store",
            "1 .DS_Store beside the class folders",
            "1 .db",
            "1 .eps",
            "1 .mp4",
            "2 .txt",
            "1 .png beside the class folders",
            "1 class folder cow without images",
            "1 folder .cache",
            "1 folder .git",
            "2 folder __MACOSX",
            "1 hidden .png",
            "1 without an ending",
        ]
    )
    assert dataset.class_names == ("ant", "bee") and dataset.train_labels.tolist() == [0, 1]


@pytest.mark.parametrize("coloured", ["train", "test"])
def test_grey_and_coloured_parts(tmp_path, coloured):
    root = two_classes(tmp_path / "insects")
    Image.new("RGB", (6, 5), (250, 3, 70)).save(root / coloured / "ant" / "0.png")
    dataset = load(root)
    parts = {"train": dataset.train_images, "test": dataset.test_images}
    assert parts["train"].shape == parts["test"].shape == (2, 3, 5, 6)
    assert parts[coloured][0, :, 0, 0].tolist() == [250, 3, 70]
    grey = parts["test" if coloured == "train" else "train"]
    assert (grey[:, 0] == grey[:, 1]).all() and (grey[:, 0] == grey[:, 2]).all()


def test_digits_sort_as_numbers(tmp_path):
    for part in ("train", "test"):
        wanted = [put(tmp_path / "mine" / part / str(name) / "0.png") for name in (2, 10, 1, 33)]
        ordered = [wanted[i] for i in (2, 0, 1, 3)]
    dataset = load(tmp_path / "mine")
    assert dataset.class_names == ("1", "2", "10", "33")
    assert dataset.test_labels.tolist() == [0, 1, 2, 3] and shades(dataset.test_images) == ordered


def test_a_class_of_the_test_set_alone_is_refused(tmp_path):
    root = two_classes(tmp_path / "insects")
    put(root / "test" / "cow" / "0.png")
    for empty in (False, True):
        if empty:
            (root / "train" / "cow").mkdir()
        with pytest.raises(ValueError, match=r"insects/test must be of the classes that have images in .*got 'cow'"):
            load(root)
    shutil.rmtree(root / "test" / "bee")
    put(root / "train" / "cow" / "0.png")
    dataset = load(root)
    assert dataset.class_names == ("ant", "bee", "cow") and dataset.test_labels.tolist() == [0, 2]


def test_links_are_followed_but_not_in_circles(tmp_path):
    root = two_classes(tmp_path / "insects")
    put(tmp_path / "elsewhere" / "1.png")
    os.symlink(tmp_path / "elsewhere", root / "train" / "ant" / "linked")
    os.symlink(tmp_path / "elsewhere", root / "train" / "cow")
    os.symlink(root / "train" / "bee", root / "train" / "bee" / "again")
    with pytest.warns(UserWarning, match=r"class: 1 folder again \(a link to where it lies\)$"):
        dataset = load(root)
    assert dataset.class_names == ("ant", "bee", "cow") and dataset.train_labels.tolist() == [0, 0, 1, 2]
    os.symlink(tmp_path / "gone.png", root / "train" / "cow" / "2.png")
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(ValueError, match=r"/2\.png: cannot be read as an image"),
    ):
        load(root)


def test_damaged_files_are_named(tmp_path):
    root = two_classes(tmp_path / "insects")
    (root / "train" / "bee" / "1.jpg").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(ValueError, match=r"train/bee/1\.jpg: cannot be read as an image"):
        load(root)


def test_paths_as_people_write_them(tmp_path, monkeypatch):
    root = two_classes(tmp_path / "insects")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(root)
    for path in (".", "./", "../insects/", "~/insects", "~/insects/", "train/.."):
        assert load(path).name == "insects", path
    monkeypatch.chdir(root / "train")
    assert load("..").name == "insects"


def test_animal10n_tells_and_keeps_what_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr("lend.data.animal10n.ANIMAL10N_SIZES", (10, 10))
    exif = Image.Exif()
    exif[0x0112] = 3
    stored = np.zeros((64, 64, 3), np.uint8)
    stored[:32] = 255
    for part in ("train", "test"):
        for label in range(10):
            path = tmp_path / "animal10n" / part / str(label) / "0.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(stored).save(path, exif=exif)
    (tmp_path / "animal10n" / "train" / "0" / "Thumbs.db").write_text("no image")
    with pytest.warns(UserWarning, match="train: left out what is no image of a class: 1 .db$"):
        dataset = data.load("animal10n", tmp_path)
    assert dataset.train_labels.tolist() == list(range(10)) and dataset.num_classes == 10
    assert (dataset.train_images[3].numpy() == stored.transpose(2, 0, 1)).all()
