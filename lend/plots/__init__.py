"""Figures: each function takes arrays or tables and returns a matplotlib Figure.

Modules load when a name is first used: a report takes colours from here, and needs no axes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
