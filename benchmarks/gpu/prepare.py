"""On the machine at hand: everything that another machine without a network needs, in parts that fit a limit.

    python benchmarks/gpu/prepare.py SOURCE            # CIFAR-10, the originals
    python benchmarks/gpu/prepare.py SOURCE --jpeg 90  # a third of it; results are of "CIFAR-10 (JPEG q90)"

SOURCE holds cifar10-train.parquet and cifar10-test.parquet (lossless images, in the original order) and unpack.py,
which rebuilds from them the files of the original archive, or JPEG copies of the tables. Beside the data travel wheels
of the packages that the other machine lacks. A part is as large as the limit leaves beside the working tree.
"""

import argparse
import hashlib
import io
import json
import math
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
TABLES = ("cifar10-train.parquet", "cifar10-test.parquet")
# what `lend` and its tests import, and a machine with torch, torchvision, accelerate, pandas, pyarrow, scikit-learn,
# xarray and pytest may lack; where a package is there it is not unpacked
WHEELS = ("zarr", "numcodecs", "donfig", "google-crc32c", "jsonargparse", "docstring-parser", "platformdirs")
WHEELS += ("jaxtyping", "wadler-lindig", "lazy-loader")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_24_x86_64", "manylinux_2_17_x86_64")
PLATFORMS += ("manylinux2014_x86_64", "manylinux1_x86_64")
MARGIN = 2 << 20  # bytes of the limit that stay free


def tree():
    """Bytes of the working tree: what git tracks, and what it neither tracks nor ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return sum((ROOT / name).stat().st_size for name in set(names) if name and (ROOT / name).is_file())


def collect(source, quality, folder):
    """Copy the data; returns what they are."""
    if quality is not None:
        subprocess.run([sys.executable, source / "unpack.py", folder, "--small", str(quality)], check=True)
        return {"kind": "tables", "note": f"CIFAR-10 images as JPEG of quality {quality}"}
    for name in (*TABLES, "unpack.py"):
        shutil.copy(source / name, folder)
    return {"kind": "archive", "note": ""}


def pretend(folder, n=200):
    """Random images in ten classes, in the same files."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    generator = np.random.default_rng(0)
    for name, count in zip(TABLES, (n, n // 4), strict=True):
        pixels, blobs = generator.integers(0, 256, (count, 32, 32, 3), np.uint8), []
        for image in pixels:
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "WEBP", lossless=True)
            blobs.append(buffer.getvalue())
        pq.write_table(pa.table({"image": blobs, "label": np.arange(count) % 10}), folder / name)
    return {"kind": "tables", "note": "random images"}


def wheels(folder, python):
    """Fetch wheels for 64-bit x86 Linux; returns the names of those that could not be had."""
    missing = []
    for name in WHEELS:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            folder,
        ]
        command += ["--python-version", python, "--implementation", "cp"]
        command += [word for platform in PLATFORMS for word in ("--platform", platform)]
        if subprocess.run([*command, f"{name}=={version(name)}"]).returncode:
            missing.append(name)
    return missing


def split(folder, parcel, about, size):
    """Write a parcel in parts of at most this many bytes, each in a folder of its own with a word about the whole."""
    shutil.rmtree(folder, ignore_errors=True)
    count = math.ceil(len(parcel) / size)
    about = {**about, "parts": count, "sha256": hashlib.sha256(parcel).hexdigest()}
    for number in range(count):
        part = folder / str(number)
        part.mkdir(parents=True)
        (part / f"part-{number}").write_bytes(parcel[number * size : (number + 1) * size])
        (part / "about.json").write_text(json.dumps(about))
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, nargs="?", help="folder of the data; random images if not given")
    parser.add_argument("--jpeg", type=int, metavar="QUALITY")
    parser.add_argument("--into", type=Path, default=ROOT / ".gpu", help="folder of the parts, which git ignores")
    parser.add_argument("--limit", type=float, default=64, help="MiB that travel at once, the working tree included")
    parser.add_argument("--part", type=int, help="bytes of a part, in place of the limit")
    parser.add_argument("--python", default="3.12", help="version of Python on the other machine")
    parser.add_argument("--no-wheels", action="store_true")
    options = parser.parse_args()
    size = options.part or int(options.limit * 2**20) - MARGIN - tree()
    if size <= 0:
        parser.error(f"the working tree has {tree() / 2**20:.1f} MiB: nothing fits beside it into {options.limit:g}")
    with tempfile.TemporaryDirectory() as folder:
        data, packages = Path(folder) / "data", Path(folder) / "wheels"
        data.mkdir(), packages.mkdir()
        about = collect(options.source, options.jpeg, data) if options.source else pretend(data)
        missing = [] if options.no_wheels else wheels(packages, options.python)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as parcel:
            for path in sorted(Path(folder).rglob("*.*")):
                parcel.add(path, path.relative_to(folder))
        weights = {part.name: sum(path.stat().st_size for path in part.iterdir()) for part in (data, packages)}
    count = split(options.into, buffer.getvalue(), about, size)
    print(
        f"working tree {tree() / 2**20:.1f} MiB; " + ", ".join(f"{k} {v / 2**20:.1f} MiB" for k, v in weights.items())
    )
    print(f"{count} parts in {options.into}" + (f"; NOT fetched: {', '.join(missing)}" if missing else ""))
    for number in range(count - 1):
        print(f"  with .gpu/{number}   bash benchmarks/gpu/run.sh --take")
    print(f"  with .gpu/{count - 1}   bash benchmarks/gpu/run.sh")
    print("  and again     bash benchmarks/gpu/run.sh")


if __name__ == "__main__":
    main()
