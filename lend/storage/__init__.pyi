from .arrays import read_arrays, write_arrays
from .aside import moved_aside
from .checkpoints import read_checkpoint, write_checkpoint
from .errors import DamagedFileError, InUseError, damage_of, damages
from .locking import lock
from .reading import check_file, open_file, require_within, sha256
from .records import read_json, write_json
from .snapshots import open_zarr, write_zarr
from .tables import write_csv, write_parquet, write_patch
from .temporaries import is_temporary, temporary_folder
from .writing import write_atomically, write_bytes, write_text

__all__ = [
    "DamagedFileError",
    "InUseError",
    "check_file",
    "damage_of",
    "damages",
    "is_temporary",
    "lock",
    "moved_aside",
    "open_file",
    "open_zarr",
    "read_arrays",
    "read_checkpoint",
    "read_json",
    "require_within",
    "sha256",
    "temporary_folder",
    "write_arrays",
    "write_atomically",
    "write_bytes",
    "write_checkpoint",
    "write_csv",
    "write_json",
    "write_parquet",
    "write_patch",
    "write_text",
    "write_zarr",
]
