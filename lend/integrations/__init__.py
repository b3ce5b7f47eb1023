"""Callbacks that record the trainings of other libraries: a file for each, over :class:`lend.Recorder`.

Each file imports its library, so each is imported by its own name: ``lend.integrations.lightning`` and
``lend.integrations.huggingface``.
"""

__all__: list[str] = []
