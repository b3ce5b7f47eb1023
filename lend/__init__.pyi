from . import (
    analysis,
    auditing,
    data,
    dilution,
    embedding,
    explorer,
    inputs,
    methods,
    neighbors,
    noise,
    paper,
    plots,
    recording,
    run,
    storage,
    training,
)
from .analysis import map, maps, memorisation
from .auditing import Audit, apply, audit, clean
from .dilution import (
    LabelDilution,
    dilute,
    dilution_trace,
    dominant_labels,
    momentum,
    select,
    sharded_dilute,
    similarity,
)
from .embedding import Embeddings, embed
from .explorer import Explorer, Inspection, animate, explore
from .inputs import Dilution, RunConfig
from .methods import METHODS, Selector
from .neighbors import KnnGraph, knn_graph, sharded_graph
from .paper import experiments, tables
from .recording import Recorder
from .run import Run, compact, runs, table
from .training import networks, sweep, train

__version__: str

__all__ = [
    "Audit",
    "Dilution",
    "Embeddings",
    "Explorer",
    "Inspection",
    "KnnGraph",
    "LabelDilution",
    "METHODS",
    "Recorder",
    "Run",
    "RunConfig",
    "Selector",
    "analysis",
    "animate",
    "apply",
    "audit",
    "auditing",
    "clean",
    "compact",
    "data",
    "dilute",
    "dilution",
    "dilution_trace",
    "dominant_labels",
    "embed",
    "embedding",
    "experiments",
    "explore",
    "explorer",
    "inputs",
    "knn_graph",
    "map",
    "maps",
    "memorisation",
    "methods",
    "momentum",
    "neighbors",
    "networks",
    "noise",
    "paper",
    "plots",
    "recording",
    "run",
    "runs",
    "select",
    "sharded_dilute",
    "sharded_graph",
    "similarity",
    "storage",
    "sweep",
    "table",
    "tables",
    "train",
    "training",
]
