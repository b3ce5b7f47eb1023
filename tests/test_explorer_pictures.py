"""A saved view shows the points, colours and limits of the explorer; a history shows every label of its examples."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from lend.explorer import Inspection
from lend.explorer.inspection import History
from lend.explorer.pictures import explorer_figure, history_figure
from lend.explorer.pictures.maps import legend_columns
from lend.explorer.pictures.palettes import UNKNOWN_COLOUR, palette, point_colours
from lend.plots import class_colours

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def inspection(n=60, epochs=(1, 3)):
    """Random points and labels of ten classes at two epochs; the first true label is unknown."""
    rng, parts = np.random.default_rng(0), []
    true, noisy = rng.integers(0, 10, (2, n))
    true[0] = -1
    for epoch in epochs:
        labels = {"true": true, "noisy": noisy, "predicted": rng.integers(0, 10, n)}
        shares = {"kept": rng.random(n) < 0.7, "score": rng.random(n), "loss": rng.normal(size=n)}
        parts.append(
            pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n)} | labels | shares).assign(epoch=epoch)
        )
    return Inspection.of_frame(pd.concat(parts), class_names=NAMES)


def history(rows=3, epochs=(1, 2, 3, 4), kept=True, c=10):
    rng = np.random.default_rng(1)
    shape = (rows, len(epochs))
    predicted, diluted = rng.integers(0, c, (2, *shape)).astype(np.int16)
    true, noisy = rng.integers(0, c, (2, rows)).astype(np.int16)
    mask = rng.random(shape) < 0.5 if kept else None
    return History(np.arange(rows) + 100, tuple(epochs), predicted, diluted, mask, true, noisy)


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def boxes(figure, texts):
    """Places of texts on the drawn page."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    return [text.get_window_extent(renderer) for text in texts]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_each_view_has_all_points_in_the_same_limits(count):
    shown, colorings = inspection(), ("true", "kept", "score", "predicted")[:count]
    figure = explorer_figure(shown, colorings, 3)
    panels = figure.axes[:count]
    for axes, coloring in zip(panels, colorings, strict=True):
        (points,) = axes.collections
        assert np.allclose(points.get_offsets(), shown.coordinates(3))
        assert np.allclose(points.get_facecolors()[:, :3], point_colours(shown, coloring, 3))
        assert (axes.get_xlim(), axes.get_ylim()) == shown.limits
    assert max(width for width, _ in [figure.get_size_inches()]) <= 7.0


def test_colours_are_those_of_the_page():
    shown = inspection()
    true, kept = shown.values("true", 1), shown.values("kept", 1)
    colours = point_colours(shown, "true", 1)
    assert colours[0] == pytest.approx(to_rgb(UNKNOWN_COLOUR))
    for code in range(10):
        assert np.allclose(colours[true == code], to_rgb(class_colours(10)[code]))
    no, yes = palette(shown, "kept").colours
    assert np.allclose(point_colours(shown, "kept", 1)[kept], to_rgb(yes))
    assert np.allclose(point_colours(shown, "kept", 1)[~kept], to_rgb(no))


def test_the_legend_names_what_the_views_show():
    told = words(explorer_figure(inspection(), ("true", "kept"), 1))
    assert set(NAMES) | set(palette(inspection(), "kept").names) <= set(told)
    assert "unknown" in told
    flags = words(explorer_figure(inspection(), ("kept", "score"), 1))
    assert not set(NAMES) & set(flags)
    known = words(explorer_figure(inspection(), ("predicted",), 1))
    assert set(NAMES) <= set(known) and "unknown" not in known


def test_numbers_stand_below_the_views():
    shown = inspection()
    accuracy = shown.label_accuracy(3)
    told = words(explorer_figure(shown, ("predicted", "kept", "wrong"), 3))
    assert f"label accuracy {100 * accuracy['predicted']:.1f} %" in told
    assert any(text.startswith(f"{100 * accuracy['kept']:.1f} % kept") for text in told)
    wrong = shown.values("wrong", 3).sum() / (shown.values("true") >= 0).sum()
    assert f"{100 * wrong:.1f} % of the labels are wrong" in told
    assert any("epoch 3: its own map" in text for text in told)


def test_a_scale_has_the_numbers_of_its_column():
    shown = inspection()
    low, high = shown.value_range("loss")
    figure = explorer_figure(shown, ("loss",), 1)
    strip = figure.axes[0].child_axes[0]
    assert strip.get_xlim() == pytest.approx((low, high))


@pytest.mark.parametrize("colorings", [("score",), ("true", "score"), ("true", "kept", "score"), ("true", "score") * 2])
def test_a_scale_covers_no_point_and_no_number(colorings):
    figure = explorer_figure(inspection(), colorings, 3)
    page = FigureCanvasAgg(figure).get_renderer()
    figure.draw(page)
    for axes in figure.axes:
        for strip in axes.child_axes:
            assert not strip.get_tightbbox(page).overlaps(axes.get_window_extent(page))
            assert not strip.get_tightbbox(page).overlaps(axes.xaxis.label.get_window_extent(page))


def test_a_long_title_is_inside_a_figure_of_one_map():
    shown = inspection()
    shown.title = "photographs (a note of the data): symmetric noise, rate 0.40, standard, seed 0"
    figure = explorer_figure(shown, ("true",), 3)
    (place,) = boxes(figure, [figure._suptitle])
    assert 0 <= place.x0 and place.x1 <= figure.bbox.width
    assert " ".join(figure._suptitle.get_text().split()).startswith(shown.title)


def test_few_selected_points_are_outlined():
    shown = inspection()
    shown.select([3, 8])
    figure = explorer_figure(shown, ("true", "kept"), 1)
    for axes in figure.axes[:2]:
        _, ring = axes.collections
        assert np.allclose(ring.get_offsets(), shown.coordinates(1)[[3, 8]])
    assert "2 selected" in " ".join(words(figure))
    assert len(explorer_figure(shown, ("true",), 1, selection=[]).axes[0].collections) == 1
    with pytest.raises(ValueError, match="sample ids must be among the 60"):
        explorer_figure(shown, ("true",), 1, selection=[99])


def test_of_many_selected_points_the_others_fade():
    shown = inspection(n=1000)
    chosen = shown.sample_ids[shown.values("kept", 1)]
    assert len(chosen) > 400
    (points,) = explorer_figure(shown, ("predicted",), 1, selection=chosen).axes[0].collections
    places, drawn = shown.coordinates(1), points.get_facecolors()[:, :3]
    wanted = point_colours(shown, "predicted", 1)
    order = {tuple(place): colour for place, colour in zip(points.get_offsets().data.tolist(), drawn, strict=True)}
    for position in (0, 10, 500, 999):
        colour = order[tuple(places[position].astype(float).tolist())]
        kept = shown.values("kept", 1)[position]
        assert np.allclose(colour, wanted[position]) == kept
        assert kept or (colour >= 0.85).all()


def test_titles_and_numbers_do_not_overlap():
    figure = explorer_figure(inspection(), ("predicted", "predicted", "noisy", "noisy"), 1)
    top, bottom = figure.axes[0], figure.axes[2]
    number, title = boxes(figure, [top.xaxis.label, bottom.title])
    assert number.y0 > title.y1


@pytest.mark.parametrize("colorings", [(), ("true",) * 5])
def test_other_numbers_of_views_are_refused(colorings):
    with pytest.raises(ValueError, match="colorings must be 1 to 4 names"):
        explorer_figure(inspection(), colorings)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="unknown coloring 'nosy'"):
        explorer_figure(inspection(), ("nosy",))
    with pytest.raises(ValueError, match=r"epoch must be one of \(1, 3\), got 2"):
        explorer_figure(inspection(), ("true",), 2)


def test_a_legend_fits_in_its_width():
    assert legend_columns("abc", 7.0) == 3
    for inches in (3.9, 6.2, 7.0):
        columns = legend_columns(NAMES, inches)
        width = 5 * columns + (sum(map(len, NAMES)) if columns == 10 else columns * max(map(len, NAMES)))
        assert 1 <= columns <= 10 and width <= 15 * inches
        figure = explorer_figure(inspection(), ("true",) * (1 if inches < 4 else 4), 1)
        (box,) = boxes(figure, figure.legends)
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    assert legend_columns(["x" * 300], 1.0) == 1


# --- Histories --------------------------------------------------------------------------------------------------------


def test_a_history_has_a_cell_per_example_and_epoch():
    told = history()
    figure = history_figure(told, NAMES)
    given, predicted, diluted = (axes.images[0].get_array() for axes in figure.axes)
    colours = np.array([to_rgb(colour) for colour in class_colours(10)])
    assert np.allclose(predicted, colours[told.predicted]) and np.allclose(diluted, colours[told.diluted])
    assert np.allclose(given, colours[np.column_stack([told.true, told.noisy])])
    assert {"100", "101", "102", "predicted labels", "diluted labels", "true", "noisy"} <= set(words(figure))


def test_lines_mark_dropped_epochs():
    told = history()
    _, lines = history_figure(told, NAMES).axes[1].collections[-2:]
    marked = np.zeros(told.kept.shape, bool)
    for (start, height), (end, _) in lines.get_segments():
        marked[int(height), int(start + 0.5) : int(end + 0.5)] = True
    assert np.array_equal(marked, ~told.kept) and marked.any()
    assert "dropped" in words(history_figure(told, NAMES))
    assert "dropped" not in words(history_figure(history(kept=False), NAMES))


def test_only_classes_that_occur_are_in_the_legend():
    told = History(np.array([5]), (1, 2), np.array([[3, -1]], np.int16), None, None, None, np.array([4], np.int16))
    figure = history_figure(told, NAMES)
    assert {"cat", "deer", "unknown"} == {text.get_text() for text in figure.legends[0].get_texts()}
    assert len(figure.axes) == 2


def test_many_examples_are_cut_and_counted():
    figure = history_figure(history(rows=130), NAMES, title="a run")
    assert figure.axes[1].images[0].get_array().shape == (40, 4, 3)
    assert "a run\nthe first 40 of 130 examples" in words(figure)
    assert "the first" not in " ".join(words(history_figure(history(rows=40), NAMES)))


def test_epochs_of_long_runs_stay_readable():
    figure = history_figure(history(epochs=range(1, 201)), NAMES)
    ticks = [text.get_text() for text in figure.axes[1].get_xticklabels()]
    assert ticks[0] == "1" and ticks[-1] == "200" and len(ticks) <= 12
    assert list(figure.axes[1].get_xticks())[-1] == 199


def test_an_empty_history_is_refused():
    with pytest.raises(ValueError, match="history must be of at least one example"):
        history_figure(history(rows=0), NAMES)
    bare = History(np.array([5]), (1,), None, None, None, None, None)
    with pytest.raises(ValueError, match="with predicted or diluted labels"):
        history_figure(bare, NAMES)
