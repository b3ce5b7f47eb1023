"""The controls of the explorer: widgets only. A panel calls back to say what it wants done, and knows no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from lend.explorer.inspection import FILTERS, Inspection
from lend.explorer.inspection.chronicle import SOURCES
from lend.explorer.inspection.filters import NEEDS
from lend.explorer.inspection.redilution import MOST_NEIGHBORS, POINTS
from lend.explorer.pictures.maps import MOST_VIEWS
from lend.inputs import printable

INTERVAL = 700  # milliseconds from epoch to epoch while playing
ANY = "any class"
WIDE = widgets.Layout(width="auto")
Do = Callable[..., None]


def row(*children: widgets.Widget, **layout: str) -> widgets.HBox:
    """Return widgets side by side, in as many lines as they need.

    Args:
        children: The widgets.
        layout: More of the layout, as ipywidgets takes it.
    """
    return widgets.HBox(children, layout=widgets.Layout(align_items="center", flex_flow="row wrap", **layout))


def button(words: str, action: Do, tooltip: str = "", style: str = "") -> widgets.Button:
    """Return a button.

    Args:
        words: Its text.
        action: Called without arguments at a click.
        tooltip: Shown under the pointer.
        style: A style of ipywidgets, such as "primary".
    """
    made = widgets.Button(description=words, tooltip=tooltip, button_style=style, layout=widgets.Layout(width="auto"))
    made.on_click(lambda _: action())
    return made


class EpochBar:
    """A play button and a slider over all epochs, and whose labels are shown, where there is a choice.

    Args:
        inspection: What the explorer shows.
        show: Called with the epoch that was chosen.
        count: Called with the labels that were chosen, a key of SOURCES.
    """

    def __init__(self, inspection: Inspection, show: Callable[[int], None], count: Callable[[str], None]) -> None:
        epochs = inspection.epochs
        self.slider = widgets.SelectionSlider(
            options=[(str(epoch), epoch) for epoch in epochs],
            value=inspection.epoch,
            description="epoch",
            style={"description_width": "44px"},
            layout=widgets.Layout(width="330px"),
        )
        self.slider.observe(lambda change: show(change["new"]), "value")
        self.play = widgets.Play(min=0, max=len(epochs) - 1, interval=INTERVAL, show_repeat=False)
        self.play.value = epochs.index(inspection.epoch)
        self.link = widgets.jslink((self.play, "value"), (self.slider, "index"))  # in the page: it plays by itself
        self.note = widgets.HTML()
        single = len(epochs) == 1
        first = widgets.HTML(f"epoch {epochs[0]}, the only one") if single else row(self.play, self.slider)
        self.labels = widgets.Dropdown(
            options=[(words, source) for source, words in SOURCES.items()],
            value=inspection.labels_of or None,
            description="labels of",
            style={"description_width": "60px"},
            layout=widgets.Layout(width="290px"),
        )
        self.labels.observe(lambda change: count(change["new"]), "value")
        choice = (self.labels,) if inspection.labels_of else ()
        self.box = row(first, *choice, self.note, grid_gap="2px 16px")


class SelectPanel:
    """Filters that select points, and what dragging on a map does.

    Args:
        inspection: What the explorer shows; filters whose labels it lacks are not offered.
        choose: Called with the name of a filter, and the code of a class or None.
        clear: Called to select nothing.
        lasso: Called with whether dragging draws a lasso.
        reset: Called to show the whole map.
    """

    def __init__(self, inspection: Inspection, choose: Do, clear: Do, lasso: Callable[[bool], None], reset: Do) -> None:
        there = set(inspection.colorings)
        names = [name for name in FILTERS if set(NEEDS[name]) <= there]
        self.filter = widgets.Dropdown(options=names, description="filter", layout=WIDE)
        classes = [(ANY, -1), *((printable(name), code) for code, name in enumerate(inspection.class_names))]
        self.label = widgets.Dropdown(options=classes, description="of class", layout=WIDE)
        self.help = widgets.HTML()
        self.filter.observe(lambda change: self._explain(), "value")
        self._explain()
        self.drag = widgets.ToggleButtons(
            options=[("drag: move the map", False), ("drag: draw a lasso", True)],
            style={"button_width": "auto"},
        )
        self.drag.observe(lambda change: lasso(change["new"]), "value")
        self.apply = button("Select", lambda: choose(self.filter.value, self.chosen), FILTERS["class"], "primary")
        self.clear = button("Clear", clear, "Select nothing")
        self.reset = button("Whole map", reset, "Zoom out")
        self.count = widgets.HTML("nothing selected")
        for one in (self.filter, self.label):
            one.style.description_width = "60px"
        filters = (self.filter, self.label, self.help) if names else ()
        buttons = (self.apply,) if names else ()
        self.box = widgets.VBox([self.drag, *filters, row(*buttons, self.clear, self.reset), self.count])

    @property
    def chosen(self) -> int | None:
        """The code of the class, None for any; the widget holds -1 then, since a drop-down cannot show None."""
        return None if self.label.value < 0 else self.label.value

    def _explain(self) -> None:
        words = FILTERS.get(self.filter.value, "")
        self.help.value = f'<div class="lend-note" style="line-height:1.3">{words}</div>'


class DilutionPanel:
    """Settings of a re-dilution. After the first click each change dilutes again.

    Args:
        points: How many points the maps have.
        redilute: Called with the settings, as `lend.Inspection.redilute` takes them.
    """

    def __init__(self, points: int, redilute: Callable[[dict[str, Any]], None]) -> None:
        most = max(1, min(MOST_NEIGHBORS, points - 1))
        words = {"style": {"description_width": "60px"}, "layout": WIDE}
        self.k = widgets.IntSlider(8 if most >= 8 else most, 1, most, description="k", **words)
        self.alpha = widgets.FloatSlider(0.99, min=0.01, max=0.99, step=0.01, description="α", **words)
        self.steps = widgets.IntSlider(2, 1, 30, description="steps", **words)
        self.affinity = widgets.ToggleButtons(
            options=[("AᵀA", "product"), ("A + Aᵀ", "sum")],
            description="affinity",
            style={"button_width": "80px", "description_width": "60px"},
        )
        self.prior = widgets.Checkbox(False, description="balanced class prior", indent=False, layout=WIDE)
        self.start = button("Re-dilute", self._begin, "Dilute the noisy labels at the map shown", "primary")
        among = f"among {min(points, POINTS):,} of the points" if points > POINTS else "among all points"
        self.result = widgets.HTML(f'<span class="lend-note">{among}, at the map shown</span>')
        self.on = False
        self._redilute = redilute
        for one in (self.k, self.alpha, self.steps, self.affinity, self.prior):
            one.observe(lambda change: self.changed(), "value")
        self.box = widgets.VBox([self.k, self.alpha, self.steps, self.affinity, self.prior, self.start, self.result])

    @property
    def settings(self) -> dict[str, Any]:
        """The settings, as `lend.Inspection.redilute` takes them."""
        return {
            "k": self.k.value,
            "alpha": self.alpha.value,
            "steps": self.steps.value,
            "affinity": self.affinity.value,
            "class_prior": "balanced" if self.prior.value else None,
        }

    def _begin(self) -> None:
        self.on = True
        self.changed()

    def changed(self) -> None:
        """Dilute again, if the button was clicked before."""
        if self.on:
            self._redilute(self.settings)


class RelabelPanel:
    """Correction of the labels of the selection.

    Args:
        inspection: What the explorer shows.
        relabel: Called with the code of a class.
        undo: Called to take back the last correction.
        export: Called with the path of a file.
    """

    def __init__(self, inspection: Inspection, relabel: Callable[[int], None], undo: Do, export: Do) -> None:
        classes = [(printable(name), code) for code, name in enumerate(inspection.class_names)]
        self.label = widgets.Dropdown(options=classes, description="label", layout=WIDE)
        self.label.style.description_width = "60px"
        self.apply = button(
            "Relabel selection", lambda: relabel(self.label.value), "Give all selected this label", "primary"
        )
        self.undo = button("Undo", undo, "Take back the last relabelling")
        self.path = widgets.Text("corrections.csv", description="file", layout=WIDE)
        self.path.style.description_width = "60px"
        self.export = button("Export CSV", lambda: export(self.path.value), "Write the corrections as a patch")
        self.count = widgets.HTML("no corrections")
        self.box = widgets.VBox([self.label, row(self.apply, self.undo), self.count, self.path, self.export])


class SavePanel:
    """How many maps are shown, and the page as a file.

    Args:
        views: How many there are.
        show: Called with how many are wanted.
        save: Called with the path of a file.
    """

    def __init__(self, views: int, show: Callable[[int], None], save: Callable[[str], None]) -> None:
        self.views = widgets.ToggleButtons(
            options=list(range(1, MOST_VIEWS + 1)),
            value=views,
            description="maps",
            style={"button_width": "40px", "description_width": "60px"},
        )
        self.views.observe(lambda change: show(change["new"]), "value")
        self.path = widgets.Text("figure.pdf", description="file", layout=WIDE)
        self.path.style.description_width = "60px"
        self.save = button("Save", lambda: save(self.path.value), "Write the maps shown", "primary")
        told = '<div class="lend-note" style="line-height:1.3">.pdf, .svg, .png: the maps shown, as a figure; '
        told += ".parquet: all maps and labels, for other viewers</div>"
        self.box = widgets.VBox([self.views, self.path, self.save, widgets.HTML(told)])
