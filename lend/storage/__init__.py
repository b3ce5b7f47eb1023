"""Files that survive a crash: written whole or not at all, and checked when they are read.

Nothing here executes code from a file: JSON, NumPy without pickle, zarr, and torch with ``weights_only``. A file that
somebody else made is read within limits: it is a regular file, and takes no more memory than its own size allows.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
