"""The gate: every array, label, name and table from outside comes in here, and errors name it; own code as well.

Checked once, in one place, and of one kind afterwards; the rooms behind it trust what they get. People's own classes
and functions are found by :mod:`lend.inputs.plugins`, optional packages by :func:`extra`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
