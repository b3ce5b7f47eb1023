"""Pictures of an audit are readable with 2, 10 and 100 classes, and show the worst labels first."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from lend import plots
from lend.auditing import audit
from lend.plots import audit_figure, worst
from lend.plots.audit import PAIRS, WIDTH, worst_labels


def issues(n=400, c=10, seed=0, rate=0.3):
    """As lend.Audit.issues; the suggested label is the next class."""
    rng = np.random.default_rng(seed)
    names = np.array([f"class {i}" for i in range(c)])
    given, flagged = rng.integers(0, c, n), rng.random(n) < rate
    columns = {
        "given_label": names[given],
        "predicted_label": names[np.where(flagged, (given + 1) % c, given)],
        "label_score": np.where(flagged, rng.uniform(0, 0.5, n), rng.uniform(0.4, 1, n)),
        "is_label_issue": flagged,
    }
    return pd.DataFrame(columns), list(names)


def images(n, size=8):
    return np.random.default_rng(0).integers(0, 256, (n, 3, size, size)).astype(np.uint8)


@pytest.mark.parametrize("c", [2, 10, 100])
@pytest.mark.parametrize("shown", [None, 13])
def test_all_text_is_on_the_page_and_large_enough(c, shown):
    table, names = issues(c=c, n=30 * c)
    long = {name: f"{name} of a rather long name" for name in names[::3]}
    table = table.replace({column: long for column in ("given_label", "predicted_label")})
    names = [long.get(name, name) for name in names]
    figure = audit_figure(table, names, None if shown is None else images(shown), title="an audit")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    used, (width, height) = figure.get_tightbbox(canvas.get_renderer()), figure.get_size_inches()
    assert used.x0 >= -0.01 and used.y0 >= -0.01 and used.x1 <= width + 0.01 and used.y1 <= height + 0.01
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert len(texts) > 10 and min(text.get_fontsize() for text in texts) >= 7


def test_scores_of_issues_and_others():
    table, names = issues()
    axes = audit_figure(table, names).axes[0]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    flagged = table["is_label_issue"].sum()
    assert texts == [f"label issues ({flagged})", f"other labels ({400 - flagged})"]


def test_the_confusion_is_of_given_against_suggested():
    table, names = issues(c=4)
    axes = audit_figure(table, names).axes[1]
    counts = pd.crosstab(table["given_label"], table["predicted_label"]).to_numpy()
    expected = 100 * counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(axes.images[0].get_array(), expected)
    assert axes.get_xlabel() == "suggested label" and axes.get_ylabel() == "given label"


def test_many_classes_show_their_most_frequent_exchanges():
    table, names = issues(c=100, n=5000)
    axes = audit_figure(table, names).axes[1]
    pairs = table[table["is_label_issue"]].value_counts(["given_label", "predicted_label"])
    assert [bar.get_width() for bar in axes.patches] == list(pairs[:PAIRS])
    given, suggested = pairs.index[0]
    assert axes.get_yticklabels()[0].get_text() == f"{given} → {suggested}"
    clean, _ = issues(c=100, rate=0)
    assert [text.get_text() for text in audit_figure(clean, names).axes[1].texts] == [
        "no suggested label differs from the given one"
    ]


def test_the_worst_labels_come_first():
    table, _ = issues()
    first = worst(table, 5)
    assert first["is_label_issue"].all() and first["label_score"].is_monotonic_increasing
    assert first["label_score"].iloc[0] == table.loc[table["is_label_issue"], "label_score"].min()
    figure = worst_labels(table, images(13))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 13 and len(figure.axes) == 2 * WIDTH
    row = first.iloc[1]
    assert shown[1].get_xlabel() == f"{row['given_label']}\n→ {row['predicted_label']}"


def test_an_audit_shows_the_images_of_its_worst_labels():
    rng = np.random.default_rng(0)
    true = np.arange(120) % 3
    V = 3 * rng.normal(size=(3, 8))[true] + rng.normal(size=(120, 8))
    given = np.where(rng.random(120) < 0.2, (true + 1) % 3, true)
    grey = np.tile(np.arange(120, dtype=np.uint8)[:, None, None], (1, 4, 4))
    found = audit(V, given, images=grey, progress=False)
    figure = found.plot(count=4, title="T")
    values = [axes.images[0].get_array()[0, 0, 0] for axes in figure.axes[2:] if axes.get_visible()]
    assert values == list(found.worst.index[:4])
    assert len(found.plot(images=torch.from_numpy(grey), count=2).axes) == 2 + WIDTH
    without = audit(V, given, progress=False)
    assert len(without.plot().axes) == 2 and len(without.plot(count=0, images=grey).axes) == 2
    with pytest.raises(ValueError, match="images must be of length 120"):
        without.plot(images=grey[:5])


def test_saved_like_every_figure(tmp_path):
    table, names = issues()
    first, again = (plots.save(audit_figure(table, names, images(3)), name, tmp_path, table) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
