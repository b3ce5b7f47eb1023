"""Runs as small archives, to bring them back from another machine.

    python benchmarks/gpu/parcel.py results/gpu runs        # unpack all archives of a folder into a folder of runs

A compact copy of 50,000 examples and 200 epochs has 17 MB of labels, each epoch on its own. Here all epochs are one
array in which each holds what changed since the one before, which packs to a fifth. Unpacked, the copy is as it was.
"""

import argparse
import io
import json
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from lend import Run, compact, storage


def pack(run, target, **options):
    """Write the compact copy of a run as an archive; its options are those of `lend.compact`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = compact(run, folder, **options)
        epochs = [copy.labels_path(epoch) for epoch in range(1, copy.epochs_done + 1)]
        labels = [storage.read_arrays(path) for path in epochs]
        with tarfile.open(target, "w:xz", preset=2) as archive:
            for name in labels[0]:
                add(archive, f"{copy.path.name}/changes/{name}.npy", changes(np.stack([part[name] for part in labels])))
            for path in sorted(copy.path.rglob("*")):
                if path.is_file() and path not in epochs:
                    archive.add(path, f"{copy.path.name}/{path.relative_to(copy.path)}")


def add(archive, name, values):
    buffer = io.BytesIO()
    np.save(buffer, values)
    member = tarfile.TarInfo(name)
    member.size = buffer.tell()
    buffer.seek(0)
    archive.addfile(member, buffer)


def changes(values):
    """Each row xor the one before; the first row as it is."""
    bits = values.view(f"u{values.itemsize}")
    return np.concatenate([bits[:1], bits[1:] ^ bits[:-1]]).view(values.dtype)


def restored(values):
    """What `changes` was given."""
    return np.bitwise_xor.accumulate(values.view(f"u{values.itemsize}")).view(values.dtype)


def unpack(archive, folder):
    """Write the compact copy of an archive into a folder of runs."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        with tarfile.open(archive) as packed:
            packed.extractall(temporary, filter="data")
        (path,) = Path(temporary).iterdir()
        copy = Run.open(path)
        parts = {part.stem: restored(np.load(part)) for part in (path / "changes").glob("*.npy")}
        for epoch in range(1, copy.epochs_done + 1):
            labels, record = copy.labels_path(epoch), storage.read_json(copy.history_path(epoch))
            name = f"labels/{labels.name}"  # packed by another version of zlib, it may be another file
            record["files"][name] = storage.write_arrays(labels, {key: rows[epoch - 1] for key, rows in parts.items()})
            record["sizes"][name] = labels.stat().st_size
            storage.write_json(copy.history_path(epoch), record)
        for part in (path / "changes").iterdir():
            part.unlink()
        (path / "changes").rmdir()
        return Run.open(path.rename(Path(folder) / path.name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of what came back")
    parser.add_argument("runs", type=Path, help="folder of runs")
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for bundle in sorted(options.results.glob("runs-*.tar")):
            with tarfile.open(bundle) as packed:
                packed.extractall(folder, filter="data")
        for archive in sorted(Path(folder).glob("*.tar.xz")):
            run = unpack(archive, options.runs)
            print(json.dumps({"run": run.path.name, "epochs": run.epochs_done, "damaged": run.check()}))


if __name__ == "__main__":
    main()
