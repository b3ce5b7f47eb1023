"""Review of doubtful labels, one example at a time, worst first: what is asked, what was answered, what is next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.explorer.inspection.answers import AnswersFile
from lend.explorer.inspection.corrections import DECIDED, NONE, OPEN, UNSURE, Corrections
from lend.explorer.inspection.mapped import UNKNOWN
from lend.explorer.inspection.names import Names
from lend.explorer.inspection.suspects import Suspects
from lend.inputs import require, require_name

ANSWERS = {
    "suggested": "the suggested label is right",
    "given": "the given label is right",
    "other": "another class is right",
    "none": "none of the classes is right",
    "unsure": "I cannot tell",
}
LEFT = {"none": NONE, "unsure": UNSURE}  # answers that name no class: the label stays as it is
WORDS = {NONE: "other", UNSURE: "unsure"}  # what stands for them in a table of true labels: see Audit.add_checked
PARTS = ("listed", "issues", "selected", "all")


@dataclass(frozen=True)
class Pair:
    """A given and a suggested label, as codes, and how many examples of the part have them."""

    given: int
    suggested: int
    count: int


class Review:
    """Answers about the labels of an audit: which label is right, example by example, lowest score first.

    Every answer is kept in a file at once. A label that is corrected by :meth:`Inspection.relabel` is answered, too.

    Args:
        suspects: What the audit says of the points.
        corrections: Labels decided by hand.
        names: Sample ids and class names.
        selected: Gives the positions of the points that are selected.
        path: Where answers are kept; those in the file are taken over.

    Raises:
        ValueError: If the file holds answers to other labels; DamagedFileError if it is damaged.

    Attributes:
        parts: What there is to review: "listed" (the examples that were asked for, in their order), "issues",
            "selected" (those selected when it was chosen) and "all".
        part: Which of these is reviewed.
        pair: Codes of the given and the suggested label of what is reviewed; None for any.
        current: Position of the example that is asked about; None if there is none.
        queue: Positions of all that is reviewed: but for those listed, worst first.
    """

    def __init__(
        self,
        suspects: Suspects,
        corrections: Corrections,
        names: Names,
        selected: Callable[[], Int[np.ndarray, " s"]],
        path: str | Path,
    ) -> None:
        self.suspects, self._corrections, self._names, self._selected = suspects, corrections, names, selected
        self.parts = PARTS if suspects.listed is not None else PARTS[1:]
        self.part = self.parts[0]
        self.pair: tuple[int, int] | None = None
        self.current: int | None = None
        self._place = {int(row): position for position, row in enumerate(suspects.rows)}
        self._file = AnswersFile(path, suspects.digest)
        self._restore()
        self.choose(self.part)

    @property
    def path(self) -> Path:
        """Where the answers are kept."""
        return self._file.path

    # --- What is reviewed ---------------------------------------------------------------------------------------------

    def choose(self, part: str = "issues", pair: tuple[int | str, int | str] | None = None) -> None:
        """Review these examples, from the first without an answer on.

        Args:
            part: One of :attr:`parts`.
            pair: Only those with this given and this suggested label, by name or code, -1 for none; any, if not given.

        Raises:
            ValueError: If there is no such part or class.
        """
        require_name(part, self.parts, "part")
        self.pair = None if pair is None else (self._code(pair[0]), self._code(pair[1]))
        self.part, self._part = part, self._positions(part)
        given, suggested = self._corrections.given, self.suspects.suggested
        self.queue = self._part
        if self.pair is not None:
            self.queue = self._part[(given[self._part] == self.pair[0]) & (suggested[self._part] == self.pair[1])]
        self.current = int(self.queue[0]) if len(self.queue) else None
        if self.current is not None and self.answer_of(self.current):
            self._to_open()

    def _positions(self, part: str) -> Int[np.ndarray, " s"]:
        if part == "listed" and self.suspects.listed is not None:
            return self.suspects.listed
        among = np.ones(len(self.suspects.issues), bool)
        if part == "issues":
            among = self.suspects.issues
        elif part == "selected":
            among[:] = False
            among[self._selected()] = True
        return self.suspects.worst_first(among)

    def _code(self, label: int | str) -> int:
        return UNKNOWN if label == UNKNOWN else self._names.code(label)

    def pairs(self) -> list[Pair]:
        """Return the pairs of given and suggested label in the part, most frequent first; equal labels are no pair."""
        given, suggested = self._corrections.given[self._part], self.suspects.suggested[self._part]
        counts = Counter(zip(given.tolist(), suggested.tolist(), strict=True))
        found = [Pair(one, other, count) for (one, other), count in counts.items() if one != other]
        return sorted(found, key=lambda pair: (-pair.count, pair.given, pair.suggested))

    @property
    def progress(self) -> tuple[int, int]:
        """How many of the queue are answered, and how many there are."""
        return int((self._corrections.checked[self.queue] != OPEN).sum()), len(self.queue)

    # --- Answers ------------------------------------------------------------------------------------------------------

    def answer(self, answer: str, label: int | str | None = None) -> None:
        """Answer for the current example, keep the answer, and go on to the next without one.

        Args:
            answer: "suggested", "given", "other", "none" or "unsure".
            label: With "other": the class, by name or code.

        Raises:
            ValueError: If there is no example, no such answer, or the example lacks the label.
            OSError: If the answer cannot be kept in the file; the example has its answer all the same.
        """
        require_name(answer, ANSWERS, "answer")
        require(self.current is not None, "answer", "about an example", "none: there is nothing to review")
        position = int(self.current)  # type: ignore[arg-type]  # it is one
        require((label is not None) == (answer == "other"), "label", "given with 'other', and with it alone", label)
        if answer in LEFT:
            self._corrections.leave(position, LEFT[answer])
        else:
            code = self._names.code(label) if label is not None else self._known(position, answer)
            self._corrections.decide(position, code)
        self._to_open()
        self.save()

    def _known(self, position: int, answer: str) -> int:
        code = int((self.suspects.suggested if answer == "suggested" else self._corrections.given)[position])
        require(code != UNKNOWN, "answer", "a label that the example has", f"{answer!r}: it has no {answer} label")
        return code

    def undo(self) -> int:
        """Take back the last change, go to its example if it is reviewed, and return how many labels changed."""
        positions = self._corrections.undo()
        if len(positions):
            if positions[0] in self.queue:
                self.current = int(positions[0])
            self.save()
        return len(positions)

    def step(self, by: int) -> None:
        """Go on by so many examples, or back; the first and the last are the ends."""
        if self.current is not None:
            place = int(np.flatnonzero(self.queue == self.current)[0])
            self.current = int(self.queue[min(max(place + by, 0), len(self.queue) - 1)])

    def go(self, position: int) -> None:
        """Go to an example.

        Raises:
            ValueError: If it is not reviewed.
        """
        require(bool((self.queue == position).any()), "position", "of an example that is reviewed", position)
        self.current = int(position)

    def _to_open(self) -> None:
        """Go to the next example without an answer, from the start again after the last; stay where all have one."""
        place = int(np.flatnonzero(self.queue == self.current)[0])
        ahead = np.roll(self.queue, -place - 1)
        waiting = ahead[self._corrections.checked[ahead] == OPEN]
        if len(waiting):
            self.current = int(waiting[0])

    def answer_of(self, position: int) -> str:
        """Return what was answered about an example: a key of ANSWERS, "" if nothing."""
        checked, label = self._corrections.checked[position], self._corrections.labels[position]
        if checked != DECIDED:
            return next((answer for answer, said in LEFT.items() if said == checked), "")
        if label == self._corrections.given[position]:
            return "given"
        return "suggested" if label == self.suspects.suggested[position] else "other"

    def label_of(self, position: int) -> int:
        """Return the code of the label that an example has by now, the given one if it was not decided."""
        return int(self._corrections.labels[position])

    @property
    def total(self) -> int:
        """How many examples the part has, whatever their labels."""
        return len(self._part)

    @property
    def answers(self) -> pd.DataFrame:
        """All answers by sample_id: ``answer``, and ``true_label`` as :meth:`lend.Audit.add_checked` takes it.

        That is the class as the audit has it, "other" where none is right, or "unsure".
        """
        answered = np.flatnonzero(self._corrections.checked != OPEN)
        said, codes = (values[answered].tolist() for values in (self._corrections.checked, self._corrections.labels))
        labels = [WORDS.get(one, self.suspects.classes[code]) for one, code in zip(said, codes, strict=True)]
        columns: dict[str, list[Any]] = {
            "answer": [self.answer_of(place) for place in answered.tolist()],
            "true_label": labels,
        }
        index = self._names.index(answered)
        return pd.DataFrame({name: pd.Series(values, index, dtype=object) for name, values in columns.items()})

    # --- The file -----------------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        there = {row: label for row, label in self._file.answers.items() if row in self._place}
        codes = [self._names.code(label) if isinstance(label, str) else UNKNOWN for label in there.values()]
        said = [DECIDED if isinstance(label, str) else label for label in there.values()]
        places = [self._place[row] for row in there]
        self._corrections.restore(*(np.array(values, np.int64) for values in (places, codes, said)))

    def save(self) -> None:
        """Write all answers to the file, with those that it has of examples that are not shown.

        Raises:
            ValueError: If somebody else wrote to the file since it was read.
            OSError: If it cannot be written.
        """
        kept = {row: label for row, label in self._file.answers.items() if row not in self._place}
        answered = np.flatnonzero(self._corrections.checked != OPEN)
        said = self._corrections.checked[answered].tolist()
        labels = self._names.of_codes(self._corrections.labels[answered])
        rows = self.suspects.rows[answered].tolist()
        kept |= {row: label if one == DECIDED else one for row, one, label in zip(rows, said, labels, strict=True)}
        self._file.write(kept, self.suspects.ids)
