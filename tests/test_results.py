"""Results: runs go in once, and every table is drawn again from the files alone."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from lend import data, plots
from lend.__main__ import main
from lend.paper import experiments, results
from lend.paper.grids import Grid, Profile, rates
from lend.paper.results.cells import as_markdown, cells
from lend.paper.results.files import Result
from lend.paper.results.pays import margins
from lend.paper.results.words import data_and_training, surroundings
from lend.storage import DamagedFileError

ROWS = {"Standard": {"method": "standard"}, "GCE": {"method": "gce"}, "ELR": {"method": "elr"}}
EPOCHS = 12
PLAIN = ("plain", "symmetric")


# --- Digests --------------------------------------------------------------------------------------------------------


def test_a_digest_is_of_the_pixels_and_not_of_the_place(tmp_path):
    digits = data.load("digits")
    names = ("train_images", "train_labels", "test_images", "test_labels")
    arrays = {name: getattr(digits, name).numpy() for name in names}
    turned = {name: arrays[name][::-1] for name in names[2:]}  # the order of test examples changes no accuracy
    np.savez(tmp_path / "digits.npz", **(arrays | turned))
    copy = data.load(f"npz:{tmp_path / 'digits.npz'}")
    assert data.digest(copy) == data.digest(digits)
    assert results.ORIGINALS[data.digest(digits)] == "digits"
    touched = digits.train_images.clone()
    touched[7, 0, 3, 3] ^= 1
    swapped = digits.train_labels[torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))]
    relabelled = (digits.test_labels + 1) % 10
    for change in ({"train_images": touched}, {"train_labels": swapped}, {"test_labels": relabelled}):
        assert data.digest(replace(digits, **change)) != data.digest(digits)


def test_a_run_notes_the_digest_of_the_whole_data_set(saved):
    assert saved.config.train_size == 240
    assert saved.info["data_digest"] == data.digest(data.load("digits"))


# --- Runs in --------------------------------------------------------------------------------------------------------


def test_a_run_comes_in_once_and_reads_as_it_was(saved, tmp_path):
    done = results.add(saved.path.parent, tmp_path)
    assert [path.name for path in done.new] == [f"{saved.path.name}.parquet"] and not done.known
    first = done.new[0].read_bytes()
    again = results.add([saved], tmp_path)
    assert again.known == done.new and not again.new and done.new[0].read_bytes() == first
    found = results.read(done.new[0])
    pd.testing.assert_frame_equal(found.history, saved.history)
    assert found.config.identity == saved.config.identity and found.config.hash == saved.config.hash
    assert found.info["versions"] == saved.info["versions"] and found.info["threads"] == saved.info["threads"]
    assert str(saved.path.parent).encode() not in first and len(first) < 10_000


def changed(run, **changes):
    """The run, as if it had other settings or notes."""
    config = {name: changes.pop(name) for name in list(changes) if name not in ("recorded", "data_digest")}
    return replace(run, config=replace(run.config, **config), info={**run.info, **changes})


def test_a_place_of_the_data_is_no_other_run(saved, tmp_path):
    elsewhere = changed(saved, dataset="npz:/home/me/digits.npz", note="as it came")
    assert elsewhere.config.hash != saved.config.hash
    assert Result.of(elsewhere).file_name == Result.of(saved).file_name
    assert len(results.add([saved, elsewhere], tmp_path).new) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"epochs": 9}, "4 of 9 epochs are done"),
        ({"recorded": {"scope": "batch"}}, "recorded run"),
        ({"data_digest": None}, "does not note the digest"),
        ({"data_digest": "0" * 64}, "not those of the original cifar10, cifar100, digits"),
        ({"noise": "matrix:mine.npy"}, "somebody's own"),
        ({"method": "mine.py:Mine", "sources": {"mine.py:Mine": "0" * 64}}, "somebody's own"),
    ],
)
def test_what_is_no_result_is_left_out_with_its_reason(saved, tmp_path, changes, reason):
    done = results.add([changed(saved, **changes), saved], tmp_path)
    assert list(done.left_out) == [saved.path.name] and reason in done.left_out[saved.path.name]


def test_a_damaged_run_keeps_no_other_out(saved, tmp_path):
    shutil.copytree(saved.path, tmp_path / "runs" / saved.path.name)
    shutil.copytree(saved.path, tmp_path / "runs" / "damaged")
    (tmp_path / "runs" / "damaged" / "history" / "0002.json").unlink()
    done = results.add(tmp_path / "runs", tmp_path / "results")
    assert len(done.new) == 1 and list(done.left_out) == ["damaged"] and "0002.json" in done.left_out["damaged"]


def test_other_numbers_of_the_same_settings_are_refused(saved, tmp_path):
    result = Result.of(saved)
    slower = result.history.assign(seconds=result.history["seconds"] + 1)
    path = replace(result, history=slower).write(tmp_path)
    assert results.add([saved], tmp_path).known == [path]  # time is no other number
    other = result.history.copy()
    other.loc[3, "test_accuracy"] += 0.01
    replace(result, history=other).write(tmp_path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"same settings and other numbers .*test_accuracy of epoch 3 is 0\.\d+"):
        results.add([saved], tmp_path)
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]


def test_a_damaged_or_renamed_result_is_named(saved, tmp_path):
    (path,) = results.add([saved], tmp_path).new
    whole = path.read_bytes()
    for damaged in (whole[:-40], b"", whole.replace(b'"epochs": 4', b'"epochs": 5')):
        path.write_bytes(damaged)
        with pytest.raises(DamagedFileError, match=re.escape(f"{path} is damaged: it is no result")):
            results.read(path)
    path.write_bytes(whole)
    with pytest.raises(DamagedFileError, match="its settings are those of"):
        results.read(path.rename(tmp_path / "mine.parquet"))


# --- Tables ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Two profiles with made-up results: Standard and GCE of three seeds, one run missing, none of ELR."""
    columns = {"no noise": {"noise": "none"}, **rates("symmetric", 0.4)}
    settings = {"dataset": "digits", "width": 16, "epochs": EPOCHS, "snapshots": ()}
    grids = {name: Grid(ROWS, columns) for name in ("table1", "rates_symmetric")}
    names, numbers, rng = {"plain": False, "augmented": True}, {}, np.random.default_rng(0)
    for name, augment in names.items():
        profile = Profile({**settings, "augment": augment}, tuple(grids), grids=grids)
        monkeypatch.setitem(experiments.PROFILES, name, profile)
        for entry in experiments.plan("table1", name, trials=3):
            key = (name, entry.row, entry.column, entry.config.seed)
            if entry.row != "ELR" and key != ("plain", "Standard", "symmetric 40 %", 2):
                numbers[key] = rng.uniform(0.2, 0.9, EPOCHS)
                write(entry.config, numbers[key], tmp_path / "runs")
    monkeypatch.setattr("lend.paper.results.pays.COMPARED", tuple(names))
    return tmp_path, numbers


def write(config, accuracies, folder):
    epochs = pd.RangeIndex(1, len(accuracies) + 1, name="epoch")
    history = pd.DataFrame({"test_accuracy": accuracies, "seconds": 1.0}, index=epochs)
    digests = {name: digest for digest, name in results.ORIGINALS.items()}
    info = {"data_digest": digests["digits"], "examples": 1438, "realised_noise_rate": config.noise_rate * 0.99}
    info |= {"device": "cpu (here)", "threads": 1, "precision": "bf16", "network": {"name": "small"}}
    info |= {"versions": {"lend": "1", "torch": "2"}}
    return Result(config, info, history).write(folder)


def test_cells_against_numpy(made_up):
    folder, numbers = made_up
    (study,) = [s for s in results.studies(results.results(folder / "runs")) if (s.profile, s.name) == PLAIN]
    table = cells(study).set_index(["column", "row"])
    assert list(table.index) == [(c, r) for c in ("no noise", "symmetric 40 %") for r in ("Standard", "GCE")]
    last = {key[1:]: accuracies[-10:].mean() for key, accuracies in numbers.items() if key[0] == "plain"}
    for column, row in table.index:
        mine = {seed: last[row, column, seed] for seed in range(3) if (row, column, seed) in last}
        gains = [value - last["Standard", column, s] for s, value in mine.items() if ("Standard", column, s) in last]
        cell = table.loc[(column, row)]
        assert cell["n"] == len(mine)
        assert np.allclose(
            [cell["last"], cell["last_std"]], [np.mean([*mine.values()]), np.std([*mine.values()], ddof=1)]
        )
        assert np.allclose([cell["margin"], cell["margin_std"]], [np.mean(gains), np.std(gains, ddof=1)])
    assert table.loc[("symmetric 40 %", "GCE"), "wrong"] == pytest.approx(0.396)
    text = as_markdown(cells(study))
    assert text.count("**") == 4 and "| symmetric 40 % (39.6 % wrong) | Standard |" in text and "ELR" not in text


def test_margins_are_of_equal_seeds(made_up):
    folder, numbers = made_up
    table = margins(results.studies(results.results(folder / "runs")))
    assert set(table["row"]) == {"GCE"} and set(table["noise"]) == {"symmetric"} and len(table) == 4
    cell = table[~table["augment"].astype(bool) & (table["column"] == "symmetric 40 %")].iloc[0]
    last = {key: accuracies[-10:].mean() for key, accuracies in numbers.items()}
    gains = [last["plain", "GCE", cell["column"], s] - last["plain", "Standard", cell["column"], s] for s in (0, 1)]
    assert (cell["n"], cell["margin"]) == (2, pytest.approx(np.mean(gains)))


def test_captions_say_what_was_measured_on_what(made_up):
    folder, _ = made_up
    found = results.results(folder / "runs")
    assert data_and_training(found) == (
        "digits, 1,438 training images, small network of width 16, 12 epochs, without and with augmentation"
    )
    assert surroundings(found) == "seeds 0, 1, 2; cpu (here), 1 thread, bf16; lend 1, torch 2"
    results.draw(folder)
    page = (folder / "measured.md").read_text()
    pictures, tables = page.count("!["), page.count("| noise | method |")
    assert (pictures, tables) == (2, 2)  # one comparison of each profile: that by the rate would say the same again
    assert page.count("1,438 training images") == pictures + tables + 2  # below each, and in the two headings


@pytest.mark.filterwarnings("default:in no comparison")
def test_the_verb_adds_and_draws(saved, tmp_path, capsys):
    to = str(tmp_path / "results")
    assert main(["results", str(tmp_path / "nothing"), "--to", to]) == 2
    assert "no such folder of runs" in capsys.readouterr().err
    assert main(["results", "--to", to]) == 2
    assert "nothing to draw in" in capsys.readouterr().err
    for folder in (saved.path, tmp_path):  # the folder of a run, and one without runs
        assert main(["results", str(folder), "--to", to]) == 2
        assert "holds no saved run" in capsys.readouterr().err
    assert main(["results", str(saved.path.parent), "--to", to]) == 0
    told = capsys.readouterr()
    assert "1 added, 0 were there, 0 left out" in told.out and len(results.results(tmp_path / "results" / "runs")) == 1
    assert f"in no comparison of a profile, so not drawn: {saved.path.name}.parquet" in told.err


# --- The picture ----------------------------------------------------------------------------------------------------


def test_margins_are_drawn_at_their_share_and_missing_panels_say_so():
    table = pd.DataFrame(
        [
            ("symmetric", False, "LEND", 0.398, 0.14, 0.01),
            ("symmetric", False, "LEND", 0.0, -0.02, 0.01),
            ("human", True, "LEND2", 0.09, 0.03, np.nan),
        ],
        columns=["noise", "augment", "row", "wrong", "margin", "margin_std"],
    ).assign(n=2)
    panels = plots.margin_panels(table).axes
    points = [[c.lines[0].get_xydata().tolist() for c in axes.containers] for axes in panels]
    assert np.allclose(points[0], [[[0, -2], [39.8, 14]]]) and np.allclose(points[5], [[[9, 3]]])
    empty = [any(text.get_text() == "no finished run yet" for text in axes.texts) for axes in panels]
    assert empty == [False, True, True, True, True, False] and points[1] == points[4] == []
    assert panels[0].get_ylabel().startswith("no augmentation") and panels[3].get_ylabel().startswith("augmentation")
