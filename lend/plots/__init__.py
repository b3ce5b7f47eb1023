"""Figures: each function takes arrays or tables and returns a matplotlib Figure."""

from lend.plots.accuracy import accuracy_curves
from lend.plots.audit import audit_figure, worst
from lend.plots.choices import choices
from lend.plots.colours import (
    GREY,
    LABEL_COLOURS,
    LABEL_TITLES,
    LEGEND_CLASSES,
    LINES,
    METHOD_COLOURS,
    WRONG,
    class_colours,
)
from lend.plots.label_curves import label_accuracy_curves, largest_margin
from lend.plots.maps import overview, snapshot_panels
from lend.plots.margins import margin_panels
from lend.plots.marks import dot, marker_size
from lend.plots.matrices import transition_matrices
from lend.plots.memorisation import kept_by_class, memorisation_curves
from lend.plots.names import heading, legend_columns, literal
from lend.plots.rgb import as_rgb
from lend.plots.settings import sensitivity
from lend.plots.steps import step_curves
from lend.plots.style import PAGE, STYLE, Picture, png_bytes, save, styled
from lend.plots.toy import dilution_toy
from lend.plots.trials import trial_dots

__all__ = [
    "GREY",
    "LABEL_COLOURS",
    "LABEL_TITLES",
    "LEGEND_CLASSES",
    "LINES",
    "METHOD_COLOURS",
    "PAGE",
    "STYLE",
    "WRONG",
    "Picture",
    "accuracy_curves",
    "as_rgb",
    "audit_figure",
    "choices",
    "class_colours",
    "dilution_toy",
    "dot",
    "heading",
    "kept_by_class",
    "label_accuracy_curves",
    "largest_margin",
    "legend_columns",
    "literal",
    "margin_panels",
    "marker_size",
    "memorisation_curves",
    "overview",
    "png_bytes",
    "save",
    "sensitivity",
    "snapshot_panels",
    "step_curves",
    "styled",
    "transition_matrices",
    "trial_dots",
    "worst",
]
