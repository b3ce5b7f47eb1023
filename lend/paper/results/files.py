"""A result: one Parquet file of the history of a finished run, its settings and surroundings in the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lend import storage
from lend.inputs import RunConfig, own_code
from lend.paper.results.originals import ORIGINALS
from lend.run import Run

if TYPE_CHECKING:
    import pandas as pd

KEY = b"lend"  # in the metadata of the schema
MOST = 16 << 20  # bytes of a file; thousands of epochs take less
# What captions say and tables ask; and what else is kept of all that a run notes: no path.
SAID = ("data_digest", "examples", "realised_noise_rate", "network", "device", "threads", "precision", "versions")
NOTED = (*SAID, "defaults", "held_out", "image_shape", "started")


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run without its labels and embeddings.

    Args:
        config: Its settings, the data set under the name that everyone has for it.
        info: What it ran on: digest of the data, device, threads, precision, versions of the packages.
        history: A row per epoch, as :attr:`lend.Run.history`.
    """

    config: RunConfig
    info: Mapping[str, Any]
    history: pd.DataFrame

    @classmethod
    def of(cls, run: Run) -> Result:
        """The result of a finished run on a data set of ORIGINALS."""
        info = {name: run.info[name] for name in NOTED if name in run.info}
        return cls(_placeless(run.config, ORIGINALS[info["data_digest"]]), info, run.history)

    @property
    def file_name(self) -> str:
        """That of the run's folder, wherever its data came from."""
        return f"{self.config.folder.name}.parquet"

    def write(self, folder: str | Path) -> Path:
        """Write the file into this folder, whole or not at all; its path back."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = self.history.reset_index()
        said = json.dumps({"config": self.config.identity, "info": dict(self.info)}, sort_keys=True, ensure_ascii=False)
        table = pa.table({name: columns[name].to_numpy() for name in columns}, metadata={KEY: said.encode()})
        path = Path(folder) / self.file_name
        write = partial(pq.write_table, table, compression="zstd", use_dictionary=False, write_statistics=False)
        storage.write_atomically(path, write)
        return path


def _placeless(config: RunConfig, dataset: str) -> RunConfig:
    """The settings without what is of one machine: where data and runs lie, and what it is told to do with them."""
    bare = RunConfig()
    kept = {name: getattr(bare, name) for name in ("runs", "data", "download", "device", "compile", "tracker", "note")}
    return replace(config, dataset=dataset, **kept)


def results(folder: str | Path) -> list[Result]:
    """Read all results of a folder, in the order of their names."""
    return [read(path) for path in sorted(Path(folder).glob("*.parquet"))]


def read(path: str | Path) -> Result:
    """Read one result. Safe for a stranger's file: nothing in it is executed.

    Raises:
        DamagedFileError: If the file is no result, or is named as another.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    with storage.open_file(path, MOST) as opened:
        content = opened.read()
    try:
        parquet = pq.ParquetFile(BytesIO(content))
        groups = (parquet.metadata.row_group(i) for i in range(parquet.metadata.num_row_groups))
        storage.require_within(path, sum(group.total_byte_size for group in groups), len(content))
        table = parquet.read()
        said = json.loads((table.schema.metadata or {})[KEY])
        if own_code(said["config"]):  # its file would be read to know its digest
            raise ValueError("its code is somebody's own")
        config, info = RunConfig.from_dict(said["config"]), dict(said["info"])
        history = table.to_pandas().set_index("epoch")
        _require_whole(config, info, history)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise storage.DamagedFileError(
            f"{path} is damaged: it is no result ({type(error).__name__}: {error})"
        ) from error
    found = Result(config, info, history)
    if found.file_name != path.name:
        raise storage.DamagedFileError(f"{path} is damaged: its settings are those of {found.file_name}")
    return found


def _require_whole(config: RunConfig, info: Mapping[str, Any], history: pd.DataFrame) -> None:
    missing = [name for name in SAID if name not in info]
    if missing or ORIGINALS.get(info["data_digest"]) != config.dataset:
        raise ValueError(f"it does not say {', '.join(missing)}" if missing else "its data are not the original")
    if list(history.index) != list(range(1, config.epochs + 1)) or "test_accuracy" not in history:
        raise ValueError(f"its history is not that of {config.epochs} epochs")
