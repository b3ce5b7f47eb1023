"""lend: see, measure and dilute label noise through embeddings (LEND, arXiv 2206.13025).

Modules load when a name is first used: importing lend costs milliseconds, torch alone takes seconds.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
