"""What is drawn from an inspection, without any widget: figures, films, and the HTML of the page.

:func:`explorer_figure` and :func:`history_figure` draw figures, :func:`animate` a film. ``palettes`` holds the colours
and titles that they share with the page, ``words`` the text of the page.
"""

from lend.explorer.pictures.animation import animate
from lend.explorer.pictures.histories import history_figure
from lend.explorer.pictures.maps import explorer_figure

__all__ = ["animate", "explorer_figure", "history_figure"]
