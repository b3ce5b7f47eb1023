"""Tables as people have them: each opens rightly, or one error or warning names the column."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lend.explorer import Inspection, animate, explore
from lend.explorer.pictures import explorer_figure
from lend.plots import png_bytes


def table(**columns):
    """Four samples of two classes."""
    labels = {"true": list("aabb"), "noisy": list("abbb")}
    return pd.DataFrame({"x": [0.0, 1, 2, 3], "y": [0.0, 0, 1, 1]} | labels | columns)


def arrow_lists():
    return pd.Series(pa.array([[1, 2], [3], [], None]), dtype=pd.ArrowDtype(pa.list_(pa.int64())))


# --- Columns that cannot colour points --------------------------------------------------------------------------------

STRANGE = {
    "lists": ([[1, 2], [3], [], None], "of type list"),
    "arrays": ([np.zeros(3), np.ones(3), None, np.ones(2)], "of type ndarray"),
    "arrow lists": (arrow_lists(), "of type list"),
    "dictionaries": ([{}, {}, {}, {"a": 1}], "of type dict"),
    "times": (pd.date_range("2024-01-01", periods=4), "of type Timestamp"),
    "spans": (pd.to_timedelta([1, 2, 3, 4], unit="s"), "of type Timedelta"),
    "mixed": ([1, "a", 2.5, None], "values that are no classes"),
    "files": (["a", "b", "c.png", None], "no class is called 'c.png'"),
    "complex": ([1j, 2, 3, 4], "complex numbers"),
    "nothing": ([None] * 4, "no value at all"),
    "only NaN": ([np.nan] * 4, "no finite number"),
    "only inf": ([np.inf, -np.inf, np.nan, np.inf], "no finite number"),
    "huge": ([-1e308, 1e308, 0, 0], "numbers too far apart"),
    "half known": (pd.array([True, None, False, True], dtype="boolean"), "True and False, but some are missing"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_column_that_cannot_colour_points_is_named(name):
    values, reason = STRANGE[name]
    with pytest.warns(UserWarning, match=f"left out: '{name}' \\(.*{reason}") as told:
        shown = Inspection.of_frame(table(**{name: values}))
    assert len(told) == 1 and shown.colorings == ("true", "noisy", "wrong")


def test_one_warning_names_all_such_columns():
    frame = table(file=list("pqrs"), when=pd.date_range("2024-01-01", periods=4), loss=[1.0, np.inf, -np.inf, 3])
    frame[7] = 1.0
    with pytest.warns(UserWarning, match="'file' .*'when' .*7 .*no text.*; column 'loss': 2 infinite values") as told:
        shown = Inspection.of_frame(frame)
    assert len(told) == 1 and shown.value_range("loss") == (1, 3)
    assert np.array_equal(shown.values("loss"), [0, np.nan, np.nan, 1], equal_nan=True)
    assert [shown.describe(i)["loss"] for i in range(4)] == ["1", "unknown", "unknown", "3"]


@pytest.mark.parametrize("dtype", ["Int64", "Float32", "int64[pyarrow]", "double[pyarrow]"])
def test_missing_numbers_are_unknown(dtype):
    shown = Inspection.of_frame(table(loss=pd.array([2, None, 4, 3], dtype=dtype)))
    assert np.array_equal(shown.values("loss"), [0, np.nan, 1, 0.5], equal_nan=True)
    assert shown.describe(1)["loss"] == "unknown"


# --- Labels -----------------------------------------------------------------------------------------------------------

MISSING = {
    "None": ["a", None, "b", "b"],
    "NaN": ["a", np.nan, "b", "b"],
    "NA": ["a", pd.NA, "b", "b"],
    "NaT": ["a", pd.NaT, "b", "b"],
    "string": pd.array(["a", None, "b", "b"], dtype="string"),
    "arrow": pd.array(["a", None, "b", "b"], dtype="string[pyarrow]"),
    "categorical": pd.Categorical(["a", None, "b", "b"], categories=["a", "b"]),
}


@pytest.mark.parametrize("kind", MISSING)
def test_missing_labels_are_unknown_and_no_class(kind):
    shown = Inspection.of_frame(table(noisy=MISSING[kind]))
    assert shown.class_names == ("a", "b") and shown.values("noisy").tolist() == [0, -1, 1, 1]
    assert shown.describe(1)["noisy"] == "unknown" and pd.isna(shown.frame()["noisy"][1])
    assert shown.label_accuracy()["noisy"] == 1.0


@pytest.mark.parametrize("dtype", ["Int64", "int8[pyarrow]", "object", "float32"])
def test_integers_with_missing_ones_are_classes(dtype):
    values = pd.Series([0, None, 7, 7]).astype(dtype)
    shown = Inspection.of_frame(table(true=[0, 0, 7, 7], noisy=values))
    assert shown.class_names == ("0", "7") and shown.values("noisy").tolist() == [0, -1, 1, 1]


@pytest.mark.parametrize(
    "values, got",
    [
        ([0.5, 1, 0, 1], "0.5"),
        ([np.inf, 1, 0, 1], "inf"),
        ([[0], [1], [0], [1]], "list"),
        (arrow_lists(), "list"),
        (pd.date_range("2024-01-01", periods=4), "Timestamp"),
        ([b"a", b"b", b"a", b"b"], "bytes"),
        ([1j, 1, 0, 1], "complex"),
    ],
)
def test_labels_of_another_kind_are_refused_by_name(values, got):
    with pytest.raises(ValueError, match=f"column 'noisy' must be of class names or integers, got .*{got}"):
        Inspection.of_frame(table(noisy=values))


def test_class_names_are_different_names():
    frame = table(true=[0, 0, 1, 1], noisy=[0, 1, 1, 1])
    with pytest.raises(ValueError, match=r"class_names must be all different, got \['cat'\]"):
        Inspection.of_frame(frame, class_names=["cat", "cat"])
    with pytest.raises(ValueError, match="class_names must be a list of names, got 'ab'"):
        Inspection.of_frame(frame, class_names="ab")


@pytest.mark.parametrize("values", [pd.array([True, None, True, True], dtype="boolean"), [True, None, True, False]])
def test_kept_is_known_of_every_example(values):
    with pytest.raises(ValueError, match="kept must be a column of True and False"):
        Inspection.of_frame(table(kept=values))


# --- Rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column, got",
    [
        ([0.0, np.nan, np.inf, 3], "2 others, such as nan in row 1"),
        (pd.array([0, 1, None, 3], dtype="Int64"), "1 others, such as nan in row 2"),
        ([0.0, 1, 2, -1e300], "1 others, such as -1e\\+300 in row 3"),
        ([1j, 0, 0, 0], "complex128"),
        (pd.date_range("2024-01-01", periods=4), "datetime64"),
        (arrow_lists(), "list"),
    ],
)
def test_points_without_a_place_are_counted_in_an_error(column, got):
    with pytest.raises(ValueError, match=f"y must be a column of finite numbers.*{got}"):
        Inspection.of_frame(table(y=column))


def test_places_far_from_zero_stay_apart():
    shown = Inspection.of_frame(table(x=1.7e9 + np.arange(4)))
    assert shown.coordinates(0)[:, 0].tolist() == [1.7e9, 1.7e9 + 1, 1.7e9 + 2, 1.7e9 + 3]
    assert np.diff(shown.limits[0]).item() == pytest.approx(3 * 1.08)
    tiny = Inspection.of_frame(table(x=1e-12 * np.arange(4), y=0.0))
    assert np.diff(tiny.limits[0]).item() == pytest.approx(3e-12 * 1.08)


INDEXES = {
    "text": ["p", "q", "r", "s"],
    "booleans and text": [True, False, "r", "s"],
    "times": pd.date_range("2024-01-01", periods=4),
    "intervals": pd.interval_range(0, 4),
    "categories": pd.CategoricalIndex(list("pqrs")),
    "backwards": [3, 2, 1, 0],
    "numbers and the same as text": pd.Index([1, "1", 2, "2"], dtype=object),
}


@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_of_any_kind_names_the_samples(kind):
    frame = table().set_axis(pd.Index(INDEXES[kind]))
    shown = Inspection.of_frame(frame)
    assert list(shown.sample_ids) == list(frame.index.to_numpy())
    assert shown.values("noisy").tolist() == [0, 1, 1, 1]
    shown.select(list(frame.index[1:3]))
    assert shown.positions_of(shown.selection).tolist() == [1, 2]
    shown.relabel("a")
    assert shown.corrections["corrected_label"].tolist() == ["a", "a"]


def test_two_samples_called_true_and_false():
    shown = Inspection.of_frame(table().iloc[:2].set_axis(pd.Index([True, False])))
    assert shown.values("true").tolist() == [0, 0] and len(shown.sample_ids) == 2


@pytest.mark.parametrize(
    "frame, message",
    [
        (
            table().set_axis(pd.MultiIndex.from_product([[0, 1], [0, 1]])),
            "a column sample_id, or an index of one level",
        ),
        (table(sample_id=[1, None, 2, 3]), "sample_id must be a text, a number or a time in each row, got 'missing"),
        (table(sample_id=[[1], [2], [3], [4]]), "sample_id must be a text.*got 'list'"),
        (table(sample_id=list("ppqr")), r"sample_id must be all different, got \"\['p'\] more than once\""),
        (table(epoch=[0, 1, np.inf, 0]), "epoch must be a column of integers"),
        (table(epoch=pd.array([0, 1, None, 0], dtype="Int64")), "epoch must be a column of integers"),
        (table().set_axis(pd.MultiIndex.from_product([["a"], list("xynt")]), axis=1), "one name per column"),
        (table().iloc[:0], "at least one row, got 0 rows"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_refused(frame, message):
    with pytest.raises(ValueError, match=message):
        Inspection.of_frame(frame)


def test_epochs_may_be_large():
    frame = pd.concat([table().assign(epoch=number) for number in (20240101120000, 20240102120000)])
    shown = Inspection.of_frame(frame)
    assert shown.frame(20240102120000)["epoch"].tolist() == [20240102120000] * 4


def test_one_row_is_a_map():
    shown = explore(table().iloc[:1])
    assert png_bytes(shown.figure(), 50).startswith(b"\x89PNG")
    points = shown.page.views.views[0].scatter.points
    assert np.allclose(points[0, :2], 0) and np.isfinite(points).all()
    shown.selection = [0]
    assert shown.inspection.describe(0)["true"] == "a"


# --- What is no table -------------------------------------------------------------------------------------------------


class Polars:
    """As a polars DataFrame: another library's table."""

    def to_pandas(self):
        return table()


@pytest.mark.parametrize(
    "source, got",
    [
        ([1, 2], "got 'list'"),
        (None, "got 'NoneType'"),
        (Polars(), r"Polars; its to_pandas\(\) gives a table"),
    ],
)
def test_explore_and_animate_say_what_they_take(source, got, tmp_path):
    allowed = "must be a run with maps or the path of its folder, a pandas DataFrame.*or an Inspection"
    with pytest.raises(ValueError, match=f"data {allowed}.*{got}"):
        explore(source).inspection.frame()
    assert "a pandas DataFrame" in explore(source).page.message.value
    with pytest.raises(ValueError, match=f"source {allowed}.*{got}"):
        animate(source, tmp_path / "film.gif")


def test_a_path_that_is_no_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        animate(tmp_path, tmp_path / "film.gif")
    with pytest.raises(ValueError, match=str(tmp_path)):
        explore(tmp_path).inspection.frame()


def test_a_table_is_animated(tmp_path):
    frame = pd.concat([table().assign(epoch=number, x=number + np.arange(4.0)) for number in (1, 2)])
    path = animate(frame, tmp_path / "film.gif", colorings=("noisy",), fps=2, seconds_per_epoch=0.5, progress=False)
    assert path.read_bytes().startswith(b"GIF")


def test_a_tidy_table_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explorer_figure(Inspection.of_frame(table(loss=[1.0, 2, 3, 4])), ["true", "loss"])
