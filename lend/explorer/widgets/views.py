"""All maps of the page, each coloured in its own way: what is hovered or selected in one shows in all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets
import numpy as np
from jaxtyping import Int

from lend.explorer.inspection import Inspection
from lend.explorer.widgets.view import HEIGHT, View

SMOOTH = 400_000  # points in all maps; more jump to their new places
NOWHERE = -1  # jupyter-scatter takes null for point 0

Positions = Int[np.ndarray, " s"]


class Views:
    """One to four maps of an inspection.

    Args:
        inspection: What the explorer shows.
        colorings: What each map is coloured by.
        on_hover: Called with the position of the point under the pointer, None if there is none.
        on_select: Called with the positions that were selected by lasso or click.

    Attributes:
        views: The maps, from left to right and down.
        on_recolor: Called when a drop-down chose another coloring.
        box: All maps in a grid.
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
        """What each map is coloured by."""
        return tuple(view.coloring for view in self.views)

    def set_colorings(self, colorings: Sequence[str]) -> None:
        """Show maps in these colorings, in this order.

        Views that leave the page are kept until more are wanted. They must not be closed: jupyter-scatter reports a
        zoom some time after it, also when the map is gone by then, which is an error if the widget was closed.
        """
        self._spare += self.views[len(colorings) :]
        self.views = self.views[: len(colorings)]
        for view, coloring in zip(self.views, colorings, strict=False):
            view.dropdown.value = coloring
        for coloring in colorings[len(self.views) :]:
            self.views.append(self._reuse(coloring) if self._spare else self._new(coloring))
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

    def _reuse(self, coloring: str) -> View:
        """Bring back a view that left the page."""
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

    # --- What the user does -------------------------------------------------------------------------------------------

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

    # --- What is shown ------------------------------------------------------------------------------------------------

    def draw(self, move: bool = True) -> None:
        """Show the inspection's epoch in all maps; without a move only the colours change."""
        smoothly = len(self.inspection.sample_ids) * len(self.views) <= SMOOTH
        for view in self.views:
            view.draw(move, smoothly)

    def recolor(self, coloring: str) -> None:
        """Send the colours again to the maps in this coloring."""
        for view in self.views:
            if view.coloring == coloring:
                view.draw(move=False)

    def update_options(self) -> None:
        """Offer the colorings that there are by now."""
        for view in self.views:
            view.update_options()

    def show_hover(self, position: int | None, besides: View | None = None) -> None:
        """Mark a point in all maps but one; None marks none."""
        self._set("hovering", NOWHERE if position is None else position, besides)

    def show_selection(self, besides: View | None = None) -> None:
        """Mark the inspection's selection in all maps but one."""
        self._set("selection", self._selected(), besides)

    def lasso(self, on: bool) -> None:
        """Let dragging draw a lasso, or move the map; after a long press it draws a lasso in any case."""
        self._lasso = on
        for view in self.views:
            view.scatter.mouse_mode = self._mouse_mode()

    def reset(self) -> None:
        """Zoom out to the whole map in all of them."""
        for view in self.views:
            view.scatter.reset_view(animation=300)

    def _set(self, trait: str, value: object, besides: View | None) -> None:
        self._linking = True  # what a view gets from here is no act of the user
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
