"""Results in their places: the cells of the figures and tables of each profile that has any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from lend.paper import experiments, tables
from lend.paper.results.files import Result

if TYPE_CHECKING:
    import pandas as pd

# The plans that compare methods, by what they are called here; Fig. 6 and 7 are parts of the tables.
PLANS = {
    "table1": "symmetric",
    "table2": "asymmetric",
    "human": "human",
    "rates_symmetric": "symmetric_rates",
    "rates_asymmetric": "asymmetric_rates",
}
OF_A_PROFILE = ("dataset", "train_size", "width", "augment")  # settings that no figure changes


@dataclass(frozen=True, eq=False)
class Study:
    """The planned runs of one comparison, and the results that are there.

    Args:
        profile: Name of the profile.
        name: What it is called here: a value of PLANS.
        entries: All planned runs.
        found: The results among them, by the hash of their settings.
    """

    profile: str
    name: str
    entries: Sequence[experiments.Entry]
    found: dict[str, Result] = field(repr=False)

    def find(self, entry: experiments.Entry) -> Result | None:
        """The result of an entry of the plan, or None."""
        return self.found.get(entry.config.hash)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """As :func:`lend.paper.tables.collect`, of the results alone, with the share of wrong labels in wrong."""
        collected = tables.collect(self.entries, self.find)
        found = [self.find(entry) for entry in self.entries]
        collected["wrong"] = [None if result is None else result.info["realised_noise_rate"] for result in found]
        return collected[collected["complete"]].astype({"wrong": float})

    @cached_property
    def curves(self) -> pd.DataFrame:
        """As :func:`lend.paper.tables.curves`, of the rows that have a result."""
        rows = set(self.scores["row"])
        return tables.curves([entry for entry in self.entries if entry.row in rows], self.find)


def studies(found: Sequence[Result]) -> list[Study]:
    """Return the comparisons that have a result, profile by profile."""
    trials = 1 + max((result.config.seed for result in found), default=0)
    return [study for profile in experiments.PROFILES for study in _of_profile(profile, found, trials)]


def _of_profile(profile: str, found: Sequence[Result], trials: int) -> list[Study]:
    settings = experiments.PROFILES[profile].settings
    asked = {name: settings[name] for name in OF_A_PROFILE if name in settings}
    near = {r.config.hash: r for r in found if all(getattr(r.config, name) == value for name, value in asked.items())}
    if not near:  # plans of hundreds of runs take seconds
        return []
    made = []
    for figure, name in PLANS.items():
        if figure in experiments.PROFILES[profile].figures:
            entries = experiments.plan(figure, profile, trials=trials)
            there = {entry.config.hash: near[entry.config.hash] for entry in entries if entry.config.hash in near}
            made += [Study(profile, name, entries, there)] if there else []
    return made
