"""The review of an audit in JupyterLab, in a real browser: by keys, by clicks, left and opened again."""

import lab
import numpy as np
import pytest
from lab import MAPS, frames, wait_for_maps

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(lab.missing()), reason=lab.missing()),
    pytest.mark.filterwarnings("ignore"),  # of the clients of Jupyter, not ours
]
CELL = """
import lend
from sklearn.datasets import load_digits

digits = load_digits()
embeddings, labels = digits.data[:400], digits.target[:400].copy()
labels[:60:3] = (labels[:60:3] + 1) % 10
texts = [f"<b>digit</b> no. {i}" for i in range(400)]
images = (15 * digits.images[:400]).astype("uint8")
found = lend.audit(embeddings, labels, images=images, texts=texts, progress=False)
explorer = found.explore(answers="answers.json", folder="maps", progress=False)
explorer
"""
REVIEW = "explorer.inspection.review"


@pytest.fixture(scope="module")
def audit(opens):
    opened = opens("audit.ipynb", CELL)
    wait_for_maps(opened.page, 4)
    return opened


@pytest.fixture
def fresh(audit):
    """The review as it was opened first: nothing answered, all issues, the first one."""
    audit.kernel.run("while explorer.inspection.undo(): pass")
    audit.kernel.run("explorer.page._choose('issues', None)")
    audit.page.mouse.move(5, 5)
    in_step(audit)
    yield audit
    assert audit.errors == []


def in_step(opened):
    """Until the page asks about the example that the kernel asks about."""
    position = opened.kernel.value(f"{REVIEW}.current")
    opened.page.wait_for_selector(f'.lend-review .lend-example[data-position="{position}"]')
    return position


def progress(opened, text):
    opened.page.wait_for_function(
        "(text) => document.querySelector('.lend-progress').innerText.includes(text)", arg=text
    )
    return in_step(opened)


def answers(opened):
    return dict(opened.kernel.value("explorer.answers['answer'].reset_index().values.tolist()"))


def test_the_page_opens_with_the_worst_label(fresh):
    first = fresh.kernel.value("int(found.worst.index[0])")
    question = fresh.page.locator(".lend-review")
    assert in_step(fresh) == first and f"<b>digit</b> no. {first}" in question.inner_text()
    assert question.locator("img.lend-big").evaluate("(image) => image.naturalWidth") > 60
    total = fresh.kernel.value("len(found.worst)")
    assert f"0 of {total} reviewed" in question.inner_text() and total > 15
    assert fresh.page.locator(".lend-list tr[data-go]").count() == total
    assert fresh.kernel.value(f"str({REVIEW}.path)") in question.inner_text()
    assert fresh.kernel.until("[view.scatter.hovering for view in explorer.page.views.views]", [first] * 4)


def test_hovering_shows_image_and_text(fresh):
    places = np.array(fresh.kernel.value("explorer.page.views.views[0].scatter.points[:, :2].tolist()"))
    apart = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(len(places))
    alone = int(apart.min(axis=1).argmax())
    x, y = fresh.page.evaluate(
        f"(i) => {{ const map = {MAPS}[1], box = map.get('canvas').getBoundingClientRect();"
        " const [x, y] = map.getScreenPosition(i); return [box.x + x, box.y + y]; }",
        alone,
    )
    fresh.page.mouse.move(x - 3, y - 3)
    fresh.page.mouse.move(x, y, steps=3)
    card = fresh.page.locator(f'.lend-example[data-position="{alone}"]').last
    card.locator("img.lend-big").wait_for()
    assert f"<b>digit</b> no. {alone}" in card.inner_text() and card.locator(".lend-strip img").count() == 8
    asked = fresh.kernel.value(f"{REVIEW}.current")
    fresh.page.mouse.move(5, 5)
    assert fresh.kernel.until("explorer.page.views.views[0].scatter.hovering", asked) == asked


def test_a_pair_of_labels_filters_list_and_maps(fresh):
    given, suggested, count = fresh.kernel.value(f"[[p.given, p.suggested, p.count] for p in {REVIEW}.pairs()][0]")
    choice = fresh.page.locator(".lend-review select").nth(1)
    assert f"{given} → {suggested} ({count})" in choice.inner_text().replace("\u2068", "").replace(
        "\u2069", ""
    ).replace("\xa0", " ")
    choice.select_option(index=1)
    progress(fresh, f"0 of {count} reviewed")
    assert fresh.page.locator(".lend-list tr[data-go]").count() == count
    fresh.page.wait_for_function(f"(n) => {MAPS}.every((map) => map.get('selectedPoints').length === n)", arg=count)
    choice.select_option(index=0)
    progress(fresh, "0 of")


def test_a_review_by_keyboard(fresh):
    page, queue = fresh.page, fresh.kernel.value(f"{REVIEW}.queue.tolist()")
    page.locator(".lend-progress").click()
    cells = page.locator(".jp-Cell").count()
    for key in "bdd":  # shortcuts of the notebook that insert and delete cells
        page.keyboard.press(key)
    for number, key in enumerate("sgu", 1):
        page.keyboard.press(key)
        assert progress(fresh, f"{number} of") == queue[number]
    page.keyboard.press("o")
    page.wait_for_function("document.activeElement.matches('select.lend-other')")
    chosen = int(page.locator("select.lend-other").input_value())
    page.keyboard.press("Enter")
    progress(fresh, "4 of")
    assert answers(fresh) == dict(zip(queue, ("suggested", "given", "unsure", "other"), strict=False))
    assert fresh.kernel.value(f"int(explorer.answers['true_label'][{queue[3]}])") == chosen
    page.keyboard.press("z")
    assert progress(fresh, "3 of") == queue[3]
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f'.lend-review .lend-example[data-position="{queue[2]}"]')
    assert page.locator('.lend-answers button[data-act="unsure"]').get_attribute("aria-pressed") == "true"
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f'.lend-review .lend-example[data-position="{queue[3]}"]')
    assert page.locator(".jp-Cell").count() == cells
    mark = f"getComputedStyle(document.querySelector('tr[data-go=\"{queue[1]}\"] .lend-mark'), '::after').content"
    assert page.evaluate(mark) == '"given kept"'


def test_a_review_by_clicks(fresh):
    page, queue = fresh.page, fresh.kernel.value(f"{REVIEW}.queue.tolist()")
    page.locator(f'tr[data-go="{queue[5]}"]').click()
    page.wait_for_selector(f'.lend-review .lend-example[data-position="{queue[5]}"]')
    page.locator('.lend-answers button[data-act="given"]').click()
    progress(fresh, "1 of")
    page.locator("select.lend-other").select_option("7")
    page.locator('.lend-answers button[data-act="other"]').click()
    progress(fresh, "2 of")
    page.keyboard.press("u")  # the frame has the keys after a click
    progress(fresh, "3 of")
    assert [answers(fresh)[place] for place in queue[5:8]] == ["given", "other", "unsure"]
    page.locator('.lend-steps button[data-act="undo"]').click()
    progress(fresh, "2 of")


def test_a_review_is_left_and_opened_again(fresh, opens):
    fresh.page.locator(".lend-progress").click()
    for number, key in enumerate("sg", 1):
        fresh.page.keyboard.press(key)
        progress(fresh, f"{number} of")
    current = fresh.kernel.value(f"{REVIEW}.current")
    again = opens("again.ipynb", CELL)
    wait_for_maps(again.page, 4)
    assert progress(again, "2 of") == current and answers(again) == answers(fresh)
    again.page.locator(".lend-progress").click()
    again.page.keyboard.press("s")
    progress(again, "3 of")
    fresh.page.keyboard.press("g")  # the first window did not see that answer
    fresh.page.wait_for_selector(".lend-error >> text=was changed by another window")
    again.kernel.run("import json; kept = json.loads(open('answers.json').read())['answers']")
    assert again.kernel.value("len(kept)") == 3
    frames(again.page, 2)
    assert again.errors == []
