"""Zip files that somebody else may have made: their table of contents is looked at before anything is unpacked."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lend.storage.errors import DamagedFileError, damage_of
from lend.storage.reading import open_file, require_within

TABLE = 16 << 20  # bytes of a table of contents: 100,000 members and more
END, END64 = b"PK\x05\x06", b"PK\x06\x06"  # the records at the end of a zip file, 22 and 56 bytes; 20 point to END64


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose members unpack to no more than :func:`require_within` allows.

    Raises:
        DamagedFileError: If it is missing, no zip file, or would unpack to far more than its size.
    """
    with open_file(path) as file, damage_of(path):
        size = os.fstat(file.fileno()).st_size
        table = _table_bytes(file, size)
        if table > TABLE:
            raise DamagedFileError(f"{path} is damaged: a table of contents of {table:,} bytes")
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if len(names) < len(members):
                raise DamagedFileError(f"{path} is damaged: two members of one name")
            require_within(path, sum(member.file_size for member in members), size)
            yield archive


def _table_bytes(file: BinaryIO, size: int) -> int:
    """Return the size of the table of contents, from the last record of the file (which has no comment)."""
    file.seek(max(0, size - 98))
    tail = file.read(98)
    if tail[-22:-18] != END:
        raise zipfile.BadZipFile("it ends in the middle of a zip file")
    if tail[:4] == END64:
        return struct.unpack("<Q", tail[40:48])[0]
    return struct.unpack("<L", tail[-10:-6])[0]
