"""The examples of a report: the worst labels by their pair of classes, and those without a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from lend.auditing.report.thumbnails import thumbnail
from lend.auditing.report.words import TEXT, shown
from lend.plots import worst

PAIRS = 20  # pairs of classes with their examples
WITHOUT = 24  # examples without a label


@dataclass(frozen=True)
class Example:
    """One example: its id, its number (a score or a probability), and its picture or text where there is one.

    Args:
        sample_id: As the page shows it.
        number: Label score; of an example without a label, the probability of the suggested one.
        about: What a reader hears in place of the picture.
        picture: Source of the picture, or None.
        sharp: Whether the pixels of the picture are drawn as squares.
        text: The text, or None.
    """

    sample_id: str
    number: str
    about: str
    picture: str | None
    sharp: bool
    text: str | None


@dataclass(frozen=True)
class Group:
    """Examples of one pair of given and suggested label.

    Args:
        given: Given label; None for examples without one.
        suggested: Suggested label; None where no other than the given one is likelier.
        count: How many there are.
        examples: Those that are shown.
    """

    given: str | None
    suggested: str | None
    count: int
    examples: list[Example]


def worst_groups(issues: pd.DataFrame, images: Any, texts: Any, most: int) -> list[Group]:  # noqa: ANN401 (one each)
    """Return the label issues by given and suggested label, the most frequent pair first, in each the worst first.

    Args:
        issues: Table ``Audit.issues``.
        images: One per example, or None.
        texts: One per example, or None.
        most: Examples of a pair.
    """
    flagged = worst(issues.assign(place=np.arange(len(issues))), len(issues))
    parts = [part for _, part in flagged.groupby(["given_label", "predicted_label"], sort=False, observed=True)]
    groups = []
    for part in sorted(parts, key=lambda part: (_undecided(part), -len(part)))[:PAIRS]:
        given, suggested = shown(part["given_label"].iloc[0]), shown(part["predicted_label"].iloc[0])
        head = part.head(most)
        numbers = [f"{score:.2f}" for score in head["label_score"]]
        about = f"given label {given}, suggested {suggested}"
        examples = _examples(head, numbers, about, images, texts)
        groups.append(Group(given, None if _undecided(part) else suggested, len(part), examples))
    return groups


def pairs_of(issues: pd.DataFrame) -> int:
    """Return the number of pairs of given and suggested label among the issues."""
    return len(issues.loc[issues["is_label_issue"], ["given_label", "predicted_label"]].drop_duplicates())


def unlabelled_group(
    issues: pd.DataFrame,
    without: Bool[np.ndarray, " n"],
    distributions: Float[np.ndarray, "n c"],
    images: Any,  # noqa: ANN401
    texts: Any,  # noqa: ANN401
) -> Group:
    """Return the examples without a label whose suggestion is surest.

    Args:
        issues: Table ``Audit.issues``.
        without: Which have no label.
        distributions: Probability of each class.
        images: One per example, or None.
        texts: One per example, or None.
    """
    places = np.flatnonzero(without)
    places = places[issues["predicted_label"].notna().to_numpy()[places]]
    sure = distributions[places].max(axis=1) if len(places) else np.zeros(0)
    best = np.argsort(-sure, kind="stable")[:WITHOUT]
    head = issues.iloc[places[best]].assign(place=places[best])
    suggested = [shown(name) for name in head["predicted_label"]]
    numbers = [f"{name} {value:.2f}" for name, value in zip(suggested, sure[best], strict=True)]
    return Group(None, None, int(without.sum()), _examples(head, numbers, "no label", images, texts))


def _undecided(part: pd.DataFrame) -> bool:
    """Whether these are doubtful labels for which no other is likelier."""
    return bool(part["given_label"].iloc[0] == part["predicted_label"].iloc[0])


def _examples(rows: pd.DataFrame, numbers: Sequence[str], about: str, images: Any, texts: Any) -> list[Example]:  # noqa: ANN401
    examples = []
    for sample_id, place, number in zip(rows.index, rows["place"], numbers, strict=True):
        picture, sharp = (None, False) if images is None else thumbnail(images[int(place)], f"images: {sample_id!r}")
        text = None if texts is None else shown(texts[int(place)], TEXT)
        words = f"example {shown(sample_id)}: {about}"
        examples.append(Example(shown(sample_id), number, words, picture, sharp, text))
    return examples
