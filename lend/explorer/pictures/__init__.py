"""What is drawn: still pictures, palettes, legends in words, films."""

from lend.explorer.pictures.animation import animate
from lend.explorer.pictures.pictures import explorer_figure, history_figure

__all__ = ["animate", "explorer_figure", "history_figure"]
