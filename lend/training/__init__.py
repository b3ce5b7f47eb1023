"""Training: one run, or many of them side by side.

:func:`train` is the loop of every method; :func:`sweep` trains the missing runs, in this process, in child processes or
on a Dask cluster.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
