"""Encoded images, in files or in memory, as one tensor."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from lend.data.files import one_line
from lend.data.pixels import decode


def decode_images(blobs: Iterable[bytes | Path], where: Callable[[int], str], upright: bool = True) -> Tensor:
    """Decode encoded images of one size, in one thread.

    Grey images stay grey where all are; where some are coloured, all become RGB. Transparency is dropped. Of 16 bits
    a channel the upper 8 are taken; grey of 16 bits with transparency, to Pillow RGBA, has three equal channels.
    Of several frames the first is taken, and a warning counts such images.
    One thread on purpose: the decoder gives up Python's lock so briefly that on images of 32x32 two threads take
    1.8 times as long as one (9.2 s and 5.1 s for 50,000).

    Args:
        blobs: The content of one image file each, or its path.
        where: The place of image i, for errors.
        upright: Turn each image as its EXIF header says.

    Returns:
        Images (n, channels, height, width), uint8, 1 or 3 channels.

    Raises:
        ValueError: If an image cannot be decoded, is too large for Pillow's guard against decompression bombs, has
            pixels that are no shades from black to white, or another size than the first.
    """
    from PIL import Image

    images: list[np.ndarray] = []
    places: dict[str, list[int]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for i, blob in enumerate(tqdm(blobs, desc="decode", unit=" images", leave=False)):
            try:
                image, notes = decode(blob, upright)
            except Exception as error:  # decoders raise many kinds
                reason = one_line(error)
                raise ValueError(f"{where(i)}: cannot be read as an image of 8 bits a channel ({reason})") from error
            if images and image.shape[:2] != images[0].shape[:2]:
                (height, width), (first_height, first_width) = image.shape[:2], images[0].shape[:2]
                raise ValueError(
                    f"{where(i)}: is {width}x{height}, but {where(0)} is {first_width}x{first_height} (width x height)"
                    f"; resize all images to one size"
                )
            images.append(image)
            for note in notes:
                places.setdefault(note, []).append(i)
    for note, which in places.items():
        warnings.warn(f"{len(which)} of {len(images)} images {note}; the first is {where(which[0])}", stacklevel=2)
    if len({image.shape[2] for image in images}) > 1:
        images = [np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image for image in images]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def decode_files(files: Sequence[Path], upright: bool = True) -> Tensor:
    """Decode image files of one size, as `decode_images` does; errors name the file."""
    return decode_images(files, lambda i: str(files[i]), upright)
