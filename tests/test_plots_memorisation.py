"""Pictures of what was kept and memorised are readable with 1 to 7 runs and 2 to 100 classes, and show the numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text

from lend import plots
from lend.plots.memorisation import MANY

THREE = ("Standard", "LEND", "LEND+prior")
LONG = tuple(f"LEND with another setting, number {i}" for i in range(7))


def kept(c=10, seed=0, clean=()):
    """As lend.memorisation.by_class; the clean classes have no wrong labels."""
    rng = np.random.default_rng(seed)
    columns = ["right_kept", "wrong_kept", "precision", "given_share", "kept_share", "true_share"]
    table = pd.DataFrame(rng.random((c, 6)), columns=columns)
    shares = [name for name in columns if name.endswith("share")]
    table[shares] = table[shares] / table[shares].sum()
    table.loc[list(clean), "wrong_kept"] = np.nan
    return table.set_axis(pd.Index([f"class {i}" for i in range(c)], name="class"))


def epochs(n=40, seed=0):
    """As lend.memorisation.by_epoch."""
    rng = np.random.default_rng(seed)
    columns = ["memorised", "recognised", "right_kept", "wrong_kept", "kept", "precision"]
    return pd.DataFrame(rng.random((n, 6)), columns=columns, index=pd.RangeIndex(1, n + 1, name="epoch"))


def by_class(c, names, title="epoch 10"):
    return plots.kept_by_class({name: kept(c, seed) for seed, name in enumerate(names)}, title)


def by_epoch(n, names):
    return plots.memorisation_curves({name: epochs(n, seed) for seed, name in enumerate(names)})


def every_figure():
    return {
        "class, three": by_class(10, THREE),
        "class, one run of two": by_class(2, LONG[:1], ""),
        "class, seven": by_class(MANY, tuple(plots.LINES)),
        "class, a hundred": by_class(100, tuple(plots.LINES)),
        "class, long names": by_class(10, LONG),
        "class, none": plots.kept_by_class({}),
        "epoch, three": by_epoch(40, THREE),
        "epoch, seven": by_epoch(200, tuple(plots.LINES)),
        "epoch, long names": by_epoch(12, LONG),
        "epoch, one": by_epoch(1, THREE[:1]),
        "epoch, none": plots.memorisation_curves({"LEND": epochs(0)}),
    }


@pytest.fixture(scope="module")
def figures():
    return every_figure()


def drawn(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


def lines(axes):
    """The runs' marks or curves by their colour."""
    return {to_hex(line.get_color()): line for line in axes.get_lines() if line.get_marker() not in ("None", None)}


@pytest.mark.parametrize("name", every_figure())
def test_all_text_is_on_the_page_large_enough_and_apart(figures, name):
    figure = figures[name]
    renderer = drawn(figure)
    used, (width, height) = figure.get_tightbbox(renderer), figure.get_size_inches()
    assert width == plots.PAGE
    assert used.x0 >= -0.01 and used.y0 >= -0.01 and used.x1 <= width + 0.01 and used.y1 <= height + 0.01
    written = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert min(text.get_fontsize() for text in written) >= 7
    for axes in figure.axes:
        assert not any(
            legend.get_window_extent(renderer).overlaps(axes.get_tightbbox(renderer)) for legend in figure.legends
        )
        rows = [tick.get_window_extent(renderer) for tick in axes.get_yticklabels() if tick.get_text()]
        rows.sort(key=lambda box: box.y0)
        assert all(low.y1 <= high.y0 for low, high in zip(rows, rows[1:], strict=False))
        below = [tick.label1 for tick in axes.xaxis.get_major_ticks() if tick.label1.get_text()]  # not those on top
        ticks = [label.get_window_extent(renderer) for label in below]
        assert all(left.x1 + 2 < right.x0 for left, right in zip(ticks, ticks[1:], strict=False))


@pytest.mark.parametrize("name", ["class, three", "epoch, three", "class, seven", "epoch, seven", "class, long names"])
def test_one_legend_names_every_run(figures, name):
    (legend,) = figures[name].legends
    names = {"three": THREE, "seven": tuple(plots.LINES), "long names": LONG}[name.split(", ")[1]]
    truth = ["true share"] if name.startswith("class") else []
    assert [text.get_text() for text in legend.get_texts()] == [*names, *truth]
    looks = {(to_hex(handle.get_color()), handle.get_marker()) for handle in legend.legend_handles}
    assert len(looks) == len(names) + len(truth)


# --- Class by class -------------------------------------------------------------------------------------------------


def test_each_class_has_a_row_and_each_run_a_mark(figures):
    panels = figures["class, three"].axes
    assert [axes.get_title("left") for axes in panels] == [
        "right labels kept",
        "wrong labels kept",
        "share of the kept set",
    ]
    assert figures["class, three"].get_suptitle() == "epoch 10" and all("%" in axes.get_xlabel() for axes in panels)
    assert [tick.get_text() for tick in panels[0].get_yticklabels()] == [f"class {i}" for i in range(10)]
    assert [axes.get_ylim() for axes in panels] == [(9.5, -0.5)] * 3
    for axes, column in zip(panels, ("right_kept", "wrong_kept", "kept_share"), strict=True):
        marks = lines(axes)
        assert len(marks) == 3
        for seed, name in enumerate(THREE):
            mark = marks[plots.LINES[name]["color"]]
            np.testing.assert_allclose(mark.get_xdata(), 100 * kept(seed=seed)[column])
            np.testing.assert_array_equal(np.round(mark.get_ydata()), np.arange(10))
            assert mark.get_marker() == plots.LINES[name]["marker"]


def test_equal_values_of_runs_do_not_cover_each_other():
    axes = plots.kept_by_class({name: kept() for name in plots.LINES}).axes[0]
    heights = np.array([line.get_ydata() for line in lines(axes).values()])
    assert heights.shape == (7, 10) and np.diff(np.sort(heights, axis=0), axis=0).min() > 0.1
    assert np.abs(heights - np.arange(10)).max() < 0.5  # inside their row


def test_the_true_share_is_a_line_behind_each_mark(figures):
    axes = figures["class, three"].axes[2]
    assert axes.get_xlim()[0] == 0 and len(axes.collections) == 3
    for seed, (name, pieces) in enumerate(zip(THREE, axes.collections, strict=True)):
        mark = lines(axes)[plots.LINES[name]["color"]]
        for row, piece in enumerate(pieces.get_segments()):
            np.testing.assert_allclose(piece[:, 0], 100 * kept(seed=seed)["true_share"].iloc[row])
            assert piece[0, 1] < mark.get_ydata()[row] < piece[1, 1]
    assert not figures["class, three"].axes[0].collections


def test_classes_without_wrong_labels_say_so():
    figure = plots.kept_by_class({"Standard": kept(clean=(1, 4)), "LEND": kept(seed=1, clean=(1, 4, 5))})
    right, wrong, share = figure.axes
    assert [(text.get_text(), text.get_position()[1]) for text in wrong.texts] == [
        ("no wrong labels", 1),
        ("no wrong labels", 4),
    ]
    assert not right.texts and not share.texts


def test_many_classes_make_the_figure_taller_and_repeat_its_scale(figures):
    heights = {c: by_class(c, THREE).get_size_inches()[1] for c in (2, 10, MANY, 100)}
    assert list(heights.values()) == sorted(heights.values()) and heights[100] < 13
    assert len(figures["class, a hundred"].axes[0].get_yticklabels()) == 100
    for name, top in (("class, a hundred", True), ("class, three", False)):
        ticks = figures[name].axes[0].xaxis.get_major_ticks()
        assert all(tick.label2.get_visible() == top for tick in ticks)


def test_other_classes_are_refused():
    with pytest.raises(ValueError, match=r"tables must be of the same classes, got \['LEND'\]"):
        plots.kept_by_class({"Standard": kept(4), "LEND": kept(5)})


# --- By epoch -------------------------------------------------------------------------------------------------------


def test_curves_are_the_columns_in_per_cent(figures):
    panels = figures["epoch, three"].axes
    titles = ["wrong labels memorised", "wrong labels kept", "right labels kept"]
    assert [axes.get_title("left") for axes in panels] == titles
    assert [axes.get_ylim() for axes in panels] == [(-3, 103)] * 3
    assert all("%" in axes.get_ylabel() and "epoch" in axes.get_xlabel() for axes in panels)
    for axes, column in zip(panels, ("memorised", "wrong_kept", "right_kept"), strict=True):
        assert len(lines(axes)) == 3
        for seed, name in enumerate(THREE):
            line = lines(axes)[plots.LINES[name]["color"]]
            np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 41))
            np.testing.assert_allclose(line.get_ydata(), 100 * epochs(seed=seed)[column])


def test_marks_are_where_half_is_passed():
    table = epochs(5).assign(memorised=[0.1, 0.5, 0.6, 0.4, 0.7], wrong_kept=[1, 0.8, 0.6, 0.49, 0.3], right_kept=0.2)
    never = epochs(5).assign(memorised=0.2, wrong_kept=0.9)
    panels = plots.memorisation_curves({"LEND": table, "Standard": never}).axes
    marked = [
        [lines(axes)[plots.LINES[name]["color"]].get_markevery() for name in ("LEND", "Standard")] for axes in panels
    ]
    assert marked == [[[2], []], [[3], []], [[], []]]


def test_runs_of_different_length_share_the_axis():
    axes = plots.memorisation_curves({"Standard": epochs(8), "LEND": epochs(40), "GCE": epochs(0)}).axes[0]
    assert axes.get_xlim()[1] > 40 and axes.get_xticks()[-1] == 40


def test_without_runs_the_panels_say_so(figures):
    for name in ("class, none", "epoch, none"):
        assert [text.get_text() for axes in figures[name].axes for text in axes.texts] == ["no run yet"] * 3
        assert not figures[name].legends


def test_saved_like_every_figure(figures, tmp_path):
    first, again = (plots.save(by_class(2, THREE), name, tmp_path) for name in ("first", "again"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]
    assert figures["epoch, three"]._repr_png_().startswith(b"\x89PNG")
