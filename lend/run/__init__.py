"""A training on disk: open a run, write one, copy it, list many.

:class:`Run` documents the files; the format is described in full in the documentation. Whoever trains and whoever looks
meet here alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
