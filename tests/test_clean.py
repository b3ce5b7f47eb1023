"""From files to a report and corrections in one call, and on to a cleaned copy."""

import shlex
from functools import partial

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_embedding import colours  # noqa: F401 (a fixture)

import lend
from lend.__main__ import main
from lend.embedding import originals

SHADES = {"dark": 60, "light": 190}
WRONG = [("light", "dark-3.png"), ("dark", "light-7.png")]  # the folder in which the file lies


@pytest.fixture
def photos(tmp_path):
    """Two classes of shades, and two images in the folder of the other class."""
    generator, wrong = np.random.default_rng(0), {name: folder for folder, name in WRONG}
    for shade, value in SHADES.items():
        for i in range(20):
            name = f"{shade}-{i}.png"
            path = tmp_path / "photos" / wrong.get(name, shade) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(generator.normal(value, 8, (10, 12, 3)).astype(np.uint8)).save(path)
    return tmp_path / "photos"


@pytest.mark.filterwarnings("ignore:embeddings are nearly parallel")  # six numbers of colours are
def test_photographs_to_a_report_and_on_to_a_cleaned_copy(photos, colours, capsys, monkeypatch):  # noqa: F811
    monkeypatch.chdir(photos.parent)
    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    assert main(["clean", "photos", "--model", colours]) == 0
    found, report, command = capsys.readouterr().out.strip().splitlines()[-3:]
    assert found.startswith("Audit(40 labels of 2 classes: 2 issues") and "2 corrections" in report
    folder = photos.parent / "photos-audit"
    page = (folder / "report.html").read_text()
    assert "data:image/png" in page and "dark-3.png" in page
    back = lend.Audit.load(folder / "audit")
    assert set(back.worst.index) == {f"{folder}/{name}" for folder, name in WRONG}
    assert main(shlex.split(command)[1:]) == 0
    names = {
        folder.name: {path.name.partition("-")[0] for path in folder.iterdir()}
        for folder in photos.parent.glob("photos-cleaned/*")
    }
    assert names == {"dark": {"dark"}, "light": {"light"}}
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before
    made = (folder / "embeddings.parquet").stat().st_mtime_ns
    lend.clean("photos", model=colours, progress=False)
    assert (folder / "embeddings.parquet").stat().st_mtime_ns == made


def test_answers_outlive_a_second_call_and_are_moved_aside_where_labels_changed(tmp_path):
    words = ["apple pear plum grape", "roof door wall floor"]
    table = pd.DataFrame({"text": [f"{words[i % 2]} {i}" for i in range(60)], "label": [i % 2 for i in range(60)]})
    path, folder = tmp_path / "texts.csv", tmp_path / "texts.csv-audit" / "audit"
    options = {"text_column": "text", "label_column": "label", "progress": False}
    table.to_csv(path, index=False)
    found = lend.clean(path, **options).audit
    drawn = found.check(20)
    after = found.add_checked(drawn.assign(true_label=drawn["given_label"]))
    after.save(folder)
    again = lend.clean(path, **options).audit
    for one in (again, lend.Audit.load(folder)):
        pd.testing.assert_frame_equal(one.checked.table, after.checked.table)
    table.assign(label=1 - table["label"]).to_csv(path, index=False)
    (folder.parent / "embeddings.parquet").unlink()  # of the table as it was
    with pytest.warns(UserWarning, match="audit held answers on other labels or scores: they are in audit-1 now"):
        other = lend.clean(path, **options).audit
    assert other.checked is None and lend.Audit.load(folder).checked is None
    pd.testing.assert_frame_equal(lend.Audit.load(folder.with_name("audit-1")).checked.table, after.checked.table)


def test_texts_of_a_table(tmp_path):
    words = {"fruit": "apple pear plum grape fig".split(), "house": "roof door wall floor attic".split()}
    generator = np.random.default_rng(0)
    rows = [
        {"name": f"{kind}{i}", "words": " ".join(generator.choice(words[kind], 4)), "kind": kind}
        for kind in words
        for i in range(40)
    ]
    rows[3]["kind"], rows[50]["kind"] = "house", None
    pd.DataFrame(rows).to_csv(tmp_path / "things.csv", index=False)
    options = {"text_column": "words", "label_column": "kind", "id_column": "name"}
    cleaned = lend.clean(tmp_path / "things.csv", tmp_path / "out", progress=False, **options)
    assert list(cleaned.audit.worst.index) == ["fruit3"] and cleaned.corrections == 1
    assert cleaned.audit.issues.loc["house10", "predicted_label"] == "house"
    assert cleaned.audit.texts[3] == rows[3]["words"]
    assert cleaned.command.endswith("--column kind --id-column name")
    corrections = tmp_path / "out" / "corrections.csv"
    assert pd.read_csv(corrections)["suggested_label"].tolist() == ["fruit"]
    again = partial(lend.clean, tmp_path / "things.csv", tmp_path / "out", progress=False, **options)
    again()
    assert [path.name for path in (tmp_path / "out").glob("corrections*")] == ["corrections.csv"]
    written = corrections.read_text()
    corrections.write_text("mine")
    with pytest.warns(UserWarning, match="held other corrections: they are in corrections-1.csv now"):
        again()
    assert (corrections.read_text(), (tmp_path / "out" / "corrections-1.csv").read_text()) == (written, "mine")


@pytest.mark.filterwarnings("ignore:embeddings are nearly parallel")
def test_a_folder_by_its_dot(photos, colours, monkeypatch):  # noqa: F811
    monkeypatch.chdir(photos)
    assert lend.clean(".", model=colours, progress=False).folder == photos.with_name(f"{photos.name}-audit")


def test_the_images_behind_a_table(photos, tmp_path):
    ids = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.png"))[::-1]
    images = originals(photos, ids, {})
    assert len(images) == 40 and images[0].shape == (10, 12, 3) and len(images[5:8]) == 3
    with Image.open(photos / ids[0]) as image:
        np.testing.assert_array_equal(images[0], np.asarray(image))
    table = pd.DataFrame({"note": ["a", "b"], "image": [(photos / name).read_bytes() for name in ids[:2]]})
    table.to_parquet(tmp_path / "two.parquet")
    np.testing.assert_array_equal(originals(tmp_path / "two.parquet", ["b", "a"], {"id": "note"})[1], images[0])
    pd.DataFrame({"text": ["apple"], "label": ["fruit"]}).to_csv(tmp_path / "words.csv", index=False)
    assert originals(tmp_path / "words.csv", [0], {}) is None


def test_bad_input_is_one_line_and_leaves_nothing(photos, tmp_path, capsys):
    (tmp_path / "flat").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "flat" / "a.png")
    pd.DataFrame({"text": ["red apple", "green pear"], "label": ["x", "x"]}).to_csv(tmp_path / "one.csv", index=False)
    for arguments, message in (
        (["nowhere"], "no such file or folder"),
        ([str(photos), "--out", str(photos / "in")], "out must be a folder outside of the data"),
        ([str(tmp_path / "one.csv")], "labels must be of at least 2 classes"),
        ([str(tmp_path / "flat"), "--weights", "none"], "labels must be class folders, or a column"),
        ([str(photos), "--model", "efficientnet-lite9"], "model"),
    ):
        assert main(["clean", *arguments]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert message in error, error
    assert not (photos / "in").exists() and not (tmp_path / "photos-audit").exists()
    for option, message in (("text", "allowed: .*text_column"), ("modell", "allowed: .*did you mean 'model'")):
        with pytest.raises(ValueError, match=f"unknown option '{option}'; {message}"):
            lend.clean(tmp_path / "two.csv", **{option: "text"})
    assert not (tmp_path / "two.csv-audit").exists()
