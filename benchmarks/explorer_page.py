"""The explorer in JupyterLab and a headless chromium: first picture, changes of epoch, re-dilution, memory.

A browser that draws WebGL in software, on the same cores as the kernel, is the slowest that there is: with a graphics
card the page takes a fraction. Needs chromium and playwright, as tests/browser does.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "browser")]

import lab  # noqa: E402
from synthetic_run import synthetic_run  # noqa: E402

PREPARE = f"import sys, time; sys.path.append({str(HERE)!r})"
PREPARE += "\nimport lend\nfrom synthetic_run import image\nrun = lend.Run.open('run')"
CALL = "start = time.time(); from lend.explorer import explore; explorer = explore(run, images=image); explorer"
MEMORY = "int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]) / 1e6"
SHOW = (
    "(lambda start: [setattr(explorer, 'epoch', {epoch}), time.perf_counter() - start, 'of the kernel'])"
    "(time.perf_counter())[1]"
)


def measure(n, epochs):
    with tempfile.TemporaryDirectory() as folder, lab.browser() as chrome:
        folder = Path(folder)
        synthetic_run(folder, n).path.rename(folder / "run")
        with lab.jupyter_lab(folder) as running:
            page, errors = lab.open_notebook(chrome, running, running.write("a.ipynb", PREPARE, CALL))
            lab.wait_for_maps(page, 4)
            drawn = time.time()
            kernel = running.kernel("a.ipynb")
            print(f"{n:,} points, 4 maps: first picture {drawn - kernel.value('start'):.2f} s after the call")
            inside, whole = zip(*(change(page, kernel, epoch) for epoch in epochs), strict=True)
            print(f"change of epoch: kernel {told(inside)}, until the page stands still {told(whole)}")
            print("  (the page moves the points for 0.45 s of it)")
            seconds = kernel.value("explorer.inspection.redilute(k=10).seconds")
            again = kernel.value("explorer.inspection.redilute(k=12).seconds")
            print(f"re-dilution of 10,000 points: {seconds:.2f} s, {again:.2f} s")
            print(f"memory of the kernel, most: {kernel.value(MEMORY):.2f} GB")
            print(f"errors of the page: {errors or 'none'}")
            kernel.close()


def change(page, kernel, epoch):
    """Seconds in the kernel, and from the change until the page stands still."""
    start = time.perf_counter()
    inside = kernel.value(SHOW.format(epoch=epoch))
    page.wait_for_function(
        "(note) => document.querySelector('.lend-explorer').innerText.includes(note)", arg=f"epoch {epoch}:"
    )
    lab.wait_for_maps(page, 4)
    return inside, time.perf_counter() - start


def told(seconds):
    return f"{statistics.median(seconds):.2f} s (most {max(seconds):.2f} s)"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=50_000, help="points")
    args = parser.parse_args()
    problem = lab.missing()
    sys.exit(problem) if problem else measure(args.n, (4, 8, 10, 12, 18, 20, 16, 5))
