"""What was memorised and what was kept, against values found by hand, and on the runs that come with the repository."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lend.analysis import memorisation
from lend.run import EpochResult, Run, writing

SHIPPED = Path(__file__).parent.parent / "saved"
NAMES = "abcd"
#           right labels at 0, 1, 3, 5 and 7, wrong ones at 2, 4 and 6; the truth of the last example is unknown
TRUE = "aaabbccd?"
NOISY = "aabbacbda"
PREDICTED = {1: "abbbbcbda", 2: "aaabacddb", 3: "aabbacbda"}
KEPT = {1: "111111111", 2: "100111011", 3: "000000001"}


def codes(letters):
    return np.array([NAMES.find(letter) for letter in letters], dtype=np.int16)  # -1 for "?"


def written(config, true=TRUE):
    """A run on disk of nine examples and three epochs."""
    given = {"true": codes(true), "noisy": codes(NOISY), "sample_id": np.arange(9)}
    run = writing.create(config, given, {"class_names": list(NAMES)})
    labels = [
        {
            **dict.fromkeys(("predicted", "diluted", "dominant"), codes(PREDICTED[epoch])),
            "kept": np.array(list(KEPT[epoch])) == "1",
        }
        for epoch in PREDICTED
    ]
    writing.commit(run, [EpochResult(epoch, {}, arrays) for epoch, arrays in enumerate(labels, 1)], None)
    return run


@pytest.fixture
def run(tiny):
    return written(tiny())


def test_by_class_is_what_a_count_by_hand_gives(run):
    expected = pd.DataFrame(
        {
            "right_kept": [1 / 2, 1, 1, 1],
            "wrong_kept": [0, 1, 0, np.nan],
            "precision": [1 / 2, 1, 1, 1],
            "given_share": [3 / 8, 3 / 8, 1 / 8, 1 / 8],
            "kept_share": [2 / 5, 1 / 5, 1 / 5, 1 / 5],
            "true_share": [3 / 8, 2 / 8, 2 / 8, 1 / 8],
        },
        index=pd.Index(list(NAMES), name="class"),
    )
    pd.testing.assert_frame_equal(memorisation.by_class(run, 2), expected)


def test_a_share_of_nothing_is_nan(run):
    table = memorisation.by_class(run, 3)  # only the example of unknown truth was kept
    assert table[["precision", "kept_share"]].isna().all(axis=None)
    assert (table["right_kept"] == 0).all() and table["wrong_kept"].isna().tolist() == [False, False, False, True]


def test_by_epoch_is_what_a_count_by_hand_gives(run):
    expected = pd.DataFrame(
        {
            "memorised": [2 / 3, 1 / 3, 1],
            "recognised": [1 / 3, 1 / 3, 0],
            "right_kept": [1, 4 / 5, 0],
            "wrong_kept": [1, 1 / 3, 0],
            "kept": [1, 5 / 8, 0],
            "precision": [5 / 8, 4 / 5, np.nan],
        },
        index=pd.RangeIndex(1, 4, name="epoch"),
    )
    pd.testing.assert_frame_equal(memorisation.by_epoch(run), expected)


def test_turning_points_are_the_first_epochs_beyond_half(run):
    assert memorisation.turning_points(memorisation.by_epoch(run)).to_dict() == {"dropped": 2, "memorised": 1}
    index = pd.RangeIndex(1, 5, name="epoch")
    table = pd.DataFrame({"wrong_kept": [1, 0.5, 0.4, 0.6], "memorised": [0.2, 0.5, 0.5, 0.6]}, index=index)
    assert memorisation.turning_points(table).to_dict() == {"dropped": 3, "memorised": 4}
    assert memorisation.turning_points(table[:2]).isna().all()  # exactly half is not more than half
    assert memorisation.turning_points(table * np.nan).isna().all()


def test_a_run_without_wrong_labels_memorises_none(tiny):
    run = written(tiny(), true=NOISY)
    table = memorisation.by_epoch(run)
    assert table[["memorised", "recognised", "wrong_kept"]].isna().all(axis=None)
    assert (table["precision"][:2] == 1).all() and memorisation.turning_points(table).isna().all()
    assert memorisation.by_class(run, 1)["wrong_kept"].isna().all()


def test_unknown_truth_is_refused_and_so_is_an_epoch_that_is_not_there(run, tiny):
    unknown = written(tiny(seed=1), true="?" * 9)
    for ask in (lambda: memorisation.by_epoch(unknown), lambda: memorisation.by_class(unknown, 1)):
        with pytest.raises(ValueError, match="run must be one whose true labels are known"):
            ask()
    with pytest.raises(KeyError, match="has no epoch 9"):
        memorisation.by_class(run, 9)


def test_a_run_that_has_not_begun_has_no_rows(tiny):
    config = tiny()
    given = {"true": codes(TRUE), "noisy": codes(NOISY), "sample_id": np.arange(9)}
    table = memorisation.by_epoch(writing.create(config, given, {"class_names": list(NAMES)}))
    assert table.empty and list(table) == list(memorisation.EPOCH_COLUMNS)
    assert memorisation.turning_points(table).isna().all()


@pytest.mark.parametrize(
    ("hash", "dropped", "memorised"), [("3d00154034", None, 9), ("ae64c0f648", None, 9), ("8f19f3b4c1", 5, None)]
)
def test_shipped_runs(hash, dropped, memorised):
    (path,) = SHIPPED.glob(f"*-{hash}")
    run = Run.open(path)
    table, history = memorisation.by_epoch(run), run.history
    np.testing.assert_allclose(table["kept"], history["kept_share"], atol=1e-6)
    np.testing.assert_allclose(table["precision"], history["kept_precision"], atol=1e-6)
    assert (table["memorised"] + table["recognised"]).between(0, 1).all()
    points = memorisation.turning_points(table)
    np.testing.assert_equal([points["dropped"], points["memorised"]], np.array([dropped, memorised], dtype=float))

    classes = memorisation.by_class(run, 10)
    shares = classes[["given_share", "kept_share", "true_share"]].sum()
    np.testing.assert_allclose(shares, 1)
    assert list(classes.index) == list(run.class_names)
    # asymmetric noise leaves five classes of CIFAR-10 alone, and gives five no wrong label
    assert classes["wrong_kept"].isna().sum() == 5 and (classes["precision"] == 1).sum() == 5
    whole = (classes["precision"] * classes["kept_share"]).sum()
    assert whole == pytest.approx(table.loc[10, "precision"])
