"""People's own code, named by its place: ``file.py:name`` or ``package.module:name``.

Naming and looking are apart from running: :func:`source_digest` reads a source and never imports or executes it, nor
the packages around it; :func:`load` alone does.
"""

from lend.inputs.plugins.calling import call, takes, told
from lend.inputs.plugins.loading import load, spelled
from lend.inputs.plugins.places import names_code, short_name, source_digest

__all__ = ["call", "load", "names_code", "short_name", "source_digest", "spelled", "takes", "told"]
