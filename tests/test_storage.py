import errno
import os
import subprocess
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from lend import storage
from lend.storage import DamagedFileError


def flip_byte(path, place=0.5):
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    path.write_bytes(content)


def test_what_parquet_cannot_hold_is_named(tmp_path):
    bad = pd.Series(["a", "b\udc80"], dtype=object)
    good = pd.Series([1.0, 2.0])
    of_index = pd.DataFrame({"score": good}).set_axis(pd.Index(bad, name="sample_id", dtype=object))
    for table, column in (
        (pd.DataFrame({"score": good, "label": bad}), "label"),
        (pd.DataFrame({"label": pd.Categorical.from_codes([0, 1], pd.Index(bad, dtype=object))}), "label"),
        (of_index, "sample_id"),
    ):
        with pytest.raises(ValueError, match=f"t.parquet: column '{column}' must be of texts .*, got 'b.*udc80'"):
            storage.write_parquet(tmp_path / "t.parquet", table)
    assert list(tmp_path.iterdir()) == []
    storage.write_parquet(tmp_path / "t.parquet", of_index.set_axis(["a", "b"]))
    assert pd.read_parquet(tmp_path / "t.parquet")["score"].tolist() == [1, 2]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    storage.write_atomically(path, lambda file: file.write(b"old"))

    def fail(file):
        file.write(b"half of the new")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        storage.write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_json_is_sealed(tmp_path):
    path = tmp_path / "a.json"
    storage.write_json(path, {"number": 1.5, "names": ["ü"]})
    assert storage.read_json(path) == {"number": 1.5, "names": ["ü"]}
    path.write_text(path.read_text().replace("1.5", "1.6"))
    with pytest.raises(DamagedFileError, match=r"a\.json is damaged: its seal"):
        storage.read_json(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'"text"', b"3"])
def test_damaged_json(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"a\.json is damaged"):
        storage.read_json(path)
    with pytest.raises(DamagedFileError, match="is missing"):
        storage.read_json(tmp_path / "b.json")


@pytest.mark.parametrize("place", [0.01, 0.3, 0.5, 0.95])
def test_damaged_arrays(tmp_path, place):
    path = tmp_path / "a.npz"
    storage.write_arrays(path, {"x": np.random.default_rng(0).random(5000)})
    flip_byte(path, place)
    with pytest.raises(DamagedFileError, match=r"a\.npz is damaged"):
        storage.read_arrays(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DamagedFileError, match=r"a\.npz is damaged"):
        storage.read_arrays(path)


def test_arrays_never_hold_objects(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([{"code": "runs"}], dtype=object))
    with pytest.raises(DamagedFileError, match="allow_pickle"):
        storage.read_arrays(path)


def test_zarr_is_lazy_and_finds_damage(tmp_path):
    path = tmp_path / "a.zarr.zip"
    values = np.random.default_rng(0).random((3000, 64)).astype(np.float16)
    storage.write_zarr(path, xr.Dataset({"x": (("sample", "feature"), values)}))
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr.zip"]
    opened = storage.open_zarr(path)
    assert opened["x"].chunks is not None and np.array_equal(opened["x"], values)
    flip_byte(path)
    with pytest.raises(Exception, match="CRC"):
        storage.open_zarr(path)["x"].load()
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DamagedFileError, match=r"a\.zarr\.zip is damaged"):
        storage.open_zarr(path)


def test_checkpoint_of_another_content_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    digest = storage.write_checkpoint(path, {"x": torch.arange(1000)})
    assert torch.equal(storage.read_checkpoint(path, digest)["x"], torch.arange(1000))
    flip_byte(path)
    with pytest.raises(DamagedFileError, match=r"a\.pt is damaged"):
        storage.read_checkpoint(path, digest)


# --- Files that somebody else put there -----------------------------------------------------------------------------


@pytest.mark.parametrize("read", [storage.read_json, storage.read_arrays, storage.open_zarr, storage.sha256])
@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "zero"])
def test_only_regular_files_are_read(tmp_path, read, kind):
    path = tmp_path / "a.npz"
    {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to("/etc/passwd"),
        "zero": lambda: path.symlink_to("/dev/zero"),
    }[kind]()
    with pytest.raises(DamagedFileError, match=r"a\.npz is damaged: it is a (folder|pipe|symbolic link)"):
        read(path)


def test_a_long_record_is_not_read(tmp_path):
    path = tmp_path / "a.json"
    storage.write_json(path, {"a": 1})
    os.truncate(path, 1 << 40)
    with pytest.raises(DamagedFileError, match=r"a\.json is damaged: it has 1,099,511,627,776 bytes"):
        storage.read_json(path)
    with pytest.raises(ValueError, match=r"a\.json must be at most 8,388,608 bytes"):
        storage.write_json(path, {"a": "x" * (8 << 20)})


def test_what_unpacks_to_far_more_than_its_size_is_not_read(tmp_path):
    path = tmp_path / "a.npz"
    storage.write_arrays(path, {"x": np.zeros(60 << 20, np.uint8)})
    assert len(storage.read_arrays(path)["x"]) == 60 << 20
    storage.write_arrays(path, {"x": np.zeros(90 << 20, np.uint8)})
    with pytest.raises(DamagedFileError, match=r"a\.npz is damaged: its [\d,]+ bytes would unpack to 94,"):
        storage.read_arrays(path)


def test_zeros_are_chunks_as_well(tmp_path):
    path = tmp_path / "a.zarr.zip"
    storage.write_zarr(path, xr.Dataset({"x": (("a", "b"), np.zeros((5, 3), np.int8))}))
    with zipfile.ZipFile(path) as archive:
        assert "x/c/0/0" in archive.namelist()
    assert not storage.open_zarr(path)["x"].values.any()


def test_a_chunk_of_another_name_is_not_taken_for_one_left_out(tmp_path):
    path = tmp_path / "a.zarr.zip"
    storage.write_zarr(path, xr.Dataset({"x": (("a", "b"), np.ones((5, 3), np.int8))}))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"x/c/0/0", b"x\xd0c/0/0"))
    with pytest.raises(DamagedFileError, match=r"a\.zarr\.zip is damaged: .* is no part of it"):
        storage.open_zarr(path)


def test_equal_snapshots_are_equal_files(tmp_path):
    dataset = xr.Dataset({"x": (("a", "b"), np.ones((5, 3), np.float16))})
    digests = [storage.write_zarr(tmp_path / name, dataset) for name in ("a.zarr.zip", "b.zarr.zip")]
    assert digests[0] == digests[1]


# --- Writers that were killed, links, locks -------------------------------------------------------------------------


def dead():
    """The number of a process that has ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_the_next_writer_removes_what_a_dead_one_left_and_nothing_of_a_living_one(tmp_path):
    path, names = tmp_path / "a.csv", [f".a.csv.{dead()}.tmp", f".a.csv.{os.getppid()}.tmp", ".a.csv.note", "b.tmp"]
    for name in names:
        (tmp_path / name).write_text("")
    half = tmp_path / f".a.csv.x.{dead()}.tmp"
    half.mkdir()
    (half / "part").write_text("")
    storage.write_atomically(path, lambda file: file.write(b"x"))
    assert {left.name for left in tmp_path.iterdir()} == {"a.csv", *names[1:]}
    os.utime(tmp_path / names[1], (0, 0))  # so old that the number is another process's
    storage.write_atomically(path, lambda file: file.write(b"x"))
    assert not (tmp_path / names[1]).exists()


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "a.csv", tmp_path / "a.csv"
    target.write_text("old")
    link.symlink_to("far/a.csv")
    storage.write_atomically(link, lambda file: file.write(b"new"))
    assert link.is_symlink() and target.read_text() == "new" and len(list((tmp_path / "far").iterdir())) == 1
    storage.write_json(link, {"a": 1})  # in the folder of a run, somebody else may have made the link
    assert not link.is_symlink() and target.read_text() == "new"


def test_a_pipe_is_written_to_and_stays(tmp_path):
    path = tmp_path / "a.csv"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    storage.write_atomically(path, lambda file: file.write(b"text"))
    assert os.read(reader, 10) == b"text" and path.is_fifo()
    os.close(reader)


def test_errors_of_writing_name_the_file_asked_for(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), arguments[0])

    monkeypatch.setattr("lend.storage.writing._RememberingFile", refuse)
    with pytest.raises(OSError, match=r"Read-only file system: '.*/a\.csv'"):
        storage.write_atomically(tmp_path / "a.csv", lambda file: file.write(b"x"))


@pytest.mark.parametrize("where", ["mkdir", "open", "write"])
def test_errors_of_a_temporary_folder_name_the_path_asked_for(tmp_path, monkeypatch, where):
    """Of the folder itself, for which there may be no room, and of a file in it; of no other."""

    def full(path, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with pytest.raises(OSError, match=r"\[Errno 28\] No space left on device: '.*/copies/run'"):  # noqa: SIM117
        with monkeypatch.context() as patch:
            if where == "mkdir":
                (tmp_path / "copies").mkdir()
                patch.setattr(os, "mkdir", full)
            with storage.temporary_folder(tmp_path / "copies" / "run") as folder:
                if where == "write":
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                full(folder / "a" / "b")
    with pytest.raises(OSError, match="'/another'"), storage.temporary_folder(tmp_path / "copies" / "run"):
        full("/another")
    assert list((tmp_path / "copies").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch, number):
    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OSError, match=r"cannot lock files.*local disk: '.*/lock'"), storage.lock(tmp_path / "lock"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"'.*/folder'"), storage.lock(tmp_path / "folder"):
        pass
