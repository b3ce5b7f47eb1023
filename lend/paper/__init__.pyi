from . import experiments, published, results, tables

__all__ = [
    "experiments",
    "published",
    "results",
    "tables",
]
