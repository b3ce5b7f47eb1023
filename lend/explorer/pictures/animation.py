"""The maps over the epochs as a film: GIF by Pillow, MP4 by ffmpeg."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib
import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from tqdm.auto import tqdm

from lend.explorer.inspection import Inspection
from lend.explorer.inspection.sources import Data, inspect
from lend.explorer.pictures.maps import explorer_figure, title_lines, write_note
from lend.explorer.pictures.palettes import palette, point_colours
from lend.inputs import is_real, require
from lend.storage import write_atomically

ENDINGS = (".gif", ".mp4")
DPI = 110
LENGTH = 20.0  # seconds of a film whose seconds per epoch are not given
SHORTEST, LONGEST = 0.1, 1.0  # seconds of an epoch in such a film
HOLD = 1.5  # seconds that the last epoch stays
COLOURS = 256  # in a GIF
EXACT = 64  # the most of them that are given exactly
NEAR = 8  # Pillow takes shades nearer than this for the same when it looks for the nearest
NO_FFMPEG = (
    "an .mp4 needs ffmpeg, which was not found: install it (apt-get install ffmpeg, or conda install ffmpeg), or the "
    "package imageio-ffmpeg, which brings it (pip install imageio-ffmpeg); or write a .gif"
)


def animate(
    source: Data,
    path: str | Path,
    *,
    colorings: Sequence[str] = ("true", "predicted"),
    fps: int = 15,
    seconds_per_epoch: float | None = None,
    progress: bool = True,
) -> Path:
    """Write the maps over all epochs as a film: points move from map to map, colours change with every epoch.

    Args:
        source: A run with maps or the path of its folder, a pandas DataFrame with columns x, y, epoch and labels, or
            what an explorer shows (`explorer.inspection`). Nothing else. Of a run, predicted and diluted labels are
            those of the training passes; of what an explorer shows, those that it shows.
        path: Ends in .gif or .mp4; the second needs ffmpeg. "~" in it is the home.
        colorings: What each of one to four maps is coloured by, a list of names; see :meth:`lend.Inspection.values`.
        fps: Frames a second, a number from 1 to 50.
        seconds_per_epoch: Seconds from an epoch to the next, above 0 and finite; if not given, from 0.1 to 1, such that
            the film takes about 20 seconds.
        progress: Show a progress bar with the time left.

    Returns:
        The path. A film that fails leaves a file that was there before as it was.

    Raises:
        ValueError: If the source is none of these, the ending, a coloring or a number is wrong, or the run has no maps.
        FileNotFoundError: If the path is no run, or there is no ffmpeg; the message says how to get it.
    """
    path = Path(path).expanduser()
    ending = path.suffix.lower() in ENDINGS and not path.is_dir()
    require(ending, "path", f"a file name ending in {' or '.join(ENDINGS)}", str(path))
    require(not isinstance(colorings, str), "colorings", "a list of names such as ['true']", colorings)
    require(is_real(fps) and 1 <= fps <= 50, "fps", "from 1 to 50", fps)
    inspection = inspect(source, "source")
    if inspection.labels_of and inspection is not source:
        inspection.labels_of = "training"  # those that every epoch has of its own
    if seconds_per_epoch is None:
        seconds_per_epoch = float(np.clip(LENGTH / len(inspection.epochs), SHORTEST, LONGEST))
    given = is_real(seconds_per_epoch) and 0 < seconds_per_epoch < math.inf
    require(given, "seconds_per_epoch", "above 0 and finite", seconds_per_epoch)
    program = ffmpeg() if path.suffix.lower() == ".mp4" else None
    moments = list(frame_moments(inspection.epochs, max(1, round(fps * seconds_per_epoch)), round(fps * HOLD)))
    scene = Scene(inspection, colorings)
    with tqdm(total=len(moments), desc="frames", unit=" frames", disable=not progress) as bar:
        if program is None:
            write_atomically(path, lambda file: _write_gif(scene, moments, file, fps, bar))
        else:
            write_atomically(path, lambda file: _write_mp4(scene, moments, file, fps, program, bar))
    return path


@dataclass(frozen=True)
class Moment:
    """A frame of a film.

    Args:
        epoch: The epoch whose labels it shows.
        following: The epoch that its points move to.
        share: How far they are on their way, in [0, 1).
    """

    epoch: int
    following: int
    share: float


def frame_moments(epochs: Sequence[int], frames: int, hold: int) -> Iterator[Moment]:
    """Give the frames of a film.

    Args:
        epochs: In order.
        frames: How many lead from each epoch to the next.
        hold: How many show the last epoch; one at least.
    """
    for epoch, following in zip(epochs, epochs[1:], strict=False):
        for number in range(frames):
            yield Moment(epoch, following, number / frames)
    for _ in range(max(hold, 1)):
        yield Moment(epochs[-1], epochs[-1], 0.0)


class Scene:
    """The figure of a film, drawn once; a frame only moves and colours its points.

    Args:
        inspection: What the explorer shows.
        colorings: What each map is coloured by.
    """

    def __init__(self, inspection: Inspection, colorings: Sequence[str]) -> None:
        self.inspection, self.colorings = inspection, tuple(colorings)
        self.figure: Figure = explorer_figure(inspection, colorings, inspection.epochs[-1], selection=())
        self.canvas = FigureCanvasAgg(self.figure)
        self.figure.set_dpi(DPI)
        self._cut_to_even()
        self._coloured: int | None = None
        self.canvas.draw()
        self.figure.set_layout_engine("none")  # laid out once: nothing jumps, and a frame takes half the time

    def _cut_to_even(self) -> None:
        """Round the size to even numbers of pixels, which H.264 needs."""
        width, height = (2 * round(length * DPI / 2) / DPI for length in self.figure.get_size_inches())
        self.figure.set_size_inches(width, height)

    def go(self, moment: Moment) -> None:
        """Move and colour the points as in this frame."""
        start, end = (self.inspection.coordinates(epoch) for epoch in (moment.epoch, moment.following))
        for axes in self._panels():
            axes.collections[0].set_offsets(start + np.float32(moment.share) * (end - start))
        if moment.epoch != self._coloured:
            self._coloured = moment.epoch
            self._colour(moment.epoch)

    def _colour(self, epoch: int) -> None:
        accuracy = self.inspection.label_accuracy(epoch)
        for axes, coloring in zip(self._panels(), self.colorings, strict=True):
            colours = point_colours(self.inspection, coloring, epoch)
            axes.collections[0].set_facecolor(colours)  # type: ignore[arg-type]  # takes one colour per point, too
            write_note(axes, self.inspection, coloring, accuracy, epoch)
        last = self.inspection.epochs[-1]
        head = title_lines(self.inspection, len(self.colorings))
        self.figure.suptitle(f"{head}\nepoch {epoch} of {last}", fontsize=9)

    def _panels(self) -> list[matplotlib.axes.Axes]:
        return self.figure.axes[: len(self.colorings)]

    def pixels(self, moment: Moment) -> UInt8[np.ndarray, "height width 3"]:
        """Return a frame as pixels."""
        self.go(moment)
        self.canvas.draw()
        return np.asarray(self.canvas.buffer_rgba())[:, :, :3].copy()


def _write_gif(scene: Scene, moments: Sequence[Moment], file: BinaryIO, fps: int, bar: tqdm) -> None:
    """Write all frames with one palette: with one each, colours would flicker. Frames are made as they are written."""
    colours = gif_palette(scene, [moments[place] for place in (0, len(moments) // 3, 2 * len(moments) // 3, -1)])

    def frames() -> Iterator[Image.Image]:
        for moment in moments:
            yield Image.fromarray(scene.pixels(moment)).quantize(palette=colours, dither=Image.Dither.NONE)
            bar.update()

    following = frames()
    first = next(following)
    first.save(file, "GIF", save_all=True, append_images=following, duration=round(1000 / fps), loop=0)


def gif_palette(scene: Scene, moments: Sequence[Moment]) -> Image.Image:
    """Return an image with the palette of a film: exactly white and the colours of the points, and frequent shades.

    Args:
        scene: The figure of the film.
        moments: Some frames, whose most frequent shades are taken.
    """
    looks = [palette(scene.inspection, coloring).colours for coloring in scene.colorings]
    named = ["#ffffff", *dict.fromkeys(colour for look in looks for colour in look if len(look) <= EXACT)][:EXACT]
    exact = [round(255 * part) for colour in named for part in to_rgb(colour)]
    frames = Image.fromarray(np.concatenate([scene.pixels(moment) for moment in moments]))
    found = frames.quantize(COLOURS - len(named), Image.Quantize.MAXCOVERAGE, kmeans=1).getpalette() or []
    given, shades = np.array(exact).reshape(-1, 3), np.array(found).reshape(-1, 3)
    apart = np.abs(shades[:, None] - given).max(axis=2).min(axis=1) > NEAR
    whole = Image.new("P", (1, 1))
    whole.putpalette([*exact, *shades[apart][: COLOURS - len(named)].ravel().tolist()])
    return whole


def _write_mp4(scene: Scene, moments: Sequence[Moment], file: BinaryIO, fps: int, program: str, bar: tqdm) -> None:
    """Let ffmpeg write to the system's folder of temporary files: what it says of a full disk is no error of a file."""
    from matplotlib.animation import FFMpegWriter

    settings: dict[Any, Any] = {"animation.ffmpeg_path": program, "savefig.bbox": "standard", "figure.dpi": DPI}
    with tempfile.TemporaryDirectory() as folder, matplotlib.rc_context(settings):
        film = Path(folder) / "film.mp4"
        writer = FFMpegWriter(fps=fps, codec="h264", extra_args=["-pix_fmt", "yuv420p", "-crf", "20"])
        with writer.saving(scene.figure, str(film), DPI):
            for moment in moments:
                scene.go(moment)
                writer.grab_frame()
                bar.update()
        file.write(film.read_bytes())


def ffmpeg() -> str:
    """Return the path of an ffmpeg: the system's, or the one that the package imageio-ffmpeg brings.

    Raises:
        FileNotFoundError: If there is neither.
    """
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        raise FileNotFoundError(NO_FFMPEG) from None
