"""Without the other libraries nothing of these folders is imported."""

from importlib.util import find_spec

NEEDS = {"lightning": "lightning_training.py", "transformers": "huggingface_training.py"}
collect_ignore = [file for library, file in NEEDS.items() if find_spec(library) is None]
