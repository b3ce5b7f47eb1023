"""Every notebook, executed by the main job on tiny runs; and what is committed is clean."""

import json
import re
from pathlib import Path

import nbformat
import pytest

import lend
from lend.cli import book
from lend.paper import experiments

TRAINS = "bring_your_own"  # the one that shows code of one's own, and trains
NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore")  # papermill, nbclient and ipykernel warn of their own matters
def test_the_main_job_on_tiny_runs(tmp_path, monkeypatch):
    """Those notebooks that make their own data and runs make fewer of them here."""
    execute, few = book._execute_all, {"snapshots": [2], "photographs": 300}
    monkeypatch.setattr(book, "_execute_all", lambda s, t, parameters, w: execute(s, t, parameters | few, w))
    runs, pictures = str(tmp_path / "runs"), tmp_path / "figures"
    executed = book.make("tiny", runs=runs, figures=str(pictures))
    assert [path.name for path in executed] == [path.name for path in NOTEBOOKS]
    for path in executed:
        notebook = nbformat.read(path, as_version=4)
        assert not [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type == "error"]
        assert '"image/png"' in path.read_text()
    names = {path.stem for path in (pictures / "tiny").glob("*.pdf")}
    assert names and all(
        (pictures / "tiny" / f"{name}{end}").stat().st_size > 100 for name in names for end in (".png", ".csv")
    )
    before = {path: path.stat().st_mtime_ns for path in Path(runs).rglob("*")}
    monkeypatch.setattr(book, "_execute_all", lambda sources, *_: sources)
    assert len(book.make("tiny", runs=runs, figures=str(pictures))) == len(NOTEBOOKS)  # nothing is left to be trained
    assert {path: path.stat().st_mtime_ns for path in Path(runs).rglob("*")} == before
    assert len(lend.runs(runs)) == 4


@pytest.mark.filterwarnings("ignore")
def test_a_notebook_that_fails_is_one_error_and_stays_readable(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('before')\nopen('/no/such/file')")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "odd.ipynb")
    (tmp_path / "out").mkdir()
    with pytest.raises(ChildProcessError, match=r"out/odd\.ipynb failed: FileNotFoundError: .*/no/such/file"):
        book._execute(tmp_path / "odd.ipynb", tmp_path / "out", {})
    assert "before" in (tmp_path / "out" / "odd.ipynb").read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_which_figures_of_a_profile_it_shows(path):
    """What `lend figures --only` trains: no more and no less than the runs that the code asks for."""
    cells = nbformat.read(path, as_version=4).cells
    names = set(re.findall(r'"(\w+)"', "\n".join(cell.source for cell in cells if cell.cell_type == "code")))
    assert set(book.shown_by(path)) == names & set(experiments.FIGURES)


def test_one_notebook_trains_its_runs_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "_execute_all", lambda sources, *_: sources)
    (path,) = book.make("tiny", runs=str(tmp_path / "runs"), figures=str(tmp_path / "figures"), only="tsne_snapshots")
    assert path.stem == "tsne_snapshots"
    (run,) = lend.runs(tmp_path / "runs")
    assert len(experiments.plan_all("tiny")) > 1 and run.config.method == "standard"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_notebooks_are_executed_and_clean(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "executed top to bottom"
    code_of_ours = [cell for cell in code if not cell.source.startswith("%%writefile")]  # it says where it writes
    outputs = [output for cell in code_of_ours for output in cell.outputs]
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    lines = [line for cell in code for line in cell.source.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) < (110 if path.stem == TRAINS else 60)
    assert [cell.metadata.get("tags") for cell in code].count(["parameters"]) == 1
    source = "\n".join(cell.source for cell in code)
    own = ("def ", "lend.train") if path.stem != TRAINS else ()
    for word in (*own, "download", "sys.path", '"/', "'/"):
        assert word not in source
    assert path.stat().st_size < 500_000
    assert "/home/" not in json.dumps(outputs) and "Traceback" not in json.dumps(outputs)
