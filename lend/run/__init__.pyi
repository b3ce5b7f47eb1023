from . import writing
from .compacting import compact
from .listing import COLUMNS, MEASURES, SETTINGS, prior_text, scores, scores_of, table
from .run import ALIGNED, EPOCH_ARRAYS, LAST, MAP_POINTS, Run, epochs_done, runs
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
    "SETTINGS",
    "compact",
    "epochs_done",
    "map_subset",
    "prior_text",
    "runs",
    "scores",
    "scores_of",
    "table",
    "writing",
]
