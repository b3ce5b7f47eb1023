"""Thumbnails show every pixel of an image, are made on demand, and a strip keeps the order."""

import base64
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from lend.explorer.inspection.recent import Recent
from lend.explorer.widgets.thumbnails import GAP, Thumbnails, data_uri, enlarged, png, strip


def decode(content):
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def test_a_small_image_is_enlarged_by_a_whole_number(picture):
    large = enlarged(picture, 100)
    assert large.shape == (96, 96, 3)
    assert np.array_equal(large[::3, ::3], picture) and np.array_equal(large[2::3, 1::3], picture)


def test_a_large_image_keeps_its_proportions(picture):
    wide = np.tile(picture, (4, 8, 1))
    assert enlarged(wide, 64).shape == (32, 64, 3)
    assert enlarged(np.zeros((1, 500), np.uint8), 10).shape == (1, 10, 3)


def test_grey_images_stay_grey_and_small():
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    content = png(enlarged(grey, 8))
    assert Image.open(BytesIO(content)).mode == "L"
    assert np.array_equal(decode(content)[:, :, 1], grey)
    assert np.array_equal(enlarged(torch.from_numpy(grey)[None], 8)[:, :, 2], grey)


def test_a_data_uri_holds_the_png(picture):
    head, _, text = data_uri(png(picture)).partition(",")
    assert head == "data:image/png;base64"
    assert np.array_equal(decode(base64.b64decode(text)), picture)


def test_a_strip_shows_images_in_order_and_leaves_places_empty(picture):
    grey = np.full((8, 8), 7, np.uint8)
    row = decode(strip([picture, None, grey], side=32))
    assert row.shape == (32, 3 * 32 + 2 * GAP, 3)
    assert np.array_equal(row[:, :32], picture)
    assert (row[:, 32 : 64 + 2 * GAP] == 255).all()
    assert (row[:, 64 + 2 * GAP :] == 7).all()


def test_a_strip_centres_what_is_no_square():
    row = decode(strip([np.zeros((2, 4), np.uint8)], side=8))
    assert (row[2:6] == 0).all() and (row[:2] == 255).all() and (row[6:] == 255).all()


def test_thumbnails_are_made_once_and_on_demand(picture):
    asked = []

    def image(position):
        asked.append(position)
        return picture if position else None

    thumbnails = Thumbnails(image, side=64)
    assert asked == []
    first = thumbnails.uri(3)
    assert thumbnails.uri(3) is first and asked == [3]
    assert decode(base64.b64decode(first.partition(",")[2])).shape == (64, 64, 3)
    assert thumbnails.uri(0) is None


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 4, 5)), np.zeros(7), np.zeros((9, 8, 7))])
def test_other_shapes_are_refused(wrong):
    with pytest.raises(ValueError, match="images must be of shape"):
        enlarged(wrong)


def test_nothing_to_show_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        strip([])
    with pytest.raises(ValueError, match="side must be at least 1"):
        enlarged(np.zeros((2, 2), np.uint8), 0)


def test_the_oldest_result_is_forgotten():
    made, kept = [], Recent(2)

    def get(key):
        return kept.get(key, lambda: made.append(key) or -key)

    assert [get(key) for key in (1, 2, 1, 3, 1, 2)] == [-1, -2, -1, -3, -1, -2]
    assert made == [1, 2, 3, 2] and len(kept) == 2
