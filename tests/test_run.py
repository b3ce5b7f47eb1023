import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from test_storage import flip_byte

import lend
from lend import storage
from lend.run import Run
from lend.storage import DamagedFileError

pytestmark = pytest.mark.usefixtures("short_maps")


@pytest.fixture
def copy(saved, tmp_path):
    """A copy of the finished run, to damage."""
    return Run.open(shutil.copytree(saved.path, tmp_path / saved.path.name))


def test_what_a_run_holds(saved):
    n = saved.info["examples"]
    assert saved.complete and saved.epochs_done == 4 and saved.epochs == (1, 3, 4)
    assert list(saved.history.index) == [1, 2, 3, 4]
    assert saved.labels.index.name == "sample_id" and len(saved.labels) == n == 240
    wrong = (saved.labels["true"] != saved.labels["noisy"]).mean()
    assert 0 < wrong == pytest.approx(saved.info["realised_noise_rate"])
    for epoch in (1, 2, 3, 4):
        row = saved.history.loc[epoch]
        for kind in ("predicted", "diluted", "dominant"):
            labels = getattr(saved, kind)(epoch)
            assert labels.shape == (n,) and labels.dtype == np.int64
            assert (labels == saved.labels["true"]).mean() == pytest.approx(row[f"{kind}_label_accuracy"], abs=1e-6)
        kept = saved.kept(epoch)
        assert kept.dtype == bool and kept.mean() == pytest.approx(row["kept_share"], abs=1e-6)
        right = (saved.labels["true"] == saved.labels["noisy"]).to_numpy()[kept].mean()
        assert right == pytest.approx(row["kept_precision"], abs=1e-6)
    assert saved.history["noisy_label_accuracy"].tolist() == pytest.approx([1 - wrong] * 4)
    assert saved.best == saved.history["test_accuracy"].max()
    assert saved.last == pytest.approx(saved.history["test_accuracy"].mean())


def test_the_memory_follows_from_the_saved_labels(saved):
    """Kept masks are Eq. (5) and (6) over the saved diluted labels: nothing else decides them."""
    noisy = saved.labels["noisy"].to_numpy()
    memory = np.eye(10)[noisy]
    dropped = 0
    for epoch in (1, 2, 3, 4):
        memory = lend.momentum(np.eye(10)[saved.diluted(epoch)], memory, beta=0.5)
        kept = lend.select(memory, noisy)
        assert np.array_equal(kept, saved.kept(epoch))
        dropped += (~kept).sum()
    assert dropped > 0


def test_snapshots_are_lazy_and_dilute_to_what_was_saved(saved):
    for epoch in saved.epochs:
        snapshot = saved.snapshot(epoch)
        assert snapshot["embeddings"].chunks is not None
        assert dict(snapshot.sizes) == {"sample": 240, "feature": 16, "class": 10}
        embeddings = saved.embeddings(epoch)
        assert embeddings.dtype == np.float16
        again = lend.dilute(embeddings, saved.labels["noisy"].to_numpy(), num_classes=10, k=5)
        assert np.array_equal(again, snapshot["diluted"])


def test_dataset_of_all_epochs(saved):
    dataset = saved.dataset
    assert dataset["embeddings"].dims == ("epoch", "sample", "feature") and dataset["embeddings"].chunks is not None
    assert list(dataset.epoch.values) == [1, 3, 4]
    assert np.array_equal(dataset["embeddings"].sel(epoch=3), saved.embeddings(3))
    assert np.array_equal(dataset["noisy"], saved.labels["noisy"])


def test_missing_epochs_name_what_exists_and_the_command(saved):
    with pytest.raises(KeyError, match=r"no snapshot of epoch 2; it has \[1, 3, 4\].*lend train --like .*1,2,3,4"):
        saved.embeddings(2)
    with pytest.raises(KeyError, match="no epoch 9; it has 1 to 4"):
        saved.predicted(9)
    with pytest.raises(KeyError, match=r"no aligned map of epoch 3; it has \[\].*lend tsne .* --epochs 3"):
        saved.map(3)


def test_a_run_without_snapshots_says_so(tiny):
    from lend.analysis import make_maps
    from lend.training import train

    run = train(tiny(epochs=1, snapshots=()), progress=False)
    with pytest.raises(KeyError, match=r"no snapshot of epoch 1; it has \[\]. A new run with: .*--snapshots 1"):
        _ = run.dataset
    with pytest.raises(KeyError, match=r"no snapshot of epoch 1"):
        make_maps(run, progress=False)


def test_open_and_list(saved, tmp_path):
    found = lend.runs(saved.path.parent)
    assert [run.path for run in found] == [saved.path] and found[0].config == saved.config
    assert lend.runs(tmp_path) == []
    with pytest.raises(FileNotFoundError, match=f"is no saved run.*{saved.path.name}"):
        Run.open(saved.path.parent / "other")
    assert "4 of 4 epochs" in repr(saved)


def test_labels_of_one_epoch_do_not_read_the_others(copy):
    (copy.path / "labels" / "0001.npz").write_bytes(b"broken")
    shutil.rmtree(copy.path / "snapshots")
    assert copy.predicted(2).shape == (240,) and len(copy.history) == 4
    with pytest.raises(DamagedFileError, match=r"labels/0001\.npz is damaged"):
        copy.predicted(1)
    with pytest.raises(DamagedFileError, match=r"snapshots/0003\.zarr\.zip is missing"):
        copy.snapshot(3)


def test_damage_is_found_and_named(copy):
    assert copy.check() == []
    flip_byte(copy.path / "labels" / "0002.npz")
    path = copy.path / "snapshots" / "0003.zarr.zip"
    path.write_bytes(path.read_bytes()[:-10])
    record = copy.path / "history" / "0004.json"
    record.write_text(record.read_text().replace('"epoch": 4', '"epoch": 5'))
    assert [("0002.npz" in a, "0003.zarr.zip" in b, "0004.json" in c) for a, b, c in [copy.check()]] == [(True,) * 3]
    with pytest.raises(DamagedFileError, match=r"0003\.zarr\.zip is damaged: \d+ bytes of \d+"):
        copy.embeddings(3)
    first = copy.path / "snapshots" / "0001.zarr.zip"
    with zipfile.ZipFile(first) as archive:
        start = archive.getinfo("embeddings/c/0/0").header_offset
    flip_byte(first, (start + 200) / first.stat().st_size)
    with pytest.raises(DamagedFileError, match=r"0001\.zarr\.zip is damaged: Bad CRC-32"):
        copy.embeddings(1)
    flip_byte(copy.path / "labels" / "given.npz")
    assert "given.npz" in copy.check()[0] and len(copy.check()) == 4 + 1  # and the snapshot of epoch 1, above
    flip_byte(copy.path / "config.json")
    with pytest.raises(DamagedFileError, match=r"config\.json is damaged"):
        Run.open(copy.path)
    with pytest.warns(UserWarning, match=r"config\.json is damaged"):
        assert lend.runs(copy.path.parent) == []


def test_history_is_a_frame_of_numbers(saved):
    assert isinstance(saved.history, pd.DataFrame)
    assert saved.history.dtypes.map(lambda kind: kind.kind).eq("f").all()


@pytest.mark.parametrize(
    "record",
    [
        {"config": {"colour": "red"}, "info": {}},
        {"config": {"epochs": "three"}, "info": {}},
        {"config": {"snapshots": ["a"]}, "info": {}},
        {"config": [], "info": {}},
        {"config": {}, "info": None},
        {"config": {"dilution": 3}, "info": {}},
        {},
    ],
    ids=str,
)
def test_a_run_of_unknown_settings_is_left_out_and_named(record, saved, tmp_path):
    """One such folder takes no other run out of a list."""
    shutil.copytree(saved.path, tmp_path / saved.path.name)
    (tmp_path / "strange").mkdir()
    storage.write_json(tmp_path / "strange" / "config.json", record)
    with pytest.raises(ValueError, match=r"strange.config\.json"):
        Run.open(tmp_path / "strange")
    with pytest.warns(UserWarning, match=r"strange is left out: .*config\.json"):
        found = lend.runs(tmp_path)
    assert [run.path.name for run in found] == [saved.path.name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": {"epochs": "4"}}, "epochs must be of the type int, got '4'"),
        ({"config": {"noise": 5}}, "noise must be of the type str, got 5"),
        ({"config": {"dilution": {"kk": 3}}}, "unknown settings kk"),
        ({"config": [1]}, "no record of a run"),
        ({"info": 3}, "no record of a run"),
        ({"info": {"compact": "yes"}}, "info.compact is 'yes'"),
        ({"info": {"defaults": "0.7"}}, "info.defaults is '0.7'"),
    ],
)
def test_a_record_of_wrong_types_does_not_break_the_list(copy, changes, message):
    path = copy.path / "config.json"
    storage.write_json(path, storage.read_json(path) | changes)
    with pytest.raises(ValueError, match=f"config.json .*{message}") as caught:
        Run.open(copy.path)
    assert str(path) in str(caught.value)
    with pytest.warns(UserWarning, match=f"is left out: .*config.json .*{message}"):
        assert lend.runs(copy.path.parent) == []


def test_a_config_nested_too_deeply_is_damaged(copy):
    (copy.path / "config.json").write_text("[" * 100_000)
    with pytest.raises(DamagedFileError, match=r"config\.json is damaged"):
        Run.open(copy.path)
    with pytest.warns(UserWarning, match=r"is left out: .*config\.json is damaged"):
        assert lend.runs(copy.path.parent) == []


def test_a_run_without_epochs_has_no_scores(copy):
    shutil.rmtree(copy.path / "history")
    assert copy.epochs_done == 0 and copy.history.empty
    assert np.isnan(list(copy.scores.values())).all() and len(copy.scores) == 4
    assert np.isnan([copy.best, copy.last, copy.chosen, copy.ensemble]).all()


def test_the_history_is_read_once_until_an_epoch_is_committed(copy, monkeypatch):
    read, paths = storage.read_json, []
    monkeypatch.setattr(storage, "read_json", lambda path: paths.append(path.name) or read(path))
    newest = copy.history_path(4)
    record = newest.read_bytes()
    newest.unlink()
    assert copy.best == copy.history["test_accuracy"].max() and copy.last > 0
    assert paths == ["0001.json", "0002.json", "0003.json"]
    newest.write_bytes(record)
    assert len(copy.history) == 4 and len(paths) == 3 + 4
    table = copy.history
    table["test_accuracy"] = 0.0  # the caller's own table
    assert copy.best > 0


def test_snapshots_are_required_by_name(copy):
    assert copy.require_snapshots() == (1, 3, 4) and copy.require_snapshots([4, 1, 4]) == (1, 4)
    with pytest.raises(KeyError, match=r"no snapshot of epoch 2; it has \[1, 3, 4\]"):
        copy.require_snapshots([1, 2])
    copy.snapshot_path(3).unlink()
    with pytest.raises(DamagedFileError, match=r"0003\.zarr\.zip is missing"):
        copy.require_snapshots([3])


def test_a_relative_path_outlives_a_change_of_the_working_directory(copy, monkeypatch):
    monkeypatch.chdir(copy.path.parent)
    run = Run.open(copy.path.name)
    assert str(run.shown) == copy.path.name and run.config.runs == "."
    with pytest.raises(KeyError, match=f"lend tsne {copy.path.name} "):
        run.map(1)
    monkeypatch.chdir("/")
    assert len(run.history) == 4 and run.check() == []


def test_files_of_another_run_or_epoch_are_found_by_the_check(copy, saved):
    arrays = storage.read_arrays(copy.given_path)
    storage.write_arrays(copy.given_path, {**arrays, "noisy": arrays["noisy"][::-1]})
    shutil.copy(copy.labels_path(2), copy.labels_path(1))
    shutil.copy(copy.history_path(2), copy.history_path(4))
    checkpoint = max((copy.path / "checkpoint").glob("*.pt"))
    flip_byte(min((copy.path / "checkpoint").glob("*.pt")))
    found = copy.check()
    names = ("given.npz", "0001.npz", "0004.json", min((copy.path / "checkpoint").glob("*.pt")).name)
    assert all(any(name in line for line in found) for name in names), (found, checkpoint)


def test_a_map_of_another_snapshot_is_found_by_the_check(copy):
    from lend.analysis import make_maps

    make_maps(copy, [1, 3], points=60, progress=False)
    assert copy.check() == []
    shutil.copy(copy.map_path(3, "aligned"), copy.map_path(1, "aligned"))
    assert copy.check() == [f"{copy.map_path(1, 'aligned')} is the map of another snapshot"]


def test_an_early_run_without_a_digest_of_its_labels_is_checked_clean(copy):
    record = storage.read_json(copy.path / "config.json")
    del record["files"]
    storage.write_json(copy.path / "config.json", record)
    assert Run.open(copy.path).given_digest is None and Run.open(copy.path).check() == []


def test_a_missing_record_is_named_and_strange_ones_are_no_epochs(copy):
    (copy.path / "history" / "0001 (1).json").write_text("{}")
    (copy.path / "history" / "1x.json").write_text("{}")
    assert copy.epochs_done == 4 and copy.check() == []
    (copy.path / "history" / "99999999.json").write_text("{}")
    assert copy.epochs_done == 4 and "99999999.json belongs to no epoch: the run has 4" in copy.check()[0]
    (copy.path / "history" / "99999999.json").unlink()
    copy.history_path(2).unlink()
    assert "0002.json is missing" in copy.check()[0] and copy.epochs_done == 4
    with pytest.warns(UserWarning, match=r"scores of run .* are left out: .*0002\.json is missing"):
        assert lend.table(copy.path.parent)["best"].isna().all()


def test_a_killed_writer_of_the_settings_does_not_block_the_run(tiny):
    from lend.training import train

    config = tiny(epochs=1, snapshots=())
    (config.folder / "labels").mkdir(parents=True)
    (config.folder / ".config.json.4194304.tmp").write_text("half")
    run = train(config, progress=False)
    assert run.complete and not list(run.path.glob(".*"))


def test_embeddings_above_the_range_of_float16_are_divided_by_one_power_of_two():
    import torch

    from lend.recording import half

    V = torch.tensor([[1.0, 65504.0], [-200_000.0, 3.0]])
    with pytest.warns(UserWarning, match="up to 2e\\+05 are saved divided by 4: float16 ends at 65504"):
        assert torch.equal(half(V), (V / 4).half())
    assert torch.equal(half(V.clip(-65504)), V.clip(-65504).half())
    with pytest.warns(UserWarning, match="up to 3e\\+38 are saved divided by 5192"):
        assert half(torch.tensor([[3e38]])).isfinite().all()
