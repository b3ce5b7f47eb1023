"""Labels checked by people: which to look at, and what their answers say about all others.

The examples to look at are a stratified random sample (:mod:`lend.auditing.drawing`), from which the number of wrong
labels, and precision and recall of the label score, follow with intervals (:mod:`lend.auditing.stratified`). Unlike
``Audit.estimate`` they assume nothing about embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from lend.auditing.answers import UNSURE
from lend.auditing.drawing import Drawing, draw
from lend.auditing.stratified import Measured, Sample
from lend.auditing.transition import Estimate
from lend.inputs import as_count, require

SHOWN = ["given_label", "predicted_label", "label_score"]


@dataclass(frozen=True, eq=False, repr=False)
class Checked:
    """Labels that people have looked at, and what follows from them for all labels.

    Estimates are unbiased, whatever the label score is worth; a better one makes them narrower. Intervals have the
    confidence of the audit's. An "unsure" answer counts as if the example had not been drawn: those who could not be
    told are taken to be wrong as often as the others of their stratum.

    Args:
        issues: Rows of ``Audit.issues`` of all labelled examples.
        answers: One row per checked example in the order of drawing, index ``sample_id``: ``true_label``, missing where
            it is unsure or none of the classes; ``is_wrong``, whether the given label is, missing where unsure.
        seed: Seed of the drawing.
        confidence: Of all intervals, inside (0, 1).
    """

    issues: pd.DataFrame
    answers: pd.DataFrame
    seed: int
    confidence: float

    def __repr__(self) -> str:
        unsure = len(self.answers) - len(self._sure)
        without = f", {unsure:,} unsure" if unsure else ""
        return (
            f"Checked({len(self.answers):,} labels{without}: {self.estimate}; of the flagged set precision "
            f"{self.precision}, recall {self.recall})"
        )

    @cached_property
    def drawing(self) -> Drawing:
        """Strata and order of all labelled examples."""
        scores, flagged = self.issues["label_score"], self.issues["is_label_issue"]
        return draw(scores.to_numpy(np.float64), flagged.to_numpy(bool), self.seed)

    def next(self, n: int) -> pd.DataFrame:
        """Return the next examples to look at, without an answer: see :meth:`lend.Audit.check`."""
        done = len(self.answers)
        left = len(self.issues) - done
        require(left > 0, "n", "asked for while a label is unchecked", "all of them checked")
        n = as_count(n, "n", 1 if done else min(left, self.drawing.least))
        return self._shown(done, done + n).assign(true_label=None)

    def _shown(self, start: int, stop: int) -> pd.DataFrame:
        places = self.drawing.order[start:stop]
        probability = self.drawing.probabilities(stop)[places]
        return self.issues.iloc[places][SHOWN].assign(inclusion_probability=probability)

    @property
    def table(self) -> pd.DataFrame:
        """The answers beside given label, suggested label and score, and the probability to have been drawn by now."""
        return pd.concat([self._shown(0, len(self.answers)), self.answers], axis=1)

    @property
    def estimate(self) -> Estimate:
        """Number of wrong labels among all that are given, with an interval."""
        total, n, wrong = self._sample.errors(), len(self.issues), self._sample.wrong
        low, high = total.interval(int(wrong.sum()), n - int((~wrong).sum()))
        return Estimate(total.value, low, high, self.confidence, n)

    @property
    def precision(self) -> Measured:
        """The share of the label issues that are wrong indeed; NaN without an issue."""
        return self._precision(self.issues["is_label_issue"].to_numpy(bool))

    @property
    def recall(self) -> Measured:
        """The share of the wrong labels that are label issues; NaN if no wrong one was seen."""
        return self._sample.share(self.issues["is_label_issue"].to_numpy(bool)[self._sure])

    @property
    def curve(self) -> pd.DataFrame:
        """Precision and recall of the labels up to each score: one row for each score of a checked label.

        Columns: ``labels``, how many have this score or a lower one; ``precision`` and ``recall``, each with ``_low``
        and ``_high``. Each row has the confidence, not all rows together.
        """
        scores = self.issues["label_score"].to_numpy(np.float64)
        rows = []
        for most in np.unique(scores[self._sure]).tolist():
            part = scores <= most
            precision, recall = self._precision(part), self._sample.share(part[self._sure])
            numbers = {"label_score": most, "labels": int(part.sum())}
            for name, found in (("precision", precision), ("recall", recall)):
                numbers |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
            rows.append(numbers)
        return pd.DataFrame(rows).set_index("label_score")

    def _precision(self, part: np.ndarray) -> Measured:
        if not part.any():
            return Measured(np.nan, 0.0, 1.0)
        here, count = part[self._sure], int(part.sum())
        wrong, right = int((self._sample.wrong & here).sum()), int((~self._sample.wrong & here).sum())
        total = self._sample.errors(here)
        low, high = total.interval(wrong, count - right)
        return Measured(float(np.clip(total.value, wrong, count - right)) / count, low / count, high / count)

    @cached_property
    def _sure(self) -> np.ndarray:
        """Positions among the labelled examples of those with a sure answer."""
        return self.drawing.order[: len(self.answers)][~self.answers["is_wrong"].isna().to_numpy()]

    @cached_property
    def _sample(self) -> Sample:
        wrong = self.answers["is_wrong"].dropna().to_numpy(bool)
        strata = _joined(self.drawing.strata, self._sure)
        return Sample(np.bincount(strata), strata[self._sure], wrong, self.confidence)


def _joined(strata: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Join each stratum of which none was looked at with the next that has one; the last with the one before it."""
    there = np.unique(strata[seen])
    return np.searchsorted(there, strata).clip(max=len(there) - 1)


def with_answers(checked: Checked, new: pd.DataFrame) -> Checked:
    """Return what was checked so far and new answers, which replace earlier ones of the same examples.

    Args:
        checked: So far; without answers at first.
        new: Answers as in ``Checked.answers``, in any order.

    Raises:
        ValueError: If those answered are not the first in the order of drawing, or none is sure.
    """
    answers = pd.concat([checked.answers, new]) if len(checked.answers) else new
    answers = answers[~answers.index.duplicated(keep="last")]
    order, index = checked.drawing.order, checked.issues.index
    answered = np.zeros(len(index), bool)
    answered[index.get_indexer(answers.index)] = True
    before = order[: np.flatnonzero(answered[order]).max(initial=-1) + 1]
    skipped = index[before[~answered[before]]]
    require(
        len(skipped) == 0,
        "ids",
        f"all that check() gave, answered from the top, {UNSURE!r} where nobody can tell",
        f"no answer for {len(skipped):,} that come before others, such as {skipped[:3].tolist()}",
    )
    require(not answers["is_wrong"].isna().all(), "labels", f"other than empty and {UNSURE!r} for one at least", "none")
    return replace(checked, answers=answers.loc[index[before]])
