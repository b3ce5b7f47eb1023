"""Which labels are wrong, from embeddings and labels alone.

Every number rests on what the *other* examples say (:mod:`lend.dilution.leaveoneout`): nobody votes for itself.
"""

from lend.auditing.detection import audit
from lend.auditing.files import audit_files
from lend.auditing.inputs import NEIGHBORS, encode, neighbor_graphs
from lend.auditing.result import FORMAT, SHOWN, TABLES, Audit
from lend.auditing.scores import SCORE

__all__ = [
    "FORMAT",
    "NEIGHBORS",
    "SCORE",
    "SHOWN",
    "TABLES",
    "Audit",
    "audit",
    "audit_files",
    "encode",
    "neighbor_graphs",
]
