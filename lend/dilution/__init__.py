"""Label noise dilution: Eq. (1) to (6) of the paper and what rests on them.

``equations.py`` is the paper on one screen, in its own letters. :func:`dilute` and its siblings are those equations
with checked input, for NumPy and torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
