"""The explorer in JupyterLab, in a real browser: what is on the page, in the kernel and in the pixels."""

import re

import lab
import numpy as np
import pytest
from lab import MAPS, frames, until, wait_for_maps
from matplotlib.colors import to_rgb

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(lab.missing()), reason=lab.missing()),
    pytest.mark.filterwarnings("ignore"),  # of the clients of Jupyter, not ours
]
COLOURS = "[view.scatter.color for view in explorer.page.views.views]"
HANDLE = ".lend-explorer .noUi-handle"


@pytest.fixture(scope="module")
def explorer(opens):
    opened = opens("explore.ipynb", "from lend.explorer import explore\nexplorer = explore('mapped')\nexplorer")
    wait_for_maps(opened.page, 4)
    return opened


@pytest.fixture(autouse=True)
def no_errors(request):
    """Each test fails on what the page complains of."""
    yield
    for name in ("explorer", "refused"):
        if name in request.fixturenames:
            assert request.getfixturevalue(name).errors == []


@pytest.fixture
def fresh(explorer):
    """The explorer as it was opened: first epoch, nothing selected, four maps, the whole map."""
    explorer.kernel.run("explorer.epoch = 1; explorer.selection = []; explorer.page.views.reset()")
    explorer.kernel.run("explorer.labels_of = 'snapshot'")
    explorer.kernel.run("explorer.colorings = ('true', 'predicted', 'noisy', 'diluted')")
    explorer.page.mouse.move(5, 5)
    explorer.page.get_by_role("tab", name="Select").click()
    _wait(explorer, "explorer.epoch", 1)
    wait_for_maps(explorer.page, 4)  # jupyter-scatter cannot take away a map that it has not made yet
    return explorer


def _wait(opened, expression, value):
    """Until an expression has this value in the kernel."""
    assert opened.kernel.until(expression, value) == value


def _wait_for_points(opened):
    """Until the page shows the points that the kernel last sent."""
    wait_for_maps(opened.page, opened.kernel.value("len(explorer.page.views.views)"))
    sent = np.array(opened.kernel.value("explorer.page.views.views[0].scatter.points.tolist()"))
    opened.page.wait_for_function(
        f"(sent) => {{ const map = {MAPS}[0]; const shown = map.get('points');"
        " const near = (x, y) => Math.abs(x - y) < 1e-4;"
        " return map.lendIsStill() && sent.every((point, i) => point.every((x, j) => near(x, shown[i][j]))); }",
        arg=sent.tolist(),
    )
    return sent


def _screen(page, number):
    """Where the points of a map are on the page."""
    return np.array(
        page.evaluate(
            f"(number) => {{ const map = {MAPS}[number]; const box = map.get('canvas').getBoundingClientRect();"
            " return map.get('points').map((_, i) => { const [x, y] = map.getScreenPosition(i);"
            " return [box.x + x, box.y + y]; }); }",
            number,
        )
    )


def _pixels(page, number):
    """Colour of the pixel in the middle of each point, 0 to 1."""
    found = page.evaluate(
        f"(number) => {{ const map = {MAPS}[number]; const canvas = map.get('canvas');"
        " const ink = canvas.getContext('2d');"
        " const scale = canvas.width / canvas.getBoundingClientRect().width;"
        " return map.get('points').map((_, i) => { const [x, y] = map.getScreenPosition(i);"
        " return [...ink.getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data].slice(0, 4); }); }",
        number,
    )
    rgba = np.array(found) / 255
    return rgba[:, :3] * rgba[:, 3:] + 1 - rgba[:, 3:]  # on the white page


def _right_colours(opened, number, palette, codes):
    """Share of the points whose pixel has the colour of their code, as far as the palette tells it."""
    pixels = _pixels(opened.page, number)
    distance = np.linalg.norm(pixels[:, None] - np.array([to_rgb(colour[:3]) for colour in palette]), axis=2)
    return float((distance.argmin(axis=1) == codes).mean())


def _wait_for_colours(opened, number, codes):
    """Until most points of a map have the colour of their code: what a map knows, it draws some frames later."""
    palette = opened.kernel.value(COLOURS)[number]
    assert until(lambda: _right_colours(opened, number, palette, codes) > 0.7)  # others are covered


def test_the_points_are_drawn_in_the_colours_of_their_classes(fresh):
    points = _wait_for_points(fresh)
    codes = np.array(fresh.kernel.value("[view.scatter.points[:, 2].tolist() for view in explorer.page.views.views]"))
    assert np.abs(points[:, :2]).max() <= 1
    for number in range(4):
        _wait_for_colours(fresh, number, codes[number])
    assert (codes[0] != codes[2]).any()
    assert fresh.page.locator(".lend-explorer").inner_text().count("label accuracy") == 1


def test_dragging_the_slider_moves_and_recolours_the_points(fresh):
    before, pixels = _wait_for_points(fresh), _pixels(fresh.page, 1)
    handle, track = (fresh.page.locator(css).first.bounding_box() for css in (HANDLE, ".lend-explorer .noUi-target"))
    y = handle["y"] + handle["height"] / 2
    fresh.page.mouse.move(handle["x"] + handle["width"] / 2, y)
    fresh.page.mouse.down()
    fresh.page.mouse.move(track["x"] + track["width"] + 20, y, steps=8)  # faster than the maps move
    fresh.page.mouse.up()
    _wait(fresh, "explorer.epoch", 4)
    after = _wait_for_points(fresh)
    assert np.abs(after[:, :2] - before[:, :2]).max() > 0.02
    codes = np.array(fresh.kernel.value("explorer.page.views.views[1].scatter.points[:, 2].tolist()"))
    _wait_for_colours(fresh, 1, codes)
    assert np.abs(_pixels(fresh.page, 1) - pixels).max() > 0.2
    assert "epoch 4: its own map" in fresh.page.locator(".lend-explorer").inner_text()


def test_whose_labels_are_counted_is_chosen_on_the_page(fresh):
    _wait_for_points(fresh)
    assert "labels of: snapshot (evaluation mode) of epoch 1" in fresh.page.inner_text(".lend-explorer")
    fresh.page.get_by_label("labels of").select_option("training passes of the epoch")
    _wait(fresh, "explorer.labels_of", "training")
    _wait_for_points(fresh)
    fresh.page.wait_for_selector("text=labels of: training passes of the epoch")
    codes = np.array(fresh.kernel.value("(explorer.inspection.values('predicted', 1) + 1).tolist()"))
    _wait_for_colours(fresh, 1, codes)


def test_play_goes_through_the_epochs(fresh):
    fresh.page.locator(".lend-explorer .widget-play button").first.click()
    _wait(fresh, "explorer.epoch", 4)
    _wait_for_points(fresh)


def test_another_epoch_is_shown_while_the_maps_still_zoom_out(fresh):
    fresh.kernel.run("explorer.page.views.reset(); explorer.epoch = 4")
    _wait_for_points(fresh)


def test_hovering_shows_the_example_its_image_and_its_neighbours(fresh):
    points = _wait_for_points(fresh)[:, :2]
    apart = np.linalg.norm(points[:, None] - points, axis=2) + 9 * np.eye(len(points))
    alone = int(apart.min(axis=1).argmax())
    x, y = _screen(fresh.page, 2)[alone]
    fresh.page.mouse.move(x - 3, y - 3)
    fresh.page.mouse.move(x, y, steps=3)
    fresh.page.wait_for_selector(f'.lend-example[data-position="{alone}"] img.lend-big')
    card = fresh.page.locator(".lend-example")
    words = fresh.kernel.value(f"explorer.inspection.describe({alone})")
    assert all(value in card.inner_text() for value in words.values())
    assert card.locator(".lend-strip img").count() == 8
    assert card.locator("img.lend-big").evaluate("(image) => image.naturalWidth") > 60
    _wait(fresh, "[view.scatter.hovering for view in explorer.page.views.views]", [alone] * 4)


def test_a_lasso_selects_in_the_page_and_in_the_kernel(fresh):
    _wait_for_points(fresh)
    fresh.page.get_by_role("button", name="drag: draw a lasso").click()
    fresh.page.wait_for_function(f"{MAPS}.every((map) => map.get('mouseMode') === 'lasso')")
    places = _screen(fresh.page, 1)
    low, high = np.quantile(places, 0.2, axis=0), np.quantile(places, 0.7, axis=0)
    corners = [low, (high[0], low[1]), high, (low[0], high[1]), (low[0], low[1] + 12)]
    fresh.page.mouse.move(*map(float, corners[0]))
    fresh.page.mouse.down()
    for corner in corners:
        fresh.page.mouse.move(*map(float, corner), steps=2)
        frames(fresh.page, 3)  # the lasso takes a place every 10 ms
    fresh.page.mouse.up()
    fresh.page.wait_for_selector(".lend-history")
    chosen = set(fresh.kernel.value("explorer.inspection.positions_of(explorer.selection).tolist()"))
    inside = ((places > low + 2) & (places < high - 2)).all(axis=1)
    outside = ((places < low - 2) | (places > high + 2)).any(axis=1)
    assert 20 < len(chosen) < 200
    assert set(np.flatnonzero(inside)) <= chosen and not chosen & set(np.flatnonzero(outside))
    for number in range(4):
        _wait_for_selected(fresh, number, sorted(chosen))
    shown = fresh.page.locator(".lend-history tr").count()
    assert shown == min(len(chosen), 40) + 1 and f"{len(chosen)} selected" in fresh.page.inner_text(".lend-explorer")

    def ink(where):
        return np.abs(_pixels(fresh.page, 3)[where] - 1).mean()

    assert until(lambda: ink(outside) < 0.5 * ink(inside)), "what is not selected fades"
    fresh.page.get_by_role("button", name="drag: move the map").click()


def _wait_for_selected(opened, number, positions):
    opened.page.wait_for_function(
        f"([number, wanted]) => {{ const there = [...{MAPS}[number].get('selectedPoints')].sort((a, b) => a - b);"
        " return there.length === wanted.length && there.every((x, i) => x === wanted[i]); }",
        arg=[number, positions],
    )


def test_a_filter_selects(fresh):
    fresh.page.get_by_label("filter", exact=True).select_option("mislabelled")
    fresh.page.get_by_role("button", name="Select", exact=True).click()
    wanted = fresh.kernel.value(
        "explorer.inspection.positions_of(explorer.inspection.filtered('mislabelled')).tolist()"
    )
    _wait_for_selected(fresh, 0, wanted)
    _wait(fresh, "explorer.inspection.positions_of(explorer.selection).tolist()", wanted)


def test_relabel_and_undo(fresh):
    fresh.kernel.run("explorer.selection = explorer.inspection.filtered('class', 3)[:5]")
    fresh.page.get_by_role("tab", name="Relabel").click()
    fresh.page.get_by_label("label", exact=True).select_option("7")
    fresh.page.get_by_role("button", name="Relabel selection").click()
    fresh.page.wait_for_selector("text=5 labels changed to 7")
    _wait(fresh, "sorted(set(explorer.inspection.corrections['corrected_label']))", ["7"])
    fresh.page.locator(".lend-view select").first.select_option("corrected labels")
    _wait(fresh, "explorer.colorings[0]", "corrected")
    _wait_for_points(fresh)
    fresh.page.get_by_role("button", name="Undo").click()
    fresh.page.wait_for_selector("text=5 labels changed back")
    _wait(fresh, "[len(explorer.inspection.corrections), explorer.colorings[0]]", [0, "noisy"])
    _wait_for_points(fresh)


def test_redilution_recolours_the_map(fresh):
    fresh.page.get_by_role("tab", name="Dilute").click()
    fresh.page.get_by_role("button", name="Re-dilute").click()
    fresh.page.wait_for_selector("text=/240 points, epoch 1/")
    _wait(fresh, "explorer.colorings[3]", "rediluted")
    _wait_for_points(fresh)
    codes = np.array(fresh.kernel.value("(explorer.inspection.redilute().labels + 1).tolist()"))
    _wait_for_colours(fresh, 3, codes)


def test_fewer_and_more_maps(fresh):
    fresh.page.get_by_role("tab", name="View").click()
    for count in (1, 4, 2):
        fresh.kernel.run("explorer.page.views.reset()")  # maps that still move go and come
        fresh.page.locator(".lend-explorer .jupyter-button", has_text=re.compile(f"^{count}$")).click()
        wait_for_maps(fresh.page, count)
        _wait_for_points(fresh)
        assert fresh.page.locator(".lend-view:visible").count() == count


def test_a_map_that_was_away_comes_back_as_the_others_are(fresh):
    fresh.kernel.run("explorer.colorings = ('true',)")
    wait_for_maps(fresh.page, 1)
    fresh.kernel.run("explorer.epoch = 4; explorer.selection = explorer.inspection.sample_ids[[5, 9]]")
    fresh.kernel.run("explorer.colorings = ('true', 'noisy')")
    _wait_for_points(fresh)
    _wait_for_selected(fresh, 1, [5, 9])
    fresh.kernel.run("explorer.selection = []")
    _wait_for_selected(fresh, 1, [])
    codes = np.array(fresh.kernel.value("explorer.page.views.views[1].scatter.points[:, 2].tolist()"))
    _wait_for_colours(fresh, 1, codes)


@pytest.fixture(scope="module")
def refused(opens):
    table = "import pandas as pd\nfrom lend.explorer import explore\nexplore(pd.DataFrame({'x': [1.0], 'noisy': [0]}))"
    return opens("refused.ipynb", table, "explorer = explore('unmapped')\nexplorer")


def test_bad_input_is_a_message_in_the_page(refused):
    refused.page.wait_for_selector("text=has no maps yet")
    assert refused.page.locator(".lend-error").count() == 2
    assert "'y'" in refused.page.locator(".lend-error").first.inner_text()
    assert refused.page.locator("text=Traceback").count() == 0
    refused.page.get_by_role("button", name="Make the maps (about").click()
    wait_for_maps(refused.page, 4)
    assert refused.kernel.value("explorer.inspection.map_epochs") == [1, 3, 4]
    assert refused.page.locator(".lend-error").count() == 1
