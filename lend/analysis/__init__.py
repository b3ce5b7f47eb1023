"""What runs show: label accuracy by epoch, snapshots, transition matrices, the toy of the dilution, and maps.

Everything is read from a saved run or drawn from a seed; nothing is trained. Accuracies and purities are fractions, and
NaN where the true labels are unknown (-1). :mod:`~lend.analysis.maps` lays embeddings out in the plane, those of
anybody, too.

Modules load when a name is first used: a map needs no table, a table no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
