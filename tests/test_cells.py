"""Texts of people in files: no formula for a spreadsheet, and the same text when the file is read again."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from lend import storage
from lend.inputs import plain_cell, plain_table, printable, safe_cell, safe_table
from lend.plots import Picture, save

DANGEROUS = ["=1+1", "+5", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "'=1", "''-2", "＝1"]
HARMLESS = ["cat", "", "'quoted'", "'", "a=b", " =1", "1,5", 'a "b"', "a\nb", "日本語", "\udc80"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_begins_as_a_formula(text):
    assert safe_cell(text) == f"'{text}" and plain_cell(safe_cell(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay_as_they_are(text):
    assert safe_cell(text) == text == plain_cell(text)


def read(path):
    content = BytesIO(path.read_bytes())
    told = {
        "keep_default_na": False,
        "encoding_errors": "surrogatepass",
        "dtype": {"score": float, "'-id": object, "'=label": object},
    }
    return plain_table(pd.read_csv(content, lineterminator="\n", **told))


@pytest.mark.parametrize("dtype", [object, "category"])
def test_a_written_table_is_read_again(dtype, tmp_path):
    names = [name for name in DANGEROUS + HARMLESS if "\r" not in name]
    names = names if dtype is object else names[:-1]  # categories are texts of pandas, without lone surrogates
    index = pd.Index(names, name="-id", dtype=object)
    table = pd.DataFrame({"=label": pd.Series(names, index, dtype=object), "score": -np.arange(len(names)) / 7})
    table = table.astype({"=label": dtype})
    again = read(storage.write_csv(tmp_path / "table.csv", safe_table(table)))
    assert list(again.columns) == ["-id", "=label", "score"]
    assert again["=label"].tolist() == again["-id"].tolist() == names
    assert np.array_equal(again["score"], table["score"])
    for line in (tmp_path / "table.csv").read_text(errors="surrogatepass").splitlines():
        assert line[:1] not in list("=+-@\t")


def test_numbers_and_types_stay_as_they_are():
    table = pd.DataFrame({"n": [-1, 2], "x": [-0.5, np.nan], "flag": [True, False]}, index=[-3, -4])
    pd.testing.assert_frame_equal(safe_table(table), table, check_column_type=False)
    mixed = safe_table(pd.DataFrame({"a": [-1, "=b", None]}))
    assert mixed["a"].tolist()[:2] == [-1, "'=b"] and mixed["a"].isna().tolist() == [False, False, True]


def test_several_levels_and_columns_of_one_name():
    index = pd.MultiIndex.from_tuples([("=a", 1), ("b", -2)], names=["-row", "epoch"])
    table = pd.DataFrame([["=x", "y"], ["z", "+w"]], index=index, columns=["c", "c"])
    safe = safe_table(table)
    assert safe.index.tolist() == [("'=a", 1), ("b", -2)] and list(safe.index.names) == ["'-row", "epoch"]
    assert safe.to_numpy().tolist() == [["'=x", "y"], ["z", "'+w"]]
    pd.testing.assert_frame_equal(
        plain_table(safe), table.astype(object), check_index_type=False, check_column_type=False
    )


def test_the_numbers_of_a_figure_are_safe_cells(tmp_path):
    table = pd.DataFrame({"score": [-1.5]}, index=pd.Index(["=1+1"], name="class"))
    *_, path = save(Picture(), "figure", tmp_path, table)
    assert path.read_text() == "class,score\n'=1+1,-1.5\n"


def test_every_character_can_be_seen_and_encoded():
    assert printable("a\n\t\x00\udc80\u202e") == r"a\n\t\x00\udc80\u202e"
    for name in ("日本語", "שלום", "😀", "a b", "a\xa0b", "\\frac{1}{2}", "$x$", "नमस्ते", "👩\u200d🚀"):
        assert printable(name) == name
    assert printable(7) == "7"
