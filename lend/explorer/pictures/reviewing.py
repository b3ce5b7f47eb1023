"""The review on the page as HTML: the example that is asked about with its answers, progress, and the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from lend.explorer.inspection import Inspection
from lend.explorer.inspection.review import ANSWERS, Pair, Review
from lend.explorer.pictures.palettes import class_colour
from lend.explorer.pictures.words import Uri, card, key, sight, text
from lend.inputs import printable

ROWS = 50  # of the list that are on the page at once
SHOWN = {
    "suggested": "suggested",
    "given": "given kept",
    "other": "other class",
    "none": "none of them",
    "unsure": "unsure",
}
STYLE = """<style>
.lend-review { border: 2px solid var(--jp-border-color2, #d0d0d0); border-radius: 6px; outline: none;
  padding: 8px 10px; }
.lend-review:focus, .lend-review:focus-within { border-color: #0072b2; box-shadow: 0 0 0 2px #0072b233; }
.lend-review .widget-html, .lend-review .widget-html-content { width: 100%; min-width: 0; }
.lend-explorer .lend-asked { display: flex; align-items: center; flex-wrap: wrap; gap: 2px 6px; margin: 2px 0 8px 0;
  font-size: 15px; }
.lend-explorer .lend-asked .lend-key { margin-right: 0; font-weight: 600; }
.lend-explorer .lend-answers { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; margin: 8px 0 4px 0; }
.lend-explorer .lend-answers button, .lend-explorer .lend-steps button { font: inherit; cursor: pointer;
  text-align: left; padding: 5px 8px; border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 4px;
  color: inherit;
  background: var(--jp-layout-color1, #fff); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.lend-explorer .lend-answers button:hover, .lend-explorer .lend-steps button:hover { background: #0072b21a; }
.lend-explorer .lend-answers button.lend-given-answer { border-color: #0072b2; background: #0072b21f; }
.lend-explorer .lend-answers button:disabled { opacity: 0.45; cursor: default; }
.lend-explorer .lend-choice { display: flex; gap: 4px; min-width: 0; }
.lend-explorer .lend-choice select { flex: 1 1 auto; min-width: 0; font: inherit; color: inherit;
  background: var(--jp-layout-color1, #fff); border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 4px; }
.lend-explorer .lend-steps { display: flex; gap: 6px; flex-wrap: wrap; }
.lend-explorer kbd { font: 600 11px/1 monospace; padding: 1px 5px; border: 1px solid #9e9e9e; border-radius: 3px;
  margin-right: 6px; background: var(--jp-layout-color2, #f3f3f3); color: inherit; box-shadow: none; }
.lend-explorer .lend-bar { height: 6px; border-radius: 3px; margin: 3px 0;
  background: var(--jp-layout-color3, #e0e0e0); }
.lend-explorer .lend-bar div { height: 6px; border-radius: 3px; background: #0072b2; }
.lend-list { width: 100%; }
.lend-list .lend-history { min-width: 720px; }
.lend-list .lend-history tr { cursor: pointer; }
.lend-list .lend-history tr:hover td { background: #0072b21a; }
.lend-list .lend-history img { max-width: none; }
.lend-list .lend-history td.lend-sight bdi { display: inline-block; max-width: 420px; overflow: hidden;
  text-overflow: ellipsis; vertical-align: bottom; }
</style>"""


def pair_text(given: str, suggested: str) -> str:
    """Return a given and a suggested label, each read from its own side, whatever the script."""
    return f"\u2068{given}\u2069 → \u2068{suggested}\u2069"


def class_name(inspection: Inspection, code: int) -> str:
    """Return the name of a class, "unlabelled" for -1."""
    return inspection.class_names[code] if code >= 0 else "unlabelled"


def progress(review: Review) -> str:
    """Return how far the review is, as a line and a bar."""
    done, total = review.progress
    told = f"<b>{done:,} of {total:,}</b> reviewed" if total else "nothing to review here"
    told += ", all of them" if total and done == total else ""
    share = 100 * done / total if total else 0
    return f'<div class="lend-progress">{told}<div class="lend-bar"><div style="width:{share:.1f}%"></div></div></div>'


def question(inspection: Inspection, review: Review, uri: Uri, note: str, keys: Mapping[str, Sequence[str]]) -> str:
    """Return the example that is asked about: which two labels, the example, and the answers with their keys.

    Args:
        inspection: What the explorer shows.
        review: Its review.
        uri: As in :func:`words.card`.
        note: Likewise.
        keys: Keys of each answer and step; the first is shown.
    """
    position = review.current
    if position is None:
        return '<div class="lend-note">No label is doubtful here: choose other examples above.</div>'
    given, suggested = int(inspection.values("noisy")[position]), int(review.suspects.suggested[position])
    place = int((review.queue == position).argmax()) + 1
    labels = " → ".join(_class(inspection, code) for code in (given, suggested))
    asked = f'<div class="lend-asked">{labels}<span class="lend-note">no. {place:,}, worst first</span></div>'
    answers = _answers(inspection, review, position, (given, suggested), keys)
    return asked + card(inspection, position, uri, note) + answers


def _class(inspection: Inspection, code: int) -> str:
    name = class_name(inspection, code)
    return key(class_colour(inspection, name), name)


def _answers(
    inspection: Inspection,
    review: Review,
    position: int,
    labels: tuple[int, int],
    keys: Mapping[str, Sequence[str]],
) -> str:
    answered, (given, suggested) = review.answer_of(position), labels

    def button(act: str, words: str, possible: bool = True) -> str:
        chosen = ' class="lend-given-answer" aria-pressed="true"' if act == answered else ""
        disabled = "" if possible else " disabled"
        look = f'type="button" data-act="{act}" title="{ANSWERS.get(act, act)}"{chosen}{disabled}'
        return f"<button {look}><kbd>{_symbol(keys[act][0])}</kbd>{words}</button>"

    def named(code: int) -> str:
        return f"<bdi>{text(class_name(inspection, code))}</bdi>"

    different = suggested >= 0 and suggested != given
    decided = review.label_of(position) if answered == "other" else review.suspects.likeliest(position, labels)
    options = "".join(
        f'<option value="{code}"{" selected" if code == decided else ""}>{text(name)}</option>'
        for code, name in enumerate(inspection.class_names)
    )
    chooser = f'<select class="lend-other" aria-label="other class">{options}</select>'
    other = f'<div class="lend-choice">{button("other", "other")}{chooser}</div>'
    first = button("suggested", f"{named(suggested)} is right" if different else "no other suggested", different)
    second = button("given", f"keep {named(given)}" if given >= 0 else "no given label", given >= 0)
    steps = "".join(button(act, words) for act, words in (("previous", "back"), ("next", "next"), ("undo", "undo")))
    return (
        f'<div class="lend-answers">{first}{second}{other}{button("none", "none of the classes")}'
        f"{button('unsure', 'unsure')}</div>"
        f'<div class="lend-steps">{steps}</div>'
    )


def _symbol(key: str) -> str:
    return {"ArrowRight": "→", "ArrowLeft": "←", "Enter": "⏎"}.get(key, escape(key.upper()))


def window(review: Review) -> tuple[int, int]:
    """Return which part of the queue is on the page: the page of the list with the current example."""
    if review.current is None:
        return 0, 0
    start = int((review.queue == review.current).argmax()) // ROWS * ROWS
    return start, min(start + ROWS, len(review.queue))


def listing(inspection: Inspection, review: Review, uri: Callable[[int], str | None] | None) -> str:
    """Return a page of the list of what is reviewed, worst first; a click on a row goes to its example.

    Args:
        inspection: What the explorer shows.
        review: Its review.
        uri: Gives the thumbnail of a point as the source of an image; None draws no images.
    """
    start, end = window(review)
    if start == end:
        return ""
    rows = []
    for place, position in enumerate(review.queue[start:end].tolist(), start + 1):
        given, suggested = int(inspection.values("noisy")[position]), int(review.suspects.suggested[position])
        seen = sight(inspection, position, uri(position) if uri else None)
        cells = (
            f'<td class="lend-note">{place:,}</td><td class="lend-sight">{seen}</td>'
            f"<td><bdi>{text(inspection.sample_ids[position])}</bdi></td><td>{_class(inspection, given)}</td>"
            f"<td>{_class(inspection, suggested)}</td><td>{_score(review.suspects.scores[position])}</td>"
            f'<td class="lend-mark"></td>'
        )
        rows.append(f'<tr data-go="{position}">{cells}</tr>')
    heads = "".join(f"<th>{name}</th>" for name in ("", "", "id", "given", "suggested", "score", "answer"))
    more = f"{start + 1:,} to {end:,} of {len(review.queue):,}, lowest score first"
    table = f'<div class="lend-rows"><table class="lend-history"><tr>{heads}</tr>{"".join(rows)}</table></div>'
    return f'{table}<div class="lend-note">{more}</div>'


def _score(score: float) -> str:
    return f"{score:.3f}" if score == score else "unknown"


def marks(review: Review, list_class: str) -> str:
    """Return a style that marks the current row and the answers in the list, which is not sent again.

    Args:
        review: The review.
        list_class: CSS class of the list of this page alone.
    """
    start, end = window(review)
    rules = [
        f'.{list_class} tr[data-go="{position}"] .lend-mark::after {{ content: "{SHOWN[answer]}"; }}'
        for position in review.queue[start:end].tolist()
        if (answer := review.answer_of(position))
    ]
    rules.append(f'.{list_class} tr[data-go="{review.current}"] td {{ background: #0072b226; }}')
    return f"<style>{' '.join(rules)}</style>"


def pair_options(inspection: Inspection, pairs: Sequence[Pair], total: int) -> list[tuple[str, int]]:
    """Return the pairs of labels as texts with their counts, each with its place in the list; the first, -1, is any."""
    found = [(f"any given → suggested ({total:,})", -1)]
    for place, pair in enumerate(pairs):
        names = (printable(class_name(inspection, code)) for code in (pair.given, pair.suggested))
        found.append((f"{pair_text(*names)} ({pair.count:,})", place))
    return found
