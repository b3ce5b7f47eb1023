from .accuracy import accuracy_curves
from .audit import audit_figure
from .choices import choices
from .colours import (
    GREY,
    LABEL_COLOURS,
    LABEL_TITLES,
    LEGEND_CLASSES,
    LINES,
    METHOD_COLOURS,
    WRONG,
    class_colours,
)
from .issues import worst
from .label_curves import label_accuracy_curves, largest_margin
from .maps import overview, snapshot_panels
from .margins import margin_panels
from .marks import dot, marker_size
from .matrices import transition_matrices
from .memorisation import kept_by_class, memorisation_curves
from .names import heading, legend_columns, literal
from .rgb import as_rgb
from .settings import sensitivity
from .steps import step_curves
from .style import PAGE, STYLE, Picture, png_bytes, save, styled
from .toy import dilution_toy
from .trials import trial_dots

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
