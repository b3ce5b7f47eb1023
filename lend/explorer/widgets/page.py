"""The page of the explorer: maps, controls, the example under the pointer and histories, in step with an inspection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import ipywidgets as widgets
import numpy as np

from lend.explorer.inspection import Inspection
from lend.explorer.pictures import words
from lend.explorer.pictures.maps import MOST_VIEWS
from lend.explorer.widgets.events import Action, Coalesced, guarded, in_background
from lend.explorer.widgets.panels import DilutionPanel, EpochBar, RelabelPanel, SavePanel, SelectPanel
from lend.explorer.widgets.reviewing import ReviewPanel
from lend.explorer.widgets.thumbnails import Thumbnails
from lend.explorer.widgets.views import Views

STEPS = {"next": 1, "previous": -1}
LOADING = "the images of the data set are being read …"


class Page:
    """All widgets of an explorer.

    Args:
        shown: What the explorer shows.
        colorings: What each map is coloured by.
        save: Writes the maps shown to a path, and returns the path.

    Attributes:
        children: The widgets, from top to bottom.
    """

    def __init__(self, shown: Inspection, colorings: tuple[str, ...], save: Callable[[str], Path]) -> None:
        self.shown, self._write = shown, save
        self._thumbnails, self._hovered = Thumbnails(shown.image), -1
        self._searching = self._was_rediluted = False
        self._images = "unread"  # then "reading", then "read"
        self._mark = f"lend-mark-{uuid4().hex[:8]}"
        self.message, self.legend, self.card, self.history, self.mark = (widgets.HTML() for _ in range(5))
        guard = self._guard
        self.views = Views(shown, colorings, Coalesced(guard(self._show_example)), guard(self._select))
        self.views.on_recolor = guard(self._show_legend)
        self.bar = EpochBar(shown, Coalesced(guard(self._go)), guard(self._count))
        self.selecting = SelectPanel(shown, guard(self._filter), guard(self._clear), self.views.lasso, self.views.reset)
        self.diluting = DilutionPanel(len(shown.sample_ids), Coalesced(guard(self._redilute), 0.06))
        self.relabelling = RelabelPanel(shown, guard(self._relabel), guard(self._undo), guard(self._export))
        self.saving = SavePanel(len(colorings), guard(self._set_count), guard(self._save))
        self.reviewing = None
        if shown.review:
            act, choose = guard(self._act), guard(self._choose)
            self.reviewing = ReviewPanel(shown, shown.review, act, choose, self._thumbnails.uri, self._images_note)
        self.children = self._layout()
        self._show_numbers()
        self._show_legend()
        self._show_selected()

    def _layout(self) -> list[widgets.Widget]:
        self.card.value = '<span class="lend-note">Point at an example to see it, its labels and its neighbours.</span>'
        room = "60px" if self.reviewing else "300px"  # below a question, which has the room of a card
        self.card.layout = widgets.Layout(min_height=room, margin="0")
        panels = {
            "Select": self.selecting.box,
            "Dilute": self.diluting.box,
            "Relabel": self.relabelling.box,
            "View": self.saving.box,
        }
        tabs = widgets.Tab(list(panels.values()), titles=list(panels), layout=widgets.Layout(width="auto"))
        beside = widgets.Layout(flex="1 1 340px", min_width="340px", max_width="460px", margin="0 0 0 8px")
        asked = [self.reviewing.box] if self.reviewing else []
        side = widgets.VBox([*asked, self.card, tabs], layout=beside)
        listed = [self.reviewing.list] if self.reviewing else []
        maps = widgets.VBox([self.views.box, self.legend, *listed], layout=widgets.Layout(flex="0 1 auto"))
        title = widgets.HTML(f'{words.STYLE}<span class="lend-title">{words.text(self.shown.title)}</span>')
        body = widgets.HBox(
            [maps, side], layout=widgets.Layout(flex_flow="row wrap", align_items="flex-start", margin="6px 0 0 0")
        )
        if self.reviewing:  # one epoch, no history
            return [title, self.message, body]
        return [title, self.message, self.bar.box, body, self.history, self.mark]

    # --- What Python sets ---------------------------------------------------------------------------------------------

    def show_selection(self) -> None:
        """Show the inspection's selection after it was set."""
        self.views.show_selection()
        self._show_selected()

    def show_epoch(self) -> None:
        """Show the inspection's epoch after it was set: places and colours of the maps, and two lines of text."""
        self.bar.slider.value = self.shown.epoch  # causes no second change: the inspection is there already
        self.views.draw()
        self._show_numbers()
        if self._was_rediluted and self.shown.values("rediluted").max() < 0:
            self.diluting.changed()  # the labels of this map are not diluted again yet

    def show_labels(self) -> None:
        """Show predicted and diluted labels after it was set whose they are: colours, numbers and the card."""
        if self.shown.labels_of:
            self.bar.labels.value = self.shown.labels_of
        self.views.draw(move=False)
        self._show_numbers()
        self._show_example(self._hovered if self._hovered >= 0 else None)

    def set_colorings(self, colorings: tuple[str, ...]) -> None:
        """Show maps in these colorings."""
        self.views.set_colorings(colorings)
        self.saving.views.value = len(colorings)
        self._show_legend()

    # --- What the user does -------------------------------------------------------------------------------------------

    def _guard(self, action: Action) -> Action:
        return guarded(action, self._tell_error)

    def _tell(self, text: str) -> None:
        self.message.value = words.message(text)

    def _tell_error(self, error: Exception) -> None:
        self.message.value = words.message(words.reason(error), error=True)

    def _go(self, epoch: int) -> None:
        if epoch != self.shown.epoch:
            self.shown.show(epoch)
            self.show_epoch()

    def _count(self, source: str) -> None:
        if source != self.shown.labels_of:
            self.shown.labels_of = source
            self.show_labels()

    def _show_numbers(self) -> None:
        where = [note for note in (self.shown.position_note(), self.shown.labels_note()) if note]
        told = f"{words.text('; '.join(where))}<br>{words.numbers(self.shown)}"
        self.bar.note.value = f'<div style="line-height:1.35">{told}</div>'
        self.mark.value = words.mark_style(self._mark, self.shown)

    def _show_legend(self) -> None:
        classes = any(self.shown.kind(name) == "class" for name in self.views.colorings)
        self.legend.value = words.class_legend(self.shown) if classes else ""

    def _show_example(self, position: int | None) -> None:
        """Show an example on the card, which keeps the last one when the pointer leaves it."""
        if position is None and self.reviewing:
            self._mark_asked()
        if position is not None:
            self._hovered = position
            note = self._images_note()
            self.card.value = words.card(self.shown, position, self._thumbnails.uri, note)

    def _images_note(self) -> str:
        """Say why no images can be shown now; the first call starts to read them, which may take seconds."""
        if self._images == "unread":
            self._images = "reading"
            in_background(lambda: self.shown.image(0), self._guard(lambda _: self._images_read()))
        return LOADING if self._images == "reading" else self.shown.images_note

    def _images_read(self) -> None:
        self._images = "read"
        self._show_again()

    def _show_again(self) -> None:
        if self._hovered >= 0:
            self._show_example(self._hovered)
        if self.reviewing:
            self.reviewing.show(again=True)
        self._show_selected()

    def _select(self, positions: np.ndarray) -> None:
        self.shown.select(self.shown.sample_ids[positions])
        self._show_selected()

    def _filter(self, name: str, label: int | None) -> None:
        found = self.shown.filtered(name, label)
        self.shown.select(found)
        self.show_selection()
        of_class = "" if label is None else f" of class {self.shown.class_names[label]}"
        self._tell("" if len(found) else f"no example fits: {name}{of_class}, epoch {self.shown.epoch}")

    def _clear(self) -> None:
        self.shown.select()
        self.show_selection()

    def _show_selected(self) -> None:
        chosen = self.shown.selection
        self.selecting.count.value = f"{len(chosen):,} selected" if len(chosen) else "nothing selected"
        if self.reviewing:  # in place of histories; what is selected may be what is reviewed
            if self.shown.review and self.shown.review.part == "selected":
                self._choose("selected", None)
            return
        if not len(chosen):  # a history reads the labels of all epochs
            self.history.value = words.NOTHING
            return
        uri = None if self._images_note() else self._thumbnails.uri
        history = self.shown.history(chosen[: words.ROWS])
        self.history.value = words.history_table(self.shown, history, len(chosen), uri, self._mark)

    def _redilute(self, settings: dict[str, Any]) -> None:
        """Dilute again with these settings; at a new map its neighbours are searched first, in the background."""
        self._settings = settings
        if not self._searching:
            self._searching = True
            epoch = self.shown.map_epoch()
            in_background(self.shown.prepare_redilution, self._guard(lambda found: self._searched(epoch, found)))

    def _searched(self, epoch: int, outcome: Exception | None) -> None:
        self._searching = False
        if isinstance(outcome, Exception):
            raise outcome
        if epoch != self.shown.map_epoch():  # the slider moved on during the search
            self._redilute(self._settings)
            return
        result = self.shown.redilute(**self._settings)
        accuracy = f"label accuracy <b>{words.per_cent(result.accuracy)}</b>, " if np.isfinite(result.accuracy) else ""
        self.diluting.result.value = f"{accuracy}{result.points:,} points, epoch {result.epoch}, {result.seconds:.2f} s"
        self.views.update_options()
        if "rediluted" not in self.views.colorings and not self._was_rediluted:
            self.set_colorings(_with_rediluted(self.views.colorings))
        self._was_rediluted = True
        self.views.recolor("rediluted")

    def _relabel(self, label: int) -> None:
        if not len(self.shown.selection):
            self._tell("select the examples to relabel first")
            return
        changed = self.shown.relabel(label)
        self._show_corrections(f"{changed:,} labels changed to {self.shown.class_names[label]}")

    def _undo(self) -> None:
        changed = self.shown.undo()
        self._show_corrections(f"{changed:,} labels changed back" if changed else "nothing to undo")

    def _act(self, message: Mapping[str, Any]) -> None:
        """Do what a key or a click of the review says."""
        review, act, position = self.shown.review, message["act"], message["position"]
        assert review is not None  # or there would be no panel
        if act == "undo":
            self._undo()
            return
        if act == "go":
            review.go(position)
        elif act in STEPS:
            review.step(STEPS[act])
        elif position == review.current:  # not, if the page still showed another one when the key was pressed
            self._answer(act, message.get("label"))
            return
        self._show_asked()

    def _answer(self, answer: str, label: int | None) -> None:
        review = self.shown.review
        assert review is not None
        try:
            review.answer(answer, label)
        finally:  # an answer that could not be kept in the file is an answer all the same
            self._show_corrections("")

    def _choose(self, part: str, pair: tuple[int, int] | None) -> None:
        review = self.shown.review
        assert review is not None and self.reviewing is not None
        review.choose(part, pair)
        if part != "selected":
            self.shown.select(self.shown.sample_ids[review.queue] if pair else ())
            self.show_selection()
        self.reviewing.show_part()
        self._mark_asked()

    def _show_asked(self) -> None:
        if self.reviewing:
            self.reviewing.show()
            self._mark_asked()

    def _mark_asked(self) -> None:
        """Mark the example that is asked about in all maps."""
        self.views.show_hover(self.shown.review.current if self.shown.review else None)

    def _show_corrections(self, told: str) -> None:
        count = len(self.shown.corrections)
        self.relabelling.count.value = f"{words.text(told)}{'; ' if told else ''}{count:,} corrections in all"
        self.views.update_options()
        self.views.recolor("corrected")
        self._show_asked()

    def _export(self, path: str) -> None:
        self._tell(f"written: {self.shown.patch(path)}, {len(self.shown.corrections):,} corrections")

    def _set_count(self, count: int) -> None:
        """Show more or fewer maps; new ones show colorings that no map has yet."""
        have = self.views.colorings
        if count != len(have):
            others = [name for name in self.shown.colorings if name not in have]
            self.set_colorings((*have, *others, *self.shown.colorings * MOST_VIEWS)[:count])

    def _save(self, path: str) -> None:
        self._tell(f"written: {self._write(path)}")


def _with_rediluted(colorings: tuple[str, ...]) -> tuple[str, ...]:
    """Put re-diluted labels in the place of the diluted ones, or of the last map."""
    place = colorings.index("diluted") if "diluted" in colorings else len(colorings) - 1
    return (*colorings[:place], "rediluted", *colorings[place + 1 :])
