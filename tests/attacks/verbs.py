"""Everything that writes, as a table: what each verb needs, what it does in a folder, and a digest of what it left."""

import hashlib
import pickle
import shutil
import warnings
from contextlib import ExitStack
from unittest import mock

import numpy as np
import pandas as pd

import lend
from lend import plots
from lend.__main__ import main
from lend.analysis import make_maps
from lend.embedding import read_embeddings
from lend.run import Run, compact, writing
from lend.storage import is_temporary
from lend.training import RunsFailedError, sweep, train

SETTINGS = {
    "train_size": 120, "epochs": 3, "batch_size": 60, "width": 8, "snapshots": (1, 3), "noise": "asymmetric",
    "dilution": lend.Dilution(k=5), "device": "cpu",
}  # fmt: skip
LABELS = np.repeat(["a", "b", "c"], 20)
EMBEDDINGS = np.random.default_rng(0).standard_normal((60, 5)) + 3 * (LABELS[:, None] == "b")


def do_train(folder):
    train(lend.RunConfig(runs=str(folder / "runs"), **SETTINGS), progress=False)


def do_sweep(folder, workers=0):
    """Three short runs, one of them with a second network; in this process, if no workers are asked for."""
    settings = SETTINGS | {"epochs": 2, "snapshots": (2,), "runs": str(folder / "runs")}
    of_each = ({"seed": 0}, {"seed": 1}, {"method": "coteaching"})
    configs = [lend.RunConfig(**settings | further) for further in of_each]
    failures = sweep(configs, workers=workers, progress=False)
    if failures:
        raise RunsFailedError(failures, len(configs))


def do_tsne(folder):
    make_maps(Run.open(folder / "run"), points=60, progress=False)


def do_compact(folder):
    if not list((folder / "copies").glob("[!.]*")):  # a copy that is there is never made again
        compact(Run.open(folder / "run"), folder / "copies", features=8)


def do_audit(folder):
    found = lend.audit(EMBEDDINGS, LABELS)
    found.save(folder / "audit")
    found.patch(folder / "patch.csv")


def do_audit_files(folder):
    """The verb itself, with all that it writes."""
    files = [folder / name for name in ("embeddings.npy", "labels.npy")]
    written = {"--out": "issues.csv", "--patch": "patch.csv", "--plot": "plot.pdf"}
    options = [word for option, name in written.items() for word in (option, str(folder / name))]
    return main(["audit", *map(str, files), *options])


def do_figures(folder):
    """What the notebooks of `lend figures` write: pictures and their numbers, and a table in three formats."""
    numbers = pd.DataFrame({"epoch": [1, 2], "accuracy": [0.5, 0.75]}).set_index("epoch")
    plots.save(plots.transition_matrices({"a": np.eye(3)}, {"a": ["x", "y", "z"]}), "figure", folder / "book", numbers)
    cell = {"row": "lend", "column": "digits", "measure": "last", "mean": 0.5, "std": 0.1, "n": 3}
    lend.tables.Comparison(pd.DataFrame([cell])).save("table1", folder / "book")


def do_report(folder):
    lend.audit(EMBEDDINGS, LABELS, progress=False).report(folder / "report.html", map=EMBEDDINGS[:, :2])


def do_apply(folder):
    """To class folders and to a table."""
    both = (("files.csv", "photos", "cleaned"), ("rows.csv", "table.csv", "clean.csv"))
    codes = (
        main(["apply", str(folder / "wrong" / corrections), "--to", str(folder / data), "--out", str(folder / out)])
        for corrections, data, out in both
    )
    return next(filter(None, codes), 0)


def in_parts(rows=20):
    """Embeddings are kept in parts of so few rows that a small table has several."""
    patches = ExitStack()
    for module in ("parts", "running", "writing"):
        patches.enter_context(mock.patch(f"lend.embedding.{module}.ROWS", rows))
    return patches


def do_embed(folder):
    """To a table and to a zarr group; a text without words is left out."""
    columns = ("--text", "text", "--label", "label")
    with in_parts(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*left out 1 of")
        codes = (
            main(["embed", str(folder / "texts.csv"), *columns, "--out", str(folder / "embedded" / out)])
            for out in ("texts.parquet", "texts.zarr")
        )
        return next(filter(None, codes), 0)


def do_clean(folder):
    with in_parts(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*left out 1 of")
        columns = ("--text", "text", "--label", "label")
        return main(["clean", str(folder / "texts.csv"), *columns, "--out", str(folder / "cleaning")])


VERBS = {
    "train": do_train, "sweep": do_sweep, "tsne": do_tsne, "compact": do_compact, "audit": do_audit,
    "audit files": do_audit_files, "figures": do_figures, "report": do_report, "apply": do_apply,
    "embed": do_embed, "clean": do_clean,
}  # fmt: skip


def prepare(folder, run):
    """Put what the verbs work on into a folder: a run, embeddings and labels, and data with corrections."""
    shutil.copytree(run, folder / "run")
    np.save(folder / "embeddings.npy", EMBEDDINGS)
    np.save(folder / "labels.npy", LABELS)
    for name in ("cat/1", "cat/2", "dog/1"):
        (folder / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "photos" / name).write_text(f"{name} " * 500)
    (folder / "table.csv").write_text("label\n" + "cat\ndog\n" * 300)
    stories = [f"{word} story {number % 5},{word}" for number in range(25) for word in ("cat", "dog")]
    (folder / "texts.csv").write_text("\n".join(["text,label", *stories, ",cat", "cat story,dog"]) + "\n")
    (folder / "wrong").mkdir()
    for name, sample_id in (("files", "cat/1"), ("rows", "0")):
        (folder / "wrong" / f"{name}.csv").write_text(f"sample_id,given_label,suggested_label\n{sample_id},cat,dog\n")


def result(folder):
    """A digest of everything that the verbs left, without what depends on the clock."""
    found = {}
    for run in [folder / "run", *sorted(folder.glob("runs/*")), *folder.glob("copies/*")]:
        if (run / "config.json").exists():
            run = Run.open(run)
            numbers = run.history.drop(columns="seconds").to_numpy()
            labels = [run.epoch_labels(epoch) for epoch in run.history.index]
            parts = [run.snapshot(epoch)[name].values for epoch in run.epochs for name in ("embeddings", "diluted")]
            maps = [run.map(epoch) for epoch in run.epochs if run.map_path(epoch, "aligned").exists()]
            done, state = (0, None) if run.compact or run.recorded else writing.restore(run)
            found[str(run.path.relative_to(folder))] = [numbers.tobytes(), labels, parts, maps, done, run.check()]
            weights = [] if state is None or "networks" not in state else state["networks"].values()
            found["weights", run.path.name] = [value.numpy().tobytes() for value in weights]
    for path in folder.glob("**/audit.json"):
        audit = lend.Audit.load(path.parent)
        found[str(path.relative_to(folder))] = [audit.issues.to_csv(), audit.distributions.tobytes()]
    for path in sorted([*folder.glob("*.csv"), *folder.glob("book/*"), *folder.glob("*/*.csv")]):
        found[str(path.relative_to(folder))] = path.read_bytes()
    for path in sorted(folder.glob("cleaned/*/*")):
        found[str(path.relative_to(folder))] = path.read_bytes()
    for path in sorted([*folder.glob("embedded/texts.*[tr]"), *folder.glob("cleaning/*.parquet")]):
        table = read_embeddings(path)
        parts = [table.embeddings.tobytes(), table.ids.tolist(), table.labels.tolist(), table.texts]
        found[str(path.relative_to(folder))] = [parts, table.about["model"], list_of(path.parent)]
    for path in folder.glob("**/*.html"):  # it says when it was written
        found[path.name] = path.read_text().partition("<dt><bdi>written")[0]
    for path in folder.glob("*.pdf"):  # it carries the date
        found[path.name] = (path.read_bytes()[:5], path.stat().st_size)
    return hashlib.sha256(pickle.dumps({str(name): pickle.dumps(part) for name, part in found.items()})).hexdigest()


def list_of(folder):
    """Every file and folder in it, parts that are left over among them."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def temporaries(folder):
    """Temporary files that a writer left; maps that wait for the next call are none."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*") if is_temporary(path.name))
