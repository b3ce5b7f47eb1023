"""Keys and clicks of a review: what is pressed in the page, with the example that the page shows at that moment.

Answers carry that example, so that a key pressed before the next example is on the page answers nothing by mistake.
JupyterLab gives its own shortcuts no key that is pressed inside the box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets

KEYS = {
    "suggested": ("s",),
    "given": ("g",),
    "other": ("o",),
    "none": ("x",),
    "unsure": ("u",),
    "undo": ("z", "Backspace"),
    "next": ("ArrowRight", "n"),
    "previous": ("ArrowLeft", "p"),
}
BOX, LIST = "lend-review", "lend-list"  # CSS classes: what takes keys, and the list of what is reviewed

SCRIPT = """
function render({ model, el }) {
  const meanings = model.get("meanings");
  let box = null, root = null, open = true, pointed = false;
  el.style.display = "none";

  const send = (act) => {
    const card = box.querySelector("[data-position]"), other = box.querySelector("select.lend-other");
    const position = card ? Number(card.dataset.position) : -1;
    if (act === "other" && other) model.send({ act, position, label: Number(other.value) });
    else model.send({ act, position });
  };
  const pressed = (event) => {
    pointed = false;
    const place = event.target;
    if (place.matches("select.lend-other")) {
      if (event.key === "Enter") { event.preventDefault(); send("other"); box.focus({ preventScroll: true }); }
      if (event.key === "Escape") box.focus({ preventScroll: true });
    } else if (!place.matches("input, select, textarea, [contenteditable=true]")) {
      const undo = (event.ctrlKey || event.metaKey) && event.key === "z";
      const act = undo ? "undo" : meanings[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (act && (undo || !(event.ctrlKey || event.metaKey || event.altKey))) {
        event.preventDefault();
        if (act === "other") box.querySelector("select.lend-other")?.focus();
        else if (!event.repeat || act === "next" || act === "previous") send(act);
      }
    }
    event.stopPropagation();
  };
  const changed = (event) => {  // a choice by pointer gives the keys back to the box; one by keys may go on
    if (pointed && event.target.matches("select:not(.lend-other)")) box.focus({ preventScroll: true });
  };
  const held = (event) => {
    pointed = true;
    if (event.target.closest("[data-act], [data-go]")) {
      event.preventDefault();
      box.focus({ preventScroll: true });
    }
  };
  const clicked = (event) => {
    const act = event.target.closest("[data-act]"), go = event.target.closest("[data-go]");
    if (act) send(act.dataset.act);
    if (go) model.send({ act: "go", position: Number(go.dataset.go) });
  };
  const scrolled = () => {
    const row = root?.querySelector(`.LIST [data-go="${model.get("current")}"]`), list = row?.closest(".lend-rows");
    if (!list) return;
    const here = row.getBoundingClientRect(), there = list.getBoundingClientRect();
    if (here.top < there.top) list.scrollTop -= there.top - here.top + 30;
    if (here.bottom > there.bottom) list.scrollTop += here.bottom - there.bottom + 30;
  };
  const find = () => {
    box = el.closest(".BOX");
    root = el.closest(".lend-explorer");
    if (!box || !root) { if (open) requestAnimationFrame(find); return; }
    box.tabIndex = 0;
    box.setAttribute("data-lm-suppress-shortcuts", "true");
    box.addEventListener("keydown", pressed);
    box.addEventListener("change", changed);
    root.addEventListener("mousedown", held);
    root.addEventListener("click", clicked);
    model.on("change:current", () => requestAnimationFrame(scrolled));
  };
  requestAnimationFrame(find);
  return () => {
    open = false;
    box?.removeEventListener("keydown", pressed);
    box?.removeEventListener("change", changed);
    root?.removeEventListener("mousedown", held);
    root?.removeEventListener("click", clicked);
  };
}

export default { render };
""".replace("BOX", BOX).replace("LIST", LIST)


class Keys(anywidget.AnyWidget):
    """Hears keys and clicks in the box of a review and in its list; invisible.

    Args:
        act: Called with each message: ``act``, a key of KEYS or "go"; ``position``, of the example that the page shows,
            or to go to; and with "other" ``label``, the code of a class.
    """

    _esm = SCRIPT
    meanings = traitlets.Dict().tag(sync=True)
    current = traitlets.Int(-1).tag(sync=True)

    def __init__(self, act: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(meanings={key: meaning for meaning, keys in KEYS.items() for key in keys})
        self.on_msg(lambda _, content, buffers: act(content))
