"""JupyterLab on loopback and a headless chromium before it: what browser tests and the page benchmark share."""

from __future__ import annotations

import ast
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

INSTALL = "install it with: apt-get install chromium; pip install 'lend[browser]'"
SECONDS = 90  # for anything that should happen in the page: the machine may be busy
# WebGL in software, since a test machine has no graphics card
CHROMIUM_OPTIONS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
# Of JupyterLab itself, on a machine without network: not about our page
HARMLESS = ("ERR_INTERNET_DISCONNECTED", "ERR_NAME_NOT_RESOLVED", "favicon")


def chromium() -> str | None:
    """Path of the browser, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def missing() -> str:
    """What keeps the browser tests from running, in words; empty if nothing does."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return f"playwright is missing; {INSTALL}"
    return "" if chromium() else f"chromium is missing; {INSTALL}"


@contextmanager
def jupyter_lab(folder: Path) -> Iterator[Lab]:
    """A JupyterLab that serves the folder on a free port of loopback, with settings and kernels of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    home = folder / ".jupyter-test"
    places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}
    options = {
        "--ServerApp.port": port,
        "--ServerApp.port_retries": 0,
        "--ServerApp.ip": "127.0.0.1",
        "--IdentityProvider.token": token,
        "--ServerApp.root_dir": folder,
        "--LabApp.expose_app_in_browser": True,
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        *(f"{name}={value}" for name, value in options.items()),
    ]
    if os.getuid() == 0:
        command.append("--allow-root")
    notification = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notification.parent.mkdir(parents=True)
    notification.write_text('{"fetchNews": "false", "checkForUpdates": false}')  # no question over the page
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=os.environ | places, cwd=folder)
        try:
            url, runtime = f"http://127.0.0.1:{port}", Path(places["JUPYTER_RUNTIME_DIR"])
            yield Lab(url, token, folder, runtime, process, home / "log")
        finally:
            process.terminate()  # takes its kernels with it
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Lab:
    """A JupyterLab that was started; it answers some seconds later."""

    def __init__(self, url: str, token: str, folder: Path, runtime: Path, process: subprocess.Popen, log: Path) -> None:
        self.url, self.token, self.folder, self.runtime = url, token, folder, runtime
        self.process, self.log = process, log

    def wait(self) -> None:
        """Until it answers."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.get("api/status")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-3000:]}")

    def get(self, path: str) -> object:
        request = urllib.request.Request(f"{self.url}/{path}", headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def write(self, name: str, *cells: str) -> str:
        """A notebook of these code cells; its name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)
        return name

    def kernel(self, name: str) -> Kernel:
        """The kernel of an open notebook; close it after use."""
        (session,) = [one for one in self.get("api/sessions") if one["path"] == name]
        return Kernel(self.runtime / f"kernel-{session['kernel']['id']}.json")


class Kernel:
    """A second client of a notebook's kernel: what the page did can be asked of Python."""

    def __init__(self, connection: Path) -> None:
        from jupyter_client import BlockingKernelClient

        self.client = BlockingKernelClient(connection_file=str(connection))
        self.client.load_connection_file()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def value(self, expression: str) -> object:
        """Of an expression whose value can be written as JSON."""
        answer = self.client.execute(
            "import json as _json",
            user_expressions={"value": f"_json.dumps({expression})"},
            reply=True,
            timeout=SECONDS,
        )["content"]["user_expressions"]["value"]
        if answer["status"] != "ok":
            raise RuntimeError(f"{expression}: {answer['ename']}: {answer['evalue']}")
        text = answer["data"]["text/plain"]  # the repr of a string of JSON
        return json.loads(ast.literal_eval(text))

    def run(self, code: str) -> None:
        """Execute code, as a cell would."""
        answer = self.client.execute(code, reply=True, timeout=SECONDS)["content"]
        if answer["status"] != "ok":
            raise RuntimeError(f"{code}: {answer['ename']}: {answer['evalue']}")

    def until(self, expression: str, value: object) -> object:
        """The value of an expression as soon as it is the one that is waited for, or at last."""
        until(lambda: self.value(expression) == value)
        return self.value(expression)

    def close(self) -> None:
        self.client.stop_channels()


@contextmanager
def browser() -> Iterator[object]:
    """A headless chromium that draws WebGL in software."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_OPTIONS))
        try:
            yield chrome
        finally:
            chrome.close()


def open_notebook(
    chrome: object, lab: Lab, name: str, size: tuple[int, int] = (1300, 1150), screen: int | None = None
) -> tuple[object, list[str]]:
    """Open a notebook and run all of its cells; the page, and a list in which its errors gather.

    Args:
        chrome: From :func:`browser`.
        lab: From :func:`jupyter_lab`.
        name: Of the notebook.
        size: Pixels of the page.
        screen: Side of the screen that the page is told, if not its size: maps are drawn in a square of it.
    """
    lab.wait()
    place = {"width": size[0], "height": size[1]}
    page = chrome.new_page(viewport=place, screen={"width": screen, "height": screen} if screen else place)
    page.set_default_timeout(1000 * SECONDS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"page error: {error}"))
    page.on("console", lambda message: errors.append(message.text) if _is_error(message) else None)
    page.goto(f"{lab.url}/doc/tree/{name}?token={lab.token}")
    page.wait_for_function(
        "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    )
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return page, errors


MAPS = "[...document.querySelectorAll('.lend-view div')].map((div) => div.api).filter((api) => api?.draw)"


def wait_for_maps(page: object, count: int) -> None:
    """Until so many maps are drawn and none moves."""
    still = "map.lendIsStill?.() && map.get('isPointsDrawn')"
    page.wait_for_function(
        f"(count) => {{ const maps = {MAPS}; return maps.length === count && maps.every((map) => {still}); }}",
        arg=count,
    )


def until(condition: Callable[[], bool]) -> bool:
    """Whether a condition held before the time was over; asked again until it does."""
    end = time.monotonic() + SECONDS
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return held


def frames(page: object, count: int = 2) -> None:
    """Until the page has been painted so many times."""
    page.evaluate("async (n) => { for (; n > 0; n--) await new Promise(requestAnimationFrame); }", count)


def _is_error(message: object) -> bool:
    place = message.location.get("url", "") if isinstance(message.location, dict) else ""
    return message.type == "error" and not any(word in message.text + place for word in HARMLESS)
