"""Rows of one's own beside the paper's: planned, trained, asked for, drawn."""

import os
import shlex
import signal
from dataclasses import asdict
from pathlib import Path

import jaxtyping
import pytest
from test_executors import pids_of, wait_for
from test_sweeps import start_sweep  # noqa: F401 (a fixture)
from test_training import assert_same

import lend
from lend import plugins
from lend.cli.main import main
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
    grids = {"figure6": experiments.Grid({"Standard": {"method": "standard"}}, rates("symmetric", 0.4), own=True)}
    profile = Profile(settings | {"snapshots": (3,)}, ("figure1", "figure6"), grids=grids)
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
    every = {c.hash for c in experiments.plan_all("digits", rows=rows)}
    own = {e.config.hash for figure in FIGURES for e in experiments.plan(figure, rows=rows) if e.row == "Mine"}
    assert every == own | {c.hash for c in experiments.plan_all("digits")} and not own & {
        c.hash for c in experiments.plan_all("digits")
    }


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
    chosen = [e.config for e in experiments.plan("table2", rows=rows) if e.row in ("Mine", "SOP")]
    kept = [
        {name: getattr(config, name) for name in ("method", "options", "sources", "noise_rate")} for config in chosen
    ]
    return [tiny(**{**each, **settings}) for each in kept]


@pytest.mark.parametrize("settings", [{"workers": 2}, {"workers": 1, "scheduler": "local"}], ids=str)
def test_numbers_are_those_of_one_process_wherever_a_row_is_trained(tiny, tmp_path, settings):
    alone, apart = planned(tiny, runs="alone"), planned(tiny)
    assert len(alone) == 4 and len({config.hash for config in alone}) == 4
    assert sweep(alone, workers=0, threads=1, progress=False) == []
    assert sweep(apart, threads=1, progress=False, **settings) == []
    for one, other in zip(alone, apart, strict=True):
        assert_same(lend.Run.find(one), lend.Run.find(other))


def test_a_killed_sweep_of_own_rows_goes_on_with_the_same_numbers(tiny, start_sweep):  # noqa: F811
    long = {"epochs": 300, "train_size": 80, "snapshots": (300,)}
    (config, *_), (whole, *_) = (
        [c for c in planned(tiny, runs=runs, **long) if c.method == "mine.py:Mine"] for runs in ("killed", "whole")
    )
    process = start_sweep([config], workers=2, threads=1)
    wait_for(lambda: epochs_done(config.folder) > 2)
    (training,) = pids_of(config)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: pids_of(config) == [])  # the training ends when it notices
    assert 2 < epochs_done(config.folder) < 300
    process = start_sweep([config], workers=2, threads=1)
    before = epochs_done(config.folder)
    wait_for(lambda: epochs_done(config.folder) > before and training not in pids_of(config))
    (training,) = pids_of(config)
    os.kill(training, signal.SIGKILL)  # a worker alone: its run fails, and the next sweep goes on
    process.wait()
    assert sweep([config], workers=1, threads=1, progress=False) == []
    assert sweep([whole], workers=0, threads=1, progress=False) == []
    assert asdict(lend.Run.find(config).config)["sources"] == config.sources
    assert_same(lend.Run.find(config), lend.Run.find(whole))
