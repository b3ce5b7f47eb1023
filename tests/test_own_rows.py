"""Rows of one's own beside the paper's: planned, trained, asked for, drawn."""

import os
import shlex
import signal
from pathlib import Path

import jaxtyping
import nbformat
import pandas as pd
import pytest
from test_executors import pids_of, wait_for
from test_sweeps import start_sweep  # noqa: F401 (a fixture)
from test_training import assert_same

import lend
from lend.cli.main import main
from lend.cli.shipped import shipped
from lend.inputs import plugins
from lend.methods import GCE
from lend.paper import experiments, tables
from lend.paper.grids import Profile, rates
from lend.paper.rows import named_rows, own_rows, typed_rows
from lend.run import epochs_done
from lend.training import sweep

SOURCE = """
from dataclasses import dataclass

import torch

from lend.methods import Method, label_losses


@dataclass(frozen=True)
class Mine(Method):
    share: float = 0.8

    def initial_memory(self, labels, num_classes):
        return {"losses": torch.zeros(len(labels))}

    def loss(self, outputs, batch, memory, epoch):
        losses = label_losses(outputs[0], batch)
        memory["losses"][batch.index] = 0.5 * memory["losses"][batch.index] + 0.5 * losses.detach()
        mean = memory["losses"][batch.index]
        noise = 0.01 * torch.rand((), generator=batch.generator)
        return (losses * (mean <= mean.quantile(self.share))).mean() * (1 + noise)


class Other:
    pass
"""
FIGURES = ("figure6", "figure7", "figure8a", "figure8b", "table1", "table2", "table3")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(SOURCE)
    return tmp_path


@pytest.fixture
def small(monkeypatch):
    """A profile of seconds, with a figure that takes own rows and one that does not."""
    settings = {"dataset": "digits", "train_size": 240, "epochs": 3, "batch_size": 80, "width": 8, "device": "cpu"}
    grid = experiments.Grid({"Standard": {"method": "standard"}}, rates("symmetric", 0.4), own=True)
    grids = {"figure6": grid, "table1": grid}
    profile = Profile(settings | {"snapshots": (3,)}, ("figure1", "figure6", "table1"), grids=grids)
    monkeypatch.setitem(experiments.PROFILES, "small", profile)


# --- The plan -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", FIGURES)
def test_own_rows_stand_below_the_others_in_every_column(figure):
    rows = {"Mine": "mine.py:Mine", "Mild": {"method": "mine.py:Mine", "options": {"share": 0.9}}}
    without, entries = (experiments.plan(figure, "digits", trials=2, rows=given) for given in (None, rows))
    assert entries[: len(without)] == without
    own = entries[len(without) :]
    columns = list(dict.fromkeys(entry.column for entry in without))
    assert [entry[:2] for entry in own] == [(row, c) for row in rows for c in columns for _ in range(2)]
    standard = {(e.column, e.config.seed): e.config for e in without if e.row in ("Standard", "LEND")}
    for row, column, config in own:
        other = standard[column, config.seed]
        for name in ("noise", "noise_rate", "batch_size", "epochs", "snapshots", "seed", "noise_seed"):
            assert getattr(config, name) == getattr(other, name)
        assert config.options == ({"share": 0.9} if row == "Mild" else {})
        assert config.sources == {"mine.py:Mine": plugins.source_digest("mine.py:Mine")}


def test_the_form_of_a_row_changes_no_run(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    named = experiments.plan("figure6", rows={"Mine": "mine.py:Mine"})
    loaded = plugins.load("mine.py:Mine")
    settled = own_rows({"Mine": "mine.py:Mine"})
    for method in (loaded, {"method": loaded}, settled["Mine"]):
        assert experiments.plan("figure6", rows={"Mine": method}) == named
    Path("mine.py").unlink()  # the settings have the digest: whoever has them needs no file
    assert experiments.plan("figure6", rows=settled) == named
    assert experiments.plan("figure6", rows={}) == experiments.plan("figure6")
    (given,) = {e.config.method for e in experiments.plan("figure6", rows={"Class": GCE}) if e.row == "Class"}
    assert given == "lend.methods.gce:GCE"


def test_own_options_are_kept_where_lend_has_the_same_at_its_default():
    rows = {"Slow": {"method": "elr", "options": {"beta": 0.9}}, "LEND again": {"method": "lend"}}
    entries = [entry for entry in experiments.plan("table1", rows=rows) if entry.row in rows]
    assert {e.row: e.config.options for e in entries} == {"Slow": {"beta": 0.9}, "LEND again": {}}
    lends = {e.config.hash for e in experiments.plan("table1") if e.row == "LEND"}
    assert {e.config.hash for e in entries if e.row == "LEND again"} == lends  # the same run under another name


def test_figures_that_compare_no_methods_take_no_rows():
    rows = {"Mine": "mine.py:Mine"}
    taking = [figure for figure in experiments.PROFILES["digits"].figures if experiments.takes_rows(figure, "digits")]
    assert set(taking) == set(FIGURES)
    with pytest.raises(
        ValueError, match="rows have no place in figure8c, .* stand in figure6, figure7, figure8a, figu"
    ):
        experiments.plan("figure8c", rows=rows)
    assert tables.planned("figure8c", "digits", rows=rows) == experiments.plan("figure8c")
    assert tables.planned("figure6", "digits", rows=rows) == experiments.plan("figure6", rows=rows)
    assert tables.planned("figure6", "tiny", rows=rows) == []
    with pytest.raises(ValueError, match="rows have no place in profile tiny"):
        experiments.plan_all("tiny", rows=rows)
    usual, every = ({c.hash for c in experiments.plan_all("digits", rows=given)} for given in (None, rows))
    own = {e.config.hash for figure in FIGURES for e in experiments.plan(figure, rows=rows) if e.row == "Mine"}
    assert every == own | usual and not own & usual


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"GCE": "mine.py:Mine"}, "rows must be other names than those of known rows, Standard, Co-teaching, .*'GCE'"),
        ({"DivideMix": "mine.py:Mine"}, "rows must be other names"),
        ({" ": "mine.py:Mine"}, "rows must be names that can be read"),
        ({"Mine": "gcee"}, "unknown method 'gcee'; .*file.py:NAME.*did you mean 'gce'"),
        ({"Mine": "none.py:Mine"}, "method none.py:Mine: there is no file"),
        ({"Mine": "nowhere:Mine"}, "method nowhere:Mine: there is no module"),
        ({"Mine": {"options": {}}}, "rows, Mine must be settings with a method"),
        ({"Mine": {"method": "mine.py:Mine", "option": {}}}, "option"),
        ({"Mine": 3}, "method"),
    ],
)
def test_rows_that_cannot_be_planned(rows, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        experiments.plan("figure6", rows=rows)


# --- The command line -----------------------------------------------------------------------------------------------


def test_rows_in_words():
    assert named_rows(["Mine=mine.py:Mine", "deep/er.py:Better", "B=a=b/m.py:C"]) == {
        "Mine": "mine.py:Mine",
        "Better": "deep/er.py:Better",
        "B": "a=b/m.py:C",
    }
    assert named_rows(['M={"method": "gce", "options": {"q": 0.5}}'])["M"]["options"] == {"q": 0.5}
    for words, message in (
        (["Mine="], "rows must be NAME=METHOD or file.py:NAME, got 'Mine='"),
        (["mine.py:"], "rows must be NAME=METHOD"),
        (["a.py:M", "b.py:M"], "rows must be names of which each is there once, got 'M'"),
        (["M={method"], "rows must have settings in JSON"),
    ):
        with pytest.raises(ValueError, match=message):
            named_rows(words)


def test_the_line_of_what_is_missing_is_a_command_that_plans_the_same():
    rows = {"Mine": "mine.py:Mine", "My idea": {"method": "mine.py:Mine", "options": {"share": 0.5}}}
    entries = tables.planned("figure6", "digits", rows=rows)
    line = tables.missing(entries, "figure6", "digits", rows=rows)
    assert line.startswith(f"{len(entries)} of {len(entries)} runs are missing; train them with: lend sweep figure6")
    words = shlex.split(line.partition(" --rows ")[2])
    assert words[0] == "Mine=mine.py:Mine" and experiments.plan("figure6", rows=named_rows(words)) == entries
    without = tables.missing(tables.planned("figure8c", "digits", rows=rows), "figure8c", "digits", rows=rows)
    assert "missing" in without and "--rows" not in without
    assert typed_rows({}) == ""


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["Mine=mine.py:Other"], "method mine.py:Other must be a subclass of lend.methods.Method"),
        (["mine.py:Nothing"], "method mine.py:Nothing: mine.py has no 'Nothing'"),
        (["Mine=none.py:Mine"], "method none.py:Mine: there is no file"),
        (["Mine=gcee"], "unknown method 'gcee'"),
        (["GCE=mine.py:Mine"], "--rows must be other names than those of known rows"),
        (["Mine="], "--rows must be NAME=METHOD or file.py:NAME, got 'Mine='"),
        (['M={"method": "mine.py:Mine", "options": {"shares": 1}}'], "unknown option 'shares' of method mine.py:Mine"),
    ],
)
@pytest.mark.parametrize("verb", [["sweep", "figure6"], ["sweep", "all"], ["figures"]], ids=" ".join)
def test_one_line_and_nothing_trained(small, verb, rows, message, capsys):
    assert main([*verb, "--profile", "small", "--trials", "1", "--rows", *rows]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and message in said[0]
    assert not Path("runs").exists() and not Path("output").exists()


def test_rows_of_several_options_are_swept(small, capsys):
    command = ["sweep", "figure6", "--profile", "small", "--trials", "1", "--workers", "0"]
    assert main([*command, "--rows", "mine.py:Mine", "--rows", "Gentle=gce"]) == 0
    assert "all 3 runs are there" in capsys.readouterr().out
    entries = experiments.plan("figure6", "small", rows={"Mine": "mine.py:Mine", "Gentle": "gce"})
    assert [tables.finished(entry).complete for entry in entries] == [True] * 3
    found = tables.compare(tables.collect(entries)).markdown()
    assert "| Mine |" in found and "| Gentle |" in found
    assert main(["sweep", "figure1", "--profile", "small", "--rows", "mine.py:Mine"]) == 2
    assert "--rows have no place in figure1" in capsys.readouterr().err


# --- Trained --------------------------------------------------------------------------------------------------------


def planned(tiny, **settings):
    """An own row in its place, of seconds, beside one of the paper."""
    rows = {"Mine": "mine.py:Mine"}
    place = ("Mine", "SOP")
    entries = experiments.plan("table2", rows=rows)
    chosen = [c for row, column, c in entries if row in place and column == "asymmetric 40 %"]
    kept = [
        {name: getattr(config, name) for name in ("method", "options", "sources", "noise_rate")} for config in chosen
    ]
    return [tiny(**{**each, **settings}) for each in kept]


@pytest.mark.parametrize("settings", [{"workers": 2}, {"workers": 1, "scheduler": "local"}], ids=str)
def test_numbers_are_those_of_one_process_wherever_a_row_is_trained(tiny, tmp_path, settings):
    alone, apart = planned(tiny, runs="alone"), planned(tiny)
    assert [config.method for config in alone] == ["sop", "mine.py:Mine"]
    assert sweep(alone, workers=0, threads=1, progress=False) == []
    assert sweep(apart, threads=1, progress=False, **settings) == []
    for one, other in zip(alone, apart, strict=True):
        assert_same(lend.Run.find(one), lend.Run.find(other))


def test_own_rows_go_on_with_the_same_numbers_after_a_worker_and_the_sweep_were_killed(tiny, start_sweep):  # noqa: F811
    long = {"epochs": 200, "train_size": 80, "snapshots": (200,)}
    killed, whole = (planned(tiny, runs=runs, **long) for runs in ("killed", "whole"))
    process = start_sweep(killed, workers=2, threads=1)
    for config, victim in zip(killed, (None, process.pid), strict=True):
        wait_for(lambda config=config: epochs_done(config.folder) > 2, 240)
        os.kill(victim or pids_of(config)[0], signal.SIGKILL)
    process.wait()
    wait_for(lambda: not any(pids_of(config) for config in killed), 240)  # trainings end when they notice
    assert all(2 < epochs_done(config.folder) < config.epochs for config in killed)
    for configs in (killed, whole):
        assert sweep(configs, workers=0, threads=1, progress=False) == []
    for one, other in zip(killed, whole, strict=True):
        assert_same(lend.Run.find(one), lend.Run.find(other))


# --- Notebooks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("notebook", "made"), [("accuracy_curves", "accuracy_symmetric"), ("tables", "table1")])
def test_the_notebooks_show_own_rows(small, tmp_path, monkeypatch, notebook, made):
    rows = {"Mine": "mine.py:Mine", "Gentle": {"method": "gce", "options": {"q": 0.5}}}
    configs = [entry.config for entry in experiments.plan("figure6", "small", rows=rows)]
    assert sweep(configs, workers=0, progress=False) == []
    parameters = {"profile": "small", "runs": str(tmp_path / "runs"), "figures": str(tmp_path / "output"), "trials": 1}
    # as lend figures gives them: with the digest of the file, which a notebook does not find from its own folder
    parameters["rows"] = own_rows(rows)
    source = shipped("notebooks") / f"{notebook}.ipynb"
    code = [cell.source for cell in nbformat.read(source, as_version=4).cells if cell.cell_type == "code"]
    names = {}
    exec(code[0], names)
    assert names["rows"] == {} and set(parameters) <= set(names)
    names |= parameters
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for text in code[1:3]:
        exec(text, names)
    assert names["notes"][0] is None  # all runs are there
    written = pd.read_csv(tmp_path / "output" / "small" / f"{made}.csv")
    assert list(dict.fromkeys(written["row"])) == ["Standard", "Mine", "Gentle"] and written["mean"].notna().all()
