"""Audits: which labels are wrong, and how many, from embeddings and labels alone; then the report, and the correction.

Every number about an example rests on the labels of the *other* examples (:mod:`lend.dilution.leaveoneout`): no example
votes for itself. ``report/`` shows what was found and hands it to other tools; ``cleaning/`` applies corrections to a
copy of the data.

Modules load when a name is first used: correcting a table needs no torch, an audit no matplotlib.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
