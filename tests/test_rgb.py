"""Images of any layout and kind of number, as people see them."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from lend.explorer import explore
from lend.plots import as_rgb

GREY = np.array([[0, 50, 100], [150, 200, 255]])


def levels(image):
    return as_rgb(image)[:, :, 0].tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.float16, np.float32, np.float64])
def test_values_of_bytes_are_taken_as_they_are(dtype):
    assert levels(GREY.astype(dtype)) == GREY.tolist()
    assert levels(torch.from_numpy(GREY).to(torch.bfloat16)) == GREY.tolist()[:1] + [[150, 200, 255]]


def test_numbers_of_other_kinds_become_bytes():
    assert levels(np.array([[0.0, 0.5], [1.0, 0.25]])) == [[0, 128], [255, 64]]
    assert levels(np.array([[True, False]])) == [[255, 0]]
    assert levels(np.array([[-1.0, 1.0]])) == [[0, 255]]
    assert levels(np.array([[0, 8], [16, 4]])) == [[0, 128], [255, 64]]
    assert levels(np.array([[0, 30_000, 60_000]], np.uint16)) == [[0, 128, 255]]
    assert levels(np.array([[-1e308, 1e308]])) == [[0, 255]]


@pytest.mark.parametrize("value, level", [(7, 128), (-3.0, 128), (200.0, 200), (1.0, 255), (0.0, 0), (60_000, 128)])
def test_an_even_image_is_not_silently_black(value, level):
    assert levels(np.full((2, 2), value)) == [[level] * 2] * 2


def test_channels_first_or_last():
    last = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    first = np.moveaxis(last, 2, 0)
    np.testing.assert_array_equal(as_rgb(first), last)
    np.testing.assert_array_equal(as_rgb(torch.from_numpy(last)), last)
    np.testing.assert_array_equal(as_rgb(first[:1]), last[:, :, :1].repeat(3, axis=2))
    np.testing.assert_array_equal(as_rgb(last[:, :, :1]), last[:, :, :1].repeat(3, axis=2))


@pytest.mark.parametrize("channels", [2, 4])
def test_what_is_transparent_is_white(channels):
    image = np.full((6, 5, channels), 100, np.uint8)
    image[..., -1] = 255
    image[0, 0, -1] = 0
    for one in (image, np.moveaxis(image, 2, 0), torch.from_numpy(image), image / 255):
        assert as_rgb(one)[0, 0].tolist() == [255] * 3 and as_rgb(one)[1, 1].tolist() == [100] * 3


def test_pictures_of_pillow():
    assert as_rgb(Image.new("L", (3, 2), 5)).tolist() == [[[5] * 3] * 3] * 2
    assert as_rgb(Image.new("1", (2, 1), 1)).tolist() == [[[255] * 3] * 2]
    palette = Image.new("P", (2, 1), 1)
    palette.putpalette([0, 0, 0, 250, 20, 30])
    assert as_rgb(palette)[0, 0].tolist() == [250, 20, 30]
    assert as_rgb(Image.new("CMYK", (2, 1), (0, 0, 0, 0)))[0, 0].tolist() == [255] * 3
    assert as_rgb(Image.new("RGBA", (2, 1), (9, 9, 9, 0)))[0, 0].tolist() == [255] * 3
    assert as_rgb(Image.new("LA", (2, 1), (9, 255)))[0, 0].tolist() == [9] * 3
    deep = Image.fromarray(np.array([[0, 30_000, 60_000]], np.uint16))
    assert levels(deep) == [[0, 128, 255]]
    assert as_rgb(Image.new("RGB", (3, 3), (1, 2, 3)))[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("shape", [(4,), (5, 8, 8), (3, 8, 8, 1), (0, 4), (0, 4, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="images must be of shape"):
        as_rgb(np.zeros(shape))


@pytest.mark.parametrize("shape", [(3, 8, 3), (1, 8, 3), (3, 3, 3), (3, 8, 1)])
def test_an_image_that_may_be_read_in_two_ways_is_refused(shape):
    with pytest.raises(ValueError, match="image 7 must be with its channels on one side only"):
        as_rgb(np.zeros(shape), "image 7")
    assert as_rgb(torch.zeros(shape)).shape == (*shape[1:], 3)


@pytest.mark.parametrize(
    "image, message",
    [
        (np.array([[0.5, np.nan]]), "the image must be of finite numbers, got '1 others'"),
        (np.array([[0.5, np.inf], [np.nan, 0]]), "got '2 others'"),
        (np.array([["a", "b"]]), "the image must be of numbers"),
        (np.array([[1j, 2]]), "the image must be of numbers"),
        ([[1, 2], [3]], "the image must be an array"),
        (None, "the image must be an array or a list, got NoneType"),
        (torch.zeros(3, 4).to_sparse(), "the image must be dense"),
        (np.ma.array([[1, 2]], mask=[[True, False]]), "the image must be without masked entries, got '1 of them'"),
    ],
)
def test_what_is_no_image_is_named(image, message):
    with pytest.raises(ValueError, match=message):
        as_rgb(image, "the image")


def test_one_bad_image_leaves_the_others():
    frame = pd.DataFrame({"x": [0.0, 1], "y": [0.0, 1], "noisy": [0, 1]})
    shown = explore(frame, images=[np.full((8, 8), np.nan), np.full((8, 8), 0.5)])
    inspected, scatter = shown.inspection, shown.page.views.views[0].scatter
    assert inspected.image(0) is None and inspected.image(1)[0, 0].tolist() == [128] * 3
    assert inspected.image_fault(0) == "no image: the image must be of finite numbers, got '64 others'"
    assert inspected.images_note == inspected.image_fault(1) == ""
    scatter.hovering = 0
    assert "64 others" in shown.page.card.value and "lend-big" not in shown.page.card.value
    scatter.hovering = 1
    assert "64 others" not in shown.page.card.value and "lend-big" in shown.page.card.value
