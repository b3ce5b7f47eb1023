"""An audit in the formats of other tools: as their documentation says, with their packages where they are, and back."""

import json
import subprocess
import sys
from importlib.util import find_spec
from uuid import uuid4
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import lend
from lend.auditing import FORMATS, READERS, cleanlab_issues, read_answers

NAMES = np.array(["ant", 'b"ee & <wasp>', "cat"])


@pytest.fixture(scope="module")
def data():
    true = np.repeat([0, 1, 2], 30)
    V = np.eye(3)[true] + 0.1 * np.random.default_rng(0).normal(size=(90, 3))
    return V, true, lend.noise.corrupt(true, lend.noise.symmetric(3, 0.15), 0)


def audited(data, gaps=(), **options):
    V, true, noisy = data
    labels = NAMES[noisy].astype(object)
    labels[list(gaps)] = None
    return lend.audit(V, labels, progress=False, **options)


@pytest.fixture(scope="module")
def photos(data):
    """An audit of images with two examples without a label."""
    return audited(data, (0, 40), sample_ids=[f"cat/{i:03d}.png" for i in range(90)])


@pytest.fixture(scope="module")
def texts(data):
    return audited(data, texts=[f"text {i}" for i in range(90)])


def test_the_columns_of_datalab(photos):
    table = cleanlab_issues(photos)
    assert list(table.columns) == ["is_label_issue", "label_score", "given_label", "predicted_label"]
    assert len(table) == 88 and table.index.name == "sample_id" and table["is_label_issue"].dtype == bool
    pd.testing.assert_frame_equal(table, photos.labelled[list(table.columns)], check_dtype=False)


def test_cleanlab_trains_with_our_issues(data):
    """The table has the columns and types of cleanlab's own, and its training takes it."""
    from cleanlab.classification import CleanLearning
    from sklearn.linear_model import LogisticRegression

    V, true, noisy = data
    found = audited(data)
    ours = cleanlab_issues(found, "cleanlearning")
    learning = CleanLearning(LogisticRegression())
    theirs = learning.find_label_issues(labels=noisy, pred_probs=found.distributions)
    assert list(ours.columns) == list(theirs.columns)
    assert [kind.kind for kind in ours.dtypes] == [kind.kind for kind in theirs.dtypes]
    assert ours.index.equals(theirs.index) and (ours["given_label"] == theirs["given_label"]).all()
    assert (ours["is_label_issue"] == theirs["is_label_issue"]).mean() > 0.95
    fitted = CleanLearning(LogisticRegression()).fit(V, noisy, label_issues=ours)
    assert (fitted.predict(V) == true).all()


def test_cleanlab_in_a_file(photos, tmp_path):
    path = photos.export("cleanlab", tmp_path / "issues.csv")
    assert pd.read_csv(path, index_col="sample_id")["label_score"].equals(photos.labelled["label_score"])
    with pytest.raises(ValueError, match="kind must be datalab where examples have no label"):
        photos.export("cleanlab", tmp_path / "other.csv", kind="cleanlearning")


def test_labels_of_fiftyone(photos, tmp_path):
    folder = photos.export("fiftyone", tmp_path / "labels")
    given, suggested = (json.loads((folder / f"{name}.json").read_text()) for name in ("given", "suggested"))
    assert given["classes"] == suggested["classes"] == list(NAMES)
    assert set(given["labels"]) == set(suggested["labels"]) == {f"cat/{i:03d}" for i in range(90)}
    assert given["labels"]["cat/000"] is None
    for place, (_, row) in enumerate(photos.issues.iterrows()):
        key = f"cat/{place:03d}"
        if not row["is_unlabelled"]:
            assert NAMES[given["labels"][key]["label"]] == row["given_label"]
            about = {"label_score": row["label_score"], "is_label_issue": row["is_label_issue"]}
            assert given["labels"][key]["attributes"] == about
        target = suggested["labels"][key]
        assert NAMES[target["label"]] == row["predicted_label"]
        assert target["confidence"] == photos.distributions[place, target["label"]]


def test_fiftyone_goes_by_paths(data, tmp_path):
    with pytest.raises(ValueError, match="sample_ids must be paths of images"):
        audited(data).export("fiftyone", tmp_path / "labels")
    ids = [f"{i}.png" for i in range(89)] + ["3.jpg"]
    with pytest.raises(ValueError, match=r"sample_ids must be different without their endings, .* got \['3'\]"):
        audited(data, sample_ids=ids).export("fiftyone", tmp_path / "labels")


def answered(path, answers):
    """The tasks as Label Studio exports them, with the answers of each."""
    tasks = json.loads(path.read_text())
    for number, task in enumerate(tasks):
        task["id"] = number + 1
        task["annotations"] = [
            {
                "was_cancelled": answer is None,
                "result": []
                if answer is None
                else [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [answer]}}],
            }
            for answer in answers.get(task["data"]["sample_id"], ())
        ]
    path.write_text(json.dumps(tasks))
    return tasks


def test_tasks_of_label_studio_and_their_answers(texts, tmp_path):
    path = texts.export("label-studio", tmp_path / "tasks.json")
    tasks = json.loads(path.read_text())
    assert [task["data"]["sample_id"] for task in tasks] == texts.worst.index.tolist() and len(tasks) > 8
    for task, (sample_id, row) in zip(tasks, texts.worst.iterrows(), strict=True):
        assert task["data"]["text"] == f"text {sample_id}" and task["data"]["given_label"] == row["given_label"]
        (prediction,) = task["predictions"]
        (result,) = prediction["result"]
        assert result["value"]["choices"] == [row["predicted_label"]] and 0 <= prediction["score"] <= 1
        assert (result["from_name"], result["to_name"], result["type"]) == ("label", "text", "choices")
    view = ElementTree.fromstring(path.with_suffix(".xml").read_text())
    assert [choice.get("value") for choice in view.iter("Choice")] == list(NAMES)
    assert view.find("Choices").get("name") == "label" and view.find("Text").get("value") == "$text"
    first, second, third, fourth = texts.worst.index[:4]
    right = texts.worst["predicted_label"]
    answered(path, {first: [right[first]], second: [right[second], None], third: ["ant", "cat"], fourth: [None]})
    with pytest.warns(UserWarning, match="1 examples are left out, whose answers contradict"):
        answers = read_answers("label-studio", path)
    assert answers["suggested_label"].to_dict() == {first: right[first], second: right[second]}
    assert answers["given_label"].tolist() == texts.worst["given_label"].iloc[:2].tolist()
    assert answers["label_score"].tolist() == texts.worst["label_score"].iloc[:2].tolist()


def test_answers_are_corrections(data, texts, tmp_path):
    V, true, noisy = data
    path = texts.export("label-studio", tmp_path / "tasks.json")
    answered(path, {sample_id: [NAMES[true[sample_id]]] for sample_id in texts.worst.index})
    pd.DataFrame({"label": NAMES[noisy]}).to_csv(tmp_path / "data.csv", index=False)
    done = lend.apply(read_answers("label-studio", path), tmp_path / "data.csv", tmp_path / "clean.csv")
    labels = pd.read_csv(done.out)["label"].to_numpy()
    assert (labels[texts.worst.index] == NAMES[true[texts.worst.index]]).all()


def test_images_of_label_studio(photos, tmp_path):
    path = photos.export("label-studio", tmp_path / "all.json", address="https://example.org/{id}", everything=True)
    tasks = json.loads(path.read_text())
    assert len(tasks) == 90 and tasks[3]["data"]["image"] == "https://example.org/cat/003.png"
    assert tasks[0]["data"]["given_label"] is None and tasks[0]["data"]["label_score"] is None
    some = json.loads(photos.export("label-studio", tmp_path / "some.json", address="{id}").read_text())
    assert [task["data"]["sample_id"] for task in some[-2:]] == ["cat/000.png", "cat/040.png"]
    assert len(some) == len(photos.worst) + 2


def test_records_of_argilla_and_their_answers(texts, tmp_path):
    path = texts.export("argilla", tmp_path / "records.json")
    records = json.loads(path.read_text())
    assert [record["id"] for record in records] == [str(sample_id) for sample_id in texts.worst.index]
    for record, (sample_id, row) in zip(records, texts.worst.iterrows(), strict=True):
        assert record["fields"] == {"text": f"text {sample_id}"}
        suggestion = record["suggestions"]["label"]
        assert suggestion["value"] == row["predicted_label"] and 0 <= suggestion["score"] <= 1
        assert record["metadata"]["given_label"] == row["given_label"]
    records[0]["responses"] = {"label": [{"value": "cat", "user_id": "1"}, {"value": "cat", "user_id": "2"}]}
    records[1]["responses"] = {"label": [{"value": "cat", "user_id": "1"}, {"value": "ant", "user_id": "2"}]}
    path.write_text(json.dumps(records))
    with pytest.warns(UserWarning, match="1 examples are left out, whose answers contradict"):
        answers = read_answers("argilla", path)
    assert answers["suggested_label"].to_dict() == {records[0]["id"]: "cat"}
    assert answers["label_score"].tolist() == [texts.worst["label_score"].iloc[0]]


@pytest.mark.integrations
@pytest.mark.filterwarnings("default")  # the library warns of its own
def test_argilla_reads_our_records_and_we_its_answers(texts, tmp_path):
    argilla = pytest.importorskip("argilla")
    from argilla.records._io import JsonIO

    records = JsonIO._records_from_json(texts.export("argilla", tmp_path / "records.json"))
    assert [record.id for record in records] == [str(sample_id) for sample_id in texts.worst.index]
    for record, (_, row) in zip(records, texts.worst.iterrows(), strict=True):
        assert record.suggestions["label"].value == row["predicted_label"]
        assert record.metadata["given_label"] == row["given_label"]
    for record, label in zip(records[:2], ("cat", "ant"), strict=True):
        record.responses.add(argilla.Response("label", label, user_id=uuid4(), status="submitted"))
    answers = read_answers("argilla", JsonIO.to_json(records, tmp_path / "answers.json"))
    assert answers["suggested_label"].tolist() == ["cat", "ant"]
    assert answers["given_label"].tolist() == texts.worst["given_label"].tolist()[:2]


# in a process of its own: where another library has imported importlib_metadata, fiftyone cannot be imported
BY_FIFTYONE = """
import json, os, sys
from fiftyone.utils.data import FiftyOneImageClassificationDatasetImporter as Importer
photos, labels = sys.argv[1:]
read = Importer(data_path=photos, labels_path=labels)
read.setup()
found = {os.path.relpath(path, photos): label and [label.label, label.confidence] for path, _, label in read}
print(json.dumps([read.get_dataset_info()["classes"], found]))
"""


@pytest.mark.integrations
def test_fiftyone_reads_our_labels(photos, tmp_path):
    if find_spec("fiftyone") is None:
        pytest.skip("fiftyone is not installed")
    folder = photos.export("fiftyone", tmp_path / "labels")
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    for sample_id in photos.issues.index:
        (tmp_path / "photos" / sample_id).write_bytes(b"")
    for file, column in (("given", "given_label"), ("suggested", "predicted_label")):
        command = [sys.executable, "-c", BY_FIFTYONE, tmp_path / "photos", folder / f"{file}.json"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        classes, found = json.loads(done.stdout.splitlines()[-1])
        assert classes == list(NAMES) and set(found) == set(photos.issues.index)
        for place, (sample_id, row) in enumerate(photos.issues.iterrows()):
            if file == "given" and row["is_unlabelled"]:
                assert found[sample_id] is None
            else:
                name, confidence = found[sample_id]
                assert name == row[column]
                best = photos.distributions[place, list(NAMES).index(name)]
                assert confidence == (None if file == "given" else best)


@pytest.mark.parametrize(
    ("tool", "options", "message"),
    [
        ("labelstudio", {}, "unknown tool 'labelstudio'; allowed: .*label-studio"),
        ("label-studio", {}, "address must be given, or else texts"),
        ("label-studio", {"address": "https://example.org"}, "address must be a text with {id} in it"),
        ("cleanlab", {"kind": "other"}, "unknown kind 'other'"),
    ],
)
def test_bad_arguments(photos, tmp_path, tool, options, message):
    with pytest.raises(ValueError, match=message):
        photos.export(tool, tmp_path / "out.json", **options)
    assert not list(tmp_path.iterdir())


DEEP = "[" * 10**5


@pytest.mark.parametrize("tool", READERS)
@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", "[{}]", '[{"data": {"sample_id": 1}, "annotations": 3}]', "[" * 10**5]
)
def test_files_that_hold_no_answers(tmp_path, tool, content):
    (tmp_path / "answers.json").write_text(content)
    with pytest.raises(ValueError, match="answers.json"):
        read_answers(tool, tmp_path / "answers.json")
    with pytest.raises(FileNotFoundError, match="missing.json: no such file"):
        read_answers(tool, tmp_path / "missing.json")
    assert set(READERS) < set(FORMATS)
