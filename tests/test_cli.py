"""The verbs of `lend`, as a user types them."""

import os
import subprocess
import sys
import time

import pytest

import lend
from lend.__main__ import main

TINY = "--train-size 240 --width 8 --batch-size 80 --epochs 2 --noise asymmetric --dilution.k 5".split()


def test_train_list_and_go_on(tmp_path, capsys):
    runs = str(tmp_path / "runs")
    assert main(["train", *TINY, "--runs", runs, "--snapshots", "1,2", "--options.beta", "0.7"]) == 0
    (run,) = lend.runs(runs)
    assert run.complete and run.epochs == (1, 2) and run.config.options == {"beta": 0.7}
    assert run.config.dilution.k == 5 and run.config.noise_rate == 0.4
    assert f"{run.path}: 2 epochs, test accuracy best {run.best:.4f} (oracle)" in capsys.readouterr().out
    assert main(["list", "--runs", runs]) == 0
    shown = capsys.readouterr().out
    assert run.path.name in shown and "2/2" in shown and f"{run.last:.4f}" in shown


def test_list_only_some(saved, capsys):
    folder = str(saved.path.parent)
    assert main(["list", "--runs", folder, "--method", "lend", "--noise-rate", "0.4", "--seed", "0"]) == 0
    shown = capsys.readouterr().out
    assert saved.path.name in shown and "oracle on the test set" in shown and "last ten epochs" in shown
    assert main(["list", "--runs", folder, "--noise", "asymetric"]) == 2
    assert "no such run has noise asymetric; allowed: asymmetric; did you mean 'asymmetric'" in capsys.readouterr().err


def test_sweep(tmp_path, capsys):
    command = ["sweep", "figure4", "--profile", "tiny", "--workers", "0", "--runs", str(tmp_path / "runs")]
    command += ["--note", "as it came"]
    assert main(command) == 0
    assert "figure4, profile tiny: all 3 runs are there" in capsys.readouterr().out
    found = lend.runs(tmp_path / "runs")
    assert sorted(run.config.method for run in found) == ["lend", "lend", "standard"]
    assert {run.config.dilution.class_prior for run in found} == {None, "balanced"}
    assert {run.note for run in found} == {"as it came"}


def test_failed_runs_of_a_sweep_are_named(tmp_path, capsys):
    from lend.paper import experiments

    first, *_ = experiments.plan("figure4", "tiny", runs=str(tmp_path))
    first.config.folder.mkdir(parents=True)
    (first.config.folder / "letter.txt").write_text("mine")
    assert main(["sweep", "figure4", "--profile", "tiny", "--workers", "0", "--runs", str(tmp_path)]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("lend: error: 1 of 3 runs failed; ") and "already exists: it holds letter.txt" in error
    assert len(lend.runs(tmp_path)) == 2 and (first.config.folder / "letter.txt").read_text() == "mine"


def test_audit(tmp_path, capsys):
    import numpy as np
    import pandas as pd
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    given = lend.noise.corrupt(labels, lend.noise.symmetric(10, 0.2), 0)
    np.save(tmp_path / "embeddings.npy", pixels.astype(np.float32))
    pd.DataFrame({"id": np.arange(len(given)) + 100, "label": [f"digit {y}" for y in given]}).to_csv(
        tmp_path / "labels.csv", index=False
    )
    out, patch, plot = (str(tmp_path / name) for name in ("issues.csv", "patch.csv", "audit.png"))
    arguments = ["audit", str(tmp_path / "embeddings.npy"), str(tmp_path / "labels.csv"), "--id-column", "id"]
    assert main([*arguments, "--out", out, "--patch", patch, "--plot", plot]) == 0
    assert "issues; at least" in capsys.readouterr().out
    found = pd.read_csv(out, index_col="sample_id")
    wrong = given != labels
    assert found.index[0] == 100 and len(found) == len(given)
    assert (found["is_label_issue"] == wrong).mean() > 0.95
    suggested = pd.read_csv(patch)
    better = found["is_label_issue"] & (found["given_label"] != found["predicted_label"])
    assert 0 < len(suggested) == better.sum() and (tmp_path / "audit.png").stat().st_size > 1000


def test_train_like_another_run(tmp_path, capsys):
    runs = str(tmp_path / "runs")
    assert main(["train", *TINY, "--runs", runs, "--options.beta", "0.7", "--snapshots", "2"]) == 0
    (first,) = lend.runs(runs)
    assert main(["train", "--like", str(first.path), "--seed", "4", "--noise-seed=0"]) == 0
    (second,) = [run for run in lend.runs(runs) if run.path != first.path]
    assert second.config.seed == 4 and second.config.options == {"beta": 0.7} and second.config.width == 8
    assert second.labels.equals(first.labels)
    assert main(["train", "--like", str(first.path), "--dilution.steps", "1"]) == 0
    (third,) = [run for run in lend.runs(runs) if run.path not in (first.path, second.path)]
    assert third.config.dilution.steps == 1 and third.config.dilution.k == 5


def test_list_checks_every_file(saved, tmp_path, capsys):
    import shutil

    path = shutil.copytree(saved.path, tmp_path / saved.path.name)
    assert main(["list", "--runs", str(tmp_path), "--check"]) == 0
    (path / "labels" / "0002.npz").write_bytes(b"broken")
    capsys.readouterr()
    assert main(["list", "--runs", str(tmp_path), "--check"]) == 2
    assert "0002.npz is damaged" in capsys.readouterr().err


def test_tsne(saved, tmp_path, capsys):
    import shutil

    path = shutil.copytree(saved.path, tmp_path / saved.path.name)
    assert main(["tsne", str(path), "--epochs", "1,3"]) == 0
    run = lend.Run.open(path)
    assert run.map(3).shape == (240, 2)
    with pytest.raises(KeyError):
        run.map(4)


def test_compact_and_no_training_on_it(saved, tmp_path, capsys):
    folder = str(tmp_path / "small")
    options = ["--features", "8", "--snapshots", "1,4", "--points", "100", "--note", "in grey"]
    assert main(["compact", str(saved.path), folder, *options]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in shown[:2]] == ["epoch 1", "epoch 4"] and "labels stay" in shown[0]
    elsewhere, k = str(tmp_path / "few"), saved.config.dilution.k
    assert main(["compact", str(saved.path), elsewhere, "--features", "8", "--points", str(k)]) == 0
    assert f"needs more than {k} examples" in capsys.readouterr().out and len(lend.runs(elsewhere)) == 1
    assert main(["compact", str(saved.path), str(tmp_path / "other"), "--dataset", "cifar10"]) == 2
    assert "the data set of the run, or --note must say how its data differ" in capsys.readouterr().err
    (copy,) = lend.runs(folder)
    assert shown[2].startswith(f"{copy.path}: 0.") and shown[2].endswith(" MB")
    assert copy.epochs == (1, 4) and copy.embeddings(4).shape == (100, 8) and copy.history.equals(saved.history)
    assert main(["list", "--runs", folder, "--check"]) == 0
    assert "(in grey)" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in copy.path.rglob("*") if path.is_file()}
    assert main(["train", "--like", str(copy.path)]) == 2
    error = capsys.readouterr().err
    assert f"{copy.path} is a compact copy" in error and error.count("\n") == 1
    assert {path: path.read_bytes() for path in copy.path.rglob("*") if path.is_file()} == before
    elsewhere = str(tmp_path / "runs")
    assert main(["train", "--like", str(copy.path), "--runs", elsewhere, "--epochs", "1", "--snapshots", "1"]) == 0
    assert len(lend.runs(elsewhere)) == 1 and lend.runs(elsewhere)[0].compact is None
    assert main(["compact", str(saved.path), folder, "--snapshots", "none"]) == 2
    assert "already exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tran"], "invalid choice: 'tran'"),
        ([], "verb"),
        (["train", "--epoch", "3"], "did you mean --epochs?"),
        (["train", "--epochs", "many"], "--epochs must be an integer, got 'many'"),
        (["train", "--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["train", "--method", "lendd"], "did you mean 'lend'"),
        (["train", "--noise", "symetric"], "did you mean 'symmetric'"),
        (["train", "--noise-rate", "1.5"], "--noise-rate must be inside [0, 1], got 1.5"),
        (["train", "--dataset", "digts"], "did you mean 'digits'"),
        (["train", "--dataset", "npz:nowhere.npz"], "nowhere.npz"),
        (["train", "--options.q", "0.7"], "unknown option 'q' of method lend"),
        (["train", "--dilution.affinity", "mean"], "affinity must be 'product' or 'sum'"),
        (["train", "--snapshots", "30,x"], "snapshots must be epochs such as 30,50,100"),
        (["train", "--like", "nowhere"], "nowhere is no saved run"),
        (["sweep", "figure66"], "did you mean 'figure6'"),
        (["sweep", "figure6", "--profile", "animal10n"], "profile animal10n has no figure6; it has table3"),
        (["sweep", "all", "--profile", "digit"], "did you mean 'digits'"),
        (["sweep", "figure6", "--trials", "0"], "trials must be at least 1, got 0"),
        (["sweep", "figure6", "--workers", "-1"], "workers must be at least 0, got -1"),
        (["train", "--train-size", "5000"], "--train-size must be an integer from 1 to 1438, got 5000"),
        (["sweep", "figure6", "--threads", "0"], "threads must be at least 1, got 0"),
        (["audit", "nowhere.npy", "labels.npy"], "no such file"),
        (["train", "--tracker", "tensorbord"], "did you mean 'tensorboard'"),
        (["train", "--shards", "0"], "shards must be at least 1"),
        (["train", "--validation", "1"], "validation must be inside [0, 1)"),
        (["list", "--runs", "nowhere"], "no saved run in nowhere"),
        (["tsne", "nowhere"], "nowhere is no saved run"),
        (["compact", "nowhere", "small"], "nowhere is no saved run"),
        (["figures", "--profile", "digit"], "did you mean 'digits'"),
        (["figures", "--only", "tsne_snapshot"], "did you mean 'tsne_snapshots'"),
        (["demo", "pictures", "--bogus"], "unrecognized arguments: --bogus\n"),
        (["list", "--method=lend", "--chek"], "did you mean --check?"),
        (["list", "--noise-rate", "x"], "--noise-rate must be a finite number, got 'x'"),
        (["train", "--dilution.k", "0"], "--dilution.k must be an integer of at least 1, got 0"),
        (["train", "--options.beta", "2"], "--options.beta must be inside [0, 1]"),
        (["audit", "v.npy", "y.npy", "--plot", "p"], "--plot must be a file name ending in "),
        (["audit", "v.npy", "y.npy", "--plot", "p.docx"], "--plot must be a file name ending in "),
        (["audit", "v.npy", "y.csv", "--out", "issues"], "--out must be a file name ending in .csv, got 'issues'"),
        (["audit", "v.npy", "y.csv", "--out", "y.csv"], "--out must be another file than labels, got 'y.csv'"),
        (["audit", "v.npy", "y.csv", "--patch", "issues.csv"], "--patch must be another file than out"),
        (["audit", "v.npy", "y.csv", "--out", f"{__file__}/x.csv"], "--out must be in a folder"),
        (["demo"], "demo.folder"),
        (["demo", ""], "folder must be a new or existing folder, got ''"),
        (["demo", __file__], f"folder must be a new or existing folder, got '{__file__}'"),
        (["demo", "pictures", "more"], "more"),
        (["notebooks"], "notebooks.folder"),
        (["notebooks", __file__], f"folder must be a new or existing folder, got '{__file__}'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("lend: error: ") and captured.err.count("\n") == 1
    assert message in captured.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["train", "sweep", "figures", "list", "tsne", "compact", "audit"])
def test_every_verb_has_help_with_defaults(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "default:" in shown
    if verb == "train":
        for word in ("--noise-rate", "default: 0.4", "--dilution.k", "--options", "paper"):
            assert word in shown
    if verb == "compact":
        from lend.run.compacting import FEATURES

        assert f"default: {FEATURES})" in shown


@pytest.mark.parametrize("verb", ["demo", "notebooks"])
def test_verbs_without_options_have_help(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert "folder Folder that gets" in " ".join(capsys.readouterr().out.split())


def test_what_is_there_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "saved").mkdir()
    (tmp_path / "audit.csv").write_text("mine")
    for verb, name in (("notebooks", "saved"), ("demo", "audit.csv")):
        assert main([verb, str(tmp_path)]) == 2
        error = capsys.readouterr().err
        assert f"{tmp_path / name} already exists" in error and error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.csv", "saved"]
    assert (tmp_path / "audit.csv").read_text() == "mine"


def test_a_copy_that_was_stopped_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("lend.cli.shipped._copy", lambda *given: (_ for _ in ()).throw(OSError))
    assert main(["notebooks", str(tmp_path / "mine")]) == 2
    assert not (tmp_path / "mine").exists()
    monkeypatch.undo()
    assert main(["notebooks", str(tmp_path / "mine")]) == 0
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["notebooks", "saved"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_any_console_can_show_help_and_runs(saved, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    for arguments in (["train", "--help"], ["audit", "--help"], ["list", "--runs", str(saved.path.parent)]):
        shown = subprocess.run([sys.executable, "-m", "lend", *arguments], capture_output=True, env=environment)
        assert (shown.returncode, shown.stderr) == (0, b"") and shown.stdout.decode(encoding)


def test_list_shows_notes_as_they_are_and_names_what_it_cannot_read(saved, tmp_path, capsys):
    import shutil

    from lend import storage

    for name, settings in (("a[bold]", {"note": "[/] [red]"}), ("b", {"colour": "red"}), ("c", {})):
        path = shutil.copytree(saved.path, tmp_path / name)
        record = {k: v for k, v in storage.read_json(path / "config.json").items() if k != "seal"}
        storage.write_json(path / "config.json", record | {"config": record["config"] | settings})
    (tmp_path / "c" / "history" / "0002.json").write_text("broken")
    assert main(["list", "--runs", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "a[bold]" in shown.out and "[/] [red]" in shown.out and "4/4" in shown.out
    assert "unknown settings colour" in shown.err and "0002.json is damaged" in shown.err
    assert shown.err.count("unreadable: ") == shown.err.count("\n") == 2
    assert main(["list", "--runs", str(tmp_path), "--check"]) == 2
    capsys.readouterr()


def test_home_in_paths(saved, tmp_path, monkeypatch, capsys):
    import shutil

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    shutil.copytree(saved.path, tmp_path / "runs" / "one")
    assert main(["list", "--runs", "~/runs"]) == 0
    assert main(["tsne", "~/runs/one", "--epochs", "1"]) == 0
    assert main(["compact", "~/runs/one", "~/small", "--snapshots", "none"]) == 0
    assert main(["train", "--like", "~/runs/one", "--runs=~/new", "--epochs", "1", "--snapshots", "1"]) == 0
    assert main(["notebooks", "~/books"]) == 0
    assert {"runs", "small", "new", "books"} == {path.name for path in tmp_path.iterdir()}


def test_tsne_of_too_few_points_leaves_the_maps(saved, tmp_path, capsys):
    import shutil

    path = shutil.copytree(saved.path, tmp_path / saved.path.name)
    assert main(["tsne", str(path), "--epochs", "1"]) == 0
    before = lend.Run.open(path).map(1)
    assert main(["tsne", str(path), "--epochs", "1", "--points", "2"]) == 2
    assert "lend: error: --points must be 0, for all, or at least 4, got 2\n" in capsys.readouterr().err
    assert (lend.Run.open(path).map(1) == before).all()


def test_a_figure_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch, capsys):
    import errno

    import numpy as np
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    np.save(tmp_path / "v.npy", pixels[:300].astype(np.float32))
    np.save(tmp_path / "y.npy", labels[:300])
    sync = os.fsync

    def full(number):
        if ".pdf" in os.readlink(f"/proc/self/fd/{number}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(number)

    monkeypatch.setattr("os.fsync", full)
    files = [str(tmp_path / name) for name in ("v.npy", "y.npy")]
    places = ["--out", str(tmp_path / "out.csv"), "--plot", str(tmp_path / "p.pdf")]
    assert main(["audit", *files, *places]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == f"lend: error: [Errno 28] No space left on device: '{tmp_path / 'p.pdf'}'"
    assert {path.name for path in tmp_path.iterdir()} == {"v.npy", "y.npy", "out.csv"}


def test_one_error_of_many_runs_is_said_once(tiny):
    from lend.training.sweeps import Failure, RunsFailedError

    configs = [tiny(seed=seed) for seed in range(21)]
    failures = [Failure(config, "no such file") for config in configs[:20]] + [Failure(configs[20], "diverged")]
    assert str(RunsFailedError(failures, 30)) == (
        f"21 of 30 runs failed; {configs[0].folder} and 19 more: no such file; {configs[20].folder}: diverged"
    )


def test_python_m_lend_and_light_imports():
    start = time.perf_counter()
    script = "import sys, lend, lend.__main__; sys.exit(any(m in sys.modules for m in ('torch', 'pandas', 'xarray')))"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
    assert time.perf_counter() - start < 10
    shown = subprocess.run([sys.executable, "-m", "lend", "--help"], capture_output=True, text=True, env=os.environ)
    assert shown.returncode == 0 and "train" in shown.stdout


def test_public_names():
    for name in lend.__all__:
        assert getattr(lend, name) is not None
    assert callable(lend.runs) and callable(lend.train) and lend.noise.symmetric(3, 0.3).shape == (3, 3)
    with pytest.raises(AttributeError, match="No lend attribute nothing"):
        _ = lend.nothing
