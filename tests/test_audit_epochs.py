"""Which epochs of a training an audit hears, and audits of saved runs."""

import numpy as np
import pandas as pd
import pytest

import lend
from lend.auditing import audit_epochs, inputs
from lend.cli.main import main


@pytest.fixture(scope="module")
def course():
    """Embeddings that know more and more of the true classes, then of the given labels; true and given labels."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, 600)
    given = lend.noise.corrupt(true, lend.noise.symmetric(4, 0.3), 1)
    epochs = {}
    for epoch, right, learned in ((1, 0.7, 0.0), (5, 1.5, 0.0), (10, 2.0, 0.3), (50, 1.0, 6.0), (99, 0.5, 9.0)):
        epochs[epoch] = right * np.eye(4)[true] + learned * np.eye(4)[given] + rng.normal(size=(600, 4)) / 2
    return epochs, true, given


def test_epochs_that_have_memorised_the_labels_are_not_heard(course):
    epochs, true, given = course
    found = audit_epochs(epochs, given, progress=False)
    heard = found.settings["epochs"]
    assert heard[0] == 1 and not {50, 99} & set(heard)
    wrong, flagged = true != given, found.issues["is_label_issue"].to_numpy()
    assert (flagged & wrong).sum() > 0.9 * wrong.sum() and (flagged & ~wrong).sum() < 0.1 * wrong.sum()
    everything = lend.audit(epochs, given, progress=False)
    assert everything.issues["is_label_issue"].sum() < 0.1 * wrong.sum()


@pytest.mark.parametrize("method", ["neighbors", "joined"])
def test_the_audit_is_that_of_the_epochs_heard_and_searches_each_once(course, monkeypatch, method):
    epochs, _, given = course
    settings = {"k": 8, "seed": 3, "method": method, "progress": False}
    searches, search = [], inputs.find_neighbors
    monkeypatch.setattr(inputs, "find_neighbors", lambda *given, **more: searches.append(1) or search(*given, **more))
    found = audit_epochs(epochs, given, **settings)
    heard = found.settings["epochs"]
    assert len(heard) > 1 and len(searches) == len(heard) + 1  # the last one judged is not heard
    same = lend.audit({epoch: epochs[epoch] for epoch in heard}, given, **settings)
    pd.testing.assert_frame_equal(found.issues, same.issues, check_exact=True)
    assert np.array_equal(found.distributions, same.distributions) and found.estimate == same.estimate


def test_no_graph_stands_for_all_epochs(course):
    epochs, _, given = course
    with pytest.raises(ValueError, match="knn_graph must be left out"):
        audit_epochs(epochs, given, knn_graph=lend.knn_graph(epochs[1], 16, progress=False))


def test_one_epoch_is_heard_whatever_it_says(course):
    epochs, _, given = course
    assert audit_epochs({99: epochs[99]}, given, progress=False).settings["epochs"] == [99]


@pytest.mark.parametrize(("embeddings", "said"), [({}, "of at least one epoch"), (np.eye(2), "a mapping")])
def test_embeddings_without_epochs(embeddings, said):
    with pytest.raises(ValueError, match=f"embeddings must be {said}"):
        audit_epochs(embeddings, [0, 1])


def test_a_saved_run_is_audited_by_its_snapshots(saved, tmp_path, capsys):
    assert main(["audit", str(saved.path), "--k", "2", "--out", str(tmp_path / "issues.csv")]) == 0
    assert "heard together: the embeddings of epochs 1" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "issues.csv")
    assert len(table) == len(saved.labels) and table["sample_id"].tolist() == saved.labels.index.tolist()
    names = np.array(saved.class_names)[saved.labels["noisy"]]
    assert table["given_label"].astype(str).tolist() == names.tolist()


@pytest.mark.filterwarnings("default:30 of 90 examples")
def test_what_the_snapshots_do_not_share_is_told(tmp_path, capsys):
    generator = np.random.default_rng(0)
    true = np.arange(90) % 3
    V = np.eye(3)[true] + generator.normal(size=(90, 3)) / 5
    for name, (first, second) in {"some": ((0, 60), (30, 90)), "none": ((0, 45), (45, 90))}.items():
        with lend.Recorder(tmp_path / name, labels=true) as recorder:
            for start, stop in (first, second):
                recorder.batch(np.arange(start, stop), embeddings=V[start:stop])
                recorder.epoch(snapshot=True)
    assert main(["audit", str(tmp_path / "some"), "--k", "4", "--out", str(tmp_path / "issues.csv")]) == 0
    told = capsys.readouterr()
    assert "30 of 90 examples are in all snapshots" in told.err and "issues.csv: 30 examples" in told.out
    verbs = {"audit": ["--out", str(tmp_path / "issues.csv")], "compact": [str(tmp_path / "to")]}
    for verb, others in verbs.items():
        assert main([verb, str(tmp_path / "none"), *others]) == 2
        assert "one whose snapshots, of epochs 1, 2, have examples in common" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("extra", [["labels.npy"], ["--column", "label"]])
def test_a_saved_run_has_its_labels(saved, tmp_path, capsys, extra):
    assert main(["audit", str(saved.path), *extra, "--out", str(tmp_path / "issues.csv")]) == 2
    assert "left out with a run, which has its labels" in capsys.readouterr().err
