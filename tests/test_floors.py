"""The house: modules import only from the floors below, and the analysis wing never from the training wing."""

import ast
from pathlib import Path

import lend

FLOORS = [
    {"allocator", "config", "published", "topk", "transition"},
    {"storage", "neighbors", "noise", "data", "images", "networks", "parallel"},
    {"rows"},
    {"clusters", "indexes"},
    {"graphs"},
    {"experiments", "run", "projection", "dilution", "source"},
    {"methods", "shards", "maps", "analysis", "plots", "tables", "tracking", "estimator", "leaveoneout", "traces"},
    {"plots_audit"},
    {"auditing"},
    {"trainer"},
    {"training"},
    {"executors"},
    {"sweeps"},
    {"figures"},
    {"__main__"},
]
TRAINING_WING = {"methods", "training", "trainer", "source", "networks", "images", "executors", "sweeps"}
ANALYSIS_WING = {
    "analysis",
    "auditing",
    "estimator",
    "leaveoneout",
    "maps",
    "plots",
    "plots_audit",
    "projection",
    "tables",
    "traces",
    "transition",
}
FILES = {path.stem: path for path in Path(lend.__file__).parent.glob("*.py") if path.stem != "__init__"}


def imports(path):
    """Modules of lend that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "lend":
            inner = node.module.split(".")[1:]
            yield from inner or [alias.name for alias in node.names if alias.name in FILES]


def test_every_module_has_a_floor():
    assert set().union(*FLOORS) == set(FILES)


def test_no_upward_import():
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    upward = [(name, used) for name, path in FILES.items() for used in imports(path) if floor[used] >= floor[name]]
    assert upward == []


def test_the_analysis_wing_stands_alone():
    reached, todo = set(), list(ANALYSIS_WING)
    while todo:
        for used in imports(FILES[todo.pop()]):
            if used not in reached:
                reached.add(used)
                todo.append(used)
    assert reached & TRAINING_WING == set()
