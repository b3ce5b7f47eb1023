"""Audits in the explorer: what is coloured, what is reviewed, and answers that are neither lost nor mixed up."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

import lend
from lend.auditing import Audit
from lend.explorer import explore
from lend.explorer.inspection.sources.audits import with_first
from lend.explorer.pictures import excerpts, words

N = 90
NAMES = np.array(["ant", "bee", "cat"])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Answers that are kept in the working folder are kept in this one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def audited(names=NAMES, seed=0, **options):
    """Three clusters of ants, bees and cats, with a dozen wrong labels."""
    rng = np.random.default_rng(seed)
    true = np.arange(N) % 3
    embeddings = np.eye(3)[true] + 0.1 * rng.normal(size=(N, 3))
    codes = true.copy()
    codes[:8] = (true[:8] + 1) % 3
    codes[20:24] = (true[20:24] + 2) % 3
    return lend.audit(embeddings, names[codes], k=8, progress=False, **options)


@pytest.fixture(scope="module")
def found():
    return audited()


PLACES = np.random.default_rng(1).normal(size=(N, 2))


def shown(audit, **options):
    """The explorer of an audit, on a map that costs nothing."""
    return audit.explore(**({"map": PLACES} | options))


@pytest.fixture
def explorer(found):
    return shown(found)


def told(explorer):
    return words.plain(explorer.page.message.value)


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_the_points_are_coloured_by_what_the_audit_says(found, explorer):
    inspection, issues = explorer.inspection, found.issues
    assert explorer.colorings == ("noisy", "suggested", "score", "issue") and "12 label issues" in inspection.title
    assert inspection.class_names == ("ant", "bee", "cat")
    for coloring, column in (("noisy", "given_label"), ("suggested", "predicted_label")):
        assert NAMES[inspection.values(coloring)].tolist() == issues[column].tolist()
    for coloring, column in (
        ("score", "label_score"),
        ("agreement", "neighbor_agreement"),
        ("issue", "is_label_issue"),
    ):
        assert np.allclose(inspection.values(coloring), issues[column])
    assert inspection.neighbors(5).shape == (10,)  # of the embeddings that the audit keeps
    assert len(explorer.page.views.views) == 4 and told(explorer) == ""


def test_the_map_is_made_of_the_embeddings_of_the_audit(found):
    explorer = found.explore(progress=False)
    made = lend.explore(found.embeddings, found.issues["given_label"].to_numpy(), progress=False)
    assert np.array_equal(explorer.inspection.coordinates(0), made.inspection.coordinates(0))


def test_integers_booleans_and_missing_labels():
    found = audited(np.array([4, 7, 20]))
    explorer = shown(found)
    assert explorer.inspection.class_names == ("4", "7", "20")
    explorer.inspection.review.answer("suggested")
    assert explorer.answers["true_label"].tolist() == [found.worst["predicted_label"].iloc[0]]
    assert isinstance(explorer.answers["true_label"].iloc[0], int)
    labels = audited().issues["given_label"].to_numpy(object)
    labels[3] = None
    gaps = lend.audit(found.embeddings, labels, k=8, progress=False)
    inspection = shown(gaps).inspection
    assert inspection.values("noisy")[3] == -1 and inspection.values("is_unlabelled")[3]
    inspection.review.choose("all")
    assert inspection.review.queue[-1] == 3, "an example without a score is last"
    inspection.review.go(3)
    with pytest.raises(ValueError, match="'given': it has no given label"):
        inspection.review.answer("given")


def test_an_audit_without_embeddings_says_what_it_needs(found, tmp_path):
    loaded = Audit.load(found.save(tmp_path / "audit"))
    explorer = loaded.explore()
    assert "embeddings must be given, or coordinates as map=" in told(explorer)
    assert loaded.explore(embeddings=found.embeddings, progress=False).inspection.neighbors(0).shape == (10,)
    assert shown(loaded).inspection.sample_ids.tolist() == list(range(N))
    assert "embeddings must be of 90 rows, one per label, got 4" in told(loaded.explore(embeddings=np.eye(4)))
    assert "options must be embeddings, answers, review, map" in told(shown(loaded, x="a"))


def test_examples_without_a_place_are_left_out(found):
    places = PLACES.copy()
    places[[0, 50]] = np.nan
    images = np.arange(N, dtype=np.uint8)[:, None, None] * np.ones((4, 4), np.uint8)
    inspection = shown(found, map=places, images=images).inspection
    assert len(inspection.sample_ids) == N - 2 and "88 examples are shown, 11 issues among them" in inspection.title
    assert 0 not in inspection.sample_ids[inspection.review.queue]
    assert inspection.image(0)[0, 0, 0] == 1 and inspection.sample_ids[0] == 1


def test_all_issues_are_among_the_points_of_a_part(found):
    inspection = found.explore(points=30, progress=False).inspection
    assert len(inspection.sample_ids) == 30 and "30 examples are shown, all issues among them" in inspection.title
    assert set(found.worst.index) <= set(inspection.sample_ids)
    assert inspection.sample_ids[inspection.review.queue].tolist() == found.worst.index.tolist()
    rows = with_first(np.arange(4, 8), np.zeros(10, int), np.array([5, 4, 3, 2, 1, 0]))
    assert rows.tolist() == [2, 3, 4, 5], "where the issues are too many, the worst"


def test_of_several_embeddings_the_first_is_mapped(found):
    other = np.random.default_rng(5).normal(size=(N, 4))
    labels = found.issues["given_label"].to_numpy()
    for several in ([found.embeddings, other], {"a": found.embeddings, "b": other}):
        explorer = lend.audit(several, labels, k=8, progress=False).explore(progress=False)
        assert explorer.inspection.title.endswith("map of the first of 2 embeddings")
    sparse = lend.audit(csr_matrix(np.abs(found.embeddings)), labels, k=8, progress=False)
    assert len(sparse.explore(progress=False).inspection.sample_ids) == N


# --- The review -------------------------------------------------------------------------------------------------------


def test_issues_are_asked_about_worst_first(found, explorer):
    review = explorer.inspection.review
    assert explorer.inspection.sample_ids[review.queue].tolist() == found.worst.index.tolist()
    assert review.current == review.queue[0] and review.progress == (0, 12)
    pairs = [(NAMES[pair.given], NAMES[pair.suggested], pair.count) for pair in review.pairs()]
    counts = found.worst.groupby(["given_label", "predicted_label"]).size()
    assert {pair[:2]: pair[2] for pair in pairs} == counts.to_dict()
    assert [pair[2] for pair in pairs] == sorted(counts, reverse=True)


def test_answers_go_on_to_the_next_example(found, explorer, folder):
    review = explorer.inspection.review
    first, second, third, fourth, fifth, *_ = review.queue
    given, suggested = (found.issues[name] for name in ("given_label", "predicted_label"))
    third_class = ({*NAMES} - {given[third], suggested[third]}).pop()
    for answer in (("suggested",), ("given",), ("other", third_class), ("unsure",), ("none",)):
        review.answer(*answer)
    assert review.progress == (5, 12) and review.current == review.queue[5]
    answers = explorer.answers.loc[[first, second, third, fourth, fifth]]
    assert answers["answer"].tolist() == ["suggested", "given", "other", "unsure", "none"]
    assert answers["true_label"].tolist() == [suggested[first], given[second], third_class, "unsure", "other"]
    explorer.inspection.patch("patch.csv")
    written = pd.read_csv("patch.csv", index_col="sample_id")
    assert list(written) == ["given_label", "suggested_label", "label_score"]
    assert written["suggested_label"].to_dict() == {first: suggested[first], third: third_class}
    assert np.allclose(written["label_score"], found.issues["label_score"][written.index])


def test_an_answer_can_be_changed_and_undone(explorer):
    review = explorer.inspection.review
    first, second = review.queue[:2].tolist()
    review.answer("suggested")
    review.go(first)
    review.answer("unsure")
    assert review.answer_of(first) == "unsure" and review.current == second
    review.go(first)
    review.answer("none")
    assert review.answer_of(first) == "none" and review.undo() == 1 and review.answer_of(first) == "unsure"
    assert review.undo() == 1 and review.current == first and review.answer_of(first) == "suggested"
    assert review.undo() == 1 and review.answer_of(first) == "" and review.progress == (0, 12)
    assert review.undo() == 0 and json.loads(review.path.read_text())["answers"] == []


def test_steps_stay_in_the_queue(explorer):
    review = explorer.inspection.review
    review.step(-1)
    assert review.current == review.queue[0]
    review.step(1)
    assert review.current == review.queue[1]
    review.step(99)
    assert review.current == review.queue[-1]
    review.answer("given")
    assert review.current == review.queue[0], "from the start again"
    with pytest.raises(ValueError, match="of an example that is reviewed"):
        review.go(80)
    with pytest.raises(ValueError, match="unknown answer 'maybe'"):
        review.answer("maybe")
    for answer in (("other",), ("none", "ant"), ("unsure", "ant")):
        with pytest.raises(ValueError, match="label must be given with 'other'"):
            review.answer(*answer)


def test_a_pair_of_labels_or_a_selection_is_reviewed(found, explorer):
    review, pair = explorer.inspection.review, explorer.inspection.review.pairs()[-1]
    review.choose("issues", (pair.given, pair.suggested))
    ids = explorer.inspection.sample_ids[review.queue]
    assert review.progress == (0, pair.count) and set(found.issues["given_label"][ids]) == {NAMES[pair.given]}
    for _ in range(pair.count):
        review.answer("suggested")
    assert review.progress == (pair.count, pair.count)
    explorer.selection = [40, 3, 60]
    review.choose("selected")
    assert set(review.queue) == {40, 3, 60}
    explorer.selection = []
    review.choose("selected")
    assert review.current is None and "nothing to review" in explorer.page.reviewing.progress.value
    with pytest.raises(ValueError, match="none: there is nothing to review"):
        review.answer("given")


def test_listed_examples_are_asked_about_in_their_order(found):
    explorer = found.explore(review=[70, 5, 33], points=20, progress=False)
    review, ids = explorer.inspection.review, explorer.inspection.sample_ids
    assert ids[review.queue].tolist() == [70, 5, 33] and len(ids) == 20 and review.part == "listed"
    assert explorer.page.reviewing.part.options[0] == ("examples to check", "listed")
    review.choose("issues", ("bee", "ant"))
    assert set(found.issues["given_label"][ids[review.queue]]) == {"bee"}
    table = pd.DataFrame({"true_label": ""}, index=pd.Index([4, 2]))
    assert shown(found, review=table).inspection.review.queue.tolist() == [4, 2]
    assert "review must be sample ids of the audit, got [-3]" in told(shown(found, review=[1, -3]))
    assert "review must be different sample ids" in told(shown(found, review=[1, 1]))
    with pytest.raises(ValueError, match="unknown part 'listed'"):
        shown(found).inspection.review.choose("listed")


def test_what_is_selected_is_reviewed_while_it_changes(explorer):
    explorer.page.reviewing.part.value = "selected"
    for ids in ([40, 3], [60]):
        explorer.selection = ids
        assert set(explorer.inspection.review.queue) == set(ids)
        assert f"of {len(ids)}" in explorer.page.reviewing.progress.value


# --- The file of answers ----------------------------------------------------------------------------------------------


def test_a_review_goes_on_where_it_was_left(found, folder):
    explorer = shown(found)
    review = explorer.inspection.review
    assert review.path.parent == folder and not list(folder.iterdir()), "no file before an answer"
    for answer in ("suggested", "unsure", "given", "none"):
        review.answer(answer)
    again = shown(found)
    assert again.answers["answer"].value_counts().to_dict() == dict.fromkeys(
        ["suggested", "unsure", "given", "none"], 1
    )
    assert again.answers.equals(explorer.answers) and again.inspection.review.current == review.current
    assert again.inspection.review.undo() == 0
    other = shown(audited(seed=3))  # other embeddings, the same ids and labels
    assert other.answers["true_label"].equals(explorer.answers["true_label"])


def test_none_of_the_classes_is_a_wrong_label_that_stays_as_it_is(found):
    """From the page to the estimates and the corrections of the audit."""
    drawn = found.check(90)
    review = (explorer := shown(found, review=drawn)).inspection.review
    wrong = found.issues["given_label"] != NAMES[np.arange(N) % 3]
    strange = int(wrong.idxmax())
    for position in review.queue.tolist():
        review.go(position)
        review.answer("none" if position == strange else "suggested" if wrong[position] else "given")
    checked = found.add_checked(explorer.answers)
    assert checked.checked.estimate.errors == wrong.sum() == 12
    others = found.issues.index[wrong].drop(strange)
    assert set(checked.corrections.index) == set(explorer.inspection.corrections.index) == set(others)


def test_a_label_that_is_null_without_a_mark_is_unsure(found):
    shown(found, answers="mine.json").inspection.review.answer("none")
    record = lend.storage.read_json(Path("mine.json"))
    assert record["answers"][0].pop("no_class") is True  # as it was written before there was this answer
    lend.storage.write_json(Path("mine.json"), record)
    assert shown(found, answers="mine.json").answers["true_label"].tolist() == ["unsure"]


def test_answers_to_examples_that_are_not_shown_are_kept(found):
    explorer = shown(found, answers="mine.json")
    first, second = explorer.inspection.review.queue[:2]
    explorer.inspection.review.answer("none")
    places = PLACES.copy()
    places[first] = np.nan
    part = shown(found, answers="mine.json", map=places)
    assert len(part.answers) == 0
    part.inspection.review.answer("unsure")
    assert shown(found, answers="mine.json").answers["answer"].to_dict() == {first: "none", second: "unsure"}


@pytest.mark.parametrize("other", ["labels", "ids"])
def test_a_file_of_other_labels_is_refused(found, other):
    shown(found, answers="mine.json").inspection.review.answer("suggested")
    labels = found.issues["given_label"].to_numpy(object)
    if other == "labels":
        labels[80] = "ant" if labels[80] != "ant" else "bee"
    ids = np.arange(N) + (other == "ids")
    changed = lend.audit(found.embeddings, labels, sample_ids=ids, k=8, progress=False)
    before = Path("mine.json").read_text()
    explorer = shown(changed, answers="mine.json")
    assert "answers must be a file of answers to the labels of this audit, got 'mine.json, of others'" in told(explorer)
    assert Path("mine.json").read_text() == before


def test_a_file_that_holds_no_answers_is_never_written_over(found, folder):
    for text in ("sample_id,label\n1,a\n", "{}", ""):
        (folder / "mine.csv").write_text(text)
        assert "mine.csv is damaged" in told(shown(found, answers="mine.csv"))
        assert (folder / "mine.csv").read_text() == text
    lend.storage.write_json(folder / "mine.json", {"rows": []})
    assert "answers must be a review of format 1" in told(shown(found, answers="mine.json"))


def test_two_windows_do_not_write_over_each_other(found):
    first, second = shown(found), shown(found)
    first.inspection.review.answer("suggested")
    before = first.inspection.review.path.read_text()
    act = second.page._guard(second.page._act)
    act({"act": "given", "position": second.inspection.review.current})
    assert "was changed by another window" in told(second) and first.inspection.review.path.read_text() == before
    assert len(second.answers) == 1, "and the answer is not lost in the page"
    first.inspection.review.answer("suggested")
    assert told(first) == ""


def test_labels_corrected_otherwise_are_answers_that_are_kept(found):
    explorer = shown(found)
    explorer.selection = [50, 51]
    label = next(name for name in NAMES if name not in set(found.issues["given_label"][[50, 51]]))
    explorer.inspection.relabel(label)
    assert shown(found).answers["true_label"].to_dict() == {50: label, 51: label}
    explorer.inspection.undo()
    assert len(shown(found).answers) == 0


# --- The page ---------------------------------------------------------------------------------------------------------


def test_keys_answer_what_the_page_shows(explorer):
    page, review = explorer.page, explorer.inspection.review
    first, second = review.queue[:2].tolist()
    assert f'data-position="{first}"' in page.reviewing.question.value and "0 of 12" in page.reviewing.progress.value
    page._act({"act": "suggested", "position": second})
    assert review.progress[0] == 0, "the page showed another example"
    page._act({"act": page.reviewing.keys.meanings["x"], "position": first})
    assert review.answer_of(first) == "none" and 'aria-pressed="true"' not in page.reviewing.question.value
    page._act({"act": "undo", "position": second})
    page._act({"act": "suggested", "position": first})
    assert "1 of 12" in page.reviewing.progress.value and page.reviewing.keys.current == second
    assert f'tr[data-go="{first}"] .lend-mark::after {{ content: "suggested"; }}' in page.reviewing._marks.value
    assert [view.scatter.hovering for view in page.views.views] == [second] * 4
    page._act({"act": "undo", "position": second})
    page._act({"act": "next", "position": first})
    page._act({"act": "go", "position": first})
    page._act({"act": "other", "position": first, "label": 1})
    assert explorer.answers["true_label"].tolist() == ["bee"] and told(explorer) == ""
    page.reviewing.part.value = "all"
    assert "1 of 90" in page.reviewing.progress.value


def test_a_pair_is_chosen_on_the_page(explorer):
    page, review = explorer.page, explorer.inspection.review
    pair = review.pairs()[0]
    words_of_pair = f"\u2068{NAMES[pair.given]}\u2069 → \u2068{NAMES[pair.suggested]}\u2069 ({pair.count})"
    assert page.reviewing.pair.options[1] == (words_of_pair, 0)
    page.reviewing.pair.value = 0
    assert review.pair == (pair.given, pair.suggested) and len(explorer.selection) == pair.count
    assert page.reviewing._rows.value.count("data-go") == pair.count
    page.reviewing.pair.value = -1
    assert len(explorer.selection) == 0 and page.reviewing._rows.value.count("data-go") == 12


def test_images_and_texts_stand_in_question_card_and_list(found):
    pictures = [np.full((6, 6), i, np.uint8) for i in range(N)]
    page = shown(audited(images=pictures)).page
    assert 'class="lend-big"' in page.reviewing.question.value and page.reviewing._rows.value.count("<img") == 12
    page = shown(found, texts=[f"<i>text {i}</i> & more" for i in range(N)]).page
    first = page.shown.review.current
    assert f"&lt;i&gt;text {first}&lt;/i&gt; &amp; more" in page.reviewing.question.value
    assert page.reviewing._rows.value.count("<bdi>&lt;i&gt;text") == 12
    page.views.views[0].scatter.hovering = 7
    assert "&lt;i&gt;text 7&lt;/i&gt;" in page.card.value and "no images" not in page.card.value
    assert page.card.value.count("lend-near") == 8


# --- Texts ------------------------------------------------------------------------------------------------------------


def test_texts_of_other_sources():
    frame = pd.DataFrame({"x": [0.0, 1, 2], "y": [0.0, 1, 0], "noisy": list("aba")}, index=list("pqr"))
    by_id = {"p": "first", "q": None, "r": 3}
    explorer = explore(frame, texts=by_id.get)
    assert [explorer.inspection.text(i) for i in range(3)] == ["first", None, None]
    explorer.selection = ["p"]
    assert "first" in explorer.page.history.value
    assert "no text: 'p'" in (explore(frame, texts=lambda i: {}[i]).inspection.text(0))
    points = lend.explore(np.eye(6), list("ababab"), texts=pd.Series(list("uvwxyz")), map=np.eye(6)[:, :2])
    assert points.inspection.text(2) == "w"
    assert "texts must be a function of the sample id, or of length 3" in told(explore(frame, texts=["a"]))
    assert "texts must be one text per example" in told(explore(frame, texts="abc"))


def test_texts_are_escaped_shortened_and_kept_to_themselves():
    assert excerpts.inline("a <b>\n c") == "<bdi>a &lt;b&gt; c</bdi>"
    assert excerpts.block("one\ntwo\tthree") == '<div class="lend-text" dir="auto">one<br>two three</div>'
    long = excerpts.inline("word " * 100)
    assert len(words.plain(long)) <= excerpts.ROW and long.endswith("word…</bdi>")
    assert len(words.plain(excerpts.block("x" * 5000))) == excerpts.CARD
    assert excerpts.inline("\u202eevil") == "<bdi>\\u202eevil</bdi>", "a mark that turns what follows is seen"
    assert excerpts.inline("\u200fשלום\u200f!\u00ad") == "<bdi>\u200fשלום\u200f!</bdi>"
