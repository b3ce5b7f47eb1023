"""What the page shows instead of maps: why there are none, and a button that makes them."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from lend.explorer.inspection import NoMapsError
from lend.explorer.inspection.mapped_run import duration
from lend.explorer.pictures import words
from lend.explorer.widgets.events import guarded, in_background
from lend.explorer.widgets.panels import button


class Notice:
    """A message; for a run without maps also a button.

    Args:
        trouble: What is wrong; a :class:`NoMapsError` brings the button.
        ready: Called when all maps are made.

    Attributes:
        children: The widgets, from top to bottom.
    """

    def __init__(self, trouble: Exception, ready: Callable[[], None]) -> None:
        self.message, self.ready = widgets.HTML(), ready
        self.children: list[widgets.Widget] = [widgets.HTML(words.STYLE), self.message]
        self._tell_error(trouble)
        if isinstance(trouble, NoMapsError):
            self.run = trouble.run
            told = f"Make the maps ({duration(trouble.seconds)})"
            self.make = button(told, guarded(self._make, self._tell_error), "t-SNE of each snapshot")
            self.children.append(self.make)

    def _make(self, done: int = 0) -> None:
        """Make one map after the other, so that the page can say how far it is; each is saved."""
        self.make.disabled = True
        if done == len(self.run.epochs):
            self.ready()
            return
        from lend.analysis import make_maps  # brings torch, which a page without this button does without

        epoch = self.run.epochs[done]
        told = f"map {done + 1} of {len(self.run.epochs)}, of epoch {epoch}, is being made …"
        self.message.value = words.message(told)

        def made(outcome: object) -> None:
            if isinstance(outcome, Exception):
                self.make.disabled = False
                raise outcome
            self._make(done + 1)

        in_background(lambda: make_maps(self.run, [epoch], progress=False), guarded(made, self._tell_error))

    def _tell_error(self, error: Exception) -> None:
        self.message.value = words.message(words.reason(error), error=True)
