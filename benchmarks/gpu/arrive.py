"""On the other machine: join the parts, check them, unpack data and packages."""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from notes import WORK, note

ROOT = Path(__file__).parents[2]
SITE, PARTS, PARCEL, ARRIVED = WORK / "site", WORK / "parts", WORK / "parcel", WORK / "arrived.json"


def arrive(sent):
    """Take in the parts of a folder; once all are there, unpack them. Returns what is missing, in words, or None."""
    if ARRIVED.exists():
        return None
    PARTS.mkdir(parents=True, exist_ok=True)
    install_lend()
    for part in sorted(sent.glob("*/part-*")):
        shutil.copy(part, PARTS)
        shutil.copy(part.parent / "about.json", PARTS)
    if not (PARTS / "about.json").exists():
        return "no part of the data has arrived"
    about = json.loads((PARTS / "about.json").read_text())
    parts = [PARTS / f"part-{number}" for number in range(about["parts"])]
    absent = [part.name for part in parts if not part.exists()]
    if absent:
        return f"{', '.join(absent)} of {about['parts']} not yet here"
    unpack(parts, about)
    return None


def unpack(parts, about):
    """Check the whole, install what is missing, and make the data ready: all of it, or an error."""
    whole = WORK / "parcel.tar"
    digest = hashlib.sha256()
    with whole.open("wb") as file:
        for part in parts:
            digest.update(part.read_bytes())
            file.write(part.read_bytes())
    if digest.hexdigest() != about["sha256"]:
        raise ValueError(f"the parts do not make the parcel that was sent: {digest.hexdigest()}, not {about['sha256']}")
    with tarfile.open(whole) as parcel:
        parcel.extractall(PARCEL, filter="data")
    for wheel in sorted((PARCEL / "wheels").glob("*.whl")):
        install(wheel)
    data = PARCEL / "data"
    place = {"dataset": f"parquet:{data / 'cifar10'}", "data": "data"}
    if about["kind"] == "archive":  # it checks each file against that of the original archive
        subprocess.run([sys.executable, data / "unpack.py", WORK / "data"], check=True)
        place = {"dataset": "cifar10", "data": str(WORK / "data")}
    ARRIVED.write_text(json.dumps({**place, "note": about["note"]}))
    note("arrive", **place, images=about["note"] or "the originals")


def install(wheel):
    """Unpack a wheel, unless a package of its name is there already."""
    name = wheel.name.split("-")[0]
    try:
        print(f"{name} {version(name)} is there")
    except PackageNotFoundError:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(SITE)
        print(f"{wheel.name} unpacked")


def install_lend():
    """Name and version of this project, which its runs record; the code is that of the working tree."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    folder = SITE / f"lend-{about['version']}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: lend\nVersion: {about['version']}\n")


def place():
    """Settings that say where the data are."""
    return json.loads(ARRIVED.read_text())
