"""Maps of the points side by side, each coloured in its own way: what is hovered or selected in one shows in all."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import ipywidgets as widgets
import numpy as np
from jaxtyping import Float32, Int
from matplotlib.colors import to_rgba

from lend.explorer.inspection.inspection import Inspection
from lend.explorer.pictures.palettes import codes, palette
from lend.explorer.pictures.pictures import coloring_title
from lend.explorer.pictures.words import scale_legend
from lend.explorer.widgets.pace import BOX, Pace
from lend.plots import LABEL_COLOURS

with warnings.catch_warnings():  # jupyter-scatter itself uses what newer pandas deprecates
    warnings.simplefilter("ignore")
    import jscatter

MOST = 4  # views
HEIGHT = 318  # pixels of a map
SMOOTH = 400_000  # points in all views; more jump to their new places
MOVE = 450  # milliseconds from place to place
NOWHERE = -1  # jupyter-scatter takes null for point 0
SELECTION_COLOUR = LABEL_COLOURS["true"]

Positions = Int[np.ndarray, " s"]


class View:
    """One map, with a drop-down of its coloring above it.

    Args:
        inspection: What is shown.
        coloring: One of its colorings.
    """

    def __init__(self, inspection: Inspection, coloring: str) -> None:
        self.inspection = inspection
        self.dropdown = widgets.Dropdown(
            options=_options(inspection), value=coloring, layout=widgets.Layout(width="178px", margin="0")
        )
        self.legend = widgets.HTML(layout=widgets.Layout(margin="0", flex="1 1 auto", overflow="hidden"))
        self.scatter = _scatter(self.points(), len(inspection.sample_ids))
        self._show_palette()
        self.pace = Pace()
        head = widgets.HBox([self.dropdown, self.legend], layout=widgets.Layout(align_items="center", height="32px"))
        self.box = widgets.VBox(
            [head, self.scatter, self.pace], layout=widgets.Layout(min_width="0", overflow="hidden")
        )
        self.box.add_class(BOX)

    @property
    def coloring(self) -> str:
        return self.dropdown.value

    def points(self) -> Float32[np.ndarray, "m 3"]:
        """Places in [-1, 1], the same scale at all epochs, and codes of the colours."""
        shown = self.inspection
        low, high = np.array(shown.limits, np.float32).T
        places = (shown.coordinates(shown.epoch) - low) / (high - low) * 2 - 1
        return np.column_stack([places, codes(shown, self.coloring)]).astype(np.float32)

    def draw(self, move: bool, smoothly: bool = False) -> None:
        """Send places and colours of the epoch to the page; without a move the page keeps its index of the places."""
        with self.scatter.hold_sync():
            self.scatter.transition_points = move and smoothly
            self.scatter.non_spatial_points_update = not move
            self._show_palette()
            self.scatter.points = self.points()

    def _show_palette(self) -> None:
        """Nothing is sent if the palette is that of before."""
        shown = palette(self.inspection, self.coloring)
        colours = [list(to_rgba(colour)) for colour in shown.colours]
        self.scatter.color = self.scatter.color_selected = colours
        self.scatter.color_domain = {str(code): code for code in range(len(colours))}
        self.legend.value = "" if self.inspection.kind(self.coloring) == "class" else scale_legend(shown)

    def update_options(self) -> None:
        """Offer the colorings that there are by now."""
        options, chosen = _options(self.inspection), self.coloring
        if self.dropdown.options != options:
            names = [name for _, name in options]
            instead = "noisy" if "noisy" in names else names[0]
            self.dropdown.options = options  # sets the value to the first
            self.dropdown.value = chosen if chosen in names else instead


class Views:
    """One to four views of an inspection.

    Args:
        inspection: What is shown.
        colorings: Of each view.
        on_hover: Called with the position of the point under the pointer, None if there is none.
        on_select: Called with the positions that were selected by lasso or click.
    """

    def __init__(
        self,
        inspection: Inspection,
        colorings: Sequence[str],
        on_hover: Callable[[int | None], None],
        on_select: Callable[[Positions], None],
    ) -> None:
        self.inspection, self.on_hover, self.on_select = inspection, on_hover, on_select
        self.views: list[View] = []
        self._spare: list[View] = []
        self.on_recolor: Callable[[], None] = lambda: None
        self._linking = False
        self._lasso = False
        self.box = widgets.GridBox()
        self.set_colorings(colorings)

    @property
    def colorings(self) -> tuple[str, ...]:
        return tuple(view.coloring for view in self.views)

    def set_colorings(self, colorings: Sequence[str]) -> None:
        """Show these, in this order.

        Views that leave the page are kept for when more are wanted. They must not be closed: jupyter-scatter tells the
        kernel of a zoom some time after it, also when the map is gone by then, which is an error without a kernel side.
        """
        self._spare += self.views[len(colorings) :]
        self.views = self.views[: len(colorings)]
        for view, coloring in zip(self.views, colorings, strict=False):
            view.dropdown.value = coloring
        for coloring in colorings[len(self.views) :]:
            self.views.append(self._again(coloring) if self._spare else self._new(coloring))
        self.lasso(self._lasso)
        self.show_selection()
        columns = 1 if len(self.views) == 1 else 2
        width = (2 * HEIGHT if columns == 1 else HEIGHT) + 60
        height = 2 * HEIGHT + 40 if columns == 1 else HEIGHT
        for view in self.views:
            view.scatter.height = height
        self.box.children = [view.box for view in self.views]
        self.box.layout = widgets.Layout(
            grid_template_columns=f"repeat({columns}, minmax({HEIGHT}px, {width}px))",
            grid_gap="4px 10px",
            flex="0 1 auto",
        )

    def _again(self, coloring: str) -> View:
        """A view that was away."""
        view = self._spare.pop()
        view.update_options()
        view.dropdown.value = coloring
        view.draw(move=True)
        view.scatter.hovering = NOWHERE
        return view

    def _new(self, coloring: str) -> View:
        view = View(self.inspection, coloring)
        view.dropdown.observe(lambda change: self._recolor(view), "value")
        view.scatter.observe(lambda change: self._hovered(view, change["new"]), "hovering")
        view.scatter.observe(lambda change: self._chosen(view, change["new"]), "selection")
        return view

    def _recolor(self, view: View) -> None:
        view.draw(move=False)
        self.on_recolor()

    # --- What the page tells ------------------------------------------------------------------------------------------

    def _hovered(self, view: View, position: int | None) -> None:
        if not self._linking:
            position = None if position is None or position < 0 else int(position)
            self.show_hover(position, besides=view)
            self.on_hover(position)

    def _chosen(self, view: View, positions: np.ndarray | None) -> None:
        if not self._linking:
            chosen = np.zeros(0, np.int64) if positions is None else np.asarray(positions).astype(np.int64)
            self.on_select(chosen)
            self.show_selection(besides=view)

    # --- What the page is told ----------------------------------------------------------------------------------------

    def draw(self, move: bool = True) -> None:
        """Show the inspection's epoch in all views."""
        smoothly = len(self.inspection.sample_ids) * len(self.views) <= SMOOTH
        for view in self.views:
            view.draw(move, smoothly)

    def recolor(self, coloring: str) -> None:
        """Send the colours again of the views of this coloring."""
        for view in self.views:
            if view.coloring == coloring:
                view.draw(move=False)

    def update_options(self) -> None:
        """Offer the colorings that there are by now."""
        for view in self.views:
            view.update_options()

    def show_hover(self, position: int | None, besides: View | None = None) -> None:
        """Mark a point in all views but one."""
        self._tell("hovering", NOWHERE if position is None else position, besides)

    def show_selection(self, besides: View | None = None) -> None:
        """Mark the inspection's selection in all views but one."""
        self._tell("selection", self._selected(), besides)

    def lasso(self, on: bool) -> None:
        """Dragging draws a lasso, or moves the map; after a long press it draws a lasso in any case."""
        self._lasso = on
        for view in self.views:
            view.scatter.mouse_mode = self._mouse_mode()

    def reset(self) -> None:
        """Show the whole map again."""
        for view in self.views:
            view.scatter.reset_view(animation=300)

    def _tell(self, trait: str, value: object, besides: View | None) -> None:
        self._linking = True  # a view that is told tells nobody
        try:
            for view in self.views:
                if view is not besides:
                    setattr(view.scatter, trait, value)
        finally:
            self._linking = False

    def _selected(self) -> np.ndarray:
        return self.inspection.positions_of(self.inspection.selection).astype(np.uint32)

    def _mouse_mode(self) -> str:
        return "lasso" if self._lasso else "panZoom"


def _options(inspection: Inspection) -> tuple[tuple[str, str], ...]:
    return tuple((coloring_title(name), name) for name in inspection.colorings)


def _scatter(points: Float32[np.ndarray, "m 3"], n: int) -> jscatter.widget.JupyterScatter:
    """An empty-handed jupyter-scatter: no axes, legend or tooltip of its own; colours by the third column."""
    none = np.zeros(2)  # its own points are replaced at once: it would take their histograms
    scatter = jscatter.Scatter(x=none, y=none, axes=False, height=HEIGHT).widget
    scatter.points, scatter.color_by, scatter.color_scale = points, "valueA", "categorical"
    scatter.toolbar_buttons, scatter.opacity_by = [], None
    scatter.opacity, scatter.opacity_unselected = float(np.clip(60 / n**0.5, 0.4, 0.9)), 0.15
    scatter.size = float(np.clip(300 / n**0.5, 1.5, 6))
    scatter.color_hover = list(to_rgba(SELECTION_COLOUR))
    scatter.transition_points_duration, scatter.camera_is_fixed = MOVE, False
    scatter.regl_scatterplot_options = {"pointOutlineWidth": 1, "pointSizeSelected": 3}
    return scatter
