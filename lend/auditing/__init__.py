"""Audits: which labels are wrong, and how many, from embeddings and labels alone.

Every number about an example rests on the labels of the *other* examples (:mod:`lend.dilution.leaveoneout`): no example
votes for itself.
"""

from lend.auditing.checking import Checked
from lend.auditing.clean import Cleaned, clean
from lend.auditing.detection import audit
from lend.auditing.epochs import audit_epochs
from lend.auditing.files import audit_files
from lend.auditing.inputs import NEIGHBORS, neighbor_graphs
from lend.auditing.result import FORMAT, SHOWN, TABLES, Audit
from lend.auditing.scores import SCORE
from lend.auditing.stratified import Measured

__all__ = [
    "FORMAT",
    "NEIGHBORS",
    "SCORE",
    "SHOWN",
    "TABLES",
    "Audit",
    "Checked",
    "Cleaned",
    "Measured",
    "audit",
    "audit_epochs",
    "audit_files",
    "clean",
    "neighbor_graphs",
]
