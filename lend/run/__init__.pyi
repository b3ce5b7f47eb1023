from . import writing
from .codes import code_type
from .compacting import compact
from .contents import require_map
from .finding import runs, with_older_sources
from .layout import ALIGNED, EPOCH_ARRAYS, MAP_POINTS, RunFolder, epochs_done
from .listing import COLUMNS, SETTINGS, prior_text, scores, table
from .maps import read_map
from .measures import LAST, MEASURES, scores_of
from .run import Run
from .subset import map_subset
from .writing import EpochResult

__all__ = [
    "ALIGNED",
    "COLUMNS",
    "EPOCH_ARRAYS",
    "EpochResult",
    "LAST",
    "MAP_POINTS",
    "MEASURES",
    "Run",
    "RunFolder",
    "SETTINGS",
    "code_type",
    "compact",
    "epochs_done",
    "map_subset",
    "prior_text",
    "read_map",
    "require_map",
    "runs",
    "scores",
    "scores_of",
    "table",
    "with_older_sources",
    "writing",
]
