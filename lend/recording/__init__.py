"""What an epoch leaves behind: its labels, numbers and snapshot, from lend's own training loop or from anybody's.

:class:`lend.Recorder` writes a run from any loop. The loop of ``lend.training`` shares the parts: how labels are
diluted, how they are counted, and the thread that saves.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
