"""One drawing after the other: a part of the page that jupyter-scatter lacks.

jupyter-scatter refuses points that arrive while it draws or moves others: a slider dragged fast would leave an old
epoch in the page. Here the newest points wait until the map is free; those between are left out.
"""

from __future__ import annotations

import anywidget

BOX = "lend-view"  # the class of the box that holds a map and its pace

SCRIPT = """
function pace(map) {
  const draw = map.draw;
  let waiting = null, looking = false;
  const look = () => {
    looking = false;
    if (!waiting || map.get("isDestroyed")) return;
    if (map.get("isDrawing")) { later(); return; }
    const { points, options } = waiting;
    waiting = null;
    draw(points, options).catch((error) => { if (!map.get("isDestroyed")) throw error; });
  };
  const later = () => { if (!looking) { looking = true; requestAnimationFrame(look); } };
  map.draw = (points, options) => { waiting = { points, options }; look(); return Promise.resolve(); };
  map.lendIsStill = () => !waiting && !map.get("isDrawing");
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
    """Paces the map that is in the same box; invisible."""

    _esm = SCRIPT
