"""The explorer without a browser: what its widgets hold, and what happens when the page changes them."""

import ast
import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lend.explorer
from lend.analysis import make_maps
from lend.explorer import Explorer, Inspection, explore
from lend.explorer.inspection import FILTERS
from lend.explorer.inspection.filters import NEEDS
from lend.explorer.pictures import words
from lend.explorer.pictures.palettes import STEPS, codes, palette
from lend.explorer.widgets.events import Coalesced, guarded, in_background
from lend.explorer.widgets.views import NOWHERE
from lend.run import Run

pytestmark = pytest.mark.usefixtures("short_maps")


@pytest.fixture(scope="module")
def mapped(saved, tmp_path_factory):
    """The tiny run with maps of two of its three snapshots."""
    folder = tmp_path_factory.mktemp("mapped") / saved.path.name
    shutil.copytree(saved.path, folder)
    run = Run.open(folder)
    make_maps(run, [1, 3], progress=False)
    return run


@pytest.fixture
def shown(mapped):
    return explore(mapped, images=lambda sample_id: np.full((8, 8), sample_id % 256, np.uint8))


@pytest.fixture
def frame():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 60)
    return pd.DataFrame({"x": generator.normal(size=60), "y": generator.normal(size=60), "noisy": labels})


# --- The house --------------------------------------------------------------------------------------------------------

ROOMS = ("inspection", "pictures", "widgets", "app")  # each imports only from itself and from those before it


def inner_imports(text):
    """Names behind ``lend.explorer`` that a file imports, wherever in it; "" for ``lend.explorer`` itself."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            found = [node.module]
            if node.module == "lend":
                found = [f"lend.{alias.name}" for alias in node.names]
            elif node.module == "lend.explorer":
                found = [f"lend.explorer.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.split(".")[2] if name.count(".") > 1 else "" for name in found if is_explorer(name))


def is_explorer(name):
    return name == "lend.explorer" or name.startswith("lend.explorer.")


def test_imports_inside_the_explorer_run_one_way():
    folder = Path(lend.explorer.__file__).parent
    upward, seen = [], 0
    for path in sorted({*folder.rglob("*.py")} - {folder / "__init__.py"}):
        place = path.relative_to(folder)
        own = ROOMS.index(place.parts[0].removesuffix(".py"))
        used = list(inner_imports(path.read_text()))
        seen += len(used)
        upward += [(str(place), name) for name in used if name not in ROOMS[: own + 1]]
    assert upward == [] and seen > 50


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from lend.explorer.widgets.page import Page", ["widgets"]),
        ("def f():\n    from lend.explorer import pictures", ["pictures"]),
        ("from lend.explorer import explore", ["explore"]),
        ("import lend.explorer.app, lend.run", ["app"]),
        ("from lend import explorer, run", [""]),
        ("from lend.explorers import other", []),
    ],
)
def test_every_way_to_import_is_seen(line, found):
    assert list(inner_imports(line)) == found


def told(explorer):
    return words.plain(explorer.page.message.value)


def drawn(view):
    """Positions in the palette, as the page has them."""
    return view.scatter.points[:, 2].astype(int)


# --- Views ------------------------------------------------------------------------------------------------------------


def test_four_views_of_a_run(shown, mapped):
    assert shown.colorings == ("true", "predicted", "noisy", "diluted")
    assert [view.scatter.points.dtype for view in shown.page.views.views] == [np.float32] * 4
    first = shown.page.views.views[0].scatter.points
    assert first.shape == (len(mapped.map_samples()), 3)
    assert np.abs(first[:, :2]).max() <= 1
    noisy = mapped.labels["noisy"].to_numpy()[mapped.map_samples()]
    np.testing.assert_array_equal(drawn(shown.page.views.views[2]) - 1, noisy)


def test_the_same_class_has_the_same_colour_in_all_views(shown):
    assert all(view.scatter.color == shown.page.views.views[0].scatter.color for view in shown.page.views.views)
    assert shown.page.legend.value.count("lend-dot") == len(shown.inspection.class_names) + 1


def test_an_epoch_moves_the_points_on_one_scale(shown):
    before = [view.scatter.points.copy() for view in shown.page.views.views]
    shown.page.bar.slider.value = 3
    after = [view.scatter.points for view in shown.page.views.views]
    low, high = np.array(shown.inspection.limits).T
    places = (shown.inspection.coordinates(3) - low) / (high - low) * 2 - 1
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(new[:, :2], places, atol=1e-5)
        assert np.abs(new[:, :2] - old[:, :2]).max() > 0.01
    assert all(view.scatter.transition_points for view in shown.page.views.views)
    np.testing.assert_array_equal(drawn(shown.page.views.views[1]) - 1, shown.inspection.values("predicted", 3))


def test_an_epoch_sends_places_and_colours_and_little_else(shown):
    changed = []
    for widget in _all_widgets(shown.widget):
        widget.observe(lambda change: changed.append((type(change["owner"]).__name__, change["name"])))
    shown.page.bar.slider.value = 2
    traits = {name for kind, name in changed if kind == "JupyterScatter"}
    assert traits <= {"points", "transition_points", "non_spatial_points_update"}
    assert {name for kind, name in changed if kind == "HTML"} == {"value"}
    assert sum(kind == "HTML" for kind, _ in changed) <= 2  # the note and the mark, not the histories


def _all_widgets(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _all_widgets(child)


def test_the_note_says_where_places_come_from(shown):
    shown.epoch = 2
    assert "between the maps of 1 and 3" in shown.page.bar.note.value
    accuracy = shown.inspection.label_accuracy(2)["predicted"]
    assert f"predicted <b>{100 * accuracy:.1f} %" in shown.page.bar.note.value
    assert shown.page.bar.slider.value == 2


def test_a_dropdown_recolours_its_view_alone(shown):
    others = [view.scatter.points for view in shown.page.views.views[1:]]
    shown.page.views.views[0].dropdown.value = "kept"
    assert set(drawn(shown.page.views.views[0])) <= {0, 1}
    assert len(shown.page.views.views[0].scatter.color) == 2
    assert "dropped" in shown.page.views.views[0].legend.value
    assert all(view.scatter.points is points for view, points in zip(shown.page.views.views[1:], others, strict=True))
    assert not shown.page.views.views[0].scatter.transition_points


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_one_to_four_views(shown, count):
    shown.page.saving.views.value = count
    assert len(shown.page.views.box.children) == len(shown.colorings) == count
    shown.colorings = ("score", "wrong")
    assert shown.colorings == ("score", "wrong") and shown.page.saving.views.value == 2
    assert shown.page.legend.value == ""  # no view has classes


def test_a_view_that_was_away_comes_back_as_the_others_are(shown):
    shown.colorings = ("true",)
    shown.epoch, shown.selection = 3, shown.inspection.sample_ids[[2, 11]]
    shown.inspection.relabel(1)
    shown.page.views.lasso(on=True)
    shown.colorings = ("true", "corrected")
    first, second = (view.scatter for view in shown.page.views.views)
    np.testing.assert_array_equal(second.points[:, :2], first.points[:, :2])
    np.testing.assert_array_equal(second.points[:, 2] - 1, shown.inspection.values("corrected"))
    assert list(second.selection) == [2, 11] and second.mouse_mode == first.mouse_mode == "lasso"
    assert len(shown.selection) == 2


@pytest.mark.parametrize("colorings", [(), ("true",) * 5, ("true", "colour")])
def test_colorings_that_cannot_be_shown(shown, colorings):
    with pytest.raises(ValueError, match="one to 4|unknown coloring 'colour'"):
        shown.colorings = colorings


def test_palettes_have_a_colour_for_every_code(shown):
    for coloring in shown.inspection.colorings:
        found = codes(shown.inspection, coloring, 3)
        assert found.min() >= 0 and found.max() < len(palette(shown.inspection, coloring).colours)
    score = shown.inspection.values("score", 3)
    np.testing.assert_allclose(codes(shown.inspection, "score", 3) / (STEPS - 1), score, atol=0.0051)


def test_a_missing_share_is_grey(frame):
    frame["score"] = np.linspace(0, 1, 60)
    frame.loc[5, "score"] = np.nan
    inspection = Inspection.of_frame(frame)
    assert codes(inspection, "score")[5] == STEPS and codes(inspection, "score")[59] == STEPS - 1


# --- Hovering and selecting -------------------------------------------------------------------------------------------


def test_hovering_shows_in_all_views_and_on_the_card(shown):
    shown.page.views.views[2].scatter.hovering = 7
    assert [view.scatter.hovering for view in shown.page.views.views] == [7] * 4
    name = str(shown.inspection.sample_ids[7])
    assert 'data-position="7"' in shown.page.card.value and f">{name}<" in shown.page.card.value
    assert shown.page.card.value.count("data:image/png;base64,") == 1 + words.NEIGHBORS
    shown.page.views.views[2].scatter.hovering = None
    assert [view.scatter.hovering for view in shown.page.views.views] == [NOWHERE, NOWHERE, None, NOWHERE]
    assert 'data-position="7"' in shown.page.card.value, "the card stays to be read"


def test_a_lasso_in_one_view_selects_in_all(shown):
    shown.page.views.views[1].scatter.selection = np.array([9, 3, 4], np.uint32)
    np.testing.assert_array_equal(shown.selection, shown.inspection.sample_ids[[3, 4, 9]])
    for view in (shown.page.views.views[0], *shown.page.views.views[2:]):
        np.testing.assert_array_equal(view.scatter.selection, [3, 4, 9])
    assert shown.page.history.value.count("<svg") == 3 * 3
    shown.page.views.views[0].scatter.selection = np.array([], np.uint32)
    assert len(shown.selection) == 0 and "Nothing is selected" in shown.page.history.value


def test_the_selection_is_set_from_python(shown):
    ids = shown.inspection.sample_ids[[2, 11]]
    shown.selection = ids
    assert all(list(view.scatter.selection) == [2, 11] for view in shown.page.views.views)
    with pytest.raises(ValueError, match="sample ids"):
        shown.selection = [-5]
    np.testing.assert_array_equal(shown.selection, ids)


@pytest.mark.parametrize("name", FILTERS)
def test_filters(shown, name):
    shown.epoch = 4
    shown.page.selecting.filter.value, shown.page.selecting.label.value = name, 3
    shown.page.selecting.apply.click()
    np.testing.assert_array_equal(shown.selection, shown.inspection.filtered(name, 3))
    assert shown.page.selecting.help.value.count(FILTERS[name]) == 1
    assert ("no example fits" in told(shown)) == (len(shown.selection) == 0)
    shown.page.selecting.clear.click()
    assert len(shown.selection) == 0


def test_filters_that_need_missing_labels_are_not_offered(frame):
    assert set(NEEDS) == set(FILTERS)
    assert explore(frame).page.selecting.filter.options == ("class",)


def test_long_histories_say_how_many_more(shown):
    shown.selection = shown.inspection.sample_ids[: words.ROWS + 25]
    assert shown.page.history.value.count("<tr>") == words.ROWS + 1
    assert "and 25 more" in shown.page.history.value


def test_a_history_has_one_box_per_run_of_equal_labels():
    drawing = words.track(["#111", "#111", "#222", "#111"], "mark")
    boxes = re.findall(r'<rect x="([\d.]+)" width="([\d.]+)" height="14" fill="(#\d+)"', drawing)
    unit = words.TRACK / 4
    assert [(float(x), float(width), fill) for x, width, fill in boxes] == [
        (0, 2 * unit, "#111"),
        (2 * unit, unit, "#222"),
        (3 * unit, unit, "#111"),
    ]


# --- Dilution and corrections -----------------------------------------------------------------------------------------


def test_redilution_recolours_live(shown):
    shown.page.diluting.k.value = 5
    assert "rediluted" not in shown.inspection.colorings, "nothing is diluted before the button is pressed"
    shown.page.diluting.start.click()
    assert shown.colorings == ("true", "predicted", "noisy", "rediluted")
    expected = shown.inspection.redilute(k=5).labels
    np.testing.assert_array_equal(drawn(shown.page.views.views[3]) - 1, expected)
    before = shown.page.diluting.result.value
    shown.page.diluting.alpha.value = 0.3
    shown.page.diluting.steps.value = 9
    expected = shown.inspection.redilute(k=5, alpha=0.3, steps=9)
    np.testing.assert_array_equal(drawn(shown.page.views.views[3]) - 1, expected.labels)
    assert f"{100 * expected.accuracy:.1f} %" in shown.page.diluting.result.value != before
    shown.epoch = 3
    assert "epoch 3" in shown.page.diluting.result.value and (drawn(shown.page.views.views[3]) > 0).all()


def test_redilution_of_a_table_is_refused_in_words(frame):
    explorer = explore(frame)
    explorer.page.diluting.start.click()
    assert "embeddings" in told(explorer)


def test_relabel_undo_and_export(shown, tmp_path):
    shown.page.relabelling.apply.click()
    assert "select the examples" in told(shown)
    ids = shown.inspection.sample_ids[[1, 2]]
    shown.selection = ids
    given = shown.inspection.values("noisy", 1)[[1, 2]]
    shown.page.relabelling.label.value = other = next(code for code in range(10) if code not in given)
    shown.page.relabelling.apply.click()
    assert "2 labels changed" in shown.page.relabelling.count.value
    assert list(shown.inspection.corrections.index) == list(ids)
    shown.page.views.views[0].dropdown.value = "corrected"
    assert list(drawn(shown.page.views.views[0])[[1, 2]] - 1) == [other, other]
    shown.page.relabelling.path.value = str(tmp_path / "patch.csv")
    shown.page.relabelling.export.click()
    assert (
        pd.read_csv(tmp_path / "patch.csv")["suggested_label"].astype(str).tolist()
        == [shown.inspection.class_names[other]] * 2
    )
    shown.page.relabelling.undo.click()
    assert len(shown.inspection.corrections) == 0 and shown.colorings[0] == "noisy", "nothing is corrected any more"
    assert list(drawn(shown.page.views.views[0])[[1, 2]] - 1) == list(given)
    shown.page.relabelling.undo.click()
    assert "nothing to undo" in shown.page.relabelling.count.value


# --- Saving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "start"), [("a.pdf", b"%PDF"), ("b.png", b"\x89PNG"), ("c.parquet", b"PAR1")])
def test_save(shown, tmp_path, name, start):
    path = shown.save(tmp_path / "new" / name) if name != "c.parquet" else shown.save(tmp_path / name)
    assert path.read_bytes().startswith(start)


def test_save_from_the_page(shown, tmp_path):
    shown.page.saving.path.value = str(tmp_path / "page.svg")
    shown.page.saving.save.click()
    assert "<svg" in (tmp_path / "page.svg").read_text() and "written" in told(shown)
    shown.page.saving.path.value = "page.doc"
    shown.page.saving.save.click()
    assert "to end in .pdf" in told(shown) and "lend-error" in shown.page.message.value


def test_whose_labels_are_counted_is_said_and_switched(shown):
    page, inspection = shown.page, shown.inspection
    assert shown.labels_of == "snapshot" == page.bar.labels.value and page.bar.labels in page.bar.box.children
    assert "labels of: snapshot (evaluation mode) of epoch 1" in page.bar.note.value
    before = drawn(page.views.views[1])
    assert list(before - 1) == list(inspection.values("predicted"))
    page.bar.labels.value = "training"
    accuracy = inspection.label_accuracy()["predicted"]
    assert shown.labels_of == "training" and f"predicted <b>{100 * accuracy:.1f} %" in page.bar.note.value
    assert "labels of: training passes of the epoch" in page.bar.note.value
    assert list(drawn(page.views.views[1]) - 1) == list(inspection.values("predicted")) != list(before - 1)
    title = shown.figure().get_suptitle()
    assert title.endswith("labels of: training passes of the epoch")
    shown.labels_of = "snapshot"
    assert page.bar.labels.value == "snapshot" and list(drawn(page.views.views[1])) == list(before)


# --- Bad input --------------------------------------------------------------------------------------------------------


def test_a_run_without_maps_offers_to_make_them(saved, tmp_path):
    shutil.copytree(saved.path, tmp_path / "run", ignore=shutil.ignore_patterns("maps"))
    explorer = explore(tmp_path / "run")
    assert "has no maps yet" in told(explorer) and "lend tsne" in told(explorer)
    assert re.search(r"about \d+ (seconds|minutes)", explorer.page.make.description)
    assert not (tmp_path / "run" / "maps").exists(), "never without being asked"
    with pytest.raises(ValueError, match="has no maps yet"):
        explorer.selection  # noqa: B018
    explorer.page.make.click()
    assert explorer.inspection.map_epochs == (1, 3, 4) and told(explorer) == ""
    assert explorer.colorings == ("true", "predicted", "noisy", "diluted")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"x": [1.0, 2.0]}), "y"),
        (pd.DataFrame({"x": [1.0], "y": ["a"], "noisy": [0]}), "y"),
        ("nowhere", "nowhere is no saved run"),
    ],
)
def test_bad_input_is_one_message(data, message):
    explorer = explore(data)
    assert message in told(explorer) and "lend-error" in explorer.page.message.value
    assert [type(child).__name__ for child in explorer.widget.children] == ["HTML", "HTML"]
    assert message in repr(explorer)


def test_a_bad_option_is_told(mapped, frame):
    assert "unknown coloring" in told(explore(mapped, ["colour"]))
    assert "options must be none for a run, got ['x']" in told(explore(mapped, x="x"))
    assert "'z'" in told(explore(frame, x="z"))


def test_a_single_epoch(frame):
    explorer = explore(frame)
    assert "the only one" in explorer.page.bar.box.children[0].value
    explorer.page.views.views[0].scatter.hovering = 3
    assert 'data-position="3"' in explorer.page.card.value and "<img" not in explorer.page.card.value
    assert "no images" in explorer.page.card.value
    assert explorer.colorings == ("noisy",)


def test_missing_images_are_explained(mapped):
    def broken(sample_id):
        raise OSError("the disk is away")

    explorer = explore(mapped, images=broken)
    explorer.page.views.views[0].scatter.hovering = 2
    assert "the disk is away" in explorer.page.card.value and "<img" not in explorer.page.card.value
    assert "sample id" in explorer.page.card.value
    explorer.selection = explorer.inspection.sample_ids[:2]
    assert explorer.page.history.value.count("<svg") == 6 and told(explorer) == ""


def test_names_are_escaped(frame):
    frame["noisy"] = np.where(frame["noisy"] == 0, "<script>alert(1)</script>", "b & c")
    explorer = explore(frame)
    explorer.page.views.views[0].scatter.hovering = 0
    explorer.selection = [0, 1]
    for html in (explorer.page.legend.value, explorer.page.card.value, explorer.page.history.value):
        assert "<script" not in html and "b &amp; c" in html + "b &amp; c"


def test_an_error_of_a_callback_is_told(shown):
    shown.page.views.on_select = shown.page._guard(lambda positions: 1 / 0)
    shown.page.views.views[0].scatter.selection = np.array([1], np.uint32)
    assert "division by zero" in told(shown)


def test_an_inspection_can_be_shown_twice(mapped):
    inspection = Inspection.of_run(mapped)
    assert isinstance(explore(inspection), Explorer) and explore(inspection).inspection is inspection
    assert "when the inspection is made" in told(explore(inspection, images=lambda sample_id: None))


def test_without_the_page_no_widget_is_made(mapped, tmp_path, monkeypatch):
    """A notebook that is executed without a browser would keep 2 MB of each map otherwise."""
    import ipywidgets

    monkeypatch.setattr(ipywidgets.Widget, "__init__", lambda *args, **kwargs: pytest.fail("a widget"))
    explorer = explore(mapped)
    explorer.epoch, explorer.colorings = 3, ("kept", "score")
    explorer.selection = explorer.inspection.filtered("mislabelled")
    assert explorer.save(tmp_path / "a.png").stat().st_size > 1000
    monkeypatch.undo()
    assert explorer.page.views.colorings == ("kept", "score") and "epoch 3" in explorer.page.bar.note.value
    assert len(explorer.page.views.views[0].scatter.selection) == len(explorer.selection) > 0


def test_the_same_figure_gives_the_same_bytes(shown, tmp_path):
    for ending in ("pdf", "svg", "png"):
        first, second = (shown.save(tmp_path / f"{name}.{ending}").read_bytes() for name in "ab")
        assert first == second


# --- Events -----------------------------------------------------------------------------------------------------------


def test_calls_close_together_happen_once():
    seen, done = [], []

    async def many():
        act = Coalesced(seen.append, 0.01)
        for number in range(20):
            act(number)
        assert seen == []
        while not seen:
            await asyncio.sleep(0.001)
        act("again")
        while len(seen) < 2:
            await asyncio.sleep(0.001)

    asyncio.run(many())
    assert seen == [19, "again"]
    Coalesced(done.append)(1)
    assert done == [1], "at once where there is no loop"


@pytest.mark.parametrize("work", [lambda: 5, lambda: 1 / 0])
def test_background_work_comes_back_to_the_loop(work):
    async def one():
        outcome = asyncio.get_running_loop().create_future()
        in_background(work, outcome.set_result)
        assert not outcome.done()
        return await outcome

    here = []
    in_background(work, here.append)
    for found in (asyncio.run(one()), here[0]):
        assert found == 5 or isinstance(found, ZeroDivisionError)


def test_guarded_tells_and_does_not_raise():
    told_errors = []
    guarded(lambda: {}["missing"], told_errors.append)()
    assert isinstance(told_errors[0], KeyError)


def test_the_first_picture_waits_for_no_torch(saved, tmp_path):
    """torch takes seconds to import; only maps and re-dilution need it."""
    copy = shutil.copytree(saved.path, tmp_path / "run")
    make_maps(Run.open(copy), progress=False)
    show = f"import sys, lend; lend.explore({str(copy)!r}).widget; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
