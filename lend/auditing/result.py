"""What an audit found: shown, saved, and handed over as a patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lend import storage
from lend.auditing.inputs import check_images
from lend.auditing.transition import Estimate
from lend.config import require
from lend.storage import write_patch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT = 1  # of the folder that Audit.save writes
TABLES = ("issues", "transition_matrix", "classes")
SHOWN = 30  # images of the worst labels in Audit.plot


@dataclass(frozen=True, repr=False, eq=False)
class Audit:
    """What :func:`audit` found.

    Args:
        issues: One row per example, index ``sample_id``: ``given_label``; ``predicted_label``, the likeliest;
            ``label_score`` in [0, 1], high where the given label looks right; ``is_label_issue``, the others contradict
            it; and ``neighbor_agreement``, the share of the k neighbours with the same given label.
        distributions: (n, c) what the others say, rows sum to one; out of sample, as cleanlab wants ``pred_probs``.
        estimate: How many labels are wrong, with an interval.
        transition_matrix: (c, c) P(given label | true class), row = true class.
        classes: One row per class: ``given``, its labels; ``true``, the estimated number of its examples;
            ``wrong``, the estimated share of wrong ones among its labels; ``mean_score``; ``issues``; and
            ``confused_with``, the class that the others say most of its issues to be, missing without issues.
        settings: Of :func:`audit`.
        images: As given to :func:`audit`; not saved.
    """

    issues: pd.DataFrame
    distributions: Float[np.ndarray, "n c"]
    estimate: Estimate
    transition_matrix: pd.DataFrame
    classes: pd.DataFrame
    settings: Mapping[str, Any] = field(default_factory=dict)
    images: Any = None

    def __repr__(self) -> str:
        flagged = int(self.issues["is_label_issue"].sum())
        return f"Audit({len(self.issues):,} labels of {len(self.classes)} classes: {flagged:,} issues; {self.estimate})"

    @property
    def class_names(self) -> list[Any]:
        """The labels, sorted: the order of the distributions' columns."""
        return list(self.classes.index)

    @property
    def worst(self) -> pd.DataFrame:
        """The label issues, lowest score first."""
        from lend.plots import worst

        return worst(self.issues, len(self.issues))

    def plot(self, images: Any = None, count: int = SHOWN, title: str = "") -> Figure:  # noqa: ANN401
        """Scores, given against suggested labels and, with images, the worst labels; show or save the figure.

        Args:
            images: (n, ...) one per example, for instance uint8 of shape (n, channels, height, width); those of the
                audit if not given.
            count: Images to show, at most.
            title: Above all panels.
        """
        from lend.plots import audit_figure

        images = self.images if images is None else check_images(images, len(self.issues))
        shown = None if images is None else [images[int(place)] for place in self._places(count)]
        return audit_figure(self.issues, self.class_names, shown, title)

    def _places(self, count: int) -> Int[np.ndarray, " m"]:
        """Positions of the worst examples."""
        return self.issues.index.get_indexer(self.worst.index[:count])

    def patch(self, path: str | Path) -> Path:
        """Write the suggested corrections as CSV, worst first: sample_id, given_label, suggested_label, label_score.

        An issue without a better suggestion than its given label is left out.
        """
        table = self.worst.query("given_label != predicted_label")
        return write_patch(table.rename(columns={"predicted_label": "suggested_label"}), path)

    def save(self, folder: str | Path) -> Path:
        """Write the audit as Parquet and JSON, without its images; the folder back.

        The record audit.json is written last, with the SHA-256 of the tables: without it there is no audit.
        """
        folder = Path(folder)
        frames = {name: getattr(self, name) for name in TABLES}
        frames["distributions"] = pd.DataFrame(self.distributions, columns=[str(name) for name in self.class_names])
        frames["transition_matrix"] = frames["transition_matrix"].set_axis(frames["distributions"].columns, axis=1)
        files = {f"{name}.parquet": _write_parquet(folder / f"{name}.parquet", frame) for name, frame in frames.items()}
        record = {"format": FORMAT, "files": files, "settings": dict(self.settings), "estimate": asdict(self.estimate)}
        storage.write_json(folder / "audit.json", record)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Audit:
        """Read what :meth:`save` wrote; no code is executed.

        Raises:
            DamagedFileError: If a file is missing, truncated or altered; the message names it.
            ValueError: If a newer version wrote it.
        """
        folder = Path(folder)
        record = storage.read_json(folder / "audit.json")
        require(record.get("format") == FORMAT, "folder", f"an audit of format {FORMAT}", record.get("format"))
        for name, digest in record["files"].items():
            storage.check_file(folder / name, digest)
        tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in (*TABLES, "distributions")}
        distributions = tables.pop("distributions").to_numpy()
        tables["transition_matrix"].columns = tables["classes"].index.rename("given_label")
        return cls(
            **tables, distributions=distributions, estimate=Estimate(**record["estimate"]), settings=record["settings"]
        )


def _write_parquet(path: Path, table: pd.DataFrame) -> str:
    return storage.write_atomically(path, table.to_parquet)
