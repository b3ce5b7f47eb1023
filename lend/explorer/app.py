"""What a notebook calls: :func:`explore`, and the :class:`Explorer` that it returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import matplotlib
import numpy as np
from jaxtyping import Shaped

from lend import storage
from lend.explorer.inspection import Inspection
from lend.explorer.inspection.media import Media, Texts
from lend.explorer.inspection.options import Options
from lend.explorer.inspection.pixels import Images
from lend.explorer.inspection.sources import Data, brings_labels, inspect
from lend.explorer.pictures import explorer_figure
from lend.explorer.pictures.maps import MOST_VIEWS
from lend.explorer.pictures.words import reason
from lend.inputs import MissingExtraError, extra, require, require_name
from lend.plots import STYLE, png_bytes

if TYPE_CHECKING:
    import ipywidgets
    import pandas as pd
    from matplotlib.figure import Figure

    from lend.explorer.widgets.notice import Notice
    from lend.explorer.widgets.page import Page

FIGURES = (".pdf", ".png", ".svg")
DATES = {".pdf": "CreationDate", ".svg": "Date"}  # left out of a file, so that the same figure gives the same bytes
DEFAULTS = ("true", "predicted", "noisy", "diluted")
DOUBTS = ("score", "agreement")  # they point at the examples that may be wrong
AUDITED = ("noisy", "suggested", "score", "issue")


def explore(
    data: Data,
    labels: Any = None,  # noqa: ANN401 (arrays of any library)
    colorings: Sequence[str] | None = None,
    *,
    images: Images = None,
    texts: Texts = None,
    **options: Unpack[Options],
) -> Explorer:
    """Look at embeddings as maps, epoch by epoch, in JupyterLab and where else jupyter-scatter works.

    Bad input raises nothing: the page says what is wrong. A warning names columns of a table that cannot colour points.
    Maps of a run are made on request only; those of embeddings are made at once, by :func:`lend.map`, if not given.

    Args:
        data: A run with maps or the path of its folder; embeddings, as :func:`lend.map` takes them, with labels; an
            audit, whose issues are then reviewed, see :attr:`Explorer.answers`; a
            pandas DataFrame, or the path of a .parquet file, with labels and columns x, y, or a column embeddings of
            lists of numbers, or both; an xarray Dataset with embeddings and labels, named as in
            :attr:`lend.Run.dataset`; or an inspection. Nothing else: a table of another library gives a pandas
            DataFrame with its to_pandas().
        labels: With embeddings only: (n,) given labels, as :func:`lend.audit` takes them. Of several epochs, these and
            the other arrays may be a mapping of every epoch to an array.
        colorings: What one to four maps are coloured by; if not given, true, predicted, noisy and diluted labels, those
            that there are. For data with labels of its own it may be the second argument.
        images: As in :meth:`lend.Inspection.of_frame`; a run's own, if not given.
        texts: As in :meth:`lend.Inspection.of_frame`: what is read in place of an image, or beside it.
        options: Further arguments by name. Those of a table are x, y, epoch and class_names, as in
            :meth:`lend.Inspection.of_frame`.

            Those of embeddings are true_labels and predicted, (n,) labels as the given ones; class_names, of which
            integer labels are positions; sample_ids, (n,), as in :func:`lend.audit`; and columns, a frame or a mapping
            of names to (n,) values: diluted, corrected, kept, and whatever else a table may colour points by, such as
            the issues of an audit. Arrays with an index are put in the order of the labels by it.

            Those of an audit are embeddings, where it keeps none or others should make the map; answers, the file in
            which every answer of the review is kept and from which it goes on: answers-DIGEST.json in the working
            folder if not given, named by what was audited; and review, sample ids to ask about, in this order, in place
            of the issues.

            Wherever there are embeddings: map, coordinates (n, 2) that were made elsewhere, or a mapping of every epoch
            to such, NaN where an example has none; or else points, how many examples to map, 10,000 chosen by class if
            not given and 0 for all, with folder, seed and progress as in :func:`lend.map`.
    """
    return Explorer(data, labels, colorings, images=images, texts=texts, **options)


class Explorer:
    """Linked maps of a run, a table or embeddings, as :func:`explore` shows them; the arguments are the same.

    The widgets are made when it is first shown, so scripts may use it, too.
    """

    def __init__(
        self,
        data: Data,
        labels: Any = None,  # noqa: ANN401
        colorings: Sequence[str] | None = None,
        *,
        images: Images = None,
        texts: Texts = None,
        **options: Unpack[Options],
    ) -> None:
        if colorings is None and names_colorings(data, labels, options):
            labels, colorings = None, labels
        self._source = (data, labels, colorings, images, texts, options)
        self._inspection: Inspection | None = None
        self._trouble: Exception | None = None
        self._page: Page | None = None
        self._widget: ipywidgets.VBox | None = None
        self._open()

    def _open(self) -> None:
        data, labels, colorings, images, texts, options = self._source
        try:
            inspection = inspect(data, "data", labels, Media(images, texts), options)
            self._colorings = default_colorings(inspection) if colorings is None else tuple(colorings)
            _require_colorings(inspection, self._colorings)
        except (ValueError, KeyError, TypeError, OSError, FloatingPointError) as error:
            self._trouble = error
        else:
            self._inspection, self._trouble = inspection, None

    def __repr__(self) -> str:
        return f"Explorer({self._inspection or self._trouble})"

    @property
    def inspection(self) -> Inspection:
        """The state: epoch, labels, selection, corrections.

        Raises:
            ValueError: If there is nothing to show; the message is that of the page.
        """
        if self._inspection is None:
            raise ValueError(reason(self._trouble))
        return self._inspection

    @property
    def selection(self) -> Shaped[np.ndarray, " s"]:
        """Sample ids of the selected points; may be set."""
        return self.inspection.selection

    @selection.setter
    def selection(self, ids: Iterable[Any]) -> None:
        self.inspection.select(ids)
        if self._page:
            self._page.show_selection()

    @property
    def answers(self) -> pd.DataFrame:
        """The answers of the review of an audit, by sample id.

        ``answer`` is "suggested", "given", "other", "none" (of the classes) or "unsure". ``true_label`` is the class
        that was said to be right, as the audit writes it, "other" where none is, or "unsure", as
        :meth:`lend.Audit.add_checked` takes it.

        Raises:
            ValueError: If this is no audit.
        """
        review = self.inspection.review
        require(review is not None, "answers", "those to an audit", self.inspection.title)
        assert review is not None
        return review.answers

    @property
    def epoch(self) -> int:
        """The epoch shown; may be set."""
        return self.inspection.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self.inspection.show(epoch)
        if self._page:
            self._page.show_epoch()

    @property
    def labels_of(self) -> str:
        """Whose predicted and diluted labels are shown, as in :attr:`lend.Inspection.labels_of`; may be set."""
        return self.inspection.labels_of

    @labels_of.setter
    def labels_of(self, source: str) -> None:
        self.inspection.labels_of = source
        if self._page:
            self._page.show_labels()

    @property
    def colorings(self) -> tuple[str, ...]:
        """What the maps are coloured by, from left to right and down; may be set to one to four names."""
        if self._page:
            return self._page.views.colorings
        self.inspection  # noqa: B018 (raises where there is nothing to colour)
        return self._colorings

    @colorings.setter
    def colorings(self, colorings: Sequence[str]) -> None:
        _require_colorings(self.inspection, colorings)
        self._colorings = tuple(colorings)
        if self._page:
            self._page.set_colorings(self._colorings)

    def figure(self) -> Figure:
        """Draw the maps shown as a figure of a paper."""
        return explorer_figure(self.inspection, self.colorings, self.epoch, selection=self.selection)

    def save(self, path: str | Path) -> Path:
        """Write the maps shown as a figure (.pdf, .png, .svg), or all maps and labels as a table (.parquet).

        Raises:
            ValueError: If the path ends in another way.
        """
        path = Path(path)
        ending = path.suffix.lower()
        require(ending in (*FIGURES, ".parquet"), "path", f"to end in {', '.join(FIGURES)} or .parquet", str(path))
        if ending == ".parquet":
            return self.inspection.save_parquet(path)
        figure = self.figure()
        if ending == ".png":
            return storage.write_bytes(path, png_bytes(figure, STYLE["savefig.dpi"]))
        page = BytesIO()
        with matplotlib.rc_context(STYLE | {"svg.hashsalt": "lend"}):  # the same figure gives the same bytes
            figure.savefig(page, format=ending[1:], dpi=300, metadata={DATES[ending]: None})
        return storage.write_bytes(path, page.getvalue())

    # --- In the page --------------------------------------------------------------------------------------------------

    @property
    def page(self) -> Page | Notice:
        """The widgets and what they do; a notice where there is nothing to show."""
        if self._trouble is not None:
            return self._notice
        if self._page is None:
            with extra("notebooks"):
                from lend.explorer.widgets.page import Page

            self._page = Page(self.inspection, self._colorings, self.save)
        return self._page

    @cached_property
    def _notice(self) -> Notice:
        with extra("notebooks"):
            from lend.explorer.widgets.notice import Notice

        assert self._trouble is not None  # a notice says what is wrong
        return Notice(self._trouble, self._show_made_maps)

    def _show_made_maps(self) -> None:
        """Replace the notice by the page, now that the maps are made."""
        self._open()
        if self._trouble is not None:
            raise self._trouble
        self.widget.children = self.page.children

    @property
    def widget(self) -> ipywidgets.VBox:
        """All of the page as one widget, which a notebook shows for an explorer that ends a cell."""
        if self._widget is None:
            with extra("notebooks"):
                import ipywidgets

            self._widget = ipywidgets.VBox(self.page.children)
            self._widget.add_class("lend-explorer")
        return self._widget

    def _ipython_display_(self) -> None:
        from IPython.display import display

        try:
            shown = self.widget
        except MissingExtraError as error:
            print(error)  # one line; IPython would show a traceback
        else:
            display(shown)


def default_colorings(inspection: Inspection) -> tuple[str, ...]:
    """Return true, predicted, noisy and diluted, those that there are; where true is unknown, also one of DOUBTS.

    Those of an audit are AUDITED.
    """
    there = inspection.colorings
    if inspection.review:
        return AUDITED
    found = [name for name in DEFAULTS if name in there]
    if "true" not in found:
        found += [name for name in DOUBTS if name in there][:1]
    return tuple(found or there[:1])


def names_colorings(data: Data, labels: Any, options: Mapping[str, Any]) -> bool:  # noqa: ANN401
    """Whether what stands in the place of labels names colorings, as it may where the data has labels of its own."""
    names = isinstance(labels, list | tuple) and len(labels) <= MOST_VIEWS
    return names and all(isinstance(name, str) for name in labels) and brings_labels(data, options)


def _require_colorings(inspection: Inspection, colorings: Sequence[str]) -> None:
    require(1 <= len(colorings) <= MOST_VIEWS, "colorings", f"one to {MOST_VIEWS} names", colorings)
    for coloring in colorings:
        require_name(coloring, inspection.colorings, "coloring")
