"""JupyterLab and a browser, which all browser tests share, since they take seconds to start."""

import shutil

import lab
import pytest

from lend.analysis import make_maps
from lend.run import Run

SCREEN = 700  # pixels: the largest map fits, and drawing in software takes a third of the time


@pytest.fixture(scope="session")
def jupyter(request, tmp_path_factory):
    """JupyterLab in a folder with two runs, with maps and without; the runs are made while it starts."""
    with lab.jupyter_lab(tmp_path_factory.mktemp("lab")) as running:
        saved = request.getfixturevalue("saved")
        for name in ("mapped", "unmapped"):
            shutil.copytree(saved.path, running.folder / name, ignore=shutil.ignore_patterns("maps"))
        make_maps(Run.open(running.folder / "mapped"), progress=False)
        yield running


@pytest.fixture(scope="session")
def chrome():
    with lab.browser() as browser:
        yield browser


class Opened:
    """A notebook in the browser: its page, a client of its kernel, and the errors of the page."""

    def __init__(self, chrome, jupyter, name):
        self.page, self.errors = lab.open_notebook(chrome, jupyter, name, screen=SCREEN)
        self.kernel = jupyter.kernel(name)

    def close(self):
        self.kernel.close()
        self.page.close()


@pytest.fixture(scope="session")
def opens(chrome, jupyter):
    """Write cells into a notebook, open it and run it."""
    opened = []

    def make(name, *cells):
        opened.append(Opened(chrome, jupyter, jupyter.write(name, *cells)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
