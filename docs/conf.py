"""The documentation site. Sphinx: napoleon takes the docstrings, myst-nb the committed notebooks, as they are."""

import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from docutils import nodes  # noqa: E402
from latex2mathml.converter import convert  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402
from sphinx.ext import napoleon  # noqa: E402
from sphinx.ext.napoleon.docstring import GoogleDocstring  # noqa: E402

import lend  # noqa: E402

project = "lend"
author = "the lend authors"
release = version = lend.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
default_role = "code"
smartquotes_action = "q"  # quotes alone: an option keeps its two hyphens
html_theme = "furo"
html_title = "lend"
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_theme_options = {"navigation_with_keys": True}

# Notebooks are shown with the outputs that are committed: nothing is executed.
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]  # widgets' own outputs, beside which a picture stands

# Shapes are jaxtyping annotations and stay as they are written. The sites of other libraries are not asked at build.
autodoc_mock_imports = ["lightning", "transformers"]  # the site is built without them
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
nitpicky = True
# Names of other libraries, whole or as jaxtyping's shapes give them, and the letters of those shapes. Names of lend are
# not ignored.
LIBRARIES = (
    "collections|distributed|ipywidgets|jaxtyping|matplotlib|nn|np|numpy|pandas|pathlib|pd|scipy|torch|typing|xarray|xr"
)
SHAPED = "Client|Figure|Float(16|32)?|Int|Int8|Module|Path|Tensor|csr_array|csr_matrix|dict\\[str|ndarray|tuple\\[int"
nitpick_ignore_regex = [
    ("py:(class|obj|data|exc)", rf"({LIBRARIES})\..*|{SHAPED}|[a-zP]"),
    (
        "py:class",
        r"lend\.explorer\.inspection\.(corrections|mapped|media|names|options|pixels|suspects)\..*|Page|Notice",
    ),  # private to the explorer
    ("py:class", r"lend\.inputs\.cells\.Cell"),  # a type variable
]


class Docstring(GoogleDocstring):
    """Docstrings without types: signatures have them, so the first colon of a text is one of the text's own."""

    def _consume_returns_section(self, preprocess_types: bool = False) -> list[tuple[str, str, list[str]]]:
        return [("", "", self._dedent(self._consume_to_next_section()))]

    def _consume_inline_attribute(self) -> tuple[str, list[str]]:
        text = [self._lines.next(), *self._dedent(self._consume_to_end())]
        return "", self.__class__(text, self._config).lines()


napoleon.GoogleDocstring = Docstring


def copy_notebooks() -> None:
    """Sphinx reads inside docs/ only: bring the notebooks there, where git ignores them."""
    folder = HERE / "tutorials"
    folder.mkdir(exist_ok=True)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        target = folder / path.name
        if not target.exists() or target.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target)


def write_verbs() -> None:
    """The help of each verb, as the command line prints it."""
    from lend.cli.main import VERBS, verb_parser

    folder = HERE / "reference" / "verbs"
    folder.mkdir(exist_ok=True)
    for name in VERBS:
        text = verb_parser(name).format_help()
        target = folder / f"{name}.txt"
        if not target.exists() or target.read_text() != text:
            target.write_text(text)


def write_math(visitor: Any, node: Any) -> None:  # noqa: ANN401 (docutils has no types)
    """Formulas as MathML, which browsers draw themselves: no script from another site, readable without a network."""
    kind = "inline" if isinstance(node, nodes.math) else "block"
    visitor.body.append(convert(node.astext(), display=kind))
    raise nodes.SkipNode


def find_short_name(app: Sphinx, env: Any, node: Any, shown: Any) -> Any:  # noqa: ANN401 (docutils has no types)
    """A docstring says :func:`dilute` where the reference has lend.dilute: the one name of lend that ends so."""
    if node.get("refdomain") != "py" or node.get("refspecific"):
        return None
    node["refspecific"] = True
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], node["reftarget"], node, shown)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", find_short_name)
    app.add_html_math_renderer("mathml", (write_math, None), (write_math, None))


html_math_renderer = "mathml"
copy_notebooks()
write_verbs()
