"""Corrections are applied to a copy: nothing is written over, a second call changes nothing, a killed one goes on."""

import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile

import pandas as pd
import pytest

from lend.__main__ import main
from lend.auditing import apply


def corrections(*rows):
    """Rows of id, given and suggested label, and perhaps score and action."""
    names = ["sample_id", "given_label", "suggested_label", "label_score", "action"]
    return pd.DataFrame([row + (None,) * (5 - len(row)) for row in rows], columns=names, dtype=object)


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for name in ("cat/1.png", "cat/2.png", "cat/deep/3.png", "dog/1.png", "dog/1-from-cat.png", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"this is {name}")
    return folder


FOLDER = corrections(
    ("cat/1.png", "cat", "dog", 0.1), ("cat/2.png", "cat", "dog", 0.2), ("cat/deep/3.png", "cat", None, 0.3, "drop")
)


def test_files_go_to_the_folder_of_their_new_class(photos, tmp_path):
    before = content(photos)
    done = apply(FOLDER, photos, tmp_path / "cleaned")
    wanted = dict(before)
    wanted["dog/1-from-cat-2.png"], wanted["dog/2.png"] = wanted.pop("cat/1.png"), wanted.pop("cat/2.png")
    del wanted["cat/deep/3.png"]
    assert content(tmp_path / "cleaned") == wanted and content(photos) == before
    assert str(done).endswith(f"2 labels changed and 1 examples left out, of 6; {done.journal} lists them")
    journal = pd.read_csv(done.journal, index_col="sample_id")
    assert journal["output_id"].tolist()[:2] == ["dog/1-from-cat-2.png", "dog/2.png"]
    assert journal["label_before"].eq("cat").all() and journal["label_score"].tolist() == [0.1, 0.2, 0.3]
    assert journal["label_after"].isna().tolist() == [False, False, True]
    assert journal.astype(object).equals(done.changes.astype(object)) and list(journal) == list(done.changes)


def test_a_second_call_changes_nothing_and_a_killed_one_goes_on(photos, tmp_path):
    done = apply(FOLDER, photos, tmp_path / "cleaned")
    times = {path: path.stat().st_mtime_ns for path in done.out.rglob("*")}
    again = apply(FOLDER, photos, tmp_path / "cleaned")
    assert done.written and not again.written and "nothing to do" in str(again)
    assert times == {path: path.stat().st_mtime_ns for path in done.out.rglob("*")}
    made, journal = content(done.out), done.journal.read_bytes()
    done.journal.unlink()
    (done.out / "dog/2.png").unlink()
    resumed = apply(FOLDER, photos, tmp_path / "cleaned")
    assert resumed.written and content(done.out) == made and done.journal.read_bytes() == journal
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_process_that_is_killed(tmp_path):
    """Killed while it copies, and called again: the copy is that of a call that was never killed."""
    photos, files = tmp_path / "photos", 1500
    for i in range(files):
        (photos / f"{i % 30}").mkdir(parents=True, exist_ok=True)
        (photos / f"{i % 30}/{i}.png").write_text(str(i))
    wrong = corrections(*((f"{i % 30}/{i}.png", str(i % 30), str((i + 1) % 30)) for i in range(0, files, 7)))
    wrong.to_csv(tmp_path / "corrections.csv", index=False)
    arguments = [str(tmp_path / "corrections.csv"), "--to", str(photos), "--out", str(tmp_path / "cleaned")]
    process = subprocess.Popen([sys.executable, "-m", "lend", "apply", *arguments], stderr=subprocess.DEVNULL)
    while process.poll() is None and not (tmp_path / "cleaned/12").exists():
        time.sleep(0.005)
    process.kill()
    assert process.wait() != 0 and not (tmp_path / "cleaned.journal.csv").exists()
    left = len(content(tmp_path / "cleaned"))
    assert 0 < left < files
    done, whole = (apply(wrong, photos, tmp_path / name) for name in ("cleaned", "whole"))
    assert content(done.out) == content(whole.out) and done.changes.equals(whole.changes)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_nothing_is_written_over(photos, tmp_path):
    apply(FOLDER, photos, tmp_path / "cleaned")
    (tmp_path / "cleaned/dog/2.png").write_text("mine")
    with pytest.raises(FileExistsError, match="2.png: is there, and is not what these corrections make"):
        apply(FOLDER, photos, tmp_path / "cleaned")
    with pytest.raises(ValueError, match="out must be a new folder, or one of an earlier call"):
        apply(FOLDER.iloc[:1], photos, tmp_path / "cleaned")
    assert (tmp_path / "cleaned/dog/2.png").read_text() == "mine"


def test_hard_links(photos, tmp_path):
    done = apply(FOLDER, photos, tmp_path / "cleaned", link=True)
    assert os.path.samefile(done.out / "dog/2.png", photos / "cat/2.png")
    assert not apply(FOLDER, photos, tmp_path / "cleaned", link=True).written


def test_splits_of_class_folders(photos, tmp_path):
    both = tmp_path / "both"
    shutil.copytree(photos, both / "train")
    shutil.copytree(photos / "dog", both / "test" / "bird")
    one = corrections(("train/cat/2.png", "cat", "dog"))
    done = apply(one, both, tmp_path / "cleaned")
    assert (done.out / "train/dog/2.png").exists() and (done.out / "test/bird/1.png").exists()
    with pytest.raises(ValueError, match=r"of classes that occur \('cat', 'dog'\)"):
        apply(corrections(("train/cat/2.png", "cat", "bird")), both, tmp_path / "other")


@pytest.mark.parametrize("out", ["photos", "photos/cleaned", "."])
def test_never_in_place(photos, tmp_path, out):
    with pytest.raises(ValueError, match="out must be a place outside of"):
        apply(FOLDER, photos, tmp_path / out)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("cat/9.png", "cat", "dog"), r"corrections must be of examples in .*, got '1 others: 'cat/9.png''|9.png"),
        (("../photos/cat/1.png", "cat", "dog"), "must be of examples in"),
        (("dog/1.png", "cat", "dog"), "'dog/1.png' has the label 'dog' in .*, not 'cat': the data is not what was"),
        (
            ("cat/1.png", "cat", "bird"),
            r"of classes that occur \('cat', 'dog'\); new_classes allows others, got .'bird'",
        ),
        (("cat/1.png", "cat", None), "row 1: suggested_label must be a class, or the action drop"),
        (("cat/1.png", "cat", "dog", "low"), "row 1: label_score must be a number or empty, got 'low'"),
        (("cat/1.png", "cat", "dog", 0.1, "delete"), "row 1: action must be relabel or drop, or empty, got 'delete'"),
    ],
)
def test_corrections_that_do_not_fit(photos, tmp_path, row, message):
    with pytest.raises(ValueError, match=message):
        apply(corrections(row), photos, tmp_path / "cleaned")
    assert not (tmp_path / "cleaned").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "..", "a\\b", "x" * 300])
def test_a_new_class_is_a_name_for_a_folder(photos, tmp_path, name):
    with pytest.raises(ValueError, match="suggested_label must be a name for a folder"):
        apply(corrections(("cat/1.png", "cat", name)), photos, tmp_path / "cleaned", new_classes=True)
    done = apply(corrections(("cat/1.png", "cat", "bird")), photos, tmp_path / "cleaned", new_classes=True)
    assert (done.out / "bird/1.png").exists()


def test_other_errors(photos, tmp_path):
    with pytest.raises(FileNotFoundError, match="to: .*missing: no such file or folder"):
        apply(FOLDER, tmp_path / "missing", tmp_path / "cleaned")
    with pytest.raises(ValueError, match="of different examples, got .*more than one of 'cat/1.png'"):
        apply(pd.concat([FOLDER, FOLDER.iloc[:1]]), photos, tmp_path / "cleaned")
    with pytest.raises(ValueError, match="none named suggested_label"):
        apply(FOLDER.drop(columns="suggested_label"), photos, tmp_path / "cleaned")
    with pytest.raises(ValueError, match="column must be left out"):
        apply(FOLDER, photos, tmp_path / "cleaned", column="label")
    (tmp_path / "data.xlsx").write_text("?")
    with pytest.raises(ValueError, match="to must be a folder or a file ending in .parquet, .arrow, .csv"):
        apply(FOLDER, tmp_path / "data.xlsx", tmp_path / "cleaned.xlsx")
    os.mkfifo(photos / "cat/pipe")
    with pytest.raises(ValueError, match="of files and folders alone, got .*pipe"):
        apply(FOLDER, photos, tmp_path / "cleaned")


def test_only_below_a_score(photos, tmp_path):
    done = apply(FOLDER, photos, tmp_path / "cleaned", below=0.2)
    assert list(done.changes.index) == ["cat/1.png"]


def packed(folder, path, above):
    """An archive of a folder, its members below another one."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(content(folder)):
                archive.write(folder / name, f"{above}{name}")
        return
    kind = path.name.partition(".tar.")[2] or {".tgz": "gz"}.get(path.suffix, "")
    with tarfile.open(path, f"w:{kind}") as archive:
        for name in sorted(content(folder)):
            archive.add(folder / name, f"{above}{name}")


def unpacked(path, folder):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        return folder
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"])
@pytest.mark.parametrize("above", ["", "photos/"])
def test_archives(photos, tmp_path, ending, above):
    source, out = tmp_path / f"data{ending}", tmp_path / f"cleaned{ending}"
    packed(photos, source, above)
    done = apply(FOLDER, source, out)
    assert not apply(FOLDER, source, out).written
    wanted = content(apply(FOLDER, photos, tmp_path / "cleaned").out)
    assert content(unpacked(out, tmp_path / "unpacked") / above) == wanted
    assert done.changes["output_id"].tolist()[1] == f"{above}dog/2.png"


def test_archives_that_are_none(tmp_path):
    for name in ("a.zip", "a.tar.gz"):
        (tmp_path / name).write_bytes(b"PK" * 50)
        with pytest.raises(ValueError, match=f"{name}: not a whole archive"):
            apply(FOLDER, tmp_path / name, tmp_path / f"out-{name}")


def test_the_verb(photos, tmp_path, capsys):
    FOLDER.to_csv(tmp_path / "corrections.csv", index=False)
    command = ["apply", str(tmp_path / "corrections.csv"), "--to", str(photos), "--out", str(tmp_path / "cleaned")]
    assert main(command) == 0
    assert "2 labels changed and 1 examples left out, of 6" in capsys.readouterr().out
    assert main(command) == 0
    assert "nothing to do, these corrections are there already" in capsys.readouterr().out
    assert main([*command[:-1], str(photos / "inside")]) == 2
    assert "lend: error: --out must be a place outside of" in capsys.readouterr().err
    assert main([*command[:-1], str(tmp_path / "other"), "--below", "0.2"]) == 0
    assert "1 labels changed and 0 examples" in capsys.readouterr().out
