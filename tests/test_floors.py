"""The house: modules import only from the floors below, and the analysis wing never from the training wing."""

import ast
from pathlib import Path

import lend

ROOT = Path(lend.__file__).parent
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}
del FILES["__init__"]
FLOORS = [
    {"allocator", "analysis.shares", "config", "published", "topk", "transition"}
    | {"noise.checks", "noise.maps", "tables.leads", "tables.markup"}
    | {"data.files", "data.names"}
    | {f"explorer.{name}" for name in ("events", "pace", "places", "recent")}
    | {f"plots.{name}" for name in ("colours", "epochs", "marks", "notes", "style")},
    {"storage", "neighbors", "images", "networks", "parallel", "rgb"}
    | {"data.dataset", "data.decoding", "data.human"}
    | {f"noise.{name}" for name in ("matrices", "drawing", "realised", "instance")}
    | {"explorer.chronicle", "explorer.redilution"}
    | {f"plots.{name}" for name in ("accuracy", "choices", "label_curves", "maps", "matrices", "memorisation")}
    | {f"plots.{name}" for name in ("settings", "steps", "toy", "trials")},
    {"rows", "patches", "data.assembling", "noise.named"},
    {"clusters", "indexes", "noise"} | {f"data.{name}" for name in ("cifar", "digits", "folders", "npz", "parquet")},
    {"graphs", "data.animal10n"},
    {"data.loading", "auditing.inputs"},
    {"data"},
    {"experiments", "run", "projection", "dilution", "source", "explorer.corrections"},
    {"methods", "shards", "maps", "plots", "tracking", "writing", "estimator", "leaveoneout", "traces"}
    | {f"analysis.{name}" for name in ("curves", "plane", "snapshots", "steps", "words")}
    | {f"explorer.{name}" for name in ("pixels", "rediluting", "mapped")}
    | {"auditing.scores", "tables.lines", "tables.plans"},
    {"analysis.matrices"},
    {"analysis"},
    {"plots.audit", "compacting", "memorisation", "explorer.inspection", "explorer.thumbnails"}
    | {"auditing.tables", "auditing.votes", "tables.cells", "tables.protocol"},
    {"auditing.result", "explorer.palettes", "explorer.panels", "tables.comparison"},
    {"saving", "trainer", "auditing.detection", "explorer.pictures", "explorer.words", "tables.paper"},
    {"auditing.files", "explorer.animation", "explorer.views", "explorer.notice", "tables"},
    {"auditing", "explorer.page"},
    {"explorer.app"},
    {"explorer"},
    {"training"},
    {"executors"},
    {"sweeps"},
    {"figures"},
    {"__main__"},
]
TRAINING_WING = {"methods", "training", "trainer", "source", "networks", "images", "saving", "executors", "sweeps"}
ANALYSIS_WING = {
    "compacting",
    "estimator",
    "leaveoneout",
    "maps",
    "memorisation",
    "projection",
    "traces",
    "transition",
    *(name for name in FILES if name.startswith(("analysis", "auditing", "explorer", "plots", "tables"))),
}


def imports(path):
    """Modules of lend that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "lend":
            inner = node.module.removeprefix("lend").removeprefix(".")
            names = [f"{inner}.{alias.name}".removeprefix(".") for alias in node.names]
            yield from [name for name in names if name in FILES] or [inner] * bool(inner)


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
