"""Pictures of the explorer for the README: the whole page, an example pointed at, a selection with its histories.

python tests/browser/screenshots.py RUN FOLDER [DATASET]

DATASET, such as parquet:PATH, is where the images are if not in the run's own.
"""

import io
import sys
import tempfile
from pathlib import Path

import lab
from PIL import Image

CELLS = (
    "import os\nos.chdir({work!r})\nimport lend\nimages = {dataset!r} and lend.data.load({dataset!r}).train_images",
    "explorer = lend.explore({run!r}, images=images)\nexplorer.epoch = {epoch}\nexplorer",
)
WHERE = "[...document.querySelectorAll('.lend-view div')].map((div) => div.api).filter((api) => api?.draw)[2]"


def shot(page, path):
    """The explorer alone, in 256 colours."""
    lab.wait_for_maps(page, 4)
    lab.frames(page, 10)
    picture = Image.open(io.BytesIO(page.locator(".lend-explorer").first.screenshot())).convert("RGB")
    small = picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    print(path, f"{path.stat().st_size / 1000:.0f} KB", picture.size)


def point_at(page, kernel, position):
    """Move the pointer to a point of the third map, and wait for its example."""
    place = page.evaluate(
        f"(i) => {{ const box = {WHERE}.get('canvas').getBoundingClientRect();"
        f" const [x, y] = {WHERE}.getScreenPosition(i); return [box.x + x, box.y + y]; }}",
        position,
    )
    page.mouse.move(place[0] - 4, place[1] - 4)
    page.mouse.move(*place, steps=3)
    page.wait_for_selector(".lend-example img.lend-big")


def main(run, folder, dataset=None, early=10, late=20):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, lab.jupyter_lab(Path(place)) as running, lab.browser() as chrome:
        cells = [cell.format(work=str(Path.cwd()), run=str(run), dataset=dataset, epoch=early) for cell in CELLS]
        page, errors = lab.open_notebook(chrome, running, running.write("a.ipynb", *cells), (1360, 1500))
        lab.wait_for_maps(page, 4)
        kernel = running.kernel("a.ipynb")
        wrong = "explorer.inspection.positions_of(explorer.inspection.filtered('mislabelled', 'cat'))"
        point_at(page, kernel, kernel.value(f"int({wrong}[7])"))
        page.mouse.move(5, 5)
        page.get_by_text("Dilute", exact=True).click()
        kernel.run("explorer.colorings = ('true', 'noisy', 'diluted', 'score')")
        shot(page, folder / "whole.png")
        page.get_by_text("Select", exact=True).first.click()
        kernel.run("explorer.colorings = ('true', 'predicted', 'noisy', 'diluted')")
        point_at(page, kernel, kernel.value(f"int({wrong}[11])"))
        shot(page, folder / "hover.png")
        kernel.run(f"explorer.epoch = {late}")
        kernel.run("found = explorer.inspection.filtered('learned then forgotten')")
        kernel.run("explorer.selection = found[:: max(len(found) // 12, 1)][:12]")
        page.wait_for_selector(".lend-history img")
        point_at(page, kernel, kernel.value("int(explorer.inspection.positions_of(explorer.selection)[4])"))
        shot(page, folder / "selection.png")
        kernel.close()
        print(f"errors of the page: {errors or 'none'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
