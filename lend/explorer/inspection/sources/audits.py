"""Audits: the map of what was audited, coloured by what the audit says of each label, and the review of its issues."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from lend.explorer.inspection.given_map import X, Y, places_of
from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.mapped_frame import MappedFrame
from lend.explorer.inspection.media import Media
from lend.explorer.inspection.options import OF_AUDITS, map_options, require_options
from lend.explorer.inspection.suspects import Suspects
from lend.inputs import align_rows, as_matrix, require

if TYPE_CHECKING:
    from lend.auditing import Audit

COLUMNS = {"label_score": "score", "neighbor_agreement": "agreement", "is_label_issue": "issue"}
CLASSED = {"given_label": "noisy", "predicted_label": "suggested"}


def is_audit(data: object) -> bool:
    """Whether this is an audit, by what it holds: the explorer of anything else needs no import of it."""
    return all(hasattr(data, name) for name in ("issues", "distributions", "class_names"))


def of_audit(audit: Audit, media: Media, options: Mapping[str, Any]) -> Inspection:
    """Inspect an audit: its map, and a review of its issues.

    Args:
        audit: Of :func:`lend.audit`, or loaded.
        media: Images and texts; those that the audit keeps, if not given.
        options: Those of :func:`lend.explore`.

    Raises:
        ValueError: If there are neither embeddings nor coordinates, or the file of answers is of another audit.
    """
    require_options(options, OF_AUDITS, "an audit")
    issues, n = audit.issues, len(audit.issues)
    given_embeddings = options.get("embeddings")
    embeddings, several = _first(audit.embeddings if given_embeddings is None else given_embeddings)
    placed = options.get("map")
    if embeddings is None and placed is None:
        raise ValueError(
            "embeddings must be given, or coordinates as map=: this audit keeps none, as one that was loaded, or made "
            "of a graph"
        )
    listed = None if options.get("review") is None else _places(options["review"], issues.index)
    codes = {name: _codes(audit, column) for column, name in CLASSED.items()}
    table = _table(audit, codes)
    settings = {**map_options(options), "map": align_rows(placed, issues.index, "map")}
    if embeddings is None:
        points: MappedFrame
        points, rows = _of_coordinates(audit, table, settings)
    else:
        points, rows = _of_embeddings(audit, table, codes["noisy"], embeddings, settings, listed)
    there, shown = issues["is_label_issue"].to_numpy(bool), np.zeros(n, bool)
    shown[rows] = True
    if listed is not None:
        require(
            bool(shown[listed].all()), "review", "of examples with a place in the map", issues.index[listed].tolist()
        )
        listed = np.searchsorted(rows, listed)
    points.title = _title(n, there, shown, several if placed is None else 1)
    if points.notes:
        warnings.warn("; ".join(points.notes), stacklevel=2)
    media = Media(
        audit.images if media.images is None else media.images, audit.texts if media.texts is None else media.texts
    )
    inspection = Inspection(points, *media.aligned(n, issues.index).of(points.sample_ids, rows, n))
    suspects = Suspects(
        suggested=codes["suggested"][rows],
        scores=issues["label_score"].to_numpy(np.float64)[rows],
        issues=there[rows],
        rows=rows,
        distributions=audit.distributions,
        classes=audit.class_names,
        ids=issues.index,
        digest=digest_of(audit),
        listed=listed,
    )
    default = Path(f"answers-{suspects.digest[:8]}.json").absolute()
    inspection.begin_review(suspects, options.get("answers") or default)
    return inspection


def _places(ids: Any, index: pd.Index) -> Int[np.ndarray, " l"]:  # noqa: ANN401 (a list of any library)
    """Return the positions of these sample ids, or of those of a table, each once."""
    wanted = ids.index if isinstance(ids, pd.DataFrame) else pd.Index(list(ids), dtype=object, tupleize_cols=False)
    places = index.astype(object).get_indexer(wanted.astype(object))
    strange = wanted[places < 0].tolist()
    require(len(wanted) > 0 and not strange, "review", "sample ids of the audit", strange[:5] or "none")
    require(wanted.is_unique, "review", "different sample ids", wanted[wanted.duplicated()].tolist()[:5])
    return places


def digest_of(audit: Audit) -> str:
    """Return the SHA-256 of what was audited: the sample ids and given labels, whatever embeddings and settings."""
    labels = audit.issues["given_label"]
    given = [None if missing else str(label) for label, missing in zip(labels, labels.isna(), strict=True)]
    text = json.dumps([list(map(str, audit.issues.index)), given, list(map(str, audit.class_names))])
    return hashlib.sha256(text.encode()).hexdigest()


def _first(embeddings: Any) -> tuple[Any, int]:  # noqa: ANN401 (arrays of any library here and below)
    """Return the first of several embeddings, as an audit takes them, and how many there are."""
    if isinstance(embeddings, Mapping) and not isinstance(embeddings, pd.DataFrame):
        embeddings = list(embeddings.values())
    elif not isinstance(embeddings, list | tuple) or np.ndim(embeddings[0]) == 1:
        return embeddings, 1
    return embeddings[0], len(embeddings)


def _codes(audit: Audit, column: str) -> Int[np.ndarray, " n"]:
    """Return the position of each label among the classes, -1 where it is missing."""
    labels = audit.issues[column].astype(object)
    entries = pd.Index(labels.where(labels.notna(), None), dtype=object)
    return pd.Index(audit.class_names, dtype=object).get_indexer(entries)


def _table(audit: Audit, codes: Mapping[str, Int[np.ndarray, " n"]]) -> pd.DataFrame:
    """The labels, and all numbers and flags that the audit has of each."""
    names = list(map(str, audit.class_names))
    columns: dict[str, Any] = {name: pd.Categorical.from_codes(found, names) for name, found in codes.items()}
    for name, values in audit.issues.items():
        if name not in CLASSED and _colours(values):
            columns[COLUMNS.get(str(name), str(name))] = values.to_numpy()
    if "is_unlabelled" in columns and not columns["is_unlabelled"].any():
        del columns["is_unlabelled"]
    return pd.DataFrame(columns, index=audit.issues.index.rename("sample_id"))


def _colours(values: pd.Series) -> bool:
    if pd.api.types.is_bool_dtype(values):
        return not values.isna().any()
    return bool(pd.api.types.is_float_dtype(values) and np.isfinite(values.to_numpy(np.float64, na_value=np.nan)).any())


def _of_embeddings(
    audit: Audit,
    table: pd.DataFrame,
    given: Int[np.ndarray, " n"],
    embeddings: Any,  # noqa: ANN401
    settings: Mapping[str, Any],
    listed: Int[np.ndarray, " l"] | None,
) -> tuple[MappedFrame, Int[np.ndarray, " m"]]:
    from lend.analysis import rows_to_map
    from lend.explorer.inspection.mapped_embeddings import MappedEmbeddings  # brings torch
    from lend.run import MAP_POINTS

    rows, n = None, as_matrix(embeddings).shape[0]
    require(n == len(table), "embeddings", f"of {len(table)} rows, one per label", n)
    if settings["map"] is None:
        points = settings.get("points")
        drawn = rows_to_map(given, MAP_POINTS if points is None else points, settings.get("seed", 0))
        worst = np.argsort(audit.issues["label_score"].to_numpy(np.float64), kind="stable")
        first = worst[audit.issues["is_label_issue"].to_numpy(bool)[worst]]
        first = first if listed is None else np.concatenate([listed, first[~np.isin(first, listed)]])
        rows = with_first(drawn, given, first)
    by_epoch = {0: align_rows(embeddings, audit.issues.index)}
    found = MappedEmbeddings(table, by_epoch, None, list(map(str, audit.class_names)), rows=rows, **settings)
    return found, found.rows


def _of_coordinates(
    audit: Audit, table: pd.DataFrame, settings: Mapping[str, Any]
) -> tuple[MappedFrame, Int[np.ndarray, " m"]]:
    strange = [name for name in settings if name not in ("map", "progress")]
    require(not strange, "map", "given without settings of one that is made", strange)
    rows, places = places_of(settings["map"], (0,), len(table))
    located = table.iloc[rows].assign(**{X: places[0][:, 0], Y: places[0][:, 1]})
    return MappedFrame(located, X, Y, None, list(map(str, audit.class_names))), rows


def with_first(
    drawn: Int[np.ndarray, " m"], given: Int[np.ndarray, " n"], first: Int[np.ndarray, " f"]
) -> Int[np.ndarray, " m"]:
    """Return as many rows as were drawn, ascending: the first of these, and others of the draw by class."""
    from lend.run import map_subset

    first = first[: len(drawn)]
    others, room = np.setdiff1d(drawn, first), len(drawn) - len(first)
    kept = others[map_subset(given[others], room)] if room else others[:0]
    return np.sort(np.concatenate([first, kept]))


def _title(n: int, issues: Bool[np.ndarray, " n"], shown: Bool[np.ndarray, " n"], several: int) -> str:
    title = f"audit of {n:,} examples: {issues.sum():,} label issues"
    if not shown.all():
        part = "all issues" if shown[issues].all() else f"{issues[shown].sum():,} issues"
        title += f"; {shown.sum():,} examples are shown, {part} among them"
    return title + (f"; map of the first of {several} embeddings" if several > 1 else "")
