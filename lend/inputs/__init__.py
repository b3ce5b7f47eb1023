"""The gate: every array, label, name and table from outside comes in here, and errors name it; own code as well.

Checked once, in one place, and of one kind afterwards; the rooms behind it trust what they get. :mod:`plugins` finds
people's own classes and functions, :func:`extra` optional packages.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
