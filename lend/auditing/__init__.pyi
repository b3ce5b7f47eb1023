from .checking import Checked
from .cleaning import ACTIONS, Applied, apply
from .detection import audit
from .epochs import audit_epochs
from .files import audit_files
from .inputs import NEIGHBORS, neighbor_graphs
from .raw_files import Cleaned, clean
from .report import DRAWN, FORMATS, READERS, Audited, cleanlab_issues, export, html_page, read_answers
from .result import FORMAT, SHOWN, TABLES, Audit
from .scores import SCORE
from .stratified import Measured

__all__ = [
    "ACTIONS",
    "Applied",
    "Audit",
    "Audited",
    "Checked",
    "Cleaned",
    "DRAWN",
    "FORMAT",
    "FORMATS",
    "Measured",
    "NEIGHBORS",
    "READERS",
    "SCORE",
    "SHOWN",
    "TABLES",
    "apply",
    "audit",
    "audit_epochs",
    "audit_files",
    "clean",
    "cleanlab_issues",
    "export",
    "html_page",
    "neighbor_graphs",
    "read_answers",
]
