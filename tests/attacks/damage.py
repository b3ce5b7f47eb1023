"""What may happen to a file: each takes the folder of saved runs and the file, and changes it."""

import json
import os
import shutil
import zipfile

import numpy as np

from lend import storage


def write(content):
    return lambda path: path.write_bytes(content)


def replaced(make):
    def change(path):
        path.unlink()
        make(path)

    return change


def cut(share=0.5, less=0):
    return lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share) - less])


def flipped(place, bits=0xFF):
    def change(path):
        content = bytearray(path.read_bytes())
        content[place] ^= bits
        path.write_bytes(content)

    return change


def padded(path):
    os.truncate(path, 2 << 30)  # sparse: it takes no room


DAMAGE = {
    "empty": write(b""),
    "half": cut(),
    "a byte less": cut(1, 1),
    "zeros": write(bytes(3000)),
    "random": write(np.random.default_rng(0).bytes(3000)),
    "2 GB long": padded,
    "link out": replaced(lambda path: path.symlink_to("/etc/passwd")),
    "link to nothing": replaced(lambda path: path.symlink_to("nothing")),
    "link to itself": replaced(lambda path: path.symlink_to(path.name)),
    "link to /dev/zero": replaced(lambda path: path.symlink_to("/dev/zero")),
    "pipe": replaced(os.mkfifo),
    "folder": replaced(lambda path: path.mkdir()),
    "missing": lambda path: path.unlink(),
    "deep": write(b"[" * 100_000),
    "deep, closed": write(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
}


# --- Made by hand, sealed and digested again, as somebody who wants harm would --------------------------------------


def again(run, name):
    """Write digest and size of a changed file into the record of its epoch."""
    path = run / name
    epoch = path.name[:4]
    if epoch.isdigit() and not name.startswith("maps/"):
        record = run / "history" / f"{epoch}.json"
        content = storage.read_json(record)
        content.pop("seal", None)
        content["files"][name], content["sizes"][name] = storage.sha256(path), path.stat().st_size
        storage.write_json(record, content)


def record(name, change):
    """Change a JSON record and seal it again."""

    def craft(run):
        content = json.loads((run / name).read_text())
        content.pop("seal")
        storage.write_json(run / name, change(content) or content)

    return name, craft


def setting(part, **values):
    return record("config.json", lambda content: content[part].update(values))


def arrays(name, change):
    """Change the arrays of an .npz."""

    def craft(run):
        content = storage.read_arrays(run / name)
        storage.write_arrays(run / name, change(content))
        again(run, name)

    return name, craft


def without(name):
    return lambda content: {other: values for other, values in content.items() if other != name}


def npz(name, members):
    """Write an .npz of these bytes."""

    def craft(run):
        with zipfile.ZipFile(run / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        again(run, name)

    return name, craft


def header(shape, dtype="|u1"):
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (len(text) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def zarr(change, name="snapshots/0001.zarr.zip"):
    """Change the members of a snapshot: {name: bytes}."""

    def craft(run):
        with zipfile.ZipFile(run / name) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        change(members)
        with zipfile.ZipFile(run / name, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        again(run, name)

    return name, craft


def about(array, **values):
    """Change the description of an array of a snapshot."""

    def change(members):
        content = json.loads(members[f"{array}/zarr.json"])
        members[f"{array}/zarr.json"] = json.dumps(content | values).encode()

    return zarr(change)


def grid(*shape):
    return {"name": "regular", "configuration": {"chunk_shape": list(shape)}}


def zstd(size):
    from numcodecs.zstd import Zstd

    return Zstd().encode(bytes(size))


def objects(run):
    np.savez(run / "labels" / "0001.npz", predicted=np.array([{"a": 1}], dtype=object))
    again(run, "labels/0001.npz")


LABELS, GIVEN, MAP = "labels/0001.npz", "labels/given.npz", "maps/aligned/0001.npz"
CHUNK = "embeddings/c/0/0"
CRAFTED = [
    *(setting("config", **{name: value}) for name, value in {
        "epochs": "x", "noise": None, "snapshots": ["a"], "dilution": 3, "dataset": 5, "options": [], "seed": -1,
        "noise_rate": float("nan"), "unknown": 1, "batch_size": True,
    }.items()),
    setting("config", epochs=10**12),
    *(setting("info", **{name: value}) for name, value in {
        "class_names": 3, "compact": "x", "note": [], "device": {}, "examples": "n", "precision": 16,
    }.items()),
    setting("info", class_names=[{"a": 1}]),
    setting("info", compact={"points": "all"}),
    record("config.json", lambda content: {"a": 1}),
    record("config.json", lambda content: {**content, "config": [], "info": 5}),
    record("config.json", lambda content: {**content, "files": {GIVEN: 5}}),
    *(record("history/0001.json", change) for change in (
        lambda content: content.pop("row") and None,
        lambda content: content.pop("files") and None,
        lambda content: content.pop("sizes") and None,
        lambda content: {**content, "row": 5},
        lambda content: {**content, "row": {"epoch": 1, "test_accuracy": "high"}},
        lambda content: {**content, "row": {"epoch": 7, "test_accuracy": 0.5}},
        lambda content: {**content, "files": {"/dev/zero": "0" * 64}, "sizes": {"/dev/zero": 1}},
        lambda content: {**content, "files": {"../../../etc/passwd": "0" * 64}, "sizes": {"../../../etc/passwd": 1}},
        lambda content: {**content, "sizes": {LABELS: "x"}},
        lambda content: {"deep": content},
    )),
    npz(LABELS, {"predicted.npy": header((10**12,)) + bytes(60)}),
    npz(LABELS, {"predicted.npy": header((10**6, 10**6, 10**6)) + bytes(60)}),
    npz(LABELS, {"predicted.npy": header((-1,)) + bytes(60)}),
    npz(LABELS, {"predicted.npy": b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((("}),
    npz(LABELS, {"predicted.npy": b"\x93NUMPY\x09\x00\x10\x00" + bytes(60)}),
    npz(LABELS, {"../../up.npy": header((60,)) + bytes(60)}),
    npz(LABELS, {}),
    npz(GIVEN, {"noisy.npy": header((300 << 20,)) + bytes(300 << 20)}),
    (LABELS, objects),
    arrays(LABELS, without("predicted")),
    arrays(LABELS, lambda content: {name: values[:-1] for name, values in content.items()}),
    arrays(LABELS, lambda content: {name: values.astype(float) for name, values in content.items()}),
    arrays(LABELS, lambda content: {**content, "predicted": np.full_like(content["predicted"], 99)}),
    arrays(GIVEN, without("sample_id")),
    arrays(GIVEN, lambda content: {**content, "noisy": content["noisy"][:-1]}),
    arrays(GIVEN, lambda content: {**content, "noisy": np.full_like(content["noisy"], 77)}),
    arrays(MAP, without("coordinates")),
    arrays(MAP, lambda content: {**content, "coordinates": content["coordinates"][:-1]}),
    arrays(MAP, lambda content: {**content, "coordinates": np.full_like(content["coordinates"], np.nan)}),
    arrays(MAP, lambda content: {**content, "neighbors": content["neighbors"] - 9999}),
    arrays("maps/aligned/samples.npz", lambda content: {**content, "positions": content["positions"] - 5}),
    arrays("maps/aligned/samples.npz", lambda content: {**content, "positions": content["positions"] + 10**9}),
    zarr(lambda members: members.pop(CHUNK)),
    zarr(lambda members: members.update({CHUNK: b"garbage" * 50})),
    zarr(lambda members: members.update({CHUNK: zstd(200 << 20)})),
    zarr(lambda members: members.update({CHUNK: zstd(100)})),
    zarr(lambda members: members.update({"embeddings/zarr.json": b"[" * 100_000})),
    zarr(lambda members: members.update({"zarr.json": b'{"a":' * 100_000})),
    zarr(lambda members: members.update({"zarr.json": bytes(3 << 20)})),
    zarr(lambda members: members.pop("diluted/zarr.json")),
    zarr(lambda members: [members.pop(name) for name in list(members) if name.startswith("diluted")]),
    zarr(lambda members: members.clear()),
    about("embeddings", shape=[10**12, 8]),
    about("embeddings", chunk_grid=grid(0, 8)),
    about("embeddings", chunk_grid=grid(10**9, 8)),
    about("embeddings", data_type="string"),
    about("embeddings", data_type="complex64"),
    about("embeddings", data_type="int8", fill_value=0, shape=[10**9, 10**3], chunk_grid=grid(1000, 1000)),
    about("embeddings", attributes={"scale_factor": "x"}),
    about("embeddings", attributes={"scale_factor": float("nan")}),
    about("embeddings", codecs=[{"name": "pickle"}]),
    about("embeddings", codecs=[{"name": "bytes"}, {"name": "gzip", "configuration": {"level": 1}}]),
    about("embeddings", dimension_names=["sample", "sample"]),
    about("embeddings", dimension_names=None),
    about("embeddings", node_type="group"),
    about("diluted", dimension_names=["class", "sample"]),
]  # fmt: skip


def extra(name, content=b"{}"):
    """A file that is no file of the run, beside the others: it changes nothing, or one error names it."""

    def craft(run):
        (run / name).write_bytes(content)

    return name, craft


EXTRA = [
    *(extra(f"history/{name}") for name in ("0001 (1).json", "1x.json", "99999999.json", "1.json", "0000.json")),
    extra("history/00000000000000000000000000001.json"),
    extra("labels/x.npz"),
    extra("maps/aligned/y1.npz"),
    extra("snapshots/1.zarr.zip"),
    extra(".config.json.1.tmp"),
]


def swapped(other):
    """Put the same file of another run in the place of one."""

    def change(path, name):
        path.unlink()
        shutil.copy(other / name, path)

    return change
