"""Pictures have the panels, legends and colours that their data ask for, and land on disk as promised."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text
from PIL import Image

from lend import plots
from lend.paper.experiments import FURTHER_ROWS, ROWS
from lend.paper.grids import CORRECTED
from lend.plots.colours import FURTHER_LINES, row_lines

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NUMBERS = {
    "true_purity": 0.9,
    "predicted_label_accuracy": 0.8,
    "predicted_purity": 0.85,
    "diluted_label_accuracy": 0.82,
    "diluted_purity": 0.95,
    "noisy_label_accuracy": 0.6,
    "noisy_purity": 0.4321,
}


def points(n=60, c=10, seed=0):
    rng = np.random.default_rng(seed)
    labels = {kind: rng.integers(0, c, n) for kind in ("true", "noisy", "predicted", "diluted")}
    return pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n), **labels})


def curves(epochs=12, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({kind: rng.uniform(0.5, 0.9, epochs) for kind in ("predicted", "diluted", "dominant")})
    return table.assign(noisy=0.7).set_index(pd.RangeIndex(1, epochs + 1, name="epoch"))


def toy(n=30):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n)})
    return table.assign(true=(table.x > 0).astype(int))


OWN = ("Mine", "A second idea")


def trial_curves(columns=("40 %", "50 %"), rows=("Standard", "LEND", "LEND+prior"), absent=(), epochs=9):
    """As lend.tables.curves: three trials of each cell, none of the absent ones."""
    rng, parts = np.random.default_rng(0), {}
    index = pd.RangeIndex(1, epochs + 1, name="epoch")
    for cell in ((row, column) for row in rows for column in columns):
        gone = cell in absent
        mean, std = np.full((2, epochs), np.nan) if gone else rng.uniform(0.5, 0.6, (2, epochs))
        parts[cell] = pd.DataFrame({"mean": mean, "std": std / 10, "n": 0 if gone else 3}, index=index)
    return pd.concat(parts, names=["row", "column"])


def setting(values, absent=(), rows=("LEND", "LEND+prior")):
    """As lend.tables.long."""
    rng, cells = np.random.default_rng(1), [(row, v, m) for m in ("best", "last") for row in rows for v in values]
    table = pd.DataFrame(cells, columns=["row", "column", "measure"])
    table = table.assign(mean=rng.uniform(0.5, 0.9, len(cells)), std=0.02, n=5)
    table.loc[[(row, value) in absent for row, value, _ in cells], ["mean", "std", "n"]] = np.nan, np.nan, 0
    return table


def collected(columns=("40 %", "50 %"), rows=("Standard", "LEND"), trials=4):
    """As lend.tables.collect."""
    cells = [(row, column, seed) for row in rows for column in columns for seed in range(trials)]
    table = pd.DataFrame(cells, columns=["row", "column", "seed"])
    return table.assign(last=np.random.default_rng(2).uniform(0.4, 0.9, len(cells)))


def choices_made(absent=()):
    """As lend.tables.selected: two trials of each row."""
    table = collected(columns=("40 %",), rows=("Standard", "LEND", "LEND+prior", "1 step"), trials=2)
    table = table.assign(best=table["last"] + 0.05, right_kept=0.9, wrong_kept=0.4, complete=True)
    missing = table["row"].isin(absent)
    table.loc[missing, ["best", "last", "right_kept", "wrong_kept"]] = np.nan
    return table.assign(complete=~missing)


def every_figure():
    frames = {epoch: points(seed=epoch) for epoch in (1, 30, 200)}
    shares = pd.DataFrame({name: np.linspace(0, 1, 30) for name in ("given labels", "1 step", "converged")})
    steps = pd.DataFrame({1: [0.7, 0.6], 30: [0.8, 0.5]}, index=pd.Index([1, "converged"], name="steps", dtype=object))
    matrix = np.full((10, 10), 0.1)
    return {
        "panels": plots.snapshot_panels(frames[30], NUMBERS, NAMES, "epoch 30"),
        "overview": plots.overview(frames, pd.DataFrame(NUMBERS, index=list(frames)), NAMES),
        "curves": plots.label_accuracy_curves({"Standard": curves(), "LEND": curves(seed=1)}),
        "three": plots.label_accuracy_curves({name: curves(200) for name in ("Standard", "LEND", "LEND+prior")}),
        "one": plots.label_accuracy_curves({"Standard": curves()}),
        "toy": plots.dilution_toy(toy(), shares, np.array([[0, 1], [1, 2]]), 0.0),
        "steps": plots.step_curves(steps, 0.65),
        "trials": plots.accuracy_curves(trial_curves(absent=[("LEND", "50 %")])),
        "no trials": plots.accuracy_curves(trial_curves(absent=[(row, "50 %") for row in plots.LINES])),
        "settings": plots.sensitivity({"k": setting([2, 4, 8], [("LEND", 8)]), "W": setting(["a", "b"])}, {"k": 4}),
        "own rows": plots.accuracy_curves(trial_curves(rows=(*plots.LINES, *OWN))),
        "all rows": plots.accuracy_curves(trial_curves(rows=(*plots.LINES, *FURTHER_LINES, *OWN))),
        "own settings": plots.sensitivity({"k": setting([2, 4, 8], rows=("LEND", "LEND+prior", *OWN))}, {"k": 4}),
        "dots": plots.trial_dots(collected()),
        "choices": plots.choices({"symmetric": choices_made(), "asymmetric": choices_made(absent=["1 step"])}),
        "matrices": plots.transition_matrices({"a": matrix, "b": np.eye(10)}, {"a": NAMES, "b": tuple("0123456789")}),
    }


@pytest.fixture(scope="module")
def figures():
    return every_figure()


def legend_texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def dot_colours(axes):
    return [to_hex(colour) for colour in axes.collections[0].get_facecolors()]


# --- Colours --------------------------------------------------------------------------------------------------------

# Machado et al. (2009), severity 1, on linear RGB
VISION = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def oklab(colours, vision):
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ np.transpose(VISION[vision])
    lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return 100 * np.cbrt(linear.clip(0, 1) @ lms.T) @ lab.T


def test_rows_that_a_column_does_not_compare_are_marked_and_one_trial_has_no_spread():
    table = collected(rows=("Standard", "LEND", "ELR", "SOP"))
    only = table[~(table["row"].isin(["ELR", "SOP"]) & (table["column"] == "50 %"))]
    texts = [[text.get_text() for text in axes.texts] for axes in plots.trial_dots(only).axes]
    assert texts == [[], ["not compared"]]
    assert "standard deviation" in plots.trial_dots(only).get_supxlabel()
    assert "standard deviation" not in plots.trial_dots(only[only["seed"] == 0]).get_supxlabel()


@pytest.mark.parametrize("vision", VISION)
def test_ten_classes_can_be_told_apart(vision):
    lab = oklab(plots.class_colours(10), vision)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    assert distance[~np.eye(10, dtype=bool)].min() > 11.7
    flips = [(9, 1), (2, 0), (3, 5), (4, 7), (1, 8), (3, 7), (4, 6), (5, 9)]
    assert min(distance[pair] for pair in flips) > 27
    assert oklab(plots.class_colours(10), "normal")[:, 0].max() < 85  # on white paper


def test_a_class_keeps_its_colour_however_many_there_are():
    for c in range(1, 11):
        assert plots.class_colours(c) == plots.class_colours(10)[:c]
    assert len(set(plots.class_colours(100))) == 100


def test_kinds_of_labels_and_methods_have_colours_of_their_own():
    assert len(set(plots.LABEL_COLOURS.values())) == len(plots.LABEL_COLOURS)
    assert len(set(plots.METHOD_COLOURS.values())) == len(plots.METHOD_COLOURS) == 6


@pytest.mark.parametrize("vision", VISION)
def test_lends_two_lines_stand_apart_and_dashes_tell_the_others(vision):
    lab = oklab([line["color"] for line in plots.LINES.values()], vision)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    names = list(plots.LINES)
    assert distance[names.index("LEND"), names.index("LEND+prior")] > 20
    assert len({str(line["linestyle"]) for line in plots.LINES.values()}) == len(names) == 7
    assert len({line["marker"] for line in plots.LINES.values()}) == 7
    widths = {name: line.get("linewidth", 1.1) for name, line in plots.LINES.items()}
    assert min(widths["LEND"], widths["LEND+prior"]) > 1.5 * max(widths[name] for name in names[:5])


@pytest.mark.parametrize("vision", VISION)
def test_own_rows_stand_apart_from_the_papers_and_from_each_other(vision):
    rows = [*plots.LINES, *(f"row {i}" for i in range(5))]
    lab = oklab([line["color"] for line in row_lines(rows).values()], vision)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert distance[len(plots.LINES) :].min() > 10.7
    assert oklab([line["color"] for line in row_lines(rows).values()], "normal")[7:, 0].max() < 70  # on white paper


def test_every_row_has_a_line_that_no_other_has():
    rows = [*plots.LINES, *FURTHER_LINES, *(f"row {i}" for i in range(20))]
    lines = row_lines(rows)
    assert list(lines) == rows and {name: lines[name] for name in plots.LINES} == plots.LINES
    assert list(FURTHER_LINES) == [*FURTHER_ROWS, *CORRECTED] and list(plots.LINES) == list(ROWS)
    for kind in ("linestyle", "marker"):  # of one colour, what tells curves and what tells dots
        assert len({(line["color"], str(line[kind])) for line in lines.values()}) == len(rows), kind
    assert not {line["marker"] for line in plots.LINES.values()} & {lines[row]["marker"] for row in rows[7:]}
    apart = [row_lines(["Standard", *OWN])[row] for row in OWN]
    assert apart == [row_lines([*plots.LINES, *FURTHER_LINES, *OWN])[row] for row in OWN]  # the same in every figure


def test_more_points_get_smaller_markers():
    sizes = [plots.marker_size(n, 2.2) for n in (300, 1437, 10_000)]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 3
    assert plots.marker_size(10**9, 1.0) > 0


# --- All figures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", every_figure())
def test_text_is_legible_and_the_legend_covers_nothing(figures, name):
    figure = figures[name]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    written = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert min(text.get_fontsize() for text in written) >= 7
    renderer = canvas.get_renderer()
    width, height = figure.bbox.size
    for legend in figure.legends:
        box = legend.get_window_extent(renderer)
        assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1
        for axes in figure.axes:
            assert not axes.get_visible() or not box.overlaps(axes.get_tightbbox(renderer))


def test_the_callers_style_is_left_alone():
    before = dict(matplotlib.rcParams)
    plots.snapshot_panels(points(), NUMBERS, NAMES)
    assert dict(matplotlib.rcParams) == before


# --- Maps -----------------------------------------------------------------------------------------------------------


def test_panels_show_true_predicted_and_noisy_labels_in_class_colours(figures):
    table, colours = points(seed=30), plots.class_colours(10)
    panels = figures["panels"].axes
    assert [axes.get_title() for axes in panels] == ["true labels", "predicted labels", "noisy (given) labels"]
    for axes, kind in zip(panels, ("true", "predicted", "noisy"), strict=True):
        assert dot_colours(axes) == [colours[label] for label in table[kind]]
        assert axes.collections[0].get_rasterized()
    assert panels[0].get_xlabel() == "neighbour purity 90.0 %"
    assert panels[2].get_xlabel() == "label accuracy 60.0 %\nneighbour purity 43.2 %"
    assert legend_texts(figures["panels"]) == list(NAMES)
    handles = figures["panels"].legends[0].legend_handles
    assert [to_hex(handle.get_color()) for handle in handles] == colours


def test_overview_has_a_column_per_epoch_and_a_row_per_kind_of_label(figures):
    grid = np.array(figures["overview"].axes).reshape(4, 3)
    assert [axes.get_title() for axes in grid[0]] == ["epoch 1", "epoch 30", "epoch 200"]
    kinds = ("true", "predicted", "diluted", "noisy")
    assert [axes.get_ylabel() for axes in grid[:, 0]] == [f"{kind} labels" for kind in kinds]
    colours = plots.class_colours(10)
    for column, epoch in zip(grid.T, (1, 30, 200), strict=True):
        for axes, kind in zip(column, kinds, strict=True):
            assert dot_colours(axes) == [colours[label] for label in points(seed=epoch)[kind]]
    assert legend_texts(figures["overview"]) == list(NAMES)


def test_unknown_labels_are_grey_and_unknown_numbers_left_out():
    table = points().assign(true=-1)
    figure = plots.snapshot_panels(table, {"noisy_label_accuracy": float("nan")}, NAMES)
    assert set(dot_colours(figure.axes[0])) == {plots.GREY}
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", ""]


def test_a_hundred_classes_get_a_sentence_for_a_legend():
    figure = plots.snapshot_panels(points(c=100), {}, [f"class {i}" for i in range(100)])
    assert not figure.legends and "100 classes" in figure.get_supxlabel()


# --- Curves ---------------------------------------------------------------------------------------------------------


def test_curves_have_one_panel_per_run_and_one_colour_per_kind(figures):
    panels = figures["curves"].axes
    assert [axes.get_title("left") for axes in panels] == ["Standard", "LEND"]
    assert panels[0].get_shared_y_axes().joined(*panels)
    for axes, seed in zip(panels, (0, 1), strict=True):
        lines = {line.get_label(): line for line in axes.get_lines()}
        for kind in ("predicted", "diluted", "dominant", "noisy"):
            line = lines[plots.LABEL_TITLES[kind]]
            assert to_hex(line.get_color()) == plots.LABEL_COLOURS[kind]
            np.testing.assert_allclose(line.get_ydata(), 100 * curves(seed=seed)[kind])
    titles = [plots.LABEL_TITLES[kind] for kind in ("diluted", "predicted", "dominant", "noisy")]
    assert legend_texts(figures["curves"]) == titles


def test_the_largest_lead_is_marked():
    table = curves()
    epoch, margin = plots.largest_margin(table)
    leads = {e: table.diluted[e] - table.predicted[e] for e in table.index}
    assert epoch == max(leads, key=leads.get) and margin == leads[epoch]
    axes = plots.label_accuracy_curves({"run": table}).axes[0]
    assert any(f"epoch {epoch} (dots)" in text.get_text() for text in axes.texts)
    assert [list(line.get_xdata()) for line in axes.get_lines()][-1] == [epoch, epoch]


@pytest.mark.parametrize("name", ["one", "curves", "three"])
def test_the_note_of_a_panel_stays_above_it_and_ticks_apart(figures, name):
    canvas = FigureCanvasAgg(figures[name])
    canvas.draw()
    renderer = canvas.get_renderer()
    for axes in figures[name].axes:
        (text,) = axes.texts
        box, title = text.get_window_extent(renderer), axes._left_title.get_window_extent(renderer)
        assert box.x1 <= axes.get_window_extent(renderer).x1 + 1 and box.y1 < title.y0
        ticks = [tick.get_window_extent(renderer) for tick in axes.get_xticklabels()]
        assert all(left.x1 + 2 < right.x0 for left, right in zip(ticks, ticks[1:], strict=False))


def test_unknown_truth_has_no_lead():
    table = curves() * np.nan
    assert plots.largest_margin(table) is None
    assert not plots.label_accuracy_curves({"run": table}).axes[0].texts


@pytest.mark.parametrize(("runs", "panels"), [(1, 1), (3, 3), (4, 6)])
def test_any_number_of_runs_has_a_place(runs, panels):
    figure = plots.label_accuracy_curves({f"run {i}": curves() for i in range(runs)})
    assert len(figure.axes) == panels and sum(axes.get_visible() for axes in figure.axes) == runs


def test_step_curves_have_a_line_per_snapshot_and_the_baseline(figures):
    axes = figures["steps"].axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "converged"]
    assert legend_texts(figures["steps"]) == ["epoch 1", "epoch 30", "noisy (given) labels"]
    np.testing.assert_allclose(axes.get_lines()[1].get_ydata(), [80, 50])


# --- Comparison of methods ------------------------------------------------------------------------------------------


def note(axes):
    return " ".join(axes.get_xlabel().split())


def frame_text(axes):
    return [" ".join(text.get_text().split()) for text in axes.texts]


def test_accuracy_curves_are_means_in_bands(figures):
    table, panels = trial_curves(absent=[("LEND", "50 %")]), figures["trials"].axes
    assert [axes.get_title("left") for axes in panels] == ["40 %", "50 %"]
    assert panels[0].get_shared_y_axes().joined(*panels)
    assert legend_texts(figures["trials"]) == ["Standard", "LEND", "LEND+prior"]
    assert len(panels[0].get_lines()) == len(panels[0].collections) == 3 and len(panels[1].get_lines()) == 2
    rows = ("Standard", "LEND", "LEND+prior")
    for line, band, row in zip(panels[0].get_lines(), panels[0].collections, rows, strict=True):
        part = 100 * table.xs("40 %", level="column").xs(row, level="row")
        np.testing.assert_allclose(line.get_ydata(), part["mean"])
        assert to_hex(line.get_color()) == plots.LINES[row]["color"]
        corners = band.get_paths()[0].vertices
        for epoch, mean, std in zip(part.index, part["mean"], part["std"], strict=True):
            heights = corners[corners[:, 0] == epoch][:, 1]
            assert heights.min() == pytest.approx(mean - std) and heights.max() == pytest.approx(mean + std)
        assert band.get_zorder() < line.get_zorder() and band.get_alpha() < 0.3
    assert panels[0].get_lines()[1].get_zorder() > panels[0].get_lines()[0].get_zorder()
    assert panels[0].get_title("right") == "3 trials"
    assert note(panels[0]) == "epoch" and note(panels[1]) == "epoch no finished run: LEND"


def test_a_panel_without_a_run_says_so_and_leaves_the_scale_to_the_others(figures):
    full, empty = figures["no trials"].axes
    assert frame_text(empty) == ["no finished run yet"] and not frame_text(full)
    assert len(full.get_yticks()) > 2 and note(empty) == "epoch"


@pytest.mark.parametrize("name", ["own rows", "all rows", "own settings"])
def test_own_rows_are_drawn_and_take_no_room_from_the_panels(figures, name):
    figure = figures[name]
    usual = figures["settings" if name == "own settings" else "trials"]
    shown = legend_texts(figure)
    assert len(shown) == len(set(shown)) and {text.partition(",")[0] for text in shown} >= set(OWN)
    drawn = {(to_hex(line.get_color()), line.get_marker(), str(line.get_linestyle())) for line in figure.axes[0].lines}
    assert len(drawn) >= (8 if name == "own settings" else 9)
    heights = []
    for one in (figure, usual):
        canvas = FigureCanvasAgg(one)
        canvas.draw()
        heights.append(one.axes[0].get_window_extent(canvas.get_renderer()).height)
    assert heights[0] > 0.93 * heights[1]


@pytest.mark.parametrize("own", [1, 2, 3, 6])
def test_the_legend_of_own_rows_stays_inside_the_page(own):
    rows = [*ROWS, *(f"Mine {i}" for i in range(own))]
    figure = plots.accuracy_curves(trial_curves(rows=rows, columns=("40 %",)))
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    box, page = legend.get_window_extent(), figure.bbox
    assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0
    assert figure.axes[0].get_window_extent().height > 1.6 * figure.dpi


def test_without_runs_or_a_plan_there_are_empty_frames():
    gone = plots.accuracy_curves(trial_curves(absent=[(row, c) for row in plots.LINES for c in ("40 %", "50 %")]))
    assert [frame_text(axes) for axes in gone.axes] == [["no finished run yet"]] * 2
    assert not len(gone.axes[0].get_yticks())
    nothing = (
        plots.accuracy_curves(trial_curves().iloc[:0]),
        plots.trial_dots(collected(columns=())),
        plots.sensitivity({}, {}),
    )
    for figure in nothing[:2]:
        assert [frame_text(axes) for axes in figure.axes] == [["no runs are planned for this figure"]]
        assert not figure.legends
    unplanned = plots.sensitivity({"k": setting([]), "W": setting(["a"], [("LEND", "a"), ("LEND+prior", "a")])}, {})
    assert [frame_text(axes) for axes in unplanned.axes] == [["not planned in this profile"], ["no finished run yet"]]
    for figure in (gone, unplanned, *nothing):
        assert figure._repr_png_().startswith(b"\x89PNG")


def test_one_trial_has_no_band():
    table = trial_curves().assign(std=np.nan, n=1)
    axes = plots.accuracy_curves(table).axes[0]
    assert not axes.collections and axes.get_title("right") == "1 trial"


def test_choices_draw_the_means_beside_lines_of_the_methods(figures):
    figure, made = figures["choices"], choices_made(absent=["1 step"])
    accuracy, right, wrong = figure.axes[3:]
    assert [text.get_text() for text in accuracy.get_yticklabels()] == ["Standard", "LEND", "LEND+prior", "1 step"]
    means = 100 * made.groupby("row", sort=False)["last"].mean().dropna()
    lines = {to_hex(line.get_color()): line.get_xdata()[0] for line in accuracy.lines if len(line.get_xdata()) == 2}
    for row, mean in means.items():
        assert lines[to_hex(plots.LINES[row]["color"])] == pytest.approx(mean)
    drawn = {tuple(np.round(dots.get_offsets()[0], 6)) for dots in accuracy.collections if hasattr(dots, "get_sizes")}
    assert {(round(mean, 6), place) for place, mean in enumerate(means)} <= drawn
    assert "no finished run: 1 step" in accuracy.get_xlabel() and "no finished" not in figure.axes[0].get_xlabel()
    assert {dots.get_offsets()[0][0] for dots in right.collections if len(dots.get_offsets())} == {90.0}
    assert wrong.get_xlabel() == "wrong labels kept (%)"
    assert legend_texts(figure) == ["last", "best, an oracle", "Standard", "LEND", "LEND+prior"]


def test_choices_without_runs_say_so():
    made = choices_made(absent=["Standard", "LEND", "LEND+prior", "1 step"])
    figure = plots.choices({"symmetric": made})
    assert "no finished run yet" in [text.get_text() for text in figure.axes[0].texts]
    plots.choices({})


def test_a_title_over_three_panels_is_drawn_whole():
    title = "symmetric 40 %: changes to LEND, the paper's letter"
    figure = plots.choices({title: choices_made()})
    assert title in [axes.get_title(loc="left") for axes in figure.axes]


def test_sensitivity_has_a_panel_per_setting_and_marks_the_default(figures):
    numbers, words = figures["settings"].axes
    assert [axes.get_title("left") for axes in (numbers, words)] == ["k", "W"]
    assert numbers.get_shared_y_axes().joined(numbers, words)
    assert [tick.get_text() for tick in numbers.get_xticklabels()] == ["2", "4", "8"]
    assert [tick.get_text() for tick in words.get_xticklabels()] == ["a", "b"]
    (mark,) = numbers.patches
    assert mark.get_x() < 1 < mark.get_x() + mark.get_width() < 2 and not words.patches
    names = [f"{row}, {measure}" for row in ("LEND", "LEND+prior") for measure in ("best", "last")]
    assert legend_texts(figures["settings"]) == [*names, "default"]
    assert "oracle on the test set" in figures["settings"].legends[0].get_title().get_text()
    assert note(numbers) == "no finished run: LEND at 8" and note(words) == ""


def test_sensitivity_draws_the_means_best_hollow_and_last_filled(figures):
    numbers, words = figures["settings"].axes
    table = setting([2, 4, 8], [("LEND", 8)])
    lines = {line.get_label(): line for line in numbers.get_lines() if ", " in str(line.get_label())}
    assert len(lines) == 4
    for label, line in lines.items():
        row, measure = label.split(", ")
        part = table[(table["row"] == row) & (table["measure"] == measure) & (table["n"] > 0)]
        np.testing.assert_allclose(line.get_ydata(), 100 * part["mean"])
        assert np.abs(np.array(line.get_xdata()) - np.arange(len(part))).max() < 0.2
        filled = to_hex(line.get_markerfacecolor()) == plots.LINES[row]["color"]
        assert filled == (measure == "last") and (line.get_linestyle() == "-") == filled
    joined = {line.get_linestyle() for line in words.get_lines() if ", " in str(line.get_label())}
    assert joined == {"None"}


def test_dots_are_the_trials_and_their_mean(figures):
    table, panels = collected(), figures["dots"].axes
    assert [axes.get_title("left") for axes in panels] == ["40 %", "50 %"]
    assert [tick.get_text() for tick in panels[0].get_yticklabels()] == ["Standard", "LEND"]
    assert panels[0].get_shared_x_axes().joined(*panels)
    for axes, column in zip(panels, ("40 %", "50 %"), strict=True):
        dots = [c.get_offsets() for c in axes.collections if isinstance(c, PathCollection)]
        for place, row in enumerate(("Standard", "LEND")):
            values = 100 * table[(table["row"] == row) & (table["column"] == column)]["last"]
            single, mean = dots[2 * place : 2 * place + 2]
            np.testing.assert_allclose(sorted(single[:, 0]), sorted(values))
            np.testing.assert_allclose(mean, [[values.mean(), place]])
    assert "last ten epochs" in figures["dots"].get_supxlabel()


def test_a_row_that_has_other_columns_alone_is_not_said_to_be_unfinished():
    table = collected(rows=("Standard", "ELR", "SOP"))
    table = table[~((table["row"] != "Standard") & (table["column"] == "50 %"))]
    figure = plots.trial_dots(table.assign(last=table["last"].where(table["row"] != "SOP")))
    both, standard = figure.axes
    assert "no finished run: SOP" in both.get_xlabel() and standard.get_xlabel() == ""
    assert [text.get_text() for text in both.get_yticklabels()] == ["Standard", "ELR", "SOP"]


def test_dots_of_many_columns_wrap_and_name_what_is_absent():
    table = collected(columns=tuple("abcd"))
    table.loc[(table["column"] == "d") & (table["row"] == "LEND"), "last"] = np.nan
    figure = plots.trial_dots(table)
    assert len(figure.axes) == 6 and sum(axes.get_visible() for axes in figure.axes) == 4
    assert note(figure.axes[3]) == "no finished run: LEND"


# --- Toy and noise --------------------------------------------------------------------------------------------------


def test_toy_rings_the_points_that_are_wrong(figures):
    panels = figures["toy"].axes[:4]
    assert [axes.get_title("left") for axes in panels] == ["true classes", "given labels", "1 step", "converged"]
    rings = panels[1].collections[-1]
    wrong = (np.linspace(0, 1, 30) > 0.5) != toy().true
    np.testing.assert_allclose(rings.get_offsets(), toy()[wrong][["x", "y"]])
    assert f"accuracy {100 * (1 - wrong.mean()):.1f} %" == panels[1].get_title("right")
    texts = ["class 0", "class 1", "largest share is not the true class", "true boundary", "neighbours"]
    assert legend_texts(figures["toy"]) == texts


def test_matrices_are_annotated_in_per_cent_below_a_hundred_classes(figures):
    full, eye = figures["matrices"].axes[:2]
    assert [text.get_text() for text in full.texts] == ["10"] * 100
    assert [text.get_text() for text in eye.texts] == ["100"] * 10
    assert [tick.get_text() for tick in full.get_yticklabels()] == list(NAMES)
    many = plots.transition_matrices({"T": np.full((100, 100), 0.01)}, {"T": [str(i) for i in range(100)]})
    assert not many.axes[0].texts
    np.testing.assert_allclose(many.axes[0].images[0].get_array(), 1)


# --- Files ----------------------------------------------------------------------------------------------------------


def test_save_writes_picture_and_numbers(figures, tmp_path):
    table = curves()
    files = plots.save(figures["curves"], "curves", tmp_path / "new" / "folder", table)
    assert [file.name for file in files] == ["curves.pdf", "curves.png", "curves.csv"]
    pd.testing.assert_frame_equal(pd.read_csv(files[2], index_col="epoch"), table, check_index_type=False)
    width, height = figures["curves"].get_size_inches()
    with Image.open(files[1]) as picture:
        assert picture.size == (round(200 * width), round(200 * height))
    assert b"/Type3" not in files[0].read_bytes() and b"/FontFile2" in files[0].read_bytes()


def test_the_same_numbers_give_the_same_files(tmp_path):
    first, again = (plots.save(plots.step_curves(curves()), name, tmp_path) for name in ("first", "again"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]


def test_save_without_a_table_or_an_index_name(figures, tmp_path):
    assert len(plots.save(figures["steps"], "plain", tmp_path)) == 2
    csv = plots.save(figures["steps"], "table", tmp_path, pd.DataFrame({"a": [1, 2]}))[2]
    assert csv.read_text() == "a\n1\n2\n"


def test_a_figure_shows_itself_in_a_notebook(figures):
    assert figures["steps"]._repr_png_().startswith(b"\x89PNG")
