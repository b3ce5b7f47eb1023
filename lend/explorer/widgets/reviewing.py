"""The panel of a review, and its list: what is asked, by which keys it is answered, and how far the review is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import ipywidgets as widgets

from lend.explorer.inspection import Inspection
from lend.explorer.inspection.review import Review
from lend.explorer.pictures import reviewing, words
from lend.explorer.widgets.keys import BOX, KEYS, LIST, Keys
from lend.explorer.widgets.panels import WIDE

NAMES = {
    "listed": "examples to check",
    "issues": "label issues",
    "selected": "selected examples",
    "all": "all examples",
}


class ReviewPanel:
    """The review of an inspection that has one.

    Args:
        inspection: What the explorer shows.
        review: Its review.
        act: Called with what was pressed, as :class:`Keys` tells it.
        choose: Called with the part and the pair of labels that were chosen.
        uri: Gives the thumbnail of a point as the source of an image, or None.
        note: Says why no images can be shown now; empty while they can.

    Attributes:
        box: The panel.
        list: The list of what is reviewed.
    """

    def __init__(
        self,
        inspection: Inspection,
        review: Review,
        act: Callable[[Mapping[str, Any]], None],
        choose: Callable[[str, tuple[int, int] | None], None],
        uri: Callable[[int], str | None],
        note: Callable[[], str],
    ) -> None:
        self.inspection, self.review, self._uri, self._note, self._choose = inspection, review, uri, note, choose
        self._settling = False
        self.part = widgets.Dropdown(options=[(NAMES[part], part) for part in review.parts], layout=WIDE)
        self.pair = widgets.Dropdown(options=[("", -1)], value=-1, layout=WIDE)
        self.progress, self.question, self.file = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.keys = Keys(act)
        self._class = f"{LIST}-{uuid4().hex[:8]}"
        self._rows, self._marks = widgets.HTML(), widgets.HTML()
        self._listed: object = None  # what the list shows
        self.list = widgets.VBox([self._rows, self._marks], layout=widgets.Layout(width="100%", margin="6px 0 0 0"))
        for css in (LIST, self._class):
            self.list.add_class(css)
        self.part.observe(lambda change: self._chosen(change["new"], None), "value")
        self.pair.observe(lambda change: self._chosen(self.part.value, change["new"]), "value")
        style = widgets.HTML(reviewing.STYLE)
        head = widgets.HBox([self.part, self.pair], layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([style, head, self.progress, self.question, self.file, self.keys])
        self.box.add_class(BOX)
        self.show_part()

    def _chosen(self, part: str, place: int | None) -> None:
        if not self._settling:
            pair = None if place is None or place < 0 else self._pairs[place]
            self._choose(part, None if pair is None else (pair.given, pair.suggested))

    def show_part(self) -> None:
        """Show what is reviewed after it was chosen: its pairs of labels, its list, its first example."""
        self._settling = True  # what is set here is no act of the user
        try:
            self._pairs = self.review.pairs()
            pairs = [(pair.given, pair.suggested) for pair in self._pairs]
            self.part.value = self.review.part
            self.pair.options = reviewing.pair_options(self.inspection, self._pairs, self.review.total)
            self.pair.value = pairs.index(self.review.pair) if self.review.pair in pairs else -1
        finally:
            self._settling = False
        self.show()

    def show(self, again: bool = False) -> None:
        """Show the current example, progress and the list; rows are sent when others are to be seen, or ``again``."""
        note = self._note()
        shown = self.inspection, self.review
        self.progress.value = reviewing.progress(self.review)
        self.question.value = reviewing.question(*shown, self._uri, note, KEYS)
        listed = (reviewing.window(self.review), self.review.queue.tobytes())
        if again or listed != self._listed:
            self._listed = listed
            self._rows.value = reviewing.listing(*shown, None if note else self._uri)
        self._marks.value = reviewing.marks(self.review, self._class)
        self.keys.current = -1 if self.review.current is None else self.review.current
        keys = "click in this frame, then use the keys; "
        kept = f"answers are kept in <b>{words.text(self.review.path)}</b>"
        self.file.value = f'<div class="lend-note" style="line-height:1.3;overflow-wrap:anywhere">{keys}{kept}</div>'
