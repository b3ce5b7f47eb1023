"""Saved runs as tables: every run in one line, and the cells of the paper's tables and curves over their trials.

Accuracies are fractions, of the test set. Four measures sum up a run, see MEASURES. A run that does not exist or is not
finished enters no mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lend import experiments, published
from lend.config import Dilution, RunConfig
from lend.experiments import Entry
from lend.run import LAST, Run
from lend.run import runs as saved_runs

MEASURES = {
    "best": "the highest of any epoch, an oracle on the test set",
    "last": "the mean of the last ten epochs",
    "chosen": "that of the epoch which is best on held-out noisy labels",
    "ensemble": "as last, of the mean softmax of the method's networks",
}
SETTINGS = (
    "dataset",
    "method",
    "noise",
    "noise_rate",
    "seed",
    "network",
    "width",
    "train_size",
    "batch_size",
    "epochs",
)
COLUMNS = (*SETTINGS, "epochs_done", "options", "dilution", "class_prior", "note", "device", *MEASURES, "path")
ENTRY_COLUMNS = ("row", "column", "seed", "complete", *MEASURES)
NOTHING = "–"
HELD_OUT = "held out with noisy labels"  # a point of ours, of which the paper's protocol says nothing

# --- Runs, one by one ---------------------------------------------------------------------------------------------


def table(runs: str | Path | Iterable[Run]) -> pd.DataFrame:
    """Every run in one line: its settings, how far it is, and its scores.

    Args:
        runs: A folder of runs, or opened runs.

    Returns:
        One row per run, by the name of its folder; the columns are COLUMNS. ``best`` is an oracle on the test set,
        ``last`` the mean of the last ten epochs, so far; NaN before the first epoch. ``dilution`` names what differs
        from the defaults, ``note`` what the name of the data does not say.
    """
    found = saved_runs(runs) if isinstance(runs, str | Path) else list(runs)
    names = pd.Index([run.path.name for run in found], name="run", dtype=object)
    return pd.DataFrame([_line(run) for run in found], index=names, columns=list(COLUMNS))


def _line(run: Run) -> dict[str, Any]:
    config = run.config
    return {
        **{name: getattr(config, name) for name in SETTINGS},
        "epochs_done": run.epochs_done,
        "options": _readable(config.options),
        "dilution": _readable(_unusual(config.dilution)),
        "class_prior": _prior(config.dilution.class_prior),
        "note": run.note,
        "device": run.info.get("device"),
        **scores(run),
        "path": str(run.path),
    }


def _unusual(dilution: Dilution) -> dict[str, Any]:
    default = asdict(Dilution())
    return {k: v for k, v in asdict(dilution).items() if v != default[k] and k != "class_prior"}


def _readable(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _prior(prior: str | list[float] | None) -> str:
    return prior if isinstance(prior, str) else " ".join(f"{share:g}" for share in prior or ()) or "none"


def scores(run: Run) -> dict[str, float]:
    """The four measures of a run, from one reading of its history; NaN where a run does not have one."""
    history = run.history
    if history.empty:
        return dict.fromkeys(MEASURES, float("nan"))
    test = history["test_accuracy"]
    chosen = test[history["validation_accuracy"].idxmax()] if run.config.validation else np.nan
    ensemble = history["ensemble_accuracy"].iloc[-LAST:].mean() if "ensemble_accuracy" in history else np.nan
    found = (test.max(), test.iloc[-LAST:].mean(), chosen, ensemble)
    return {name: float(value) for name, value in zip(MEASURES, found, strict=True)}


# --- The runs of a figure -----------------------------------------------------------------------------------------


def planned(figure: str, profile: str, **place: Any) -> list[Entry]:  # noqa: ANN401
    """As :func:`lend.experiments.plan`, but empty where the profile does not have the figure: see :func:`missing`."""
    known = experiments.PROFILES.get(profile)
    absent = known is not None and figure in experiments.FIGURES and figure not in known.figures
    return [] if absent else experiments.plan(figure, profile, **place)


def collect(entries: Iterable[Entry]) -> pd.DataFrame:
    """The scores of the runs of a figure or table, one row per entry of its plan.

    Returns:
        Columns row, column, seed, complete, best (an oracle on the test set), last (the mean of the last ten
        epochs), chosen and ensemble. A run that is missing or not finished has NaN and complete False.
    """
    return pd.DataFrame([_collected(entry) for entry in entries], columns=list(ENTRY_COLUMNS))


def _collected(entry: Entry) -> dict[str, Any]:
    run = finished(entry)
    found = dict.fromkeys(MEASURES, float("nan")) if run is None else scores(run)
    return {"row": entry.row, "column": entry.column, "seed": entry.config.seed, "complete": run is not None, **found}


def selected(entries: Iterable[Entry]) -> pd.DataFrame:
    """As :func:`collect`, and what each run trained on: means of the last ten epochs.

    Returns:
        The columns of :func:`collect`, and right_kept and wrong_kept: of the examples with a right and with a wrong
        label, the share that was kept, fractions. NaN where the true labels are unknown.
    """
    entries = list(entries)
    shares = pd.DataFrame([_kept(finished(entry)) for entry in entries], columns=["right_kept", "wrong_kept"])
    return pd.concat([collect(entries), shares.astype(float)], axis=1)


def _kept(run: Run | None) -> tuple[float, float]:
    if run is None:
        return np.nan, np.nan
    last = run.history.iloc[-LAST:]
    right, kept = last["noisy_label_accuracy"], last["kept_share"]
    of_right = (kept * last["kept_precision"] / right).mean()
    of_wrong = (kept * (1 - last["kept_precision"]) / (1 - right).where(right < 1)).mean()
    return float(of_right), float(of_wrong)


def finished(entry: Entry) -> Run | None:
    """The run of an entry if it is there to its last epoch."""
    run = Run.find(entry.config)
    return run if run is not None and run.complete else None


def summary(collected: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Mean and standard deviation of a measure over the trials of each cell.

    Args:
        collected: From :func:`collect`.
        measure: A name of MEASURES.

    Returns:
        Indexed by row and column, in the order of the plan: mean, std (of a sample: NaN for one trial) and n, the
        finished trials.
    """
    cells = collected.groupby(["row", "column"], sort=False)[measure]
    return cells.agg(mean="mean", std="std", n="count")


def long(collected: pd.DataFrame, measures: Sequence[str] = ("best", "last")) -> pd.DataFrame:
    """The summaries of several measures below each other: columns row, column, measure, mean, std and n."""
    parts = [summary(collected, measure).reset_index().assign(measure=measure) for measure in measures]
    return pd.concat(parts, ignore_index=True)[["row", "column", "measure", "mean", "std", "n"]]


def curves(entries: Iterable[Entry]) -> pd.DataFrame:
    """Test accuracy by epoch over the finished trials of each cell: the curves of Fig. 6 and 7.

    Returns:
        Indexed by row, column and epoch, in the order of the plan: mean, std (of a sample: NaN for one trial) and n,
        the finished trials. A cell without any is there, with NaN.
    """
    cells: dict[tuple[Any, Any], list[pd.Series]] = {}
    for entry in entries:
        cells.setdefault((entry.row, entry.column), []).append(_test_accuracy(entry))
    parts = {cell: _over_trials(pd.concat(trials, axis=1)) for cell, trials in cells.items()}
    names = ["row", "column", "epoch"]
    nothing = pd.DataFrame(columns=["mean", "std", "n"], index=pd.MultiIndex.from_tuples([], names=names))
    return pd.concat(parts, names=names) if parts else nothing


def _test_accuracy(entry: Entry) -> pd.Series:
    run = finished(entry)
    epochs = pd.RangeIndex(1, entry.config.epochs + 1, name="epoch")
    values = np.nan if run is None else run.history["test_accuracy"].to_numpy()
    return pd.Series(values, index=epochs, dtype=float)


def _over_trials(trials: pd.DataFrame) -> pd.DataFrame:
    by_epoch = {"mean": trials.mean(axis=1), "std": trials.std(axis=1), "n": trials.count(axis=1)}
    return pd.DataFrame(by_epoch)


def missing(
    entries: Sequence[Entry], figure: str, profile: str, *, runs: str = "runs", dataset: str | None = None
) -> str | None:
    """One line on the runs that a figure still needs and how to train them; None if all are there.

    Args:
        entries: The plan of the figure.
        figure: Its name.
        profile: The profile of the plan.
        runs: The folder of the plan, named in the line unless it is that of the repository.
        dataset: Where the data of the plan come from, if it is not the profile's own place.
    """
    if not entries:
        return f"profile {profile} has no {figure}"
    absent = sum(finished(entry) is None for entry in entries)
    if not absent:
        return None
    trials = 1 + max(entry.config.seed for entry in entries)
    command = f"lend sweep {figure} --profile {profile} --trials {trials}"
    command += f" --dataset {dataset}" if dataset else ""
    command += "" if _usual(runs) else f" --runs {runs}"
    verb, them = ("is", "it") if absent == 1 else ("are", "them")
    return f"{absent} of {len(entries)} runs {verb} missing; train {them} with: {command}"


def _usual(runs: str) -> bool:
    """Whether this is the folder of the repository, as it is called from there or from notebooks/."""
    return Path(runs).resolve() in (Path("runs").resolve(), Path("../runs").resolve())


# --- Tables as in a paper -----------------------------------------------------------------------------------------


class _Number(NamedTuple):
    """A mean over trials as it is printed, in per cent; no deviation for one trial."""

    mean: str
    std: str
    bold: bool


@dataclass(frozen=True, repr=False)
class Comparison:
    """Rows by columns in the paper's layout, as Markdown, LaTeX and CSV; a notebook shows it as it is.

    A cell holds the mean ± standard deviation of each measure, in per cent. The highest printed mean of a measure in a
    column is bold, and so are all that tie with it.

    Args:
        frame: From :func:`long`.
        decimals: Of the printed numbers.
        note: Added to the caption.
    """

    frame: pd.DataFrame
    decimals: int = 1
    note: str = ""

    @property
    def rows(self) -> list[str]:
        return list(dict.fromkeys(self.frame["row"]))

    @property
    def columns(self) -> list[str]:
        return [str(column) for column in dict.fromkeys(self.frame["column"])]

    @property
    def measures(self) -> list[str]:
        return list(dict.fromkeys(self.frame["measure"]))

    @property
    def caption(self) -> str:
        """What the numbers are."""
        if self.frame.empty:
            return "No runs are planned for this table."
        meaning = "; ".join(f"{name}: {MEASURES[name]}" for name in self.measures)
        text = f"Test accuracy in per cent, {' / '.join(self.measures)} ({meaning}). {_trials(self.frame)} {self.note}"
        return text.rstrip()

    def markdown(self) -> str:
        """The table in Markdown, its caption below it."""
        lines = _markdown_lines(["method", *self.columns], self._lines(_markdown_number, NOTHING))
        return f"{lines}\n\n{self.caption}\n"

    __repr__ = _repr_markdown_ = markdown

    def latex(self) -> str:
        """The table in LaTeX, for the package booktabs."""
        header = [_escaped(word) for word in ("method", *self.columns)]
        body = [[_escaped(name), *cells] for name, *cells in self._lines(_latex_number, "--")]
        lines = [" & ".join(line) + r" \\" for line in (header, *body)]
        return "\n".join(
            [
                r"% needs \usepackage{booktabs}",
                r"\begin{table}",
                r"\centering",
                rf"\caption{{{_escaped(self.caption)}}}",
                rf"\begin{{tabular}}{{l{'c' * len(self.columns)}}}",
                r"\toprule",
                lines[0],
                r"\midrule",
                *lines[1:],
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
                "",
            ]
        )

    def save(self, name: str, folder: str | Path) -> list[Path]:
        """Write NAME.md, NAME.tex and NAME.csv; the last has the numbers unrounded, as fractions. The files back."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        texts = {"md": self.markdown(), "tex": self.latex(), "csv": self.frame.to_csv(index=False)}
        files = [folder / f"{name}.{ending}" for ending in texts]
        for file, text in zip(files, texts.values(), strict=True):
            file.write_text(text, encoding="utf-8")
        return files

    def _lines(self, show: Callable[[_Number], str], nothing: str) -> Iterator[list[str]]:
        """Row by row: its name, and a cell for each column."""
        numbers = self._numbers()
        for row in self.rows:
            cells = [[numbers.get((row, column, measure)) for measure in self.measures] for column in self.columns]
            yield [row, *(" / ".join(show(n) if n else nothing for n in c) if any(c) else nothing for c in cells)]

    def _numbers(self) -> dict[tuple[str, str, str], _Number]:
        frame = self.frame[self.frame["n"] > 0].astype({"column": str})
        mean, std = ([f"{100 * value:.{self.decimals}f}" for value in frame[name]] for name in ("mean", "std"))
        printed = pd.Series(mean, index=frame.index, dtype=float)
        bold = printed == printed.groupby([frame["column"], frame["measure"]]).transform("max")
        places = zip(frame["row"], frame["column"], frame["measure"], strict=True)
        shown = [_Number(m, "" if s == "nan" else s, b) for m, s, b in zip(mean, std, bold, strict=True)]
        return dict(zip(places, shown, strict=True))


def compare(collected: pd.DataFrame, measures: Sequence[str] = ("best", "last")) -> Comparison:
    """The table of some measures, from :func:`collect`."""
    return Comparison(long(collected, measures))


def _trials(frame: pd.DataFrame) -> str:
    """What a cell's numbers are taken over, and what bold means."""
    known = (frame["n"] == 1) | frame["std"].notna()  # of several trials without deviation no ± is printed
    found = frame.loc[known & (frame["n"] > 0), "n"]
    if not len(found):
        return "No finished trial yet."
    fewest, most = found.min(), found.max()
    count = f"{most}" if fewest == most else f"{fewest} to {most}"
    over = "One trial" if most == 1 else f"Mean ± standard deviation over {count} trials"
    return f"{over}; bold: the highest mean of its column."


def markdown(frame: pd.DataFrame) -> str:
    """A frame of texts as a table in Markdown, which wraps long cells where pandas cuts them."""
    header = [str(frame.index.name or ""), *map(str, frame.columns)]
    return _markdown_lines(header, ([str(name), *map(str, cells)] for name, *cells in frame.itertuples()))


def _markdown_lines(header: list[str], body: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(word.replace('|', '&#124;') for word in line)} |" for line in lines)


def _markdown_number(number: _Number) -> str:
    text = f"{number.mean} ± {number.std}" if number.std else number.mean
    return f"**{text}**" if number.bold else text


def _latex_number(number: _Number) -> str:
    text = rf"{number.mean} $\pm$ {number.std}" if number.std else number.mean
    return rf"\textbf{{{text}}}" if number.bold else text


LATEX = {
    "\\": r"\textbackslash{}",
    **{character: rf"\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "–": "--",
}


def _escaped(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text)


# --- Beside the paper ---------------------------------------------------------------------------------------------


def beside(collected: pd.DataFrame, paper: str) -> Comparison:
    """Our numbers and the paper's in turn, column by column; on other data they are not comparable, see differences.

    Args:
        collected: From :func:`collect`.
        paper: table1, table2 or table3.
    """
    theirs = published.numbers(paper)
    frames = {"here": long(collected, published.SCORES[paper]), "paper": theirs}
    columns = dict.fromkeys(column for frame in frames.values() for column in frame["column"])
    parts = [
        frame[frame["column"] == column].assign(column=f"{column}, {where}")
        for column in columns
        for where, frame in frames.items()
    ]
    filled = [part for part in parts if len(part)]
    note = f"The paper's numbers: {published.SOURCE}, {published.TRIALS} trials, standard deviations not shown."
    return Comparison(pd.concat(filled, ignore_index=True), decimals=published.DECIMALS[paper], note=note)


def differences(plans: Mapping[str, Sequence[Entry]]) -> pd.DataFrame:
    """The protocol of the paper's tables and that of the runs planned here, point by point.

    Args:
        plans: The entries of table1, table2 and table3, or of some of them; each may be empty.

    Returns:
        Columns paper and here, indexed by point.
    """
    every = [entry.config for entries in plans.values() for entry in entries]
    points = {}
    for table, entries in plans.items():
        for point, paper in published.OWN_PROTOCOL[table].items():
            points[f"{point}, Table {table.removeprefix('table')}"] = (
                paper,
                _protocol([entry.config for entry in entries])[point],
            )
    here = _protocol(every)
    points |= {
        point: (published.PROTOCOL.get(point, NOTHING), here[point]) for point in (*published.PROTOCOL, HELD_OUT)
    }
    points |= {point: ("not stated", text) for point, text in published.OPEN}
    return pd.DataFrame.from_dict(points, orient="index", columns=["paper", "here"]).rename_axis("point")


def _protocol(configs: Sequence[RunConfig]) -> dict[str, str]:
    """The settings of all runs, by the points of the paper's protocol."""
    lend = [config for config in configs if config.method == "lend"]
    dilution = [config.dilution for config in lend]
    network = {"auto": "auto: small for images under 16 pixels, ResNet-18 for others", "resnet18": "ResNet-18"}
    every = {
        "data set": [c.dataset + (f", {c.train_size:,} examples" if c.train_size else "") for c in configs],
        "noise": ["none added" if c.noise == "none" else f"{c.noise} {100 * c.noise_rate:g} %" for c in configs],
        "network": [f"{network.get(c.network, c.network)}; width {c.width} (ResNet-18: 64)" for c in configs],
        "epochs": [c.epochs for c in configs],
        "batch size": [c.batch_size for c in configs],
        "learning rate": [
            f"{c.learning_rate:g}, divided by 10 after {100 * c.drop_at:g} % of the epochs" for c in configs
        ],
        "augmentation": ["crop and flip" if c.augment else "none" for c in configs],
        "trials": [len({c.seed for c in configs})] if configs else [],
        "k": [d.k for d in dilution],
        "α": [f"{d.alpha:g}" for d in dilution],
        "β": [c.options.get("beta", "as in the paper") for c in lend],
        "γ": [f"{d.gamma:g}" for d in dilution],
        "steps of Eq. (3)": [d.steps for d in dilution],
        "reserved term of Eq. (3)": [d.reserve for d in dilution],
        "W' of Eq. (2)": [d.affinity for d in dilution],
        "class prior": [f"{_prior(d.class_prior)}" for d in dilution],
        HELD_OUT: [f"{100 * c.validation:g} % of the examples" if c.validation else "none" for c in configs],
    }
    return {point: ", ".join(dict.fromkeys(map(str, values))) or NOTHING for point, values in every.items()}
