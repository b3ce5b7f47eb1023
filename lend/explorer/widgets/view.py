"""One map of the page: points from jupyter-scatter, with a drop-down of colorings and a legend above it.

jupyter-scatter refuses points that arrive while it draws or moves others, and breaks at those that arrive while it
zooms out: a slider dragged fast would leave an old epoch in the page, or no points at all. With :class:`Pace` it does
one after the other; the newest points wait until the map is free, and those between are left out.
"""

from __future__ import annotations

import warnings

import anywidget
import ipywidgets as widgets
import numpy as np
from jaxtyping import Float32
from matplotlib.colors import to_rgba

from lend.explorer.inspection import Inspection
from lend.explorer.pictures.palettes import codes, coloring_title, palette
from lend.explorer.pictures.words import scale_legend
from lend.inputs import printable
from lend.plots import LABEL_COLOURS

with warnings.catch_warnings():  # jupyter-scatter itself uses what newer pandas deprecates
    warnings.simplefilter("ignore")
    import jscatter

BOX = "lend-view"  # CSS class of the box that holds a map and its pace
HEIGHT = 318  # pixels of a map
MOVE = 450  # milliseconds from place to place
SELECTION_COLOUR = LABEL_COLOURS["true"]

SCRIPT = """
function pace(map) {
  const waiting = new Map();  // the newest call of each kind
  let busy = false;
  const go = async () => {
    if (busy) return;
    busy = true;
    while (waiting.size && !map.get("isDestroyed")) {
      if (map.get("isDrawing")) { await new Promise(requestAnimationFrame); continue; }  // its first points
      const [name, call] = waiting.entries().next().value;
      waiting.delete(name);
      await call().catch((error) => { if (!map.get("isDestroyed")) reportError(error); });
    }
    busy = false;
  };
  for (const name of ["draw", "zoomToOrigin"]) {
    const own = map[name];
    map[name] = (...given) => { waiting.set(name, () => own(...given)); go(); return Promise.resolve(); };
  }
  map.lendIsStill = () => !busy && !map.get("isDrawing");
}

function render({ el }) {
  let open = true;
  el.style.display = "none";
  const find = () => {
    const box = el.closest(".BOX");
    const place = box && [...box.querySelectorAll("div")].find((div) => div.api && div.api.draw);
    if (place && !place.api.lendIsStill) pace(place.api);
    if (!place && open) requestAnimationFrame(find);
  };
  requestAnimationFrame(find);
  return () => { open = false; };
}

export default { render };
""".replace("BOX", BOX)


class Pace(anywidget.AnyWidget):
    """Lets the map in the same box draw points and zoom out one after the other; invisible."""

    _esm = SCRIPT


class View:
    """One map, with a drop-down of its coloring above it.

    Args:
        inspection: What the explorer shows.
        coloring: One of its colorings.

    Attributes:
        dropdown: Chooses the coloring.
        scatter: The widget of jupyter-scatter.
        box: All of the view.
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
        """What the points are coloured by."""
        return self.dropdown.value

    def points(self) -> Float32[np.ndarray, "m 3"]:
        """Return places in [-1, 1], the same scale at all epochs, and codes of the colours."""
        shown = self.inspection
        low, high = np.array(shown.limits, np.float32).T
        places = (shown.coordinates(shown.epoch) - low) / (high - low) * 2 - 1
        return np.column_stack([places, codes(shown, self.coloring)]).astype(np.float32)

    def draw(self, move: bool, smoothly: bool = False) -> None:
        """Send places and colours of the epoch to the page.

        Args:
            move: Whether places changed; if not, the page keeps its index of them.
            smoothly: Whether points move to their new places; if not, they jump.
        """
        with self.scatter.hold_sync():
            self.scatter.transition_points = move and smoothly
            self.scatter.non_spatial_points_update = not move
            self._show_palette()
            self.scatter.points = self.points()

    def _show_palette(self) -> None:
        """Send colours and legend; traits that stay the same are not sent."""
        shown = palette(self.inspection, self.coloring)
        colours = [list(to_rgba(colour)) for colour in shown.colours]
        self.scatter.color = self.scatter.color_selected = colours
        self.scatter.color_domain = {str(code): code for code in range(len(colours))}
        self.legend.value = "" if self.inspection.kind(self.coloring) == "class" else scale_legend(shown)

    def update_options(self) -> None:
        """Offer the colorings that there are by now; one that is gone is replaced by the noisy labels or the first."""
        options, chosen = _options(self.inspection), self.coloring
        if self.dropdown.options != options:
            names = [name for _, name in options]
            instead = "noisy" if "noisy" in names else names[0]
            self.dropdown.options = options  # sets the value to the first
            self.dropdown.value = chosen if chosen in names else instead


def _options(inspection: Inspection) -> tuple[tuple[str, str], ...]:
    return tuple((printable(coloring_title(name)), name) for name in inspection.colorings)


def _scatter(points: Float32[np.ndarray, "m 3"], n: int) -> jscatter.widget.JupyterScatter:
    """Make a jupyter-scatter without axes, legend or tooltip of its own; the third column gives the colours."""
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
