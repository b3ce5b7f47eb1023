"""The gate: arrays, labels, names, tables, settings and own code from outside come in here, and errors name them.

Checked once, in one place, and of one kind afterwards; the rooms behind it trust what they get. The settings of a run
are :class:`RunConfig`; people's own classes and functions are found by :mod:`lend.inputs.plugins`, optional packages by
:func:`extra`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
