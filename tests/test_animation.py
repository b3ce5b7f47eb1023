"""A film has the epochs in order, points on their way between maps, and arrives whole or not at all."""

import re
import subprocess
import sys

import jaxtyping
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from lend.explorer import Inspection, animate
from lend.explorer.inspection import NoMapsError
from lend.explorer.pictures import animation
from lend.explorer.pictures.animation import Scene, ffmpeg, frame_moments
from lend.explorer.pictures.palettes import point_colours
from lend.plots import class_colours


@pytest.fixture
def shown():
    """30 points of three classes that move to the right and change their labels over epochs 1, 2 and 4."""
    rng, true = np.random.default_rng(0), np.arange(30) % 3
    places, parts = rng.normal(size=(30, 2)), []
    for epoch in (1, 2, 4):
        labels = {"true": true, "predicted": np.where(np.arange(30) < 7 * epoch, true, (true + 1) % 3)}
        parts.append(pd.DataFrame({"x": places[:, 0] + 3 * epoch, "y": places[:, 1], "epoch": epoch} | labels))
    return Inspection.of_frame(pd.concat(parts), class_names=("cat", "dog", "frog"))


def test_frames_go_from_epoch_to_epoch_and_stay_at_the_last():
    moments = [(m.epoch, m.following, m.share) for m in frame_moments((1, 2, 4), 2, 3)]
    assert moments == [(1, 2, 0), (1, 2, 0.5), (2, 4, 0), (2, 4, 0.5)] + [(4, 4, 0)] * 3
    assert [m.epoch for m in frame_moments((7,), 5, 0)] == [7]


def test_a_frame_shows_points_on_their_way_in_the_colours_of_its_epoch(shown):
    scene = Scene(shown, ("true", "predicted"))
    limits = [axes.axis() for axes in scene.figure.axes]
    for moment in frame_moments(shown.epochs, 4, 1):
        scene.go(moment)
        start, end = shown.coordinates(moment.epoch), shown.coordinates(moment.following)
        for axes, coloring in zip(scene.figure.axes, scene.colorings, strict=True):
            (points,) = axes.collections
            assert np.allclose(points.get_offsets(), (1 - moment.share) * start + moment.share * end, atol=1e-5)
            assert np.allclose(points.get_facecolors()[:, :3], point_colours(shown, coloring, moment.epoch))
        accuracy = shown.label_accuracy(moment.epoch)["predicted"]
        assert scene.figure.axes[1].get_xlabel() == f"label accuracy {100 * accuracy:.1f} %"
        assert scene.figure.get_suptitle().endswith(f"epoch {moment.epoch} of 4")
        assert [axes.axis() for axes in scene.figure.axes] == limits


def test_a_gif_has_all_frames_and_loops(shown, tmp_path):
    path = animate(shown, tmp_path / "new" / "film.gif", fps=4, seconds_per_epoch=0.5, progress=False)
    assert path == tmp_path / "new" / "film.gif"
    with Image.open(path) as film:
        assert film.info["loop"] == 0
        durations, pictures = [], []
        for number in range(film.n_frames):
            film.seek(number)
            durations.append(film.info["duration"])
            pictures.append(np.asarray(film.convert("RGB")).astype(int))
    assert sum(durations) == 250 * (2 * 2 + 6)  # equal frames may be joined to a longer one
    assert all((a != b).any() for a, b in zip(pictures, pictures[1:], strict=False))
    wanted = Scene(shown, ("true", "predicted")).pixels(next(frame_moments((4,), 1, 1)))
    assert np.abs(pictures[-1] - wanted).max() < 64 and (pictures[-1] != wanted).mean() < 0.02  # 256 colours
    colours = {tuple(pixel) for pixel in pictures[-1].reshape(-1, 3).tolist()}
    assert {tuple(round(255 * part) for part in to_rgb(colour)) for colour in class_colours(3)} <= colours


def test_a_film_has_even_sides_and_the_length_asked_for(shown, tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    path = animate(
        shown, tmp_path / "film.mp4", colorings=("predicted",), fps=10, seconds_per_epoch=0.5, progress=False
    )
    told = subprocess.run([ffmpeg(), "-i", path], capture_output=True, text=True, check=False).stderr
    raw = subprocess.run([ffmpeg(), "-i", path, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    width, height = map(int, re.search(r" (\d{2,5})x(\d{2,5})\b", told).groups())
    assert width % 2 == height % 2 == 0
    assert len(raw) == (2 * 5 + 15) * width * height * 3 // 2  # frames in yuv420p
    assert "10 fps" in told and list(tmp_path.iterdir()) == [path]


def test_a_run_is_shown_from_its_maps(saved, tmp_path):
    with pytest.raises(NoMapsError, match="lend tsne"):
        animate(saved, tmp_path / "film.gif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("film.avi", {}, "path must be a file name ending in .gif or .mp4"),
        ("film", {}, "path must be a file name ending in .gif or .mp4"),
        ("film.gif", {"fps": "15"}, "fps must be from 1 to 50, got '15'"),
        ("film.gif", {"fps": True}, "fps must be from 1 to 50, got True"),
        ("film.gif", {"seconds_per_epoch": float("inf")}, "seconds_per_epoch must be above 0 and finite, got inf"),
        ("film.gif", {"seconds_per_epoch": float("nan")}, "seconds_per_epoch must be above 0 and finite, got nan"),
        ("film.gif", {"colorings": "true"}, "colorings must be a list of names such as"),
        ("film.gif", {"fps": 0}, "fps must be from 1 to 50, got 0"),
        ("film.gif", {"seconds_per_epoch": 0.0}, "seconds_per_epoch must be above 0"),
        ("film.gif", {"colorings": ("nosy",)}, "unknown coloring 'nosy'"),
        ("film.gif", {"colorings": ()}, "colorings must be 1 to 4 names"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(shown, tmp_path, name, options, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # types are checked by the function itself
    with pytest.raises(ValueError, match=message):
        animate(shown, tmp_path / name, progress=False, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_breaks_off_leaves_the_old_one(shown, tmp_path, monkeypatch):
    path = tmp_path / "film.gif"
    path.write_bytes(b"old")
    drawn = []

    def pixels(self, moment):
        drawn.append(moment)
        if len(drawn) > 6:
            raise KeyboardInterrupt
        return np.zeros((4, 4, 3), np.uint8)

    monkeypatch.setattr(Scene, "pixels", pixels)
    with pytest.raises(KeyboardInterrupt):
        animate(shown, path, progress=False)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_without_ffmpeg_the_message_says_how_to_get_it(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(animation.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(FileNotFoundError, match="apt-get install ffmpeg.*pip install imageio-ffmpeg.*or write a .gif"):
        animate(shown, tmp_path / "film.mp4", progress=False)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(animation.shutil, "which", lambda name: "/opt/ffmpeg")
    assert ffmpeg() == "/opt/ffmpeg"
