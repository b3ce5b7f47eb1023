"""lend: see, measure and dilute label noise through embeddings (LEND, arXiv 2206.13025)."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Where each public name lives. Modules load when a name is first used: torch alone takes seconds.
_HOMES = {
    "lend.auditing": ("Audit", "audit"),
    "lend.compacting": ("compact",),
    "lend.config": ("Dilution", "RunConfig"),
    "lend.dilution": ("dilute", "dominant_labels", "momentum", "select", "similarity"),
    "lend.estimator": ("LabelDilution",),
    "lend.explorer": ("Explorer", "explore"),
    "lend.explorer.animation": ("animate",),
    "lend.explorer.inspection": ("Inspection",),
    "lend.graphs": ("KnnGraph", "knn_graph"),
    "lend.methods": ("METHODS",),
    "lend.run": ("Run", "runs"),
    "lend.sweeps": ("sweep",),
    "lend.tables": ("table",),
    "lend.traces": ("dilution_trace",),
    "lend.training": ("train",),
}
_NAMES = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = (
    "analysis",
    "data",
    "dilution",
    "experiments",
    "maps",
    "memorisation",
    "methods",
    "networks",
    "noise",
    "plots",
    "tables",
)

__all__ = [*_NAMES, *_MODULES, "__version__"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in _MODULES:
        return import_module(f"lend.{name}")
    raise AttributeError(f"module 'lend' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
