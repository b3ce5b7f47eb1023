import math

import pytest
import torch

from lend.training.images import PADDING, augment, batches, normalise


def test_normalise_standardises_each_channel():
    images = torch.randint(0, 256, (50, 3, 6, 5), dtype=torch.uint8)
    scaled = images.float() / 255
    mean, std = scaled.mean(dim=(0, 2, 3)), scaled.std(dim=(0, 2, 3))
    x = normalise(images, mean, std)
    assert torch.allclose(x, (scaled - mean[:, None, None]) / std[:, None, None])
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_augment_crops_and_flips_each_example_on_its_own():
    image = torch.arange(1, 31, dtype=torch.uint8).reshape(1, 1, 6, 5).expand(400, 2, 6, 5)
    crops = augment(image, torch.Generator().manual_seed(0))
    assert crops.shape == image.shape and crops.dtype == torch.uint8
    padded = torch.nn.functional.pad(image[0, 0], (PADDING,) * 4)
    allowed = set()
    for top in range(2 * PADDING + 1):
        for left in range(2 * PADDING + 1):
            crop = padded[top : top + 6, left : left + 5]
            allowed |= {tuple(crop.flatten().tolist()), tuple(crop.flip(1).flatten().tolist())}
    seen = {tuple(crop[0].flatten().tolist()) for crop in crops}
    assert seen <= allowed and len(seen) > 100
    assert torch.equal(crops[:, 0], crops[:, 1])


@pytest.mark.parametrize(("n", "size"), [(1000, 256), (257, 256), (256, 256), (10, 256), (1438, 100)])
def test_batches_cut_the_whole_set_evenly(n, size):
    parts = batches(n, size, torch.Generator().manual_seed(1))
    lengths = [len(part) for part in parts]
    assert sorted(torch.cat(parts).tolist()) == list(range(n))
    assert max(lengths) <= size and max(lengths) - min(lengths) <= 1 and len(parts) == math.ceil(n / size)
    assert torch.equal(torch.cat(parts), torch.cat(batches(n, size, torch.Generator().manual_seed(1))))
