"""What a notebook calls: :func:`explore`, and the :class:`Explorer` that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from lend.config import require
from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.pixels import Images
from lend.extras import MissingExtraError, extra
from lend.run import Run

if TYPE_CHECKING:
    import ipywidgets
    from matplotlib.figure import Figure

    from lend.explorer.widgets.notice import Notice
    from lend.explorer.widgets.page import Page

FIGURES = (".pdf", ".png", ".svg")
DATES = {".pdf": "CreationDate", ".svg": "Date"}  # left out of a file
MOST = 4  # maps
DEFAULTS = ("true", "predicted", "noisy", "diluted")


def explore(
    data: Run | pd.DataFrame | Inspection | str | Path,
    colorings: Sequence[str] | None = None,
    *,
    images: Images = None,
    **columns: Any,  # noqa: ANN401
) -> Explorer:
    """Look at a run's embeddings, epoch by epoch, in JupyterLab and where else jupyter-scatter works.

    Bad input raises nothing: the page says what is wrong. Maps are made on request only.

    Args:
        data: A run with maps or its folder, a table with columns x, y and labels, or an inspection.
        colorings: Of one to four maps; true, predicted, noisy and diluted labels, those that there are, if not given.
        images: As in :meth:`lend.Inspection.of_frame`; a run's own, if not given.
        columns: Of a table: x, y, epoch and class_names, as in :meth:`lend.Inspection.of_frame`.
    """
    return Explorer(data, colorings, images=images, **columns)


class Explorer:
    """What :func:`explore` shows. Its widgets are made when it is first shown, so scripts may use it, too."""

    def __init__(
        self,
        data: Run | pd.DataFrame | Inspection | str | Path,
        colorings: Sequence[str] | None = None,
        *,
        images: Images = None,
        **columns: Any,  # noqa: ANN401
    ) -> None:
        self._source = (data, colorings, images, columns)
        self._inspection: Inspection | None = None
        self._trouble: Exception | None = None
        self._page: Page | None = None
        self._widget: ipywidgets.VBox | None = None
        self._open()

    def _open(self) -> None:
        data, colorings, images, columns = self._source
        try:
            inspection = _inspect(data, images, columns)
            chosen = default_colorings(inspection) if colorings is None else colorings
            self._colorings = _check_colorings(inspection, chosen)
        except (ValueError, KeyError, TypeError, OSError) as error:
            self._trouble = error
        else:
            self._inspection, self._trouble = inspection, None

    def __repr__(self) -> str:
        return f"Explorer({self._inspection or self._trouble})"

    @property
    def inspection(self) -> Inspection:
        """The state.

        Raises:
            ValueError: If there is nothing to show; the message is that of the page.
        """
        if self._inspection is None:
            from lend.explorer.pictures.words import reason

            raise ValueError(reason(self._trouble))
        return self._inspection

    @property
    def selection(self) -> Shaped[np.ndarray, " s"]:
        """Sample ids of the selected points; may be set."""
        return self.inspection.selection

    @selection.setter
    def selection(self, ids: Any) -> None:  # noqa: ANN401
        self.inspection.select(ids)
        if self._page:
            self._page.show_selection()

    @property
    def epoch(self) -> int:
        """The epoch shown; may be set."""
        return self.inspection.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self.inspection.show(epoch)
        if self._page:
            self._page.show_epoch()

    @property
    def colorings(self) -> tuple[str, ...]:
        """Of the maps, from left to right and down; may be set to one to four."""
        return self._page.views.colorings if self._page else self._colorings

    @colorings.setter
    def colorings(self, colorings: Sequence[str]) -> None:
        self._colorings = _check_colorings(self.inspection, colorings)
        if self._page:
            self._page.set_colorings(self._colorings)

    def figure(self) -> Figure:
        """The maps shown as a figure of a paper."""
        from lend.explorer.pictures.pictures import explorer_figure

        return explorer_figure(self.inspection, self.colorings, self.epoch, selection=self.selection)

    def save(self, path: str | Path) -> Path:
        """Write the maps shown as a figure (.pdf, .png, .svg), or all maps and labels as a table (.parquet).

        Raises:
            ValueError: If the path ends in another way.
        """
        path = Path(path)
        ending = path.suffix.lower()
        require(ending in (*FIGURES, ".parquet"), "path", f"to end in {', '.join(FIGURES)} or .parquet", str(path))
        if ending == ".parquet":
            return self.inspection.save_parquet(path)
        import matplotlib

        from lend.plots import STYLE, png_bytes

        figure = self.figure()
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".png":
            path.write_bytes(png_bytes(figure, STYLE["savefig.dpi"]))
        else:
            with matplotlib.rc_context(STYLE | {"svg.hashsalt": "lend"}):  # the same figure gives the same bytes
                figure.savefig(path, dpi=300, metadata={DATES[ending]: None})
        return path

    # --- In the page --------------------------------------------------------------------------------------------------

    @property
    def page(self) -> Page | Notice:
        """What the widgets do; a notice where there is nothing to show."""
        if self._trouble is not None:
            return self._notice
        if self._page is None:
            with extra("notebooks"):
                from lend.explorer.widgets.page import Page

            self._page = Page(self.inspection, self._colorings, self.save)
        return self._page

    @cached_property
    def _notice(self) -> Notice:
        with extra("notebooks"):
            from lend.explorer.widgets.notice import Notice

        assert self._trouble is not None  # a notice says what is wrong
        return Notice(self._trouble, self._made)

    def _made(self) -> None:
        """The maps are there."""
        self._open()
        if self._trouble is not None:
            raise self._trouble
        self.widget.children = self.page.children

    @property
    def widget(self) -> ipywidgets.VBox:
        """All of the page; the explorer shows it as the last value of a cell."""
        if self._widget is None:
            with extra("notebooks"):
                import ipywidgets

            self._widget = ipywidgets.VBox(self.page.children)
            self._widget.add_class("lend-explorer")
        return self._widget

    def _ipython_display_(self) -> None:
        from IPython.display import display

        try:
            shown = self.widget
        except MissingExtraError as error:
            print(error)  # one line; IPython would show a traceback
        else:
            display(shown)


def default_colorings(inspection: Inspection) -> tuple[str, ...]:
    """True, predicted, noisy and diluted labels, those that there are; without true ones, also the label score."""
    there = inspection.colorings
    found = [name for name in DEFAULTS if name in there]
    if "true" not in found and "score" in there:
        found.append("score")  # instead: the examples that may be wrong
    return tuple(found or there[:1])


def _inspect(data: Any, images: Images, columns: dict[str, Any]) -> Inspection:  # noqa: ANN401
    if isinstance(data, pd.DataFrame):
        return Inspection.of_frame(data, images=images, **columns)
    require(not columns, "columns", "given for a table only", list(columns))
    if isinstance(data, Inspection):
        require(images is None, "images", "given when the inspection is made", type(images).__name__)
        return data
    run = data if isinstance(data, Run) else Run.open(data)
    return Inspection.of_run(run, images=images)


def _check_colorings(inspection: Inspection, colorings: Sequence[str]) -> tuple[str, ...]:
    require(1 <= len(colorings) <= MOST, "colorings", f"one to {MOST} names", colorings)
    for coloring in colorings:
        inspection.kind(coloring)  # refuses unknown ones
    return tuple(colorings)
