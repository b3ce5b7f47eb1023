"""Tables against NumPy, on made-up histories of runs that nobody trained."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lend.inputs import Dilution, RunConfig
from lend.paper import experiments, tables
from lend.paper.grids import Entry
from lend.run import EpochResult, writing

EPOCHS = 13
COLUMNS = ("symmetric 40 %", "symmetric 50 %")


def write(config, accuracies, ensemble=True):
    """A run on disk with this test accuracy in its first epochs."""
    given = {"true": np.zeros(4, np.int8), "noisy": np.zeros(4, np.int8), "sample_id": np.arange(4)}
    run = writing.create(config, given, {"class_names": ["a", "b"], "device": "cpu (here)"})
    results = []
    for epoch, accuracy in enumerate(accuracies, 1):
        row = {"test_accuracy": float(accuracy), "validation_accuracy": float(-abs(epoch - 4))}
        row |= {"ensemble_accuracy": float(accuracy) + 0.01} if ensemble else {}
        results.append(EpochResult(epoch, row, {"kept": np.ones(4, dtype=bool)}))
    if results:
        writing.commit(run, results, {})
    return run


def entry(folder, row="LEND", column=COLUMNS[0], seed=0, **settings):
    method = {"Standard": "standard"}.get(row, "lend")
    dilution = Dilution(class_prior="balanced" if row == "LEND+prior" else None)
    rate = 0.4 if column == COLUMNS[0] else 0.5
    own = {"method": method, "dilution": dilution, "noise_rate": rate, "epochs": EPOCHS, "validation": 0.1}
    return Entry(row, column, RunConfig(**(own | {"seed": seed, "runs": str(folder)} | settings)))


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Two methods, two columns, three trials; of LEND at 50 %, one trial is unfinished and one does not exist."""
    folder, rng = tmp_path_factory.mktemp("grid"), np.random.default_rng(0)
    entries, histories = [], {}
    for row in ("Standard", "LEND"):
        for column in COLUMNS:
            for seed in range(3):
                entries.append(entry(folder, row, column, seed))
                history = rng.uniform(0.2, 0.9, EPOCHS)
                unfinished = row == "LEND" and column == COLUMNS[1] and seed
                if not unfinished:
                    histories.setdefault((row, column), []).append(history)
                if not (unfinished and seed == 2):
                    write(entries[-1].config, history[:7] + 0.5 if unfinished else history)
    return entries, {cell: np.array(found) for cell, found in histories.items()}


# --- Runs -----------------------------------------------------------------------------------------------------------


def test_table_has_one_row_per_run(tmp_path):
    accuracies = np.linspace(0.1, 0.7, EPOCHS)
    one = write(entry(tmp_path, options={"beta": 0.7, "memory": "soft"}, batch_size=64).config, accuracies)
    two = write(entry(tmp_path, "LEND+prior", dilution=Dilution(k=4, class_prior=[0.25, 0.75])).config, accuracies[:3])
    none = write(entry(tmp_path, "Standard", validation=0.0).config, [])
    table = tables.table(str(tmp_path))
    assert set(table.index) == {one.path.name, two.path.name, none.path.name} and table.index.name == "run"
    first, second, third = (table.loc[run.path.name] for run in (one, two, none))
    assert (first["options"], first["class_prior"], first["batch_size"]) == ("beta 0.7, memory soft", "none", 64)
    assert (second["dilution"], second["class_prior"], second["epochs_done"]) == ("k 4", "0.25 0.75", 3)
    assert (first["device"], first["path"], first["epochs"]) == ("cpu (here)", str(one.path), EPOCHS)
    assert third[list(tables.MEASURES)].isna().all() and third["epochs_done"] == 0
    pd.testing.assert_frame_equal(tables.table([one]), table.loc[[one.path.name]], check_dtype=False)


def test_scores_are_those_of_the_run(tmp_path):
    accuracies = np.random.default_rng(1).uniform(size=EPOCHS)
    run = write(entry(tmp_path).config, accuracies)
    scores = tables.scores(run)
    assert scores == {name: pytest.approx(getattr(run, name)) for name in tables.MEASURES}
    assert scores["best"] == pytest.approx(accuracies.max()) and scores["chosen"] == pytest.approx(accuracies[3])
    assert scores["last"] == pytest.approx(accuracies[-10:].mean())
    assert scores["ensemble"] == pytest.approx(accuracies[-10:].mean() + 0.01)


def test_an_old_run_has_no_ensemble_and_one_without_validation_no_chosen(tmp_path):
    run = write(entry(tmp_path, validation=0.0).config, [0.5] * EPOCHS, ensemble=False)
    scores = tables.scores(run)
    assert np.isnan([scores["ensemble"], scores["chosen"]]).all() and scores["last"] == 0.5


def test_no_run(tmp_path):
    table = tables.table(tmp_path)
    assert table.empty and list(table) == list(tables.COLUMNS)
    assert tables.table([]).empty


def test_a_damaged_history_is_named(tmp_path):
    run = write(entry(tmp_path).config, [0.5] * EPOCHS)
    (run.path / "history" / "0002.json").write_text("{")
    with pytest.warns(UserWarning, match="the scores of run .* are left out: .*0002.json is damaged"):
        shown = tables.table(tmp_path)
    assert shown["last"].isna().all() and len(shown) == 1


def test_nothing_heavy_is_loaded():
    code = "import sys, lend.paper.tables; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# --- Cells ----------------------------------------------------------------------------------------------------------


def test_summary_is_over_finished_trials_in_the_order_of_the_plan(grid):
    entries, histories = grid
    collected = tables.collect(entries)
    assert list(collected) == list(tables.ENTRY_COLUMNS) and len(collected) == 12
    assert list(collected["complete"]) == [True] * 9 + [True, False, False]
    assert collected.loc[~collected["complete"], list(tables.MEASURES)].isna().all(axis=None)
    best, last = tables.summary(collected, "best"), tables.summary(collected, "last")
    assert list(best.index) == [(row, column) for row in ("Standard", "LEND") for column in COLUMNS]
    for cell, found in histories.items():
        assert best.loc[cell, "mean"] == pytest.approx(found.max(axis=1).mean())
        assert last.loc[cell, "mean"] == pytest.approx(found[:, -10:].mean())
        assert best.loc[cell, "n"] == len(found)
        if len(found) > 1:
            assert last.loc[cell, "std"] == pytest.approx(found[:, -10:].mean(axis=1).std(ddof=1))
    assert np.isnan(best.loc[("LEND", COLUMNS[1]), "std"])


def test_curves_are_means_over_finished_trials(grid):
    entries, histories = grid
    curves = tables.curves(entries)
    assert list(curves.index.names) == ["row", "column", "epoch"] and len(curves) == 4 * EPOCHS
    for cell, part in curves.groupby(["row", "column"], sort=False):
        found = histories[cell]
        np.testing.assert_allclose(part["mean"], found.mean(axis=0))
        assert list(part.index.get_level_values("epoch")) == list(range(1, EPOCHS + 1))
        assert (part["n"] == len(found)).all() and part["std"].isna().all() == (len(found) == 1)
        if len(found) > 1:
            np.testing.assert_allclose(part["std"], found.std(axis=0, ddof=1))


def test_missing_cells_are_there_without_numbers(tmp_path):
    entries = [entry(tmp_path, row) for row in ("Standard", "LEND")]
    summary, curves = tables.summary(tables.collect(entries), "last"), tables.curves(entries)
    assert summary["mean"].isna().all() and (summary["n"] == 0).all() and len(summary) == 2
    assert curves["mean"].isna().all() and (curves["n"] == 0).all() and len(curves) == 2 * EPOCHS


def test_selected_tells_which_labels_were_trained_on(tmp_path):
    """Three of ten labels are wrong; in the last ten epochs one and six right ones are kept, or all, or none."""
    true, noisy = np.zeros(10, np.int8), np.array([0] * 7 + [1] * 3, np.int8)
    entries = [entry(tmp_path), entry(tmp_path, "Standard"), entry(tmp_path, seed=2), entry(tmp_path, seed=1)]
    for one, kept in zip(entries, (7, 10, 0), strict=False):
        run = writing.create(
            one.config, {"true": true, "noisy": noisy, "sample_id": np.arange(10)}, {"class_names": ["a"]}
        )
        row = {"test_accuracy": 0.5, "validation_accuracy": 0.5, "noisy_label_accuracy": 0.7}
        late = {"kept_share": kept / 10, "kept_precision": {7: 6 / 7, 10: 0.7, 0: np.nan}[kept]}
        early = {"kept_share": 1.0, "kept_precision": 0.7}
        shares = [row | (late if epoch > EPOCHS - 10 else early) for epoch in range(1, EPOCHS + 1)]
        writing.commit(run, [EpochResult(epoch, numbers, {}) for epoch, numbers in enumerate(shares, 1)], {})
    found = tables.selected(entries)
    assert list(found) == [*tables.ENTRY_COLUMNS, "right_kept", "wrong_kept"]
    assert found["right_kept"].tolist() == pytest.approx([6 / 7, 1, 0, np.nan], nan_ok=True)
    assert found["wrong_kept"].tolist() == pytest.approx([1 / 3, 1, 0, np.nan], nan_ok=True)
    assert tables.selected([]).empty


def test_a_plan_without_entries():
    assert tables.planned("figure6", "tiny") == []
    assert tables.collect([]).empty and tables.curves([]).empty
    assert tables.long(tables.collect([])).empty
    assert list(tables.curves([]).index.names) == ["row", "column", "epoch"]
    with pytest.raises(ValueError, match="unknown figure"):
        tables.planned("figure66", "tiny")
    with pytest.raises(ValueError, match="unknown profile"):
        tables.planned("figure6", "tinny")


def test_a_run_of_other_settings_is_not_taken(tmp_path):
    wanted = entry(tmp_path).config
    run = write(entry(tmp_path, batch_size=64).config, [0.5] * EPOCHS)
    run.path.rename(wanted.folder)
    with pytest.raises(FileExistsError, match="batch_size is 64 there, 256 here"):
        tables.collect([entry(tmp_path)])


def test_missing_runs_and_the_command(grid, monkeypatch, tmp_path):
    entries, _ = grid
    folder = entries[0].config.runs
    line = tables.missing(entries, "figure6", "digits", runs=folder)
    command = f"lend sweep figure6 --profile digits --trials 3 --runs {folder}"
    assert line == f"2 of 12 runs are missing; train them with: {command}"
    assert tables.missing(entries[:3], "figure6", "digits") is None
    assert tables.missing([], "figure6", "tiny") == "profile tiny has no figure6"
    one = tables.missing(entries[9:11], "figure6", "digits", dataset="npz:d.npz")
    command = "lend sweep figure6 --profile digits --trials 2 --dataset npz:d.npz"
    assert one == f"1 of 2 runs is missing; train it with: {command}"
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    for usual in ("runs", "../runs", str(tmp_path / "runs")):
        assert "--runs" not in tables.missing(entries, "figure6", "digits", runs=usual)


def test_a_plan_of_the_digits(tmp_path):
    entries = tables.planned("figure6", "digits", trials=2, runs=str(tmp_path))
    assert entries == experiments.plan("figure6", "digits", trials=2, runs=str(tmp_path))
    assert tables.missing(entries, "figure6", "digits").startswith("42 of 42 runs are missing")
    assert len(tables.curves(entries)) == 21 * entries[0].config.epochs


# --- Tables as in a paper -------------------------------------------------------------------------------------------


def collected(*cells):
    """(row, column, best and last of each trial)."""
    lines = [
        {"row": row, "column": column, "seed": seed, "complete": True, "best": best, "last": last}
        for row, column, *trials in cells
        for seed, (best, last) in enumerate(trials)
    ]
    return pd.DataFrame(lines)


@pytest.fixture
def comparison():
    nan = float("nan")
    return tables.compare(
        collected(
            ("Standard", "A & 40 %", (0.90, 0.80), (0.92, 0.84)),
            ("Standard", "B", (0.5, 0.25)),
            ("LEND", "A & 40 %", (0.961, 0.7), (0.961, 0.7)),
            ("LEND", "B", (nan, nan)),
            ("LEND+prior", "A & 40 %", (0.95, 0.80), (0.97, 0.84)),
            ("LEND+prior", "B", (0.49996, 0.5)),
        )
    )


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_markdown_is_the_papers_layout(comparison):
    head, rule, standard, lend, prior, blank, caption = comparison.markdown().splitlines()
    assert cells(head) == ["method", "A & 40 %", "B"] and cells(rule) == ["---"] * 3 and blank == ""
    assert cells(standard) == ["Standard", "91.0 ± 1.4 / **82.0 ± 2.8**", "**50.0** / 25.0"]
    assert cells(lend) == ["LEND", "**96.1 ± 0.0** / 70.0 ± 0.0", "–"]
    # equal as printed: both bold
    assert cells(prior) == ["LEND+prior", "96.0 ± 1.4 / **82.0 ± 2.8**", "**50.0** / **50.0**"]
    assert "best: the highest of any epoch, an oracle on the test set" in caption
    assert "last: the mean of the last ten epochs" in caption and "over 1 to 2 trials" in caption
    assert repr(comparison) == comparison.markdown()


def test_markdown_parses_back_to_the_numbers(comparison):
    lines = [cells(line) for line in comparison.markdown().splitlines()[:5] if "---" not in line]
    header, *body = lines
    seen = 0
    for row, *values in body:
        for column, value in zip(header[1:], values, strict=True):
            numbers = re.findall(r"(\d+\.\d)(?: ± (\d+\.\d))?", value)
            frame = comparison.frame
            cell = frame[(frame["row"] == row) & (frame["column"] == column) & (frame["n"] > 0)]
            assert list(cell["measure"]) == ["best", "last"][: len(numbers)]
            for (mean, std), (_, line) in zip(numbers, cell.iterrows(), strict=True):
                assert float(mean) == pytest.approx(100 * line["mean"], abs=0.051)
                assert (std == "") == np.isnan(line["std"])
                assert not std or float(std) == pytest.approx(100 * line["std"], abs=0.051)
                seen += 1
    assert seen == 10


def test_latex_has_balanced_columns_and_escapes(comparison):
    text = comparison.latex()
    lines = text.splitlines()
    assert text.isascii() and lines[0] == r"% needs \usepackage{booktabs}"
    assert [text.count(f"\\begin{{{name}}}") == text.count(f"\\end{{{name}}}") == 1 for name in ("table", "tabular")]
    rows = [line for line in lines if line.endswith(r" \\")]
    assert r"\begin{tabular}{lcc}" in lines and len(rows) == 4
    assert all(len(re.findall(r"(?<!\\)&", row)) == 2 for row in rows)
    assert rows[0] == r"method & A \& 40 \% & B \\"
    assert rows[1] == r"Standard & 91.0 $\pm$ 1.4 / \textbf{82.0 $\pm$ 2.8} & \textbf{50.0} / 25.0 \\"
    assert rows[2] == r"LEND & \textbf{96.1 $\pm$ 0.0} / 70.0 $\pm$ 0.0 & -- \\"
    assert text.count("{") == text.count("}") and text.count("$") % 2 == 0
    assert all(not re.search(r"(?<!\\)%", line) for line in lines[1:])
    assert [line for line in lines if line.endswith("rule")] == [r"\toprule", r"\midrule", r"\bottomrule"]


def test_names_are_escaped():
    text = tables.compare(collected(("a|b_c", r"50 % \ {~^#$}", (0.5, 0.4)))).latex()
    assert r"a\textbar{}b\_c" in text and r"50 \% \textbackslash{} \{\textasciitilde{}\textasciicircum{}\#\$\}" in text
    assert r"a&#124;b\_c" in tables.compare(collected(("a|b_c", "A", (0.5, 0.4)))).markdown()


def test_one_trial_has_no_deviation():
    comparison = tables.compare(collected(("LEND", 32, (0.5, 0.4)), ("LEND", 64, (0.6, 0.3))))
    assert "±" not in comparison.markdown() and "pm" not in comparison.latex() and "One trial" in comparison.caption
    assert cells(comparison.markdown().splitlines()[0]) == ["method", "32", "64"]


def test_no_run_and_no_plan(tmp_path):
    planned = tables.compare(tables.collect([entry(tmp_path, row) for row in ("Standard", "LEND")]))
    assert [cells(line) for line in planned.markdown().splitlines()[2:4]] == [["Standard", "–"], ["LEND", "–"]]
    assert "No finished trial yet" in planned.latex() and "**" not in planned.markdown()
    nothing = tables.compare(tables.collect([]))
    assert nothing.markdown() == "| method |\n| --- |\n\nNo runs are planned for this table.\n"
    assert r"\begin{tabular}{l}" in nothing.latex()


def test_chosen_and_ensemble_have_a_table_of_their_own(grid):
    entries, histories = grid
    comparison = tables.compare(tables.collect(entries), ("chosen", "ensemble"))
    frame = comparison.frame.set_index(["row", "column", "measure"])
    for cell, found in histories.items():
        assert frame.loc[(*cell, "chosen"), "mean"] == pytest.approx(found[:, 3].mean())
        assert frame.loc[(*cell, "ensemble"), "mean"] == pytest.approx(found[:, -10:].mean() + 0.01)
    assert "best on held-out noisy labels" in comparison.caption and "oracle" not in comparison.caption


def test_save_writes_three_forms_of_one_table(comparison, tmp_path):
    files = comparison.save("table", tmp_path / "new" / "folder")
    assert [file.name for file in files] == ["table.md", "table.tex", "table.csv"]
    assert files[0].read_text(encoding="utf-8") == comparison.markdown()
    assert files[1].read_text(encoding="utf-8") == comparison.latex()
    pd.testing.assert_frame_equal(pd.read_csv(files[2]), comparison.frame, check_dtype=False)
    assert list(pd.read_csv(files[2])) == ["row", "column", "measure", "mean", "std", "n"]


# --- Beside the paper -----------------------------------------------------------------------------------------------


def test_ours_and_the_papers_in_turn():
    ours = collected(("Standard", "symmetric 40 %", (0.5, 0.4)), ("LEND+prior", "symmetric 40 %", (0.7, 0.6)))
    lines = [cells(line) for line in tables.beside(ours, "table1").markdown().splitlines()[:9]]
    assert lines[0][:3] == ["method", "symmetric 40 %, here", "symmetric 40 %, paper"]
    rows = {line[0]: line[1:] for line in lines[2:]}
    assert rows["Standard"][:2] == ["50.00 / 40.00", "43.75 / 33.24"]
    assert rows["LEND"][:2] == ["–", "**52.71** / **48.73**"]
    assert rows["LEND+prior"][:2] == ["**70.00** / **60.00**", "–"]
    assert "One trial" in tables.beside(ours, "table1").caption


def test_the_paper_alone():
    text = tables.beside(tables.collect([]), "table3").markdown()
    assert "| JoCoR | 75.7 |" in text and "| LEND | **76.4** |" in text and "oracle" not in text


def test_differences_read_the_settings(tmp_path):
    plans = {"table1": tables.planned("table1", "digits", trials=2, runs=str(tmp_path)), "table3": []}
    table = tables.differences(plans)
    assert tuple(table.loc["epochs"]) == ("200", str(plans["table1"][0].config.epochs))
    assert tuple(table.loc["trials"]) == ("5", "2") and table.loc["class prior", "here"] == "none, balanced"
    assert table.loc["data set, Table 1", "here"] == "digits"
    assert table.loc["noise, Table 1", "here"] == "symmetric 40 %, symmetric 50 %, symmetric 60 %"
    assert table.loc["noise, Table 3", "here"] == "–" and table.loc["noise, Table 3", "paper"].endswith("estimate")
    body = tables.markdown(table).splitlines()
    assert len(body) == len(table) + 2 and all(len(cells(line)) == 3 for line in body)
    thin = tables.differences({"table1": tables.planned("table1", "cifar10-thin")})
    assert thin.loc["data set, Table 1", "here"] == "cifar10, 20,000 examples" and thin.loc["β", "here"] == "0.7"


def test_leads_are_above_the_standard_of_their_kind():
    rows = {"Standard": 0.5, "Standard, augmentation": 0.75, "LEND": 0.625, "augmentation": 0.5, "missing": None}
    table = pd.DataFrame(
        {
            "row": [row for row in rows for _ in range(2)],
            "complete": [value is not None for value in rows.values() for _ in range(2)],
            **{name: [value for value in rows.values() for _ in range(2)] for name in ("last", "best")},
            **dict.fromkeys(("right_kept", "wrong_kept"), 1.0),
        }
    ).astype({"last": float, "best": float})
    found = tables.leads(table)
    assert found["lead"].to_dict() == {"Standard": 0, "Standard, augmentation": 0, "LEND": 12.5, "augmentation": -25}
    without = tables.leads(table[table["row"] != "Standard, augmentation"])
    assert without["lead"].isna().to_dict() == {"Standard": False, "LEND": False, "augmentation": True}
