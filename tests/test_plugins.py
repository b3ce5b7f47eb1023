"""Own code by its place: named, digested without running it, loaded, called."""

import dataclasses
import hashlib
import importlib
import pickle
import subprocess
import sys

import pytest

from lend.inputs import plugins


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory; what is imported in a test is forgotten after it."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    plugins.loading._seen.clear()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("mine.py:Net", True),
        ("a/b c/mine.py:net", True),
        (r"C:\x.py:Net", True),
        ("~/mine.py:Net", True),
        ("package.module:Net", True),
        ("module:Net", True),
        ("mine.py", False),
        ("mine.py:", False),
        ("mine.py:a.b", False),
        ("mine.py:2", False),
        (":Net", False),
        ("a-b:Net", False),
        (r"C:\data", False),
        ("resnet18", False),
    ],
)
def test_what_names_own_code(text, own):
    assert plugins.names_code(text) == own


def test_the_digest_is_that_of_the_bytes_and_runs_nothing(here):
    body = "import sys\nsys.modules['ran'] = 1\nraise SystemExit(3)\n"
    file = write(here / "mine.py", body)
    write(here / "package" / "__init__.py", "import sys\nsys.modules['ran'] = 2\n")
    write(here / "package" / "sub" / "mine.py", body)  # of a namespace package inside
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    assert plugins.source_digest("mine.py:Net") == expected == plugins.source_digest(f"{file}:Net")
    assert plugins.source_digest("mine:Net") == expected == plugins.source_digest("package.sub.mine:Net")
    assert not {"ran", "package", "package.sub", "mine"} & set(sys.modules)


def test_nested_namespace_packages(here):
    write(here / "outer" / "inner" / "mine.py", "Net = dict\n")
    assert plugins.source_digest("outer.inner.mine:Net") and plugins.load("outer.inner.mine:Net") is dict
    assert str(here) not in sys.path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none.py:Net", r"none.py:Net: there is no file .*none.py"),
        (r"C:\x.py:Net", r"C:\\x.py:Net: there is no file"),
        ("~/none.py:Net", "~/none.py:Net: there is no file /.*none.py"),
        ("folder.py:Net", "there is no file"),
        ("nowhere.at.all:Net", "there is no module 'nowhere.at.all'"),
        ("sys:path", "module 'sys' has no source file"),
        ("mine.py", "written as file.py:NAME or package.module:NAME"),
    ],
)
def test_places_without_code(here, text, message):
    (here / "folder.py").mkdir()
    for function in (plugins.source_digest, plugins.load):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            function(text)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x = 1\n\nraise RuntimeError('two\\nlines')\n", "mine.py: line 3: RuntimeError: two lines"),
        ("def broken(:\n", "mine.py: line 1: SyntaxError: "),
        ("\nimport nowhere_at_all\n", "mine.py: line 2: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("import sys\nsys.exit()\n", "mine.py: line 2: SystemExit"),
        (
            "from lend.inputs import plugins\nplugins.load('mine.py:Net')\n",
            "mine.py asks for itself while it is loaded: .*__main__",
        ),
        ("class Other: ...\n_x = print\n", "mine.py:Net: mine.py has no 'Net'; it has Other"),
    ],
)
def test_files_that_cannot_be_loaded(here, body, message):
    write(here / "mine.py", body)
    before = set(sys.modules)
    with pytest.raises(ValueError, match=message):
        plugins.load("mine.py:Net")
    left = {name for name in set(sys.modules) - before if name.startswith(plugins.loading.PRIVATE)}
    assert len(left) == ("no 'Net'" in message)  # a module that was loaded stays, one that failed does not


def test_a_file_is_a_module_of_its_own(here):
    body = "from dataclasses import dataclass\nimport helper_of_mine\n@dataclass\nclass Net:\n    depth: int = {}\n"
    write(here / "one" / "mine.py", body.format(1))
    write(here / "one" / "helper_of_mine.py", "")
    write(here / "two" / "mine.py", body.format(2))
    one, two = plugins.load("one/mine.py:Net"), plugins.load("two/mine.py:Net")
    assert (one().depth, two().depth) == (1, 2) and one is plugins.load("one/mine.py:Net")
    assert pickle.loads(pickle.dumps(one(5))) == one(5) and dataclasses.is_dataclass(two)
    assert "mine" not in sys.modules and str(here / "one") not in sys.path
    assert plugins.spelled(one) == "one/mine.py:Net"


def test_a_changed_file_is_told(here):
    file = write(here / "mine.py", "Net = 1\n")
    digest = plugins.source_digest("mine.py:Net")
    assert plugins.load("mine.py:Net", digest) == 1
    write(file, "Net = 2\n")
    with pytest.raises(ValueError, match="mine.py:Net: mine.py is not the file .*; it has changed since"):
        plugins.load("mine.py:Net", digest)
    assert plugins.load("mine.py:Net", plugins.source_digest("mine.py:Net")) == 2


def test_a_module_that_changed_after_its_import_is_told(here, monkeypatch):
    """Python would go on with the old one, under the digest of the new one."""
    monkeypatch.syspath_prepend(here)
    file = write(here / "mine_changes.py", "def net(): return 1\n")
    net = plugins.load("mine_changes:net", plugins.source_digest("mine_changes:net"))
    assert net() == 1 and plugins.spelled(net) == "mine_changes:net"
    write(file, "def net(): return 20\n")
    with pytest.raises(ValueError, match="mine_changes.py has changed since it was imported here; start Python again"):
        plugins.load("mine_changes:net", plugins.source_digest("mine_changes:net"))
    importlib.reload(sys.modules["mine_changes"])
    assert plugins.load("mine_changes:net", plugins.source_digest("mine_changes:net"))() == 20


def test_arguments_go_by_name_as_far_as_they_are_wanted():
    offered = {"channels": 3, "num_classes": 10}
    assert plugins.call("f", lambda: 1, offered) == 1
    assert plugins.call("f", lambda num_classes: num_classes, offered) == 10
    assert plugins.call("f", lambda num_classes, depth=2, **rest: (num_classes, depth, rest), offered, {"x": 1}) == (
        10,
        2,
        {"x": 1},
    )
    assert plugins.call("f", lambda *all, channels: channels, offered, {"channels": 1}) == 1
    with pytest.raises(ValueError, match="f: asks for 'depth'; it can have channels, num_classes and its options"):
        plugins.call("f", lambda depth: depth, offered)
    with pytest.raises(ValueError, match="f: unknown option 'x'; it takes depth"):
        plugins.call("f", lambda depth=1: depth, offered, {"x": 1})
    with pytest.raises(ValueError, match="f: must be a function or a class, got 5"):
        plugins.call("f", 5, offered)


def test_a_call_that_raises_is_told_with_its_line(here):
    write(here / "mine.py", "def net(channels):\n    x = channels\n    return x / 0\n")
    with pytest.raises(ValueError, match="mine.py:net: line 3: ZeroDivisionError: division by zero"):
        plugins.call("mine.py:net", plugins.load("mine.py:net"), {"channels": 1})


def test_classes_and_functions_become_text():
    assert plugins.spelled(plugins.load) == "lend.inputs.plugins.loading:load"
    with pytest.raises(ValueError, match="cannot be found by its name: define it at the top level of a file"):
        plugins.spelled(lambda: 1)
    with pytest.raises(ValueError, match="own code must be a class or a function"):
        plugins.spelled(type("Callable", (), {"__call__": lambda self: 1, "__module__": None})())


def test_what_a_script_defines_is_found_in_its_file(here):
    write(here / "sub" / "script.py", "from lend.inputs import plugins\nclass Net: ...\nprint(plugins.spelled(Net))\n")
    shown = subprocess.run([sys.executable, "sub/script.py"], capture_output=True, text=True, check=True)
    assert shown.stdout == "sub/script.py:Net\n"


def test_what_a_console_defines_is_found_in_no_file(here):
    code = "from lend.inputs import plugins\nclass Net: ...\nplugins.spelled(Net)\n"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "defined in a notebook or console" in shown.stderr and "%%writefile mine.py" in shown.stderr
