"""Images of any layout and kind of number, as people see them."""

import numpy as np
import pytest
import torch
from PIL import Image

from lend.plots import as_rgb


def test_numbers_of_other_kinds_become_bytes():
    assert as_rgb(np.array([[0.0, 0.5], [1.0, 0.25]]))[:, :, 0].tolist() == [[0, 128], [255, 64]]
    assert as_rgb(np.array([[-1.0, 1.0]]))[:, :, 0].tolist() == [[0, 255]]
    assert as_rgb(np.array([[0, 8], [16, 4]]))[:, :, 1].tolist() == [[0, 128], [255, 64]]
    assert as_rgb(np.full((2, 2), 7)).max() == 0
    assert as_rgb(np.full((2, 2, 4), 9, np.uint8)).shape == (2, 2, 3)
    assert as_rgb(Image.new("L", (3, 2), 5)).tolist() == [[[5] * 3] * 3] * 2


def test_channels_first_or_last():
    last = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    first = np.moveaxis(last, 2, 0)
    np.testing.assert_array_equal(as_rgb(first), last)
    np.testing.assert_array_equal(as_rgb(torch.from_numpy(last)), last)
    np.testing.assert_array_equal(as_rgb(first[:1]), last[:, :, :1].repeat(3, axis=2))


@pytest.mark.parametrize("shape", [(4,), (2, 8, 8), (3, 8, 8, 1), (0, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="images must be of shape"):
        as_rgb(np.zeros(shape))
