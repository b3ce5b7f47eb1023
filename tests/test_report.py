"""A report says what the audit says, holds no script whatever the names are, and is written whole."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import sparse

import lend
from lend.__main__ import main
from lend.auditing import DRAWN, html_page
from lend.auditing.report.matrix import EXCHANGES
from lend.auditing.report.scatter import scatter
from lend.auditing.report.words import percent, shown

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """The elements of a page, its text, and whether every element is closed."""

    def __init__(self, html):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def audited(c=4, each=20, names=None, **options):
    """An audit of c clusters, one of whose labels in ten is wrong."""
    true = np.repeat(np.arange(c), each)
    V = np.eye(c)[true] + 0.05 * np.random.default_rng(0).normal(size=(len(true), c))
    names = np.array([f"class {i}" for i in range(c)] if names is None else names, dtype=object)
    noisy = lend.noise.corrupt(true, lend.noise.symmetric(c, 0.1), 0)
    return lend.audit(V, names[noisy], progress=False, **options)


@pytest.fixture(scope="module")
def found():
    images = np.random.default_rng(0).integers(0, 256, (80, 8, 8, 3)).astype(np.uint8)
    return audited(images=images, texts=[f"text number {i}" for i in range(80)])


def test_the_page_says_what_the_audit_says(found):
    page = Page(html_page(found, title="toys", images=found.images, texts=found.texts))
    assert str(found.estimate)[1:] in page.text and "Label audit: toys" in page.text
    assert f"{len(found.issues)} labels of 4 classes" in page.text
    for name, row in found.classes.iterrows():
        cells = (
            f"{name} {row['given']} {row['true']:,.0f} {percent(row['wrong'])} {row['mean_score']:.2f} {row['issues']}"
        )
        assert cells in page.text
    assert len(found.worst) > 5
    for sample_id, row in found.worst.iterrows():
        assert f"text number {sample_id} score {row['label_score']:.2f} {sample_id}" in page.text
    assert all(name in page.text for name in (*found.settings, "numpy", "Python", "written"))
    assert "Map of the embeddings" not in page.text and "Examples without a label" not in page.text


def test_pictures_are_those_of_the_worst_labels(found):
    pictures = Page(html_page(found, images=found.images)).all("img")
    assert len(pictures) == len(found.worst) and all(picture["class"] == "sharp" for picture in pictures)
    for picture in pictures:
        place = int(re.search(r"example (\d+): given label class", picture["alt"])[1])
        content = base64.b64decode(picture["src"].removeprefix("data:image/png;base64,"))
        assert np.array_equal(np.asarray(Image.open(BytesIO(content))), found.images[place])


def test_large_pictures_become_small():
    large = np.zeros((20, 300, 600, 3), np.uint8)
    (picture, *_) = Page(html_page(audited(2, 10, k=5), images=large)).all("img")
    content = base64.b64decode(picture["src"].removeprefix("data:image/jpeg;base64,"))
    assert Image.open(BytesIO(content)).size == (160, 80) and "class" not in picture


def test_groups_are_pairs_of_classes(found):
    page = Page(html_page(found, examples=1))
    pairs = found.worst.groupby(["given_label", "predicted_label"]).size()
    for (given, suggested), count in pairs.items():
        more = ", 1 shown" if count > 1 else ""
        assert f"{given} → {suggested} {count} issue{'s' if count > 1 else ''}{more}" in page.text
    assert page.text.count("score 0.") == len(pairs)


EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 1234 * 1000 }}{% raw %}",
    "</style><iframe src=//evil.example>",
    "javascript:alert(1)&lt;\u202egnp.exe",
    "line\nbreak\0\x1b[31m \ud800",
    "x" * 5000,
]


def test_names_ids_and_texts_of_strangers():
    found = audited(4, 10, k=5, sample_ids=[f"{EVIL[i % 6]}{i}" for i in range(40)], names=EVIL[:4])
    texts = [EVIL[6] + EVIL[5] + EVIL[i % 5] + EVIL[7] for i in range(40)]
    html = html_page(found, title=EVIL[0] + EVIL[1], texts=texts, map=np.random.default_rng(0).normal(size=(40, 2)))
    page = Page(html)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "iframe", "object", "embed", "link", "base", "form"})
    attributes = {name for _, each in page.elements for name in each}
    assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc", "action")]
    links = [value for _, each in page.elements for name, value in each.items() if name in ("href", "src")]
    assert links and all(link.startswith(("#", "data:image/")) for link in links)
    assert len(page.all("style")) == 1 and not page.all("img")
    assert (
        "<script>alert(1)</script>" in page.text and "{{ 1234 * 1000 }}{% raw %}" in page.text and "1234000" not in html
    )
    assert r"line break\x00\x1b[31m \ud800" in page.text and "\u202e" not in html and r"\u202e" in page.text
    assert re.search("xxx…", page.text) and "x" * 320 not in page.text
    html.encode()


def test_the_policy_allows_the_style_and_nothing_else(found):
    html = html_page(found)
    (policy,) = [
        each["content"] for each in Page(html).all("meta") if each.get("http-equiv") == "Content-Security-Policy"
    ]
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:; ") and f"style-src 'sha256-{digest}'" in policy
    assert "http" not in style and "url(" not in style and "&" not in style


def test_who_cannot_see_it_hears_it(found):
    page = Page(html_page(found, images=found.images, map=np.random.default_rng(0).normal(size=(80, 2))))
    assert page.elements[0] == ("html", {"lang": "en"})
    assert all(each.get("alt") for each in page.all("img"))
    assert all(each.get("aria-label") or each.get("aria-hidden") == "true" for each in page.all("svg"))
    headers = page.all("th")
    assert headers and all(each.get("scope") in ("row", "col") for each in headers)
    assert len(page.all("caption")) == len(page.all("table"))
    anchors = {each["href"][1:] for each in page.all("a")}
    assert anchors == {each["id"] for each in page.all("section")}


@pytest.mark.parametrize("c", [2, 20, 21, 100, 101])
def test_matrices_of_few_and_many_classes(c):
    found = audited(c, 10, k=5)
    html = html_page(found)
    page = Page(html)
    matrix = found.transition_matrix.to_numpy()
    drawn = 'class="grid"' in html
    assert ('class="heat' in html, drawn) == (c <= 20, 20 < c <= 100)
    if c <= 20:
        assert len(re.findall(r'<td class="h\d+"', html)) == c * c
    if drawn:
        assert len(re.findall(r'<rect class="h\d+"', html)) == (matrix >= 0.005).sum()
    np.fill_diagonal(matrix := matrix * found.classes["true"].to_numpy()[:, None], 0)
    assert page.text.count("The most frequent exchanges") == bool((matrix >= 0.5).any())
    i, j = np.unravel_index(matrix.argmax(), matrix.shape)
    assert f"{found.class_names[i]} {found.class_names[j]} {matrix[i, j]:,.0f}" in page.text
    if c > 100:
        assert "The 100 classes with the most wrong labels" in page.text
    assert len(html) < 400_000 and EXCHANGES < 20


def test_examples_without_a_label():
    true = np.repeat([0, 1, 2], 20)
    V = np.eye(3)[true] + 0.05 * np.random.default_rng(0).normal(size=(60, 3))
    labels = np.array(["ant", "bee", "cat"], dtype=object)[true]
    labels[[0, 1, 25]] = None
    found = lend.audit(V, labels, progress=False)
    page = Page(html_page(found, texts=[f"text {i}" for i in range(60)], map=V[:, :2]))
    assert "57 labels of 3 classes, and 3 examples without a label" in page.text
    assert "suggested label examples ant 2 bee 1" in page.text
    assert all(f"text {i} {name} 1.00 {i}" in page.text for i, name in ((0, "ant"), (1, "ant"), (25, "bee")))
    assert "no label" in page.text  # in the legend of the map


def test_an_audit_without_issues():
    V = np.repeat(np.eye(2), 20, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(40, 2))
    found = lend.audit(V, np.repeat(["ant", "bee"], 20), progress=False)
    page = Page(html_page(found))
    assert "No label is contradicted" in page.text and "No exchange of a label or more is expected" in page.text


def points_of(path):
    return np.array(re.findall(r"M(\d+) (\d+)h0", path), dtype=float).reshape(-1, 2)


def test_points_of_the_map(found):
    places = np.random.default_rng(0).normal(size=(80, 2))
    places[5] = np.nan
    drawn = scatter(places, found.issues, found.class_names)
    assert drawn.drawn == 79 and drawn.examples == 80
    given, flagged = (found.issues[column].to_numpy() for column in ("given_label", "is_label_issue"))
    for layer in drawn.layers:
        for path, chosen in ((layer.path, ~flagged), (layer.flagged, flagged)):
            points, xy = points_of(path), places[chosen & (given == layer.name) & np.isfinite(places[:, 0])]
            assert len(points) == len(xy)
            assert (np.diff(points[np.argsort(xy[:, 0]), 0]) >= 0).all()  # left is left
            assert (np.diff(points[np.argsort(xy[:, 1]), 1]) <= 0).all()  # up is up
    assert len(points_of(drawn.rings)) == flagged[np.isfinite(places[:, 0])].sum() > 0


def test_a_map_of_many_points_and_many_classes():
    n = DRAWN + 500
    flags = np.arange(n) % 10 == 0
    issues = pd.DataFrame({"given_label": np.arange(n) % 30, "is_label_issue": flags})
    drawn = scatter(np.random.default_rng(0).normal(size=(n, 2)), issues, range(30))
    assert drawn.drawn == DRAWN and [layer.name for layer in drawn.layers] == ["other examples", "label issues"]
    assert sum(len(points_of(layer.path)) for layer in drawn.layers) == DRAWN and drawn.rings == ""


def test_the_file(found, tmp_path):
    path = found.report(tmp_path / "report.html", title="toys", progress=False)
    page = Page(path.read_text())
    assert "80 of 80 examples are drawn" in page.text and page.all("img")
    found.report(tmp_path / "without.html", map=False, images=np.zeros((80, 9, 9), np.uint8))
    assert "Map of the embeddings" not in (tmp_path / "without.html").read_text()
    saved = lend.Audit.load(found.save(tmp_path / "audit"))
    assert not Page(saved.report(tmp_path / "again.html").read_text()).all("img")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "report.pdf"}, "path must be a file name ending in .html or .htm"),
        ({"map": np.zeros((3, 2))}, r"map must be coordinates of shape \(80, 2\), got \(3, 2\)"),
        ({"map": np.full((80, 2), np.nan)}, "map must be of at least one example"),
        ({"images": [1, 2]}, "images must be of length 80"),
        ({"images": ["no image"] * 80, "map": False}, "images: "),
        ({"texts": ["one"]}, "texts must be of length 80"),
        ({"examples": 0}, "examples must be an integer of at least 1"),
    ],
)
def test_bad_arguments(found, tmp_path, arguments, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        found.report(**({"path": "report.html", "map": False} | arguments))
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:embeddings are nearly parallel")
@pytest.mark.parametrize("kind", ["sparse", "several", "by name", "few", "equal"])
def test_maps_of_all_kinds_of_embeddings(kind, tmp_path):
    n = 20 if kind == "few" else 60
    V = np.repeat(np.eye(2), n // 2, axis=0) + 0.1 * np.random.default_rng(0).random((n, 2))
    V = {"sparse": sparse.csr_array(V), "several": [V, V], "by name": {"a": V, "b": V}, "equal": np.ones((n, 2))}.get(
        kind, V
    )
    found = lend.audit(V, np.repeat([0, 1], n // 2), k=5, progress=False)
    text = Page(found.report(tmp_path / "report.html", progress=False).read_text()).text
    wanted = {"few": "20 examples are too few for a map", "equal": "so alike that they make no map"}
    assert wanted.get(kind, "60 of 60 examples are drawn") in text


def test_a_frame_of_embeddings_in_another_order(tmp_path):
    """The map goes by the labels, as the audit does, also where examples have ids of their own."""
    V = np.repeat(np.eye(2), 30, axis=0) + 0.1 * np.random.default_rng(0).random((60, 2))
    keys = [f"k{i}" for i in range(60)]
    labels, frame = pd.Series(np.repeat(["a", "b"], 30), index=keys), pd.DataFrame(V, index=keys)
    found = lend.audit(frame.iloc[::-1], labels, sample_ids=list(range(60)), k=5, progress=False)
    assert np.array_equal(found.embeddings.to_numpy(), V) and not found.issues["is_label_issue"].any()


def test_words():
    assert shown("a\n b\t\u200bc\u202e") == "a b \\u200bc\\u202e" and shown("") == '""' and shown(None) == "None"
    assert shown("שלום") == "שלום" and shown("👩‍🔬") == "👩‍🔬" and shown("abcdef", 4) == "abc…"
    assert [percent(share) for share in (0, 0.001, 0.0994, 0.0996, 0.5, 1)] == [
        "0 %",
        "0.1 %",
        "9.9 %",
        "10 %",
        "50 %",
        "100 %",
    ]


def test_the_option_of_the_command(tmp_path, capsys):
    V = np.repeat(np.eye(2), 20, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(40, 2))
    np.save(tmp_path / "V.npy", V)
    np.save(tmp_path / "y.npy", np.repeat(["ant", "bee"], 20))
    command = ["audit", str(tmp_path / "V.npy"), str(tmp_path / "y.npy"), "--out", str(tmp_path / "issues.csv")]
    assert main([*command, "--report", str(tmp_path / "report.html")]) == 0
    assert "40 labels of 2 classes" in Page((tmp_path / "report.html").read_text()).text
    assert main([*command, "--report", str(tmp_path / "report.pdf")]) == 2
    assert "--report must be a file name ending in .html" in capsys.readouterr().err
