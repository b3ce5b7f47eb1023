"""Reports: an audit as one HTML file, to read without a script and a network; and in the formats of other tools.

The room takes what has the tables of an audit (:class:`Audited`) and knows nothing of how one is made.
"""

from lend.report.audited import Audited
from lend.report.exports import FORMATS, READERS, cleanlab_issues, export, read_answers
from lend.report.page import html_page
from lend.report.scatter import DRAWN

__all__ = ["DRAWN", "FORMATS", "READERS", "Audited", "cleanlab_issues", "export", "html_page", "read_answers"]
