"""The page: everything that is shown, put into the template, which escapes every text."""

from __future__ import annotations

import base64
import hashlib
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from lend.auditing.report.audited import Audited
from lend.auditing.report.examples import PAIRS, pairs_of, unlabelled_group, worst_groups
from lend.auditing.report.matrix import LEVELS, MOST, cells, exchanges
from lend.auditing.report.scatter import SIDE, scatter
from lend.auditing.report.words import TEXT, percent, shown
from lend.plots import LEGEND_CLASSES

BELOW = (0.1, 0.2, 0.5)  # scores below which issues are counted
SCALES = (0.05, 0.1, 0.2, 0.5, 1.0)  # ends of the axis of the interval
LIBRARIES = ("lend", "numpy", "pandas", "torch")


def html_page(
    found: Audited,
    *,
    title: str = "",
    images: Any = None,  # noqa: ANN401 (one each, of any library)
    texts: Any = None,  # noqa: ANN401
    map: Any = None,  # noqa: ANN401 (an array of any library)
    why_no_map: str = "",
    examples: int = 10,
) -> str:
    """Return an audit as one HTML page that needs no script, no network and no other file.

    Every name, id and text is escaped, shortened and kept apart from the text around it; a policy in the page forbids
    scripts and addresses outside of it.

    Args:
        found: The audit.
        title: What was audited, in a few words.
        images: One per example, as :func:`lend.plots.as_rgb` takes them; None shows none.
        texts: One per example; None shows none.
        map: (n, 2) coordinates of the examples, not finite where one is not on the map; None draws no map.
        why_no_map: What the page says in place of a map.
        examples: Most examples of a pair of classes.

    Raises:
        ValueError: If an image is none, or the coordinates are of another shape.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    here = files("lend.auditing.report")
    style = environment.from_string(here.joinpath("page.css").read_text("utf-8")).render(levels=LEVELS)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.from_string(here.joinpath("page.html").read_text("utf-8")).render(
        style=Markup(style),  # ours: the one text that is not escaped
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        title=shown(title, TEXT) if title else "",
        noise=_noise(found),
        **_matrix(found),
        **_classes(found.classes),
        groups=worst_groups(found.issues, images, texts, examples),
        pairs=pairs_of(found.issues),
        most_pairs=PAIRS,
        without=_without(found, images, texts),
        map=None if map is None else scatter(map, found.issues, list(found.classes.index)),
        why_no_map=why_no_map,
        side=SIDE,
        about=_about(found.settings),
    )


def _noise(found: Audited) -> dict[str, Any]:
    """How many labels there are, and how many of them are wrong."""
    issues, estimate = found.issues, found.estimate
    scores = issues.loc[issues["is_label_issue"], "label_score"]
    ends = {name: float(getattr(estimate, name)) / max(estimate.examples, 1) for name in ("low", "errors", "high")}
    scale = next(scale for scale in SCALES if scale >= min(1.0, 1.1 * ends["high"]))
    return {
        "labels": f"{estimate.examples:,}",
        "errors": f"{estimate.errors:,.0f}",
        "share": percent(ends["errors"]),
        "text": str(estimate),
        "bar": {name: round(600 * end / scale, 1) for name, end in ends.items()},
        "scale": percent(scale),
        "issues": f"{len(scores):,}",
        "below": [(f"{limit:g}", f"{int((scores < limit).sum()):,}") for limit in BELOW],
    }


def _matrix(found: Audited) -> dict[str, Any]:
    matrix = found.transition_matrix
    few, drawn = len(matrix) <= LEGEND_CLASSES, len(matrix) <= MOST
    names = [shown(name, 24 if few else 20) for name in matrix.index] if drawn else []
    return {
        "names": names,
        "few": few,
        "turned": max(map(len, names), default=0) > 3,
        "matrix": cells(matrix) if drawn else [],
        "exchanges": exchanges(matrix, found.classes),
    }


def _classes(classes: pd.DataFrame) -> dict[str, Any]:
    """The table of classes, those with the most wrong labels where they are too many."""
    wrong = (classes["wrong"] * classes["given"]).to_numpy()
    order = np.arange(len(classes)) if len(classes) <= MOST else np.argsort(-wrong, kind="stable")[:MOST]
    rows = [
        {
            "name": shown(row.Index),
            "given": f"{row.given:,}",
            "true": f"{row.true:,.0f}",
            "wrong": percent(row.wrong),
            "bar": round(60 * float(row.wrong), 1),
            "score": f"{row.mean_score:.2f}",
            "issues": f"{row.issues:,}",
            "confused": "" if pd.isna(row.confused_with) else shown(row.confused_with),
        }
        for row in classes.iloc[order].itertuples()
    ]
    return {"classes": rows, "all_classes": f"{len(classes):,}"}


def _without(found: Audited, images: Any, texts: Any) -> dict[str, Any]:  # noqa: ANN401
    """The examples without a label, and how often each class is suggested for one."""
    issues = found.issues
    # audits saved before there were any have labels for all
    gaps = issues["is_unlabelled"].to_numpy(bool) if "is_unlabelled" in issues else np.zeros(len(issues), bool)
    counts = issues.loc[gaps, "predicted_label"].value_counts()
    return {
        "group": unlabelled_group(issues, gaps, found.distributions, images, texts),
        "suggestions": [(shown(name), f"{count:,}") for name, count in counts.head(MOST).items()],
        "classes": len(counts),
    }


def _about(settings: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Settings and versions, and the time of writing."""
    versions = [(name, version(name)) for name in LIBRARIES]
    return {
        "settings": [(shown(name), shown(value, TEXT)) for name, value in settings.items()],
        "versions": [*versions, ("Python", platform.python_version())],
        "written": [("written", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))],
    }
