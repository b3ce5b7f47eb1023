from .errors import nearest_name, require, require_name

__all__ = ["nearest_name", "require", "require_name"]
