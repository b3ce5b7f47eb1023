"""The name of a run's folder: its main settings for people, and its hash for certainty."""

from __future__ import annotations

import os
import re
from pathlib import PureWindowsPath

LONGEST = 255  # bytes of a file name


def folder_name(dataset: str, noise: str, tail: str) -> str:
    """Return a name that every file system takes.

    Args:
        dataset: Name of the data set, or its format and path; a path gives its last part.
        noise: Name of the noise.
        tail: End of the name, which tells runs apart and is never cut.
    """
    kind, _, path = dataset.partition(":")
    # a path such as "." has no last part of its own
    source = PureWindowsPath(os.path.basename(os.path.abspath(os.path.expanduser(path or kind)))).name
    head, tail = _clean(f"{source or kind}-{noise}"), _clean(tail)
    room = LONGEST - len(os.fsencode(tail))
    return (head if len(os.fsencode(head)) <= room else os.fsencode(head)[:room].decode(errors="ignore")) + tail


def _clean(text: str) -> str:
    """Without what Windows forbids in a file name, which is more than other systems do."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "-", text)
