"""Reports: an audit as one HTML file, to read without a script and without a network.

The room takes what has the tables of an audit (:class:`Audited`) and knows nothing of how one is made.
"""

from lend.report.audited import Audited
from lend.report.page import html_page
from lend.report.scatter import DRAWN

__all__ = ["DRAWN", "Audited", "html_page"]
