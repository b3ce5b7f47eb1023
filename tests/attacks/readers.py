"""A process that reads damaged runs with every reader there is, and writes what came of it as JSON lines.

It may use a gigabyte more than at its start, and five seconds a reader.
"""

import hashlib
import json
import pickle
import resource
import shutil
import signal
import tempfile
import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from damage import CRAFTED, DAMAGE, EXTRA, flipped, swapped

import lend
from lend import Inspection, Run
from lend.embedding import read_embeddings
from lend.embedding.parts import FolderParts

SECONDS, MEMORY = 5, 1 << 30
SMALL = 8  # a file of up to so many times as many bytes as are flipped has every byte flipped
FINE = (ValueError, KeyError, FileNotFoundError)  # DamagedFileError is a ValueError


class Hang(BaseException):
    """A reader took longer than it may."""


def fingerprint(value):
    if isinstance(value, pd.DataFrame):
        value = [list(value.columns), list(value.index), *(list(value[name].astype(object)) for name in value)]
    if isinstance(value, dict):
        return {str(name): fingerprint(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [fingerprint(part) for part in value]
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    return repr(value)


READERS = {
    "open": lambda root, run: Run.open(run).config.identity,
    "history": lambda root, run: Run.open(run).history,
    "labels": lambda root, run: Run.open(run).labels,
    "epoch labels": lambda root, run: [Run.open(run).epoch_labels(epoch) for epoch in (1, 2)],
    "predicted": lambda root, run: Run.open(run).predicted(1),
    "embeddings": lambda root, run: Run.open(run).embeddings(1),
    "snapshot": lambda root, run: [
        Run.open(run).snapshot(1)[name].values for name in ("diluted", "logits", "embeddings")
    ],
    "dataset": lambda root, run: Run.open(run).dataset.load()["diluted"].values,
    "map": lambda root, run: [Run.open(run).map(1), Run.open(run).map_neighbors(1), Run.open(run).map_samples()],
    "explorer": lambda root, run: explored(Run.open(run)),
    "check": lambda root, run: Run.open(run).check(),
    "repr": lambda root, run: repr(Run.open(run)),
    "runs": lambda root, run: [found.path.name for found in lend.runs(root)],
    "table": lambda root, run: lend.table(root).drop(columns="path"),
}


def explored(run):
    shown = Inspection.of_run(run)
    return [shown.frame(epoch) for epoch in shown.map_epochs if epoch in shown.epochs]


AUDIT_READERS = {"audit": lambda root, folder: fingerprint_audit(lend.Audit.load(folder))}


def fingerprint_audit(audit):
    return [audit.issues, audit.classes, audit.transition_matrix, audit.distributions, audit.estimate, audit.settings]


EMBEDDED_READERS = {
    "parquet": lambda root, folder: embedded(folder / "texts.parquet"),
    "zarr": lambda root, folder: embedded(folder / "texts.zarr"),
    "parts": lambda root, folder: [[*vars(part).values()] for part in parts_of(folder / "going.parquet.parts")],
}


def embedded(path):
    table = read_embeddings(path)
    return [table.embeddings, table.labels.tolist(), table.ids.tolist(), table.texts, dict(table.about)]


def parts_of(folder):
    parts = FolderParts(folder)
    return [parts[number] for number in range(len(parts))]


def read(reader, root, run):
    """Return what a reader gave: ("right", digest), ("error", text) or ("fault", text)."""
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            value = reader(root, run)
        value = fingerprint(value)
        signal.alarm(0)
        return "value", hashlib.sha256(pickle.dumps(value)).hexdigest(), " ".join(str(w.message) for w in told)
    except Hang:
        return "hang", "", ""
    except FINE as error:
        signal.alarm(0)
        text = str(error.args[0]) if error.args else str(error)
        return ("error" if run.name in text else "unnamed"), f"{type(error).__name__}: {text}", ""
    except BaseException as error:
        signal.alarm(0)
        return "raw", "".join(traceback.format_exception(error))[-1500:], ""
    finally:
        signal.alarm(0)


def cases(subject, other, flips, seed):
    """Yield (file, what happens to it, a function of the folder), for every file of a run or an audit."""
    rng = np.random.default_rng(seed)
    for path in sorted(path for path in subject.rglob("*") if path.is_file()):
        name = path.relative_to(subject).as_posix()
        for what, change in DAMAGE.items():
            yield name, what, lambda folder, change=change, name=name: change(folder / name)
        if other is not None and (other / name).read_bytes() != path.read_bytes():
            change = swapped(other)
            yield name, "swapped", lambda folder, change=change, name=name: change(folder / name, name)
        size = path.stat().st_size
        places = range(size) if size <= SMALL * flips else np.sort(rng.choice(size, flips, replace=False))
        for place in places:
            change = flipped(int(place), 1 << int(rng.integers(8)))
            yield name, f"byte {place}", lambda folder, change=change, name=name: change(folder / name)


def crafted():
    for number, (name, craft) in enumerate(CRAFTED):
        yield name, f"crafted {number}", craft
    for name, craft in EXTRA:
        yield name, "extra", craft


def whole(base, subject):
    """A folder with the undamaged subject alone, and a link to another run beside it."""
    root = base.with_name("whole") / subject.replace("/", "-")
    if not (root / subject).exists():
        shutil.copytree(base / subject, root / subject)
        (root / subject).with_name("good").symlink_to(base / "other")
    return root


def attack(base, subject, readers, todo, part, parts, file):
    """Write a line for each case and reader whose outcome is not the right value; a last one with the counts."""
    good, base = base / "other", whole(base, subject)
    right = {name: read(reader, (base / subject).parent, base / subject) for name, reader in readers.items()}
    assert all(outcome[0] == "value" for outcome in right.values()), right
    attacked, outcomes = 0, 0
    for number, (name, what, change) in enumerate(todo, 1):
        if number % parts != part:
            continue
        attacked += 1
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / base.name
            shutil.copytree(base / subject, root / subject)
            (root / subject).with_name("good").symlink_to(good)  # one that no other may take out of a list
            change(root / subject)
            for reader, function in readers.items():
                outcomes += 1
                kind, text, told = read(function, (root / subject).parent, root / subject)
                if (kind, text) == right[reader][:2] and not told:
                    continue
                kind = "other" if kind == "value" else kind
                print(json.dumps([name, what, reader, kind, text, told]), file=file, flush=True)
    print(json.dumps(["counts", attacked, outcomes]), file=file, flush=True)


def run(base, subject, kind, flips, part, parts, path):
    """Attack what is in a folder, once in a process: it keeps its limits.

    Args:
        base: The folder.
        subject: What of it: "run", "copies/run", "audit" or "embedded".
        kind: "damage", or "crafted" files.
        flips: Bytes of a file that are flipped.
        part: Take every case whose number leaves this rest.
        parts: Divided by this.
        path: File of the lines.
    """
    other = base / "other" if subject == "run" else None
    todo = list(crafted() if kind == "crafted" else cases(base / subject, other, flips, seed=0))
    readers = {"audit": AUDIT_READERS, "embedded": EMBEDDED_READERS}.get(subject, READERS)

    def hang(number, frame):
        raise Hang

    signal.signal(signal.SIGALRM, hang)
    for reader in readers.values():  # so that all is imported and every thread is there before memory is counted
        reader(base, base / subject)
    there = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) << 10
    resource.setrlimit(resource.RLIMIT_DATA, (there + MEMORY, -1))
    with open(path, "w") as file:
        attack(base, subject, readers, todo, part, parts, file)
