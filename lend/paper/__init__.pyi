from . import experiments, published, tables

__all__ = [
    "experiments",
    "published",
    "tables",
]
