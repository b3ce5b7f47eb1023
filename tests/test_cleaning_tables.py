"""Corrections in tables: labels change, those before stand beside them, and every other byte or value stays."""

import csv
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_cleaning import content, corrections

import lend
from lend.auditing import apply
from lend.inputs import read_table

TABLE = corrections(("1", "cat", "dog", 0.1), ("2", "do;g", "cat", 0.2), ("3", "cat", None, 0.3, "drop"))
CSVS = {
    "plain": "id,label,text\n0,cat,a\n1,cat,b\n2,do;g,c\n3,cat,d\n4,dog,e\n",
    "semicolons, quotes and Windows": (
        'id;"label";text\r\n0;cat;"a ""q"""\r\n1;"cat";b\r\n\r\n2;"do;g";"c\r\nd"\r\n3;cat;d\r\n4;dog;e'
    ),
    "tabs": "id\tlabel\ttext\n0\tcat\ta\n1\tcat\tb \n2\tdo;g\tc\n3\tcat\t \n4\tdog\te\n\n",
    "spaces": "id, label, text\n0, cat, a\n1, cat, b\n2, do;g, c\n3, cat, d\n4, dog, e\n",
}


@pytest.mark.parametrize("kind", CSVS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_text_keep_every_other_cell(tmp_path, kind, encoding):
    source, out = tmp_path / "data.csv", tmp_path / "clean.csv"
    source.write_bytes(CSVS[kind].encode(encoding))
    done = apply(TABLE, source, out, column="label", id_column="id")
    table, before = read_table(out), read_table(source)
    assert list(table.columns) == ["id", "label", "label_before", "text"]
    rows = [0, 1, 2, 4]
    assert table["label_before"].tolist() == before["label"][rows].tolist() == ["cat", "cat", "do;g", "dog"]
    assert table["label"].tolist() == ["cat", "dog", "cat", "dog"]
    assert table[["id", "text"]].values.tolist() == before[["id", "text"]].iloc[rows].values.tolist()
    assert not apply(TABLE, source, out, column="label", id_column="id").written
    assert done.changes["output_id"].tolist() == ["1", "2", None]


def test_a_table_of_text_byte_by_byte(tmp_path):
    (tmp_path / "a.csv").write_bytes(CSVS["semicolons, quotes and Windows"].encode())
    apply(TABLE, tmp_path / "a.csv", tmp_path / "b.csv", id_column="id")
    assert (tmp_path / "b.csv").read_bytes().decode() == (
        'id;"label";"label_before";text\r\n0;cat;cat;"a ""q"""\r\n1;dog;"cat";b\r\n\r\n'
        '2;cat;"do;g";"c\r\nd"\r\n4;dog;dog;e'
    )
    (tmp_path / "c.csv").write_bytes(CSVS["spaces"].encode())
    apply(TABLE, tmp_path / "c.csv", tmp_path / "d.csv", id_column="id")
    assert (tmp_path / "d.csv").read_bytes().decode().splitlines()[:3] == [
        "id, label, label_before, text",
        "0, cat, cat, a",
        "1, dog, cat, b",
    ]


def test_a_table_of_one_column(tmp_path):
    (tmp_path / "labels.csv").write_text("label\ncat\n\ndog\ncat\n\n")
    table = corrections(("2", "dog", "cat"), ("1", None, "dog"))
    done = apply(table, tmp_path / "labels.csv", tmp_path / "clean.csv")
    assert done.out.read_text() == "label,label_before\ncat,cat\ndog,\ncat,dog\ncat,cat\n\n"


def test_names_that_look_like_formulas(tmp_path):
    V = np.repeat(np.eye(2), 20, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(40, 2))
    labels = np.repeat(["=cat", "+dog"], 20)
    labels[3] = "+dog"
    lend.audit(V, labels, k=5, progress=False).patch(tmp_path / "corrections.csv")
    pd.DataFrame({"label": labels}).to_csv(tmp_path / "raw.csv", index_label="n")
    done = apply(tmp_path / "corrections.csv", tmp_path / "raw.csv", tmp_path / "clean.csv", column="label")
    assert pd.read_csv(done.out)["label"].tolist() == ["=cat"] * 20 + ["+dog"] * 20
    assert done.changes.loc["3", "label_before"] == "+dog"


@pytest.mark.filterwarnings("ignore:.*read as:UserWarning")
def test_letters_that_the_encoding_has_not(tmp_path):
    text = "label,text\nkätzchen,Größe und Maße\nhündchen,Füße auf der Straße\n"
    (tmp_path / "a.csv").write_bytes(text.encode("cp1252"))
    wrong = corrections(("1", "hündchen", "猫"))
    with pytest.raises(ValueError, match="suggested_label must be of letters that .* has in its encoding.*got '猫'"):
        apply(wrong, tmp_path / "a.csv", tmp_path / "b.csv", new_classes=True)
    done = apply(corrections(("1", "hündchen", "kätzchen")), tmp_path / "a.csv", tmp_path / "b.csv")
    assert done.out.read_bytes().decode("cp1252").splitlines()[2] == "kätzchen,hündchen,Füße auf der Straße"


JSON = (
    '{"id": "a", "label": "cat", "x": 1.50}\n'
    '\n{"label":"cat" , "id":"b", "n": {"label": "no"}, "t": "\\u00e9}{"}\r\n'
    '{"id": "c", "x": [1, "]"]}\n{"id": "d", "label": null}'
)


def test_json_lines_byte_by_byte(tmp_path):
    source, out, options = tmp_path / "a.jsonl", tmp_path / "b.jsonl", {"id_column": "id", "new_classes": True}
    source.write_bytes(JSON.encode())
    wrong = corrections(("b", "cat", "dog é"), ("c", None, "cat"), ("a", "cat", None, 0, "drop"))
    assert apply(wrong, source, out, **options).written and not apply(wrong, source, out, **options).written
    assert out.read_bytes().decode() == (
        '\n{"label":"dog \\u00e9", "label_before": "cat" , "id":"b", "n": {"label": "no"}, "t": "\\u00e9}{"}\r\n'
        '{"id": "c", "x": [1, "]"], "label": "cat"}\n{"id": "d", "label": null, "label_before": null}'
    )


ODD = ["[1]", '{"label": 1', '{"label": [1]}', '{"label": 1.5}', '{"a": 1, "a": 2, "label": 1}', '{"label": 1} x', "{"]


@pytest.mark.parametrize("line", ODD)
def test_lines_that_are_no_records(tmp_path, line):
    (tmp_path / "a.jsonl").write_text(f'{{"label": 0}}\n{line}\n')
    with pytest.raises(ValueError, match="a.jsonl"):
        apply(corrections(("0", "0", "1")), tmp_path / "a.jsonl", tmp_path / "b.jsonl", column="label")


def test_integers_stay_integers(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"label": 0}\n{"label": 1}\n')
    done = apply(corrections(("0", "0", "7")), tmp_path / "a.jsonl", tmp_path / "b.jsonl", new_classes=True)
    assert json.loads(done.out.read_text().splitlines()[0]) == {"label": 7, "label_before": 0}
    with pytest.raises(ValueError, match="must be a whole number, as the labels are, got 'cat'"):
        apply(corrections(("0", "0", "cat")), tmp_path / "a.jsonl", tmp_path / "c.jsonl", new_classes=True)


FEATURES = {
    "image": {"_type": "Image"},
    "label": {"names": ["cat", "dog", "bird"], "_type": "ClassLabel"},
}


def hugging_face(n=6, start=0):
    """A table as Hugging Face's library writes it."""
    blobs = pa.array([b"png%d" % (start + i) for i in range(n)])
    image = pa.StructArray.from_arrays([blobs, pa.array(["p"] * n)], ["bytes", "path"])
    about = {"huggingface": json.dumps({"info": {"features": FEATURES}}), "mine": "kept"}
    schema = pa.schema([("image", image.type), ("label", pa.int64())], metadata=about)
    return pa.table([image, pa.array([(start + i) % 2 for i in range(n)])], schema=schema)


@pytest.mark.parametrize(("cat", "dog", "after", "value"), [("cat", "dog", "bird", 2), ("0", "1", "0", 0)])
def test_parquet_of_hugging_face(tmp_path, cat, dog, after, value):
    table = hugging_face()
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2, compression="zstd")
    wrong = corrections(("3", dog, after, 0.1), ("4", cat, None, 0.2, "drop"))
    done = apply(wrong, tmp_path / "a.parquet", tmp_path / "b.parquet")
    file = pq.ParquetFile(done.out)
    made = file.read()
    assert made["label"].to_pylist() == [0, 1, 0, value, 1] and made["label_before"].to_pylist() == [0, 1, 0, 1, 1]
    assert made["image"].to_pylist() == table["image"].take([0, 1, 2, 3, 5]).to_pylist()
    assert made.schema.field("label_before").type == made.schema.field("label").type == pa.int64()
    assert made.schema.metadata[b"mine"] == b"kept"
    features = json.loads(made.schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == ["image", "label", "label_before"] and features["label_before"] == features["label"]
    assert [file.metadata.row_group(i).num_rows for i in range(3)] == [2, 2, 1]
    assert {file.metadata.row_group(0).column(i).compression for i in range(4)} == {"ZSTD"}


def test_the_classes_of_a_schema_are_all_that_there_are(tmp_path):
    pq.write_table(hugging_face(), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="of classes that occur .'0', '1'.; new_classes allows others, got .'fish'"):
        apply(corrections(("3", "1", "fish")), tmp_path / "a.parquet", tmp_path / "b.parquet")
    with pytest.raises(ValueError, match="'3' has the label '1' in .*, not 'dog'"):
        apply(corrections(("3", "dog", "fish")), tmp_path / "a.parquet", tmp_path / "b.parquet", new_classes=True)


def test_parquet_of_pandas(tmp_path):
    kinds = pd.CategoricalDtype(["unused", "dog", "cat"], ordered=True)
    frame = pd.DataFrame(
        {
            "sample_id": ["x", "y", "z"],
            "label": pd.Categorical(["cat", "dog", None], dtype=kinds),
            "when": pd.date_range("2020-01-01", periods=3, tz="Europe/Berlin"),
            "value": pd.array([1, None, 3], dtype="Int32"),
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    wrong = corrections(("x", "cat", "dog"), ("z", None, "bird"))
    done = apply(wrong, tmp_path / "a.parquet", tmp_path / "b.parquet", id_column="sample_id", new_classes=True)
    made = pd.read_parquet(done.out)
    pd.testing.assert_frame_equal(made.drop(columns=["label", "label_before"]), frame.drop(columns="label"))
    pd.testing.assert_series_equal(made["label_before"], frame["label"], check_names=False)
    assert made["label"].tolist() == ["dog", "dog", "bird"] and made["label"].cat.ordered
    assert list(made["label"].cat.categories) == ["unused", "dog", "cat", "bird"]


KINDS = [["a", "b"], [True, False], pa.array(["a", "b"], pa.large_string()), pa.array([3, 4], pa.uint8())]


@pytest.mark.parametrize("values", KINDS, ids=["text", "boolean", "large text", "uint8"])
def test_labels_keep_their_type(tmp_path, values):
    table = pa.table({"label": values})
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = (str(value) for value in table["label"].to_pylist())
    done = apply(corrections(("0", first, second)), tmp_path / "a.parquet", tmp_path / "b.parquet")
    made = pq.read_table(done.out)
    assert made["label"].type == table["label"].type and made["label"][0] == made["label"][1] == table["label"][1]


def test_whole_numbers_that_pandas_keeps_as_floats(tmp_path):
    pd.DataFrame({"label": [1, None, 0]}).to_parquet(tmp_path / "a.parquet")
    done = apply(corrections(("0", "1", "0")), tmp_path / "a.parquet", tmp_path / "b.parquet")
    made = pq.read_table(done.out)["label"]
    assert made.type == pa.float64() and made.to_pylist()[::2] == [0, 0]
    with pytest.raises(ValueError, match="'1' has the label None"):
        apply(corrections(("1", "1", "0")), tmp_path / "a.parquet", tmp_path / "c.parquet")


def test_tables_that_do_not_fit(tmp_path):
    source, out, wrong = tmp_path / "a.parquet", tmp_path / "b.parquet", corrections(("0", "a", "b"))
    pq.write_table(pa.table({"label": [b"a", b"b"], "other": [1, 2]}), source)
    with pytest.raises(ValueError, match="column 'label' must be a column of texts, whole numbers or booleans"):
        apply(wrong, source, out)
    with pytest.raises(ValueError, match="unknown column of .* 'lable'"):
        apply(wrong, source, out, column="lable")
    pq.write_table(pa.table({"label": ["a", "b"], "label_before": ["a", "b"]}), source)
    with pytest.raises(ValueError, match="without a column 'label_before'"):
        apply(wrong, source, out)
    pq.write_table(pa.table({"label": ["a", "b"], "id": ["x", "x"]}), source)
    with pytest.raises(ValueError, match="of examples with ids of their own, got .*more than one of 'x'"):
        apply(corrections(("x", "a", "b")), source, out, id_column="id", column="label")
    with pytest.raises(ValueError, match="out must be a file name ending in .parquet"):
        apply(wrong, source, tmp_path / "b.csv")
    source.write_bytes(source.read_bytes()[:-20])
    with pytest.raises(ValueError, match="a.parquet: not a whole file"):
        apply(wrong, source, out)
    assert not out.exists()


def test_a_folder_of_parquet_files(tmp_path):
    data = tmp_path / "data"
    (data / "data").mkdir(parents=True)
    for part in range(2):
        pq.write_table(hugging_face(4, 4 * part), data / f"data/train-0000{part}-of-00002.parquet")
    pq.write_table(hugging_face(3), data / "data/test-00000-of-00001.parquet")
    (data / "README.md").write_text("animals")
    wrong = corrections(("5", "dog", "cat"))
    with pytest.raises(ValueError, match="unknown split 'trian'; allowed: test, train; did you mean 'train'"):
        apply(wrong, data, tmp_path / "out", split="trian")
    through = apply(corrections(("5", "dog", "cat"), ("9", "dog", "bird")), data, tmp_path / "all")  # training first
    assert pq.read_table(through.out / "data/test-00000-of-00001.parquet")["label"].to_pylist() == [0, 2, 0]
    done = apply(wrong, data, tmp_path / "out", split="train")
    first, second = (pq.read_table(done.out / f"data/train-0000{part}-of-00002.parquet") for part in range(2))
    assert first["label"].to_pylist() == [0, 1, 0, 1] and second["label"].to_pylist() == [0, 0, 0, 1]
    same = ("README.md", "data/test-00000-of-00001.parquet")
    assert all((done.out / name).read_bytes() == (data / name).read_bytes() for name in same)
    assert not apply(wrong, data, tmp_path / "out", split="train").written
    (data / "README.md").write_text("---\ndataset_info:\n  features: []\n---\n")
    with pytest.warns(UserWarning, match="README.md lists the columns of the tables as they were"):
        apply(wrong, data, tmp_path / "other", split="train")


def saved_to_disk(folder, n=6):
    """What save_to_disk of Hugging Face's library writes."""
    folder.mkdir(parents=True)
    files = [f"data-0000{part}-of-00002.arrow" for part in range(2)]
    for part, name in enumerate(files):
        table = hugging_face(n // 2, part * (n // 2))
        with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table, max_chunksize=2)
    state = {"_data_files": [{"filename": name} for name in files], "_fingerprint": "1234567890abcdef"}
    (folder / "state.json").write_text(json.dumps(state))
    about = {"features": FEATURES, "splits": {"train": {"name": "train", "num_examples": n}}}
    (folder / "dataset_info.json").write_text(json.dumps(about))


def test_a_saved_data_set(tmp_path):
    saved_to_disk(tmp_path / "data/train")
    saved_to_disk(tmp_path / "data/test")
    (tmp_path / "data/dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    wrong = corrections(("4", "cat", "bird"), ("0", "cat", None, None, "drop"))
    done = apply(wrong, tmp_path / "data", tmp_path / "out", split="train")
    labels = []
    for part in range(2):
        with pa.memory_map(str(done.out / f"train/data-0000{part}-of-00002.arrow")) as file:
            labels += pa.ipc.open_stream(file).read_all()["label"].to_pylist()
    assert labels == [1, 0, 1, 2, 1]
    state, about = (json.loads((done.out / f"train/{name}.json").read_text()) for name in ("state", "dataset_info"))
    assert state["_fingerprint"] != "1234567890abcdef" and len(state["_fingerprint"]) == 16
    assert list(about["features"]) == ["image", "label", "label_before"]
    assert about["splits"]["train"]["num_examples"] == 5
    assert content(done.out / "test") == content(tmp_path / "data/test")
    assert done.changes["output_id"].tolist() == ["3", None]
    assert not apply(wrong, tmp_path / "data", tmp_path / "out", split="train").written
    through = apply(corrections(("4", "cat", "bird"), ("7", "dog", "cat")), tmp_path / "data", tmp_path / "all")
    with pa.memory_map(str(through.out / "test/data-00000-of-00002.arrow")) as file:
        assert pa.ipc.open_stream(file).read_all()["label"].to_pylist() == [0, 0, 0]
    one, out = tmp_path / "data/train/data-00000-of-00002.arrow", tmp_path / "one.arrow"
    assert apply(corrections(("1", "dog", "cat")), one, out).examples == 3
    (tmp_path / "data/train/state.json").write_text('{"_data_files": [{"filename": "../x.arrow"}]}')
    with pytest.raises(ValueError, match="a list of files beside it"):
        apply(wrong, tmp_path / "data", tmp_path / "other", split="train")


@pytest.mark.integrations
def test_hugging_face_reads_what_was_cleaned(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["cat", "dog"])})
    data = datasets.Dataset.from_dict({"text": list("abcd"), "label": [0, 0, 1, 1]}, features=features)
    data.save_to_disk(tmp_path / "data")
    done = apply(corrections(("1", "cat", "dog"), ("2", "dog", None, 0, "drop")), tmp_path / "data", tmp_path / "out")
    made = datasets.load_from_disk(str(done.out))
    assert made["label"][:] == [0, 1, 1] and made["label_before"][:] == [0, 0, 1] and made["text"][:] == list("abd")
    assert made.features["label"] == made.features["label_before"] == features["label"]
    assert made._fingerprint != data._fingerprint


def test_an_audit_applied(tmp_path):
    """From the audit to the cleaned table: where classes are apart, every label of the copy is right."""
    true = np.arange(300) % 3
    V = np.eye(3)[true] + 0.1 * np.random.default_rng(0).normal(size=(300, 3))
    names = np.array(["ant", "bee", "cat"])
    labels = names[lend.noise.corrupt(true, lend.noise.symmetric(3, 0.1), 0)]
    pd.DataFrame({"label": labels}).to_parquet(tmp_path / "data.parquet")
    lend.audit(V, labels, progress=False).patch(tmp_path / "corrections.csv")
    done = lend.apply(tmp_path / "corrections.csv", tmp_path / "data.parquet", tmp_path / "clean.parquet")
    assert len(done.changes) == (labels != names[true]).sum() > 20
    assert (pd.read_parquet(done.out)["label"] == names[true]).all()


def test_a_table_of_embeddings_goes_by_its_ids(tmp_path):
    """Some texts have no embedding, so a number of a row would be another text's."""
    texts = ["", *(f"{word} {i}" for i in range(20) for word in ("sun moon", "dog cat"))]
    labels, ids = ["sky", *["sky", "animal"] * 20], [str(i) for i in range(41)]
    with pytest.warns(UserWarning, match="1 of 41"):
        lend.embed(texts, labels, sample_ids=ids, out=tmp_path / "data.parquet", progress=False)
    pd.DataFrame({"sample_id": ["2"], "given_label": "animal", "suggested_label": "sky"}).to_csv(tmp_path / "wrong.csv")
    done = lend.apply(tmp_path / "wrong.csv", tmp_path / "data.parquet", tmp_path / "clean.parquet")
    cleaned = pd.read_parquet(done.out).set_index("sample_id")
    assert cleaned.query("label != label_before").index.tolist() == ["2"] and cleaned.loc["2", "text"] == "dog cat 0"


CELL = st.text(st.sampled_from("ab \"',;\t|\r\n=é"), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(CELL, min_size=2, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
    chosen=st.integers(0, 1),
)
def test_any_table_of_text(tmp_path, texts, delimiter, quoting, end, chosen):
    """Whatever the cells are, a table is copied right, or refused by name: never copied wrong."""
    source, out = tmp_path / "a.csv", tmp_path / "b.csv"
    for path in tmp_path.iterdir():
        path.unlink()
    if quoting == csv.QUOTE_MINIMAL:  # of which the writer leaves a bare one unquoted, which ends a row
        texts = [text.replace("\r", "") for text in texts]
    with source.open("w", newline="") as file:
        rows = [["text", "label", "n"], *([text, ("cat", "dog")[i % 2], i] for i, text in enumerate(texts))]
        csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)
    wrong = corrections((str(chosen), ("cat", "dog")[chosen], ("dog", "cat")[chosen]))
    before = source.read_bytes().decode()
    try:
        apply(wrong, source, out, column="label")
    except ValueError as error:
        assert str(source) in str(error) or "column" in str(error)
        assert not out.exists()
        return
    with out.open(newline="") as file:
        made = list(csv.reader(file, delimiter=delimiter))
    labels = [row[1] for row in rows[1:]]
    changed = [("dog", "cat")[chosen] if i == chosen else label for i, label in enumerate(labels)]
    assert [row[1] for row in made] == ["label", *changed]
    assert [row[2] for row in made] == ["label_before", *labels]
    with source.open(newline="") as file:
        assert [[row[0], row[3]] for row in made] == [[row[0], row[2]] for row in csv.reader(file, delimiter=delimiter)]
    assert source.read_bytes().decode() == before
