"""Labels checked by people: what is drawn, what answers are taken, and what follows from them."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest

import lend
from lend.auditing.drawing import draw
from lend.auditing.stratified import Sample, limits
from lend.inputs import plain_table

NAMES = np.array(["=ant", "bee", "cat", "dog"])


def made(n=1500, rate=0.15, seed=0, unlabelled=0, **options):
    """An audit of clusters, and the true labels by sample id."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 4, n)
    V = 2 * np.eye(16)[true] + 0.6 * rng.normal(size=(n, 16))
    given = NAMES[np.where(rng.random(n) < rate, rng.integers(0, 4, n), true)].astype(object)
    given[:unlabelled] = None
    ids = [f"{i:04}" for i in range(n)]
    found = lend.audit(V.astype(np.float32), given, sample_ids=ids, progress=False, **options)
    return found, pd.Series(NAMES[true], index=ids)


@pytest.fixture(scope="module")
def example():
    return made(unlabelled=20)


def answered(found, true, n=100):
    table = found.check(n)
    return table.assign(true_label=true[table.index])


def test_the_same_examples_every_time_and_others_in_the_next_round(example):
    found, true = example
    first = found.check(60)
    pd.testing.assert_frame_equal(first, found.check(60))
    assert first["true_label"].isna().all() and first.index.is_unique
    after = found.add_checked(answered(found, true, 60))
    second = after.check(40)
    assert not set(first.index) & set(second.index)
    assert found.checked is None and found.check(100).index.tolist() == [*first.index, *second.index]
    everything = found.check(10**6)
    assert set(everything.index) == set(found.labelled.index)
    assert (everything["inclusion_probability"] == 1).all()
    with pytest.raises(ValueError, match="all of them checked"):
        found.add_checked(everything.assign(true_label=true[everything.index])).check()


def test_every_label_can_be_drawn_with_the_probability_that_is_said():
    rng = np.random.default_rng(0)
    flagged = rng.random(300) < 0.2
    scores = np.where(flagged, 0.7 * rng.random(300), rng.beta(30, 1, 300))
    drawn, rounds = np.zeros(300), 800
    for seed in range(rounds):
        drawing = draw(scores, flagged, seed)
        drawn[drawing.order[:60]] += 1 / rounds
    said = drawing.probabilities(60)
    assert said.min() > 0 and said.sum() == pytest.approx(60)
    assert np.abs(drawn - said).max() < 4.5 * np.sqrt(0.25 / rounds)
    assert said[flagged].mean() > 1.5 * said[~flagged].mean()


def test_a_table_a_file_and_two_lists_give_the_same(example, tmp_path):
    found, true = example
    table = found.check(100, tmp_path / "check.csv")
    read = plain_table(pd.read_csv(tmp_path / "check.csv", dtype={"sample_id": str}).set_index("sample_id"))
    assert read["given_label"].tolist() == table["given_label"].tolist() and "=ant" in set(read["given_label"])
    read["true_label"] = true[read.index].to_numpy()
    found.check(100, tmp_path / "check.csv")  # nothing is filled in yet
    read.to_csv(tmp_path / "check.csv")
    with pytest.raises(FileExistsError, match="check.csv holds 100 answers: give them to add_checked"):
        found.check(100, tmp_path / "check.csv")
    by_file = found.add_checked(tmp_path / "check.csv")
    by_table = found.add_checked(answered(found, true))
    by_lists = found.add_checked(table.index, true[table.index].to_numpy())
    assert repr(by_file) == repr(by_table) == repr(by_lists)
    for other in (by_table, by_lists):
        pd.testing.assert_frame_equal(by_file.checked.table, other.checked.table)


def test_two_rounds_are_one_sample(example):
    found, true = example
    once = found.add_checked(answered(found, true, 100))
    half = found.add_checked(answered(found, true, 60))
    twice = half.add_checked(answered(half, true, 40))
    pd.testing.assert_frame_equal(once.checked.table, twice.checked.table)
    assert once.checked.estimate == twice.checked.estimate
    again = twice.add_checked(answered(found, true, 100))
    assert again.checked.estimate == once.checked.estimate


def test_corrections_are_what_people_said(example, tmp_path):
    found, true = example
    first = found.corrections.index[:4]
    right, other, unsure, named = first
    sound = found.labelled.query("not is_label_issue").index[0]  # not an issue, but wrong, somebody says
    table = found.check(10**6).assign(true_label=found.labelled["predicted_label"])
    said = {right: found.labelled.loc[right, "given_label"], other: "other", unsure: "unsure", named: NAMES[0]}
    said[named] = next(
        name for name in NAMES if name not in set(found.labelled.loc[named, ["given_label", "predicted_label"]])
    )
    said[sound] = next(name for name in NAMES if name != found.labelled.loc[sound, "given_label"])
    for sample_id, word in said.items():
        table.loc[sample_id, "true_label"] = word
    corrections = found.add_checked(table).corrections
    assert not {right, other, unsure} & set(corrections.index)
    assert corrections.loc[[named, sound], "predicted_label"].tolist() == [said[named], said[sound]]
    assert (
        list(corrections.columns) == list(found.corrections.columns)
        and corrections["label_score"].is_monotonic_increasing
    )
    part = found.add_checked(found.check(30).assign(true_label=found.labelled["given_label"]))  # all right, they say
    rest = found.corrections.drop(part.checked.answers.index, errors="ignore")
    pd.testing.assert_frame_equal(part.corrections, rest)
    part.patch(tmp_path / "patch.csv")
    assert len(pd.read_csv(tmp_path / "patch.csv")) == len(rest) < len(found.corrections)


def test_all_checked_is_the_truth():
    found, true = made(n=200, unlabelled=10)
    checked = found.add_checked(answered(found, true, 10**6)).checked
    rows = found.labelled
    wrong, flagged = (rows["given_label"] != true[rows.index]).to_numpy(), rows["is_label_issue"].to_numpy()
    assert (checked.estimate.errors, checked.estimate.low, checked.estimate.high) == (wrong.sum(),) * 3
    for measured, value in ((checked.precision, wrong[flagged].mean()), (checked.recall, flagged[wrong].mean())):
        assert (measured.value, measured.low, measured.high) == pytest.approx((value,) * 3)
    curve = checked.curve
    scores = rows["label_score"].to_numpy()
    some = float(np.sort(scores)[len(scores) // 3])
    row = curve.loc[some]
    assert row["labels"] == (scores <= some).sum() and row["precision"] == pytest.approx(wrong[scores <= some].mean())
    assert row["recall"] == pytest.approx(wrong[scores <= some].sum() / wrong.sum())
    assert row["recall_low"] == pytest.approx(row["recall"]) == row["recall_high"]


def test_words_in_place_of_a_class(example):
    found, true = example
    table = answered(found, true)
    table.iloc[:3, -1] = ["unsure", " other ", f" {true[table.index[2]]} "]
    checked = found.add_checked(table).checked
    assert checked.answers["is_wrong"].isna().tolist() == [True] + 99 * [False]
    assert checked.answers["is_wrong"].iloc[1] and checked.answers["true_label"].iloc[:2].isna().all()
    assert checked.answers["true_label"].iloc[2] == true[table.index[2]]
    assert "100 labels, 1 unsure" in repr(checked)
    table.iloc[60:, -1] = None
    assert len(found.add_checked(table).checked.answers) == 60


def test_classes_named_as_the_words_are_classes():
    rng = np.random.default_rng(0)
    given = np.array(["unsure", "other"])[rng.integers(0, 2, 60)]
    found = lend.audit(rng.normal(size=(60, 4)), given, k=5, progress=False)
    table = found.check(30).assign(true_label="unsure")
    wrong = found.add_checked(table).checked.answers["is_wrong"]
    assert not wrong.isna().any() and (wrong == (table["given_label"] != "unsure")).all()


def test_integer_classes_and_ids_from_a_file(tmp_path):
    rng = np.random.default_rng(0)
    given = rng.integers(0, 3, 90)
    found = lend.audit(np.eye(3)[given] + 0.1 * rng.normal(size=(90, 3)), given, k=5, progress=False)
    table = found.check(30, tmp_path / "a.csv").assign(true_label=given[found.check(30).index].astype(object))
    table.iloc[0, -1] = "unsure"
    table.to_csv(tmp_path / "a.csv")
    checked = found.add_checked(tmp_path / "a.csv").checked
    assert checked.estimate.errors == 0 and len(checked.answers) == 30
    assert found.add_checked(table.index, np.full(30, 2.0)).checked.answers["true_label"].tolist() == [2] * 30


def test_wrong_answers_are_refused_by_name(example):
    found, true = example
    table = answered(found, true)
    first, last = table.index[0], found.check(10**6).index[-1]
    for words, arguments in {
        "ids must be those of labelled examples": (["0000"], ["bee"]),
        "ids must be all different": ([first, first], ["bee", "bee"]),
        "labels must be of length 1": ([first], ["bee", "bee"]),
        "did you mean 'bee'": ([first], ["beee"]),
        "one label per id": ([first], [["bee"]]),
        "no answer for 1 that come before others": (table.drop(index=table.index[5]),),
        "that come before others": ([last], ["bee"]),
        "other than empty and 'unsure'": ([first], ["unsure"]),
        "with the columns sample_id and true_label": (table.drop(columns="true_label"),),
        "a table or a path": (3,),
    }.items():
        with pytest.raises(ValueError, match=words):
            found.add_checked(*arguments)
    for n in (2, 0):
        with pytest.raises(ValueError, match="n must be an integer of at least"):
            found.check(n)


def test_saved_and_loaded(example, tmp_path):
    found, true = example
    table = answered(found, true)
    table.iloc[:2, -1] = ["unsure", "other"]
    after = found.add_checked(table)
    back = lend.Audit.load(after.save(tmp_path / "audit"))
    assert repr(back) == repr(after) and "Checked(100 labels, 1 unsure" in repr(back)
    pd.testing.assert_frame_equal(back.checked.table, after.checked.table)
    pd.testing.assert_frame_equal(back.check(20), after.check(20))
    with pytest.raises(FileExistsError, match="holds 100 answers that this audit lacks"):
        found.save(tmp_path / "audit")
    pd.testing.assert_frame_equal(lend.Audit.load(tmp_path / "audit").checked.table, after.checked.table)
    assert lend.Audit.load(found.save(tmp_path / "unchecked")).checked is None
    other, _ = made(n=60, seed=3, k=5)
    other.save(tmp_path / "other")
    record = json.loads((after.save(tmp_path / "audit") / "audit.json").read_text())
    assert record["format"] == 2
    (tmp_path / "audit" / "checked.parquet").write_bytes((tmp_path / "other" / "classes.parquet").read_bytes())
    with pytest.raises(lend.storage.DamagedFileError, match="checked.parquet"):
        lend.Audit.load(tmp_path / "audit")


def test_texts_are_shown(tmp_path):
    found, _ = made(n=200, texts=[f"text {i}" for i in range(200)])
    table = found.check(30, tmp_path / "a.csv")
    assert table["text"].tolist() == [f"text {int(i)}" for i in table.index]
    assert list(table.columns)[-1] == "true_label"


# --- the estimates


def by_enumeration(found, seen, size, beyond):
    """All numbers of errors that what was seen does not refute, counted sample by sample."""
    allowed = []
    for errors in range(size + 1):
        counts = [sum(chosen) for chosen in itertools.combinations([1] * errors + [0] * (size - errors), seen)]
        fewer, more = np.mean(np.array(counts) <= found), np.mean(np.array(counts) >= found)
        if fewer > beyond and more > beyond:
            allowed.append(errors)
    return min(allowed), max(allowed)


@pytest.mark.parametrize("size", [1, 4, 9])
def test_limits_are_exact(size):
    for seen in range(1, size + 1):
        for found in range(seen + 1):
            assert limits(found, seen, size, 0.05) == by_enumeration(found, seen, size, 0.05)


def test_no_error_seen_has_a_width():
    sample = Sample(np.array([5000, 300]), np.repeat([0, 1], 30), np.zeros(60, bool), 0.9)
    low, high = sample.errors().interval(0, 5240)
    assert low == 0 and 5000 * 0.06 < high < 5000 * 0.15
    share = sample.share(np.repeat([True, False], 30))
    assert np.isnan(share.value) and (share.low, share.high) == (0, 1)


def coverage(n, rate, distance, drawn, rounds=150):
    """How often the intervals hold, over samples of made-up scores; and the mean of the estimate over the truth."""
    rng = np.random.default_rng([n, drawn, int(1000 * rate)])
    wrong = rng.permutation(n) < round(rate * n)
    told = rng.normal(size=n) + np.where(wrong, -distance, distance)
    scores = 1 / (1 + np.exp(-(2 * distance * told + np.log((1 - rate) / rate))))
    flagged, held, values = scores < 0.5, [], []
    for seed in range(rounds):
        drawing = draw(scores, flagged, seed)
        chosen = drawing.order[:drawn]
        sample = Sample(drawing.size, drawing.strata[chosen], wrong[chosen], 0.9)
        total, share = sample.errors(), sample.share(flagged[chosen])
        low, high = total.interval(0, n)
        recall = (wrong & flagged).sum() / wrong.sum()
        held.append((low <= wrong.sum() <= high, share.low - 1e-9 <= recall <= share.high + 1e-9))
        values.append(total.value)
    return np.mean(held, axis=0), np.mean(values) / wrong.sum(), np.std(values) / wrong.sum() / rounds**0.5


@pytest.mark.parametrize(
    ("n", "rate", "distance", "drawn"),
    [(500, 0.01, 1, 50), (5000, 0.002, 0, 100), (5000, 0.02, 2, 200), (20_000, 0.2, 1, 100), (2000, 0.4, 0, 500)],
)
def test_intervals_hold_and_estimates_are_unbiased(n, rate, distance, drawn):
    held, ratio, error = coverage(n, rate, distance, drawn)
    assert (held >= 0.88).all()
    assert abs(ratio - 1) < 4 * error
