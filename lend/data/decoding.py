"""Encoded images, in files or in memory, as one tensor."""

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from lend.data.files import one_line


def decode_images(blobs: Iterable[bytes | Path], where: Callable[[int], str]) -> Tensor:
    """Decode encoded images of one size, in one thread.

    Grey images stay grey where all are; where some are coloured, all become RGB. Transparency is dropped.
    One thread on purpose: the decoder gives up Python's lock so briefly that on images of 32x32 two threads take
    1.8 times as long as one (9.2 s and 5.1 s for 50,000).

    Args:
        blobs: The content of one image file each, or its path.
        where: The place of image i, for errors.

    Returns:
        Images (n, channels, height, width), uint8, 1 or 3 channels.

    Raises:
        ValueError: If an image cannot be decoded, has more than 8 bits a channel, or another size than the first.
    """
    images: list[np.ndarray] = []
    for i, blob in enumerate(tqdm(blobs, desc="decode", unit=" images", leave=False)):
        try:
            image = _decode(blob)
        except Exception as error:  # decoders raise many kinds
            reason = one_line(error)
            raise ValueError(f"{where(i)}: cannot be read as an image of 8 bits a channel ({reason})") from error
        if images and image.shape[:2] != images[0].shape[:2]:
            (height, width), (first_height, first_width) = image.shape[:2], images[0].shape[:2]
            raise ValueError(
                f"{where(i)}: is {width}x{height}, but {where(0)} is {first_width}x{first_height} (width x height); "
                f"resize all images to one size"
            )
        images.append(image)
    if len({image.shape[2] for image in images}) > 1:
        images = [np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image for image in images]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def decode_files(files: Sequence[Path]) -> Tensor:
    """Decode image files of one size, as `decode_images` does; errors name the file."""
    return decode_images(files, lambda i: str(files[i]))


def _decode(blob: bytes | Path) -> np.ndarray:
    """One image as (height, width, 1 or 3), uint8."""
    from PIL import Image

    with Image.open(io.BytesIO(blob) if isinstance(blob, bytes) else blob) as image:
        if image.mode[0] in "IF":
            raise ValueError(f"its mode is {image.mode}")
        grey = image.mode in ("L", "1", "LA", "La")
        mode = "L" if grey else "RGB"
        array = np.array(image if image.mode == mode else image.convert(mode))
    return array[:, :, None] if grey else array
