"""Every file of a run, a compact copy and an audit, damaged in every way, read in every way.

Allowed are the right value or one error that names the file. LEND_ATTACKS=hours makes the numbers large.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import readers
from verbs import in_parts

import lend
from lend.embedding import embed_files
from lend.run import Run, compact
from lend.training.child import context_of_children

HERE = Path(__file__).parent
LONG = os.environ.get("LEND_ATTACKS") == "hours"
FLIPS = 100 if LONG else 2  # of bytes of a file; every byte of a small one
PARTS = {
    ("run", "damage"): 8,
    ("run", "crafted"): 2,
    ("copies/run", "damage"): 12,
    ("audit", "damage"): 3,
    ("embedded", "damage"): 9,
}
KEPT = ("folder", "pipe", "missing")  # a history record or a map can be gone without a trace

sys.path.insert(0, str(HERE.parent.parent / "benchmarks"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with a run, another of the same size, a compact copy in copies/, and an audit."""
    from synthetic_run import synthetic_run

    folder = tmp_path_factory.mktemp("base") / "runs"
    for seed, name in enumerate(("run", "other")):
        run = synthetic_run(folder, n=60, d=8, epochs=2, snapshots=2, seed=seed)
        os.rename(run.path, folder / name)
    copy = compact(Run.open(folder / "run"), folder / "copies", points=60, features=4)
    os.rename(copy.path, folder / "copies" / "run")
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], 20)
    lend.audit(rng.standard_normal((60, 5)) + 3 * (labels[:, None] == "b"), labels).save(folder / "audit")
    do_embed_and_stop(folder / "embedded")
    return folder


def do_embed_and_stop(folder):
    """Tables of embeddings in both formats, and the parts of one that was stopped before it was written."""
    table = folder.parent.parent / "texts.csv"
    table.write_text(
        "text,label\n" + "".join(f"{word} story {i},{word}\n" for i in range(25) for word in ("a b", "c d"))
    )
    columns = {"text_column": "text", "label_column": "label", "progress": False}
    with in_parts():
        for name in ("texts.parquet", "texts.zarr"):
            embed_files(table, folder / name, **columns)
        stop = mock.patch("lend.embedding.job.write_table", side_effect=KeyboardInterrupt)
        with stop, pytest.raises(KeyboardInterrupt):
            embed_files(table, folder / "going.parquet", **columns)


def outcomes(base, subject, kind, path, parts=1):
    """The lines of the attacking process, and how many cases and readings there were."""
    lines, counts = [], Counter()
    processes = min(parts, 4) if LONG else 1
    for part in range(processes):
        given = (base, subject, kind, FLIPS, part, processes if LONG else parts, path)
        child = context_of_children().Process(target=readers.run, args=given)
        child.start()
        child.join(36_000 if LONG else 290)
        assert child.exitcode == 0, path.read_text()[-2000:]
        *found, (_, cases, readings) = [json.loads(line) for line in path.read_text().splitlines()]
        lines += found
        counts += Counter(cases=cases, readings=readings)
    print(subject, kind, dict(counts), Counter(line[3] for line in lines))
    return lines


@pytest.mark.parametrize(("subject", "kind"), PARTS)
def test_right_values_or_one_error(base, tmp_path, subject, kind):
    """One case of PARTS in the ordinary tests."""
    lines = outcomes(base, subject, kind, tmp_path / "lines.json", PARTS[subject, kind])
    assert [line for line in lines if line[3] not in ("error", "other")] == []
    assert [line for line in lines if line[3] == "other" and not explained(*line[:3], line[5])] == []
    assert len(lines) > 20
    if subject in ("audit", "embedded"):
        return
    checked = {(name, what) for name, what, reader, *_ in lines if reader == "check"}
    whole = {(name, what) for name, what, *_ in lines} - checked
    assert {case for case in whole if not unknown_to_check(*case)} == set()


def explained(name, what, reader, told):
    """Whether another value than the right one is what the rules of the format say."""
    if reader == "check":
        return True  # it names the file: a list of messages is its value
    if reader == "parts":
        return True  # those before the first that is damaged
    if reader in ("parquet", "zarr") and what.startswith("byte"):
        return name.endswith((".parquet", "zarr.json"))  # those formats have checksums of data, not of descriptions
    if reader in ("runs", "table"):
        return bool(told) or what in KEPT or what == "swapped" or "config" in name or "history" in name
    if what == "swapped":
        return True  # another run's file with its own checksums: check() finds it
    gone = ("missing", "link to nothing", "link to itself")
    if what in gone and name.startswith(("history/", "snapshots/", "maps/", "config")):
        return True  # not committed, removed, not made
    return False


def unknown_to_check(name, what):
    """Whether a change is none of the run: the lock, or a file that a run may lack."""
    gone = what in ("missing", "link to nothing", "link to itself")
    return name == "lock" or what == "extra" or gone and name.startswith(("checkpoint/", "maps/", "history/"))
