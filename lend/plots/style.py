"""The style of every figure, and saving. It needs no display and never opens a window.

Figures are as wide as a page of a paper (7 inches), and no text on them is smaller than 7 points.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from lend.inputs import safe_table
from lend.storage import write_bytes, write_text

LOG = logging.getLogger(__name__)
PAGE = 7.0  # inches
SPARSE = 9  # one pixel in so many tells the 256 colours of a picture, in a tenth of the time
STYLE: dict[Any, Any] = {
    "figure.dpi": 120,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # TrueType: journals refuse matplotlib's default, Type 3
    "ps.fonttype": 42,
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "lines.linewidth": 1.4,
    "axes.axisbelow": True,
    "text.usetex": False,  # the names of people are no TeX
    "text.parse_math": True,  # else the escape of a dollar sign would be drawn
}

P = ParamSpec("P")


def styled(build: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a function that builds a figure: it runs in :data:`STYLE`; the caller's settings stay as they are."""

    @wraps(build)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.rc_context(STYLE):
            return build(*args, **kwargs)

    return in_style


class Picture(Figure):
    """A figure that a notebook shows as the value of a cell, with any backend and without pyplot.

    Characters that no font has are named in one line of the log, where matplotlib would warn of each one each time.
    """

    _told = False

    def draw(self, renderer: Any) -> None:  # noqa: ANN401 (that of a PDF is no RendererBase)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            super().draw(renderer)
        missing = [re.match(r"Glyph (\d+) .* missing from", str(warning.message)) for warning in told]
        for found, warning in zip(missing, told, strict=True):
            if found is None:
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        characters = list(dict.fromkeys(chr(int(found[1])) for found in missing if found))
        if characters and not self._told:
            self._told = True
            more = f" and {len(characters) - 10} more" if len(characters) > 10 else ""
            LOG.warning(
                "no font has the characters %s%s, which are drawn as boxes: name a font that has them in "
                "matplotlib.rcParams['font.sans-serif']",
                " ".join(characters[:10]),
                more,
            )

    def _repr_png_(self) -> bytes:
        return png_bytes(self, self.dpi)


def png_bytes(figure: Figure, dpi: float) -> bytes:
    """Return the figure as PNG of 256 colours, which looks the same and has a third of the bytes of a full one.

    Args:
        figure: Any matplotlib figure.
        dpi: Pixels per inch.
    """
    raw, small = BytesIO(), BytesIO()
    figure.savefig(raw, dpi=dpi, format="png", pil_kwargs={"compress_level": 0})
    picture = np.asarray(Image.open(raw).convert("RGB"))
    colours, which = _few_colours(picture.reshape(-1, 3))
    image = Image.fromarray(which.reshape(picture.shape[:2]), "P")
    image.putpalette(colours.tobytes())
    image.save(small, "PNG", optimize=True)
    return small.getvalue()


def _few_colours(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most 256 colours (c, 3) that stand for those of all pixels (n, 3), and the number (n,) of the closest one."""
    from scipy.spatial import KDTree

    some = pixels[np.random.default_rng(0).integers(len(pixels), size=len(pixels) // SPARSE + 1)]
    coverage = Image.Quantize.MAXCOVERAGE  # the default loses rare colours
    palette = Image.fromarray(some[None]).quantize(256, coverage, kmeans=2).getpalette() or []
    colours, codes = np.array(palette, np.uint8).reshape(-1, 3), pixels @ np.array([1 << 16, 1 << 8, 1])
    closest = np.zeros(1 << 24, np.uint8)  # of every colour that there may be
    closest[codes] = 1
    found = np.flatnonzero(closest)
    closest[found] = KDTree(colours).query(np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1))[1]
    return colours, closest[codes]


def save(figure: Figure, name: str, folder: str | Path, table: pd.DataFrame | None = None) -> list[Path]:
    """Write a figure as NAME.pdf and NAME.png and, if given, the table of its numbers as NAME.csv.

    Each is written whole or not at all. Fonts are embedded as TrueType. A figure of the same numbers gives the same
    bytes.

    Args:
        figure: Any matplotlib figure.
        name: Name of the files, without an ending.
        folder: Folder to write to; made if it is missing.
        table: Numbers that the figure shows; the index is written if it has a name.

    Returns:
        The files.
    """
    folder = Path(folder)
    pdf, png, csv = (folder / f"{name}.{ending}" for ending in ("pdf", "png", "csv"))
    page = BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(page, format="pdf", dpi=300, metadata={"CreationDate": None})
    write_bytes(pdf, page.getvalue())
    write_bytes(png, png_bytes(figure, 200))
    if table is None:
        return [pdf, png]
    named = any(level is not None for level in table.index.names)
    write_text(csv, safe_table(table).to_csv(index=named))
    return [pdf, png, csv]
