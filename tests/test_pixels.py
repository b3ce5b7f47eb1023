"""Images of every mode that Pillow reads: the right 8 bits a channel, or an error that names the image."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from lend import data
from lend.data.pixels import image_formats

STREAM = np.random.RandomState(0)
RGB = STREAM.randint(0, 256, (4, 5, 3)).astype(np.uint8)
GREY = STREAM.randint(0, 256, (4, 5)).astype(np.uint8)
DEEP = STREAM.randint(0, 65536, (4, 5, 4)).astype(np.uint16)
PALETTE = Image.fromarray(RGB).quantize(20)  # its colours are those of RGB, each once


def encoded(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def decoded(blob, **options):
    """One image as (height, width) or (height, width, 3)."""
    image = data.decode_images([blob], lambda i: f"image {i}", **options).numpy()[0].transpose(1, 2, 0)
    return image[:, :, 0] if image.shape[2] == 1 else image


def deep_png(pixels, kind):
    """A PNG of 16 bits a channel, which Pillow writes of grey alone; kind 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def deep_tiff(pixels, photometric=1, bits=16, order="<"):
    """A TIFF of grey integers, uncompressed."""
    height, width = pixels.shape[:2]
    if bits == 12:  # two pixels in three bytes
        pairs = pixels.reshape(height, -1, 2).astype(int)
        packed = np.stack([pairs[..., 0] >> 4, (pairs[..., 0] & 15) << 4 | pairs[..., 1] >> 8, pairs[..., 1] & 255], -1)
        strip = packed.astype(np.uint8).tobytes()
    else:
        strip = pixels.astype(f"{order}u{bits // 8}").tobytes()
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: height, 279: len(strip)}
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags.items())
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8 + len(strip))
    return start + strip + struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", 0)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "TGA", "PPM", "PCX", "SGI", "QOI"])
def test_formats_without_loss(form):
    assert (decoded(encoded(Image.fromarray(RGB), form)) == RGB).all()
    if form != "QOI":
        assert (decoded(encoded(Image.fromarray(GREY), form)) == GREY).all()


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "AVIF", "JPEG2000", "MPO"])
def test_formats_with_loss(form):
    even = np.full((16, 16, 3), (200, 30, 60), np.uint8)
    assert np.abs(decoded(encoded(Image.fromarray(even), form)).astype(int) - even).max() <= 3


@pytest.mark.parametrize(
    "blob",
    [
        encoded(PALETTE),
        encoded(PALETTE, transparency=3),
        encoded(PALETTE, transparency=bytes([0, 128, *[255] * 18])),
        encoded(PALETTE, "GIF"),
        encoded(PALETTE, "GIF", transparency=2),
        encoded(PALETTE, "TIFF"),
        encoded(PALETTE, "BMP"),
    ],
)
def test_palettes_give_their_colours(blob):
    assert (decoded(blob) == RGB).all()


def test_transparency_is_dropped():
    alpha = GREY[:, :, None]
    for form in ("PNG", "TIFF", "WEBP"):
        options = {"lossless": True, "exact": True} if form == "WEBP" else {}
        assert (decoded(encoded(Image.fromarray(np.dstack([RGB, alpha])), form, **options)) == RGB).all()
    assert (decoded(encoded(Image.fromarray(np.dstack([GREY, alpha]), "LA"))) == GREY).all()
    assert (decoded(encoded(Image.fromarray(RGB), transparency=tuple(RGB[0, 0].tolist()))) == RGB).all()
    assert (decoded(encoded(Image.fromarray(GREY), transparency=int(GREY[0, 0]))) == GREY).all()


def test_black_and_white():
    bits = GREY > 127
    for form in ("PNG", "TIFF", "BMP", "PPM", "GIF"):
        image = decoded(encoded(Image.fromarray(bits), form))
        grey = image[:, :, 0] if image.ndim == 3 else image
        assert (grey == 255 * bits).all()


def test_prints_and_videos():
    even = Image.fromarray(np.full((16, 16, 3), (200, 30, 60), np.uint8))
    for mode, form in (("CMYK", "TIFF"), ("CMYK", "JPEG"), ("YCbCr", "TIFF"), ("LAB", "TIFF")):
        profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        lab = ImageCms.buildTransform(*profiles, "RGB", "LAB")
        image = ImageCms.applyTransform(even, lab) if mode == "LAB" else even.convert(mode)
        blob = encoded(image, form)
        with Image.open(io.BytesIO(blob)) as opened:
            assert opened.mode == mode
        assert np.abs(decoded(blob).astype(int) - np.asarray(even)).max() <= 3, (mode, form)


def test_modes_of_memory():
    """Modes that no common file has, straight from memory."""
    from lend.data.pixels import _shallow

    even = Image.new("RGB", (3, 2), (200, 100, 50))
    for mode in ("HSV", "YCbCr", "RGBX", "RGBa", "PA"):
        image = even.convert("P").convert("PA") if mode == "PA" else even.convert("RGBA").convert("RGBa")
        image = image if mode in ("PA", "RGBa") else even.convert(mode)
        assert image.mode == mode
        # A palette of 6 x 6 x 6 colours has steps of 51.
        assert np.abs(_shallow(image).astype(int) - (200, 100, 50)).max() <= (26 if mode == "PA" else 3), mode
    grey = Image.new("LA", (3, 2), (77, 255)).convert("La")
    assert grey.mode == "La" and (_shallow(grey) == 77).all()


def test_sixteen_bits_keep_their_upper_eight():
    grey, high = DEEP[:, :, 0], DEEP >> 8
    for blob in (
        encoded(Image.fromarray(grey)),
        encoded(Image.fromarray(grey), "TIFF"),
        encoded(Image.fromarray(grey), "JPEG2000", irreversible=False),
        b"P5 5 4 65535\n" + grey.astype(">u2").tobytes(),
        deep_tiff(grey),
        deep_tiff(grey, order=">"),
    ):
        assert (decoded(blob) == high[:, :, 0]).all()
    assert (decoded(deep_png(DEEP[:, :, :3], 2)) == high[:, :, :3]).all()
    assert (decoded(deep_png(DEEP, 6)) == high[:, :, :3]).all()
    for channel in range(3):
        image = decoded(deep_png(DEEP[:, :, :2], 4))
        assert ((image if image.ndim == 2 else image[:, :, channel]) == high[:, :, 0]).all()
    repeated = GREY.astype(np.uint16) * 257
    assert (decoded(encoded(Image.fromarray(repeated))) == GREY).all()
    assert (decoded(deep_png(RGB.astype(np.uint16) * 257, 2)) == RGB).all()


def test_tiff_of_twelve_bits_and_of_white_as_zero():
    twelve = (DEEP[:, :4, 0] >> 4).astype(np.uint16)
    assert (decoded(deep_tiff(twelve, bits=12)) == twelve >> 4).all()
    assert (decoded(deep_tiff(DEEP[:, :, 0], photometric=0)) == 255 - (DEEP[:, :, 0] >> 8)).all()
    assert (decoded(deep_tiff(GREY, photometric=0, bits=8)) == 255 - GREY).all()


def test_numbers_without_black_and_white_are_refused():
    floats, whole = GREY.astype(np.float32), GREY.astype(np.int32)
    for blob, reason in (
        (encoded(Image.fromarray(floats), "TIFF"), "its pixels are floats, and nothing says which is black"),
        (b"Pf 5 4 -1\n" + floats.tobytes(), "its pixels are floats"),
        (encoded(Image.fromarray(whole), "TIFF"), "its pixels are numbers of TIFF, and nothing says which is black"),
    ):
        with pytest.raises(ValueError, match=f"image 0: cannot be read as an image of 8 bits a channel .{reason}"):
            decoded(blob)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_upright(form, orientation):
    """A red left upper corner, stored as the header says that a camera was held."""
    upright = np.full((32, 48, 3), 128, np.uint8)
    upright[:16, :16] = (250, 10, 10)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    blob = encoded(Image.fromarray(np.ascontiguousarray(stored)), form, exif=exif)
    image = decoded(blob)
    assert image.shape == upright.shape
    assert np.abs(image[4:12, 4:12].astype(int) - (250, 10, 10)).max() < 12
    assert np.abs(image[20:, 20:].astype(int) - 128).max() < 12
    if form != "TIFF":  # Pillow turns these itself
        assert decoded(blob, upright=False).shape == stored.shape


def test_damaged_exif_header_is_told():
    blob = encoded(Image.fromarray(GREY), exif=b"Exif\0\0MM\0*\0\0\0")
    with pytest.warns(UserWarning, match="1 of 1 images have an EXIF header that cannot be read.*first is image 0"):
        assert (decoded(blob) == GREY).all()


@pytest.mark.parametrize("form", ["GIF", "TIFF", "PNG", "WEBP", "MPO"])
def test_first_of_several_frames(form):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "lime")]
    several = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    one = encoded(frames[1])
    with pytest.warns(UserWarning) as caught:
        images = data.decode_images([one, several, one, several], lambda i: f"image {i}").numpy()
    (warning,) = caught
    wanted = "2 of 4 images hold several frames, of which the first is taken; the first is image 1"
    assert str(warning.message) == wanted
    assert np.abs(images[1, :, 8, 8].astype(int) - (255, 0, 0)).max() < 3
    assert (images[2, :, 8, 8] == (0, 0, 255)).all()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM"])
def test_damaged_images_are_named(form):
    whole = encoded(Image.fromarray(STREAM.randint(0, 256, (40, 40, 3)).astype(np.uint8)), form)
    good = encoded(Image.new("RGB", (40, 40)))
    for damaged in (whole[: len(whole) // 2], whole[:20], b"", b"version https://git-lfs.github.com/spec/v1\n"):
        with pytest.raises(ValueError, match="image 1: cannot be read as an image") as caught:
            data.decode_images([good, damaged], lambda i: f"image {i}")
        assert "\n" not in str(caught.value)


def test_decompression_bombs_are_named(monkeypatch):
    blob = encoded(Image.new("L", (30, 30)))
    for limit in (800, 400):  # Pillow itself only warns up to twice its limit
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(ValueError, match=r"image 0: cannot be read .*900 pixels.*exceeds limit.*bomb"):
            decoded(blob)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900)
    assert decoded(blob).shape == (30, 30)


def test_formats_leave_out_what_is_no_image():
    formats = image_formats()
    assert {"PNG", "JPEG", "GIF", "TIFF", "WEBP", "AVIF", "BMP", "PPM", "TGA"} <= set(formats)
    assert not {"EPS", "MPEG", "HDF5", "GRIB", "BUFR", "WMF"} & set(formats)
    with pytest.raises(ValueError, match="image 0: cannot be read"):
        decoded(encoded(Image.fromarray(RGB), "EPS"))


def test_warnings_of_the_caller_stay_as_they_are():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        decoded(encoded(Image.fromarray(RGB)))
        assert warnings.filters == before
