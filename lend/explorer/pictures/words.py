"""The text of the page as HTML: legends, numbers, examples, histories, messages. Names and messages are escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape, unescape

import numpy as np
from jaxtyping import Int

from lend.explorer.inspection import History, Inspection
from lend.explorer.pictures import excerpts
from lend.explorer.pictures.palettes import UNKNOWN_COLOUR, Palette, class_colour
from lend.inputs import printable
from lend.plots import LEGEND_CLASSES, class_colours

ROWS = 40  # examples in a history
NEIGHBORS = 8  # in the strip of an example
TRACK, TALL = 210, 14  # pixels of a line of a history
NOTHING = '<span class="lend-note">Nothing is selected: click a point, draw a lasso, or take a filter.</span>'
STYLE = """<style>
.lend-explorer { font-size: 13px; line-height: 1.35; color: var(--jp-content-font-color1, #212121); }
.lend-explorer .lend-title { font-size: 15px; font-weight: 600; }
.lend-explorer .lend-note { color: var(--jp-content-font-color2, #616161); }
.lend-explorer .lend-dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 4px; }
.lend-explorer .lend-key { display: inline-block; white-space: nowrap; margin-right: 12px; }
.lend-explorer .lend-error { background: #fdecea; color: #8a0600; border-left: 4px solid #8a0600; padding: 6px 10px; }
.lend-explorer .lend-told { background: #eaf3fb; color: #0b3c5d; border-left: 4px solid #0072b2; padding: 6px 10px; }
.lend-explorer .lend-card { display: flex; gap: 10px; align-items: flex-start; }
.lend-explorer .lend-card table { border-collapse: collapse; margin: 0; }
.lend-explorer .lend-card td { padding: 0 8px 0 0; text-align: left; white-space: nowrap; line-height: 1.4; }
.lend-explorer .lend-strip { display: flex; flex-wrap: wrap; gap: 4px 1px; margin-top: 4px; }
.lend-explorer .lend-strip figure { margin: 0; width: 46px; text-align: center; font-size: 10.5px; line-height: 1.2; }
.lend-explorer .lend-strip img { width: 44px; height: 44px; object-fit: contain; image-rendering: pixelated; }
.lend-explorer .lend-strip figcaption { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.lend-explorer .lend-big { width: 96px; height: 96px; object-fit: contain; image-rendering: pixelated; }
.lend-explorer .lend-text { line-height: 1.4; overflow-wrap: anywhere; max-height: 200px; overflow-y: auto;
  margin: 0 0 6px 0; padding: 6px 10px; background: var(--jp-layout-color2, #f3f3f3);
  border-inline-start: 3px solid #9e9e9e; }
.lend-explorer .lend-near { display: flex; align-items: baseline; width: 100%; min-width: 0; margin-top: 2px;
  line-height: 1.5; }
.lend-explorer .lend-near .lend-key { flex: 0 0 auto; }
.lend-explorer .lend-near > bdi { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.lend-explorer .lend-rows { max-height: 420px; overflow: auto; margin-top: 4px; }
.lend-explorer .lend-history { border-collapse: collapse; font-size: 12px; margin: 0; }
.lend-explorer .lend-history td { padding: 1px 8px 1px 0; white-space: nowrap; text-align: left; }
.lend-explorer .lend-history th { padding: 0 8px 2px 0; text-align: left; font-weight: 600; }
.lend-explorer .lend-history img { width: 28px; height: 28px; object-fit: contain; image-rendering: pixelated; }
.lend-explorer .lend-history tr { background: none !important; }
</style>"""
IN_CARD = {
    "noisy": "given (noisy)",
    "agreement": "neighbours agree",
    "score": "label score",
}  # instead of the names of the colorings


def text(name: object) -> str:
    """Return a text of the user as HTML that shows it as it is written."""
    return escape(printable(name))


def per_cent(share: float) -> str:
    """Return a share as text, with one digit after the point."""
    return f"{100 * share:.1f} %"


# --- Legends and numbers ----------------------------------------------------------------------------------------------


def key(colour: str, name: str) -> str:
    """Return a dot of a colour and what it means; a name that is read from the right turns nothing beside it."""
    dot = f'<span class="lend-dot" style="background:{colour}"></span>'
    return f'<span class="lend-key">{dot}<bdi>{text(name)}</bdi></span>'


def class_legend(inspection: Inspection) -> str:
    """Return the legend of the classes, the same for all maps."""
    names = inspection.class_names
    if len(names) > LEGEND_CLASSES:
        return f'<span class="lend-note">{len(names)} classes: hover a point to read its labels</span>'
    keys = [key(colour, name) for colour, name in zip(class_colours(len(names)), names, strict=True)]
    return "".join([*keys, key(UNKNOWN_COLOUR, "unknown")])


def scale_legend(palette: Palette) -> str:
    """Return the legend of a map whose colours are no classes: the two flags, or the ends of a scale."""
    if not palette.scale:
        return "".join(key(colour, name) for colour, name in zip(palette.colours, palette.names, strict=True))
    steps = ",".join(palette.colours[:-1:10])
    bar = f'<span style="display:inline-block;width:80px;height:10px;background:linear-gradient(90deg,{steps})"></span>'
    return f"{text(palette.names[0])} {bar} {text(palette.names[-2])}"


def numbers(inspection: Inspection) -> str:
    """Return the label accuracies and the share kept of the points at the epoch shown."""
    accuracy = inspection.label_accuracy()
    known = {name: accuracy[name] for name in ("predicted", "diluted", "noisy") if np.isfinite(accuracy[name])}
    parts = [f"{name} <b>{per_cent(value)}</b>" for name, value in known.items()]
    words = f"label accuracy: {', '.join(parts)}" if parts else ""
    if np.isfinite(accuracy["kept"]):
        right = accuracy["kept_precision"]
        of_them = f" ({per_cent(right)} of them right)" if np.isfinite(right) else ""
        words += f"{'; ' if words else ''}kept <b>{per_cent(accuracy['kept'])}</b>{of_them}"
    return words


# --- An example and its neighbours ------------------------------------------------------------------------------------

Uri = Callable[[int], str | None]


def card(inspection: Inspection, position: int, uri: Uri, note: str) -> str:
    """Return one example: its image or text, its labels in words, and its neighbours in embedding space.

    Args:
        inspection: What the explorer shows.
        position: Position of the example among the points.
        uri: Gives the thumbnail of a point as the source of an image, or None.
        note: Shown instead of the images, unless it is empty or there are texts.
    """
    shown = not note
    source = uri(position) if shown else None
    note = "" if inspection.has_texts and not shown else note or inspection.image_fault(position)
    written = inspection.text(position)
    image = f'<img class="lend-big" src="{source}">' if source else ""
    rows = "".join(_row(inspection, name, value) for name, value in inspection.describe(position).items())
    parts = [excerpts.block(written)] if written else []
    parts.append(f'<div class="lend-card">{image}<table>{rows}</table></div>')
    if note:
        parts.append(f'<div class="lend-note">{text(note)}</div>')
    near = inspection.neighbors(position)[:NEIGHBORS]
    if len(near):
        figures = "".join(_neighbor(inspection, int(one), uri(int(one)) if shown else None) for one in near)
        when = f" after epoch {inspection.map_epoch()}" if len(inspection.epochs) > 1 else ""
        told = f"nearest neighbours{when}, with noisy labels"
        parts.append(
            f'<div class="lend-note" style="margin-top:6px">{told}</div><div class="lend-strip">{figures}</div>'
        )
    return f'<div class="lend-example" data-position="{position}">{"".join(parts)}</div>'


def _row(inspection: Inspection, name: str, value: str) -> str:
    is_class = name in inspection.colorings and inspection.kind(name) == "class"
    dot = f'<span class="lend-dot" style="background:{class_colour(inspection, value)}"></span>' if is_class else ""
    return f'<tr><td class="lend-note">{text(IN_CARD.get(name, name))}</td><td>{dot}{text(value)}</td></tr>'


def _neighbor(inspection: Inspection, position: int, source: str | None) -> str:
    words = inspection.describe(position)
    label = words.get("noisy") or words.get("predicted") or words["sample id"]
    told = text("; ".join(f"{name}: {value}" for name, value in words.items()))
    colour = class_colour(inspection, label)
    written = inspection.text(position)
    if written and not source:
        return f'<div class="lend-near" title="{told}">{key(colour, label)}{excerpts.inline(written)}</div>'
    image = f'<img src="{source}">' if source else ""
    dot = f'<span class="lend-dot" style="background:{colour};width:8px;height:8px;margin-right:2px"></span>'
    return f'<figure title="{told}">{image}<figcaption>{dot}{text(label)}</figcaption></figure>'


# --- Histories --------------------------------------------------------------------------------------------------------


def history_table(inspection: Inspection, history: History, total: int, uri: Uri | None, mark: str) -> str:
    """Return predicted, diluted and kept of some examples over all epochs, one row each; the epoch shown is marked.

    Args:
        inspection: What the explorer shows.
        history: The labels of the examples that get a row.
        total: How many examples are selected; a line says how many have no row.
        uri: Gives the thumbnail of a point as the source of an image; None draws no images.
        mark: CSS class of the mark of the epoch shown, which :func:`mark_style` moves.
    """
    tracks = [name for name in ("predicted", "diluted", "kept") if getattr(history, name) is not None]
    heads = "".join(
        f"<th>{name}</th>" for name in ("", "id", "true", "noisy", *(f"{track}, by epoch" for track in tracks))
    )
    positions = inspection.positions_of(history.sample_ids)
    rows = "".join(_history_row(inspection, history, i, tracks, uri, int(at), mark) for i, at in enumerate(positions))
    more = f'<div class="lend-note">and {total - len(positions):,} more</div>' if total > len(positions) else ""
    span = f"epochs {history.epochs[0]} to {history.epochs[-1]}, from left to right" if len(history.epochs) > 1 else ""
    table = f'<div class="lend-rows"><table class="lend-history"><tr>{heads}</tr>{rows}</table></div>'
    return f'{table}{more}<div class="lend-note">{span}</div>'


def _history_row(
    inspection: Inspection, history: History, i: int, tracks: Sequence[str], uri: Uri | None, position: int, mark: str
) -> str:
    source = uri(position) if uri else None
    image = sight(inspection, position, source)
    labels = (history.true, history.noisy)
    given = "".join(_label(inspection, None if codes is None else int(codes[i])) for codes in labels)
    rows = [_track_colours(inspection, name, getattr(history, name)[i].astype(int)) for name in tracks]
    cells = "".join(f"<td>{track(colours, mark)}</td>" for colours in rows)
    return f"<tr><td>{image}</td><td>{text(history.sample_ids[i])}</td>{given}{cells}</tr>"


def sight(inspection: Inspection, position: int, source: str | None) -> str:
    """Return what a row of a table shows of an example: its image, the beginning of its text, or nothing."""
    written = None if source else inspection.text(position)
    return f'<img src="{source}">' if source else excerpts.inline(written) if written else ""


def _label(inspection: Inspection, code: int | None) -> str:
    if code is None or code < 0:
        return '<td class="lend-note">unknown</td>'
    name = inspection.class_names[code]
    return f"<td>{key(class_colour(inspection, name), name)}</td>"


def _track_colours(inspection: Inspection, name: str, values: Int[np.ndarray, " e"]) -> list[str]:
    if name == "kept":
        return ["#3b3b3b" if value else "none" for value in values]
    colours = [*class_colours(len(inspection.class_names)), UNKNOWN_COLOUR]
    return [colours[value] for value in values]


def track(colours: Sequence[str], mark: str) -> str:
    """Return a row of boxes, one per epoch, as SVG; equal ones side by side are one box. Below is the epoch's mark."""
    step = TRACK / len(colours)
    starts = [i for i in range(len(colours)) if i == 0 or colours[i] != colours[i - 1]]
    boxes = "".join(
        f'<rect x="{step * start:.1f}" width="{step * (end - start):.1f}" height="{TALL}" fill="{colours[start]}"/>'
        for start, end in zip(starts, [*starts[1:], len(colours)], strict=True)
    )
    here = f'<rect class="{mark}" y="{TALL + 1}" width="{max(step, 3):.1f}" height="3"/>'
    frame = f'<rect width="{TRACK}" height="{TALL}" fill="none" stroke="#bbb" stroke-width="0.6"/>'
    return f'<svg width="{TRACK}" height="{TALL + 4}" style="display:block">{boxes}{frame}{here}</svg>'


def mark_style(mark: str, inspection: Inspection) -> str:
    """Return a style that moves the marks of all histories to the epoch shown; the histories are not sent again."""
    place = TRACK / len(inspection.epochs) * inspection.epochs.index(inspection.epoch)
    return f"<style>.{mark} {{ transform: translateX({place:.1f}px); }}</style>"


# --- Messages ---------------------------------------------------------------------------------------------------------


def message(words: str, error: bool = False) -> str:
    """Return a line above the maps; nothing for an empty text."""
    return f'<div class="{"lend-error" if error else "lend-told"}" role="alert">{text(words)}</div>' if words else ""


def reason(error: Exception | None) -> str:
    """Return the message of an exception; that of a KeyError without the quotes that str() adds."""
    told = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return told or type(error).__name__


def plain(html: str) -> str:
    """Return the text of a piece of HTML."""
    return unescape(re.sub(r"<[^>]*>", "", html))
