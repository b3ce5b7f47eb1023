"""The paper's experiments as data, its printed numbers, its tables filled with ours, and what was measured of them.

:mod:`~lend.paper.experiments` says which runs each figure and table needs; :mod:`~lend.paper.tables` collects their
scores; :mod:`~lend.paper.published` holds the numbers of the paper; :mod:`~lend.paper.results` keeps the histories of
finished runs as small files.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
