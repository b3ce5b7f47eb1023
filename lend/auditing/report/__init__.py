"""Reports: an audit as one HTML file, to read without a script and a network; and in the formats of other tools.

This part takes what has the tables of an audit (:class:`Audited`) and knows nothing of how one is made.
"""

from lend.auditing.report.audited import Audited
from lend.auditing.report.exports import FORMATS, READERS, cleanlab_issues, export, read_answers
from lend.auditing.report.page import html_page
from lend.auditing.report.scatter import DRAWN

__all__ = ["DRAWN", "FORMATS", "READERS", "Audited", "cleanlab_issues", "export", "html_page", "read_answers"]
