"""Which room may import which: the code is held to the table of docs/explanation/house.md."""

import ast
import re
from pathlib import Path

import lend

ROOT = Path(lend.__file__).parent
HOUSE = ROOT.parent / "docs" / "explanation" / "house.md"
ROOMS = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")}
OUTSIDE = {"__init__", "__main__"}  # the face of the whole, and the way in from the command line
TRAINING_WING = {"methods", "training"}
ANALYSIS_WING = {
    "analysis",
    "auditing",
    "dilution",
    "explorer",
    "neighbors",
    "paper",
    "plots",
    "run",
}


def table():
    """Room -> (floor, rooms that it may import), from the Markdown table."""
    rows = re.findall(r"^\| (\d) \| `(\w+)` \| (.*?) \|", HOUSE.read_text(), re.MULTILINE)
    return {room: (int(floor), set(re.findall(r"`(\w+)`", allowed))) for floor, room, allowed in rows}


def imports(path):
    """Modules of lend that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "lend":
            inner = node.module.split(".")[1:]
            yield from [inner] if inner else [[alias.name] for alias in node.names]


def rooms_used(room):
    files = [ROOT / f"{room}.py"] if (ROOT / f"{room}.py").exists() else sorted((ROOT / room).rglob("*.py"))
    return {used[0] for path in files for used in imports(path) if used[0] in ROOMS} - {room}


def test_the_table_names_every_room():
    assert set(table()) == ROOMS - OUTSIDE


def test_every_room_of_public_names_is_an_attribute_of_lend():
    assert ROOMS - OUTSIDE - {"cli", "integrations"} <= set(lend.__all__)


def test_rooms_import_what_the_table_says():
    assert {room: rooms_used(room) for room in table()} == {room: allowed for room, (_, allowed) in table().items()}


def test_no_room_imports_from_its_own_floor_or_above():
    floors = {room: floor for room, (floor, _) in table().items()}
    assert [
        (room, used) for room, (floor, allowed) in table().items() for used in allowed if floors[used] >= floor
    ] == []


def test_the_analysis_wing_stands_alone():
    """A figure can be drawn again where nothing can be trained."""
    reached, waiting = set(), list(ANALYSIS_WING)
    while waiting:
        for used in rooms_used(waiting.pop()) - reached:
            reached.add(used)
            waiting.append(used)
    assert reached & TRAINING_WING == set()


def test_a_room_is_entered_by_its_face():
    """Between rooms, names come from the package; inside a room, from the file that defines them."""
    inside = [
        (str(path.relative_to(ROOT)), ".".join(used))
        for path in ROOT.rglob("*.py")
        for used in imports(path)
        if len(used) > 1 and used[0] != path.relative_to(ROOT).parts[0] and path.name != "__main__.py"
    ]
    assert inside == []
