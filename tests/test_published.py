"""The paper's numbers as they are printed, and consistent with the grid of experiments."""

import numpy as np
import pytest

from lend.paper import experiments, published


def cell(table, row, column):
    numbers = published.numbers(table)
    return tuple(100 * numbers[(numbers["row"] == row) & (numbers["column"] == column)]["mean"])


@pytest.mark.parametrize(
    ("table", "row", "column", "scores"),
    [
        ("table1", "Standard", "symmetric 40 %", (43.75, 33.24)),
        ("table1", "GCE", "symmetric 60 %", (40.34, 33.39)),
        ("table2", "Co-teaching", "asymmetric 20 %", (46.22, 46.22)),
        ("table2", "LEND", "asymmetric 40 %", (49.62, 39.61)),
        ("table3", "JoCoR", "Animal-10N", (75.7,)),
    ],
)
def test_cells_are_those_of_the_paper(table, row, column, scores):
    assert cell(table, row, column) == pytest.approx(scores)


def test_means_over_a_row_and_a_column():
    table1, table2, table3 = (published.numbers(name).set_index("measure") for name in published.TABLES)
    lend = 100 * table1[table1["row"] == "LEND"]["mean"]
    assert lend["best"].mean() == pytest.approx((52.71 + 44.37 + 42.63) / 3)
    column = 100 * table2[table2["column"] == "asymmetric 30 %"]["mean"]
    assert column["last"].mean() == pytest.approx((34.29 + 39.59 + 42.31 + 38.01 + 31.13 + 45.42) / 6)
    assert 100 * table3["mean"].mean() == pytest.approx((66.8 + 69.7 + 68.7 + 75.7 + 74.0 + 76.4) / 6)
    assert set(table3.index) == {"last"}


@pytest.mark.parametrize("table", published.TABLES)
def test_best_is_no_less_than_last_and_no_deviation_is_made_up(table):
    numbers = published.numbers(table)
    assert numbers["std"].isna().all() and (numbers["n"] == 5).all() and numbers["mean"].between(0, 1).all()
    if "best" in published.SCORES[table]:
        best, last = (numbers.loc[numbers["measure"] == name, "mean"].to_numpy() for name in ("best", "last"))
        assert len(best) == len(last) == 18 and np.all(best >= last)


def test_rows_and_columns_are_called_as_in_the_grid():
    for name, columns in published.TABLES.items():
        grid = experiments.FIGURES[name]
        assert all(list(rows) == [row for row in experiments.ROWS if row != "LEND+prior"] for rows in columns.values())
        assert name == "table3" or list(columns) == list(grid.columns)
