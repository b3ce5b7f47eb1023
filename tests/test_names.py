"""Names of people are drawn, shown and exported as they are written, whatever characters they have."""

import logging
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cbook import is_math_text
from matplotlib.text import Text

from lend.explorer import Inspection, explore
from lend.explorer.pictures import explorer_figure, history_figure, words
from lend.paper import tables
from lend.paper.tables.markup import escaped, markdown_text
from lend.plots import audit_figure, heading, legend_columns, literal, png_bytes, save, snapshot_panels
from lend.plots.matrices import transition_matrices

NAMES = [
    "$",
    "b$$",
    "a_b^{2}",
    "50%&#",
    r"\frac{1}{2}",
    "<b>=1</b>",
    "new\nline\ttab",
    "שלום",
    "日本語",
    "😀",
    "\udc80",
]
NAMES += ["x" * 200, "", "_under", r"\$5"]
SCRIPT = "<img src=x onerror=alert(1)>"


def drawn(name):
    """What matplotlib draws for a text that it gets."""
    return Text(0, 0, name)._preprocess_math(name)


@pytest.mark.parametrize("name", ["$", "b$$", "$x$", r"\$5", r"$\frac$", "a_b^{2}", r"\alpha", "<b>", "_x", "50%&#"])
def test_a_name_is_drawn_as_it_is_written(name):
    assert drawn(literal(name)) == (name, False)
    assert drawn(f"{literal('$')} and {literal(name)}") == (f"$ and {name}", False)


def test_names_are_one_short_line():
    assert literal("a\nb\tc") == r"a\nb\tc" and literal("\udc80") == r"\udc80" and literal("") == '""'
    assert literal("x" * 41) == "x" * 39 + "…" and literal("x" * 40) == "x" * 40
    assert literal("日" * 21) == "日" * 19 + "…" and literal("$" * 9, 8) == r"\$" * 7 + "…"
    assert literal(7) == "7" and heading("a $\nb\n") == "a \\$\nb\n"
    assert legend_columns(["日" * 20] * 4, 7.0) < legend_columns(["n" * 20] * 4, 7.0)


def issues(n=300):
    given = np.arange(n) % len(NAMES)
    labels = {"given_label": given, "predicted_label": (given + 1) % len(NAMES)}
    names = {name: pd.Series([NAMES[code] for code in codes], dtype=object) for name, codes in labels.items()}
    table = pd.DataFrame(names)
    return table.assign(label_score=np.linspace(0, 1, n), is_label_issue=np.arange(n) < 20)


def shown():
    rng = np.random.default_rng(0)
    codes = np.arange(60) % len(NAMES)
    table = {"x": rng.normal(size=60), "y": rng.normal(size=60), "true": codes, "noisy": codes, "predicted": codes}
    frames = [pd.DataFrame(table | {"lo$s$_{2}": rng.random(60)}).assign(epoch=epoch) for epoch in (1, 2)]
    named = [name for name in NAMES if name != "\udc80"]  # pandas itself joins no tables with it in their index
    ids = [f"{named[i % len(named)]} {i}" for i in range(60)]
    return Inspection.of_frame(pd.concat([frame.set_axis(ids) for frame in frames]), class_names=NAMES)


def figures():
    points = {name: np.arange(60) % len(NAMES) for name in ("true", "predicted", "noisy")}
    points |= {name: np.random.default_rng(0).normal(size=60) for name in "xy"}
    matrix = np.eye(len(NAMES))
    inspected = shown()
    return {
        "audit": audit_figure(issues(), NAMES, np.zeros((20, 8, 8)), title="$5 & $6"),
        "maps": snapshot_panels(pd.DataFrame(points), {}, NAMES, title="a $ of $"),
        "matrices": transition_matrices({"$x$": matrix, "y" * 90: matrix}, {"$x$": NAMES, "y" * 90: NAMES}),
        "explorer": explorer_figure(inspected, ["true", "noisy", "lo$s$_{2}"]),
        "history": history_figure(inspected.history(inspected.sample_ids[:20]), NAMES, title="a $ title $"),
    }


@pytest.mark.parametrize("kind", ["audit", "maps", "matrices", "explorer", "history"])
def test_figures_draw_all_names(kind, caplog, tmp_path):
    figure = figures()[kind]
    with caplog.at_level(logging.WARNING):
        assert png_bytes(figure, 60).startswith(b"\x89PNG")
        save(figure, kind, tmp_path)
    assert [record.name for record in caplog.records] == ["lend.plots.style"]
    assert re.match("no font has the characters .*日", caplog.records[0].getMessage())
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert not any(is_math_text(text) for text in texts)
    if kind != "history":
        assert len({r"\$", r"b\$\$", "a_b^{2}", r"new\nline\ttab", "_under", '""', r"\udc80"} & set(texts)) == 7
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for legend in figure.legends:
        places = [text.get_window_extent(canvas.get_renderer()) for text in legend.get_texts()]
        assert not any(a.overlaps(b) for i, a in enumerate(places) for b in places[:i])


def test_many_exchanges_are_counted_without_a_matrix():
    names = [f"class {i}" for i in range(40_000)]
    labels = {"given_label": [names[300]] * 3 + [names[39_999]], "predicted_label": [names[39_999]] * 3 + [names[300]]}
    table = pd.DataFrame(labels).assign(label_score=0.1, is_label_issue=True)
    axes = audit_figure(table, names).axes[1]
    assert [bar.get_width() for bar in axes.patches] == [3, 1]
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "class 300 → class 39999",
        "class 39999 → class 300",
    ]
    with pytest.raises(ValueError, match="class_names must be the names of all labels"):
        audit_figure(table, names[:30])


def test_the_page_runs_nothing_of_a_name():
    true = pd.Series([SCRIPT, "\udc80\n"], dtype=object)
    frame = pd.DataFrame({"x": [0.0, 1], "y": [0.0, 1], "true": true, "noisy": [SCRIPT, SCRIPT]})
    view = explore(frame.set_axis([SCRIPT, "b"]).assign(**{f"{SCRIPT}2": [0.5, 1.0]}))
    page = view.page
    page.views.views[0].scatter.hovering = 0
    view.selection = [SCRIPT, "b"]
    page.relabelling.label.value = 1
    page.relabelling.apply.click()
    values = [page.card.value, page.history.value, page.legend.value, page.relabelling.count.value]
    assert all("&lt;img" in value or r"\udc80\n" in value for value in values)
    for html in (*values, page.message.value, words.class_legend(view.inspection)):
        assert SCRIPT not in html and "\udc80" not in html
    assert [name for name, _ in page.relabelling.label.options] == [SCRIPT, r"\udc80\n"]  # a drop-down shows plain text


def test_latex_prints_names_as_they_are_written():
    assert escaped("a--b---c") == "a-{}-b-{}-{}-c" and escaped("Co-teaching") == "Co-teaching"
    assert escaped(r"<x>|\$[1]*") == r"\textless{}x\textgreater{}\textbar{}\textbackslash{}\${[}1]{*}"
    assert escaped("a\n\nb\udc80") == r"a\textbackslash{}n\textbackslash{}nb\textbackslash{}udc80"


def test_markdown_shows_names_as_they_are_written():
    assert markdown_text("*a* _b_ `c` [d](e)") == r"\*a\* \_b\_ \`c\` \[d\](e)"
    assert markdown_text(SCRIPT).startswith("&lt;img") and markdown_text("$x$") == "&#36;x&#36;"
    assert markdown_text("a & b &lt; c") == "a & b &amp;lt; c" and markdown_text("a\nb") == r"a\\nb"
    text = tables.markdown(pd.DataFrame({"a|b": ["<b>"]}, index=["x_y"]))
    assert text.splitlines()[0] == "|  | a&#124;b |" and text.splitlines()[2] == r"| x\_y | &lt;b> |"
