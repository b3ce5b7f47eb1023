import numpy as np
import pytest
import torch
import xarray as xr

from lend import storage
from lend.storage import DamagedFileError


def flip_byte(path, place=0.5):
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    path.write_bytes(content)


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
