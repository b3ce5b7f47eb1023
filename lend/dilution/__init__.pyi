from .among import dilute_among, dilute_among_neighbors
from .dilution import dilute, dominant_labels, select, similarity
from .equations import (
    COLLAPSE,
    DENSE,
    Array,
    Graph,
    agreeing,
    diffuse,
    dilute_from_neighbors,
    hard_labels,
    momentum,
    most_frequent,
    one_hot,
    prior_weights,
    reweight_and_normalize,
)
from .estimator import LabelDilution
from .leaveoneout import cross_fitted, leave_one_out
from .sharded import sharded_dilute
from .trace import dilution_trace

__all__ = [
    "Array",
    "COLLAPSE",
    "DENSE",
    "Graph",
    "LabelDilution",
    "agreeing",
    "cross_fitted",
    "diffuse",
    "dilute",
    "dilute_among",
    "dilute_among_neighbors",
    "dilute_from_neighbors",
    "dilution_trace",
    "dominant_labels",
    "hard_labels",
    "leave_one_out",
    "momentum",
    "most_frequent",
    "one_hot",
    "prior_weights",
    "reweight_and_normalize",
    "select",
    "sharded_dilute",
    "similarity",
]
