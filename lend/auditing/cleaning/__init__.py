"""Corrections of labels, applied: a cleaned copy of the data, in the format in which it came, and a journal.

The data itself is never changed. What is written is what follows from data and corrections alone: the same call again
finds it there, and a call that was killed goes on where it was.
"""

from lend.auditing.cleaning.applying import apply
from lend.auditing.cleaning.corrections import ACTIONS
from lend.auditing.cleaning.journal import Applied

__all__ = ["ACTIONS", "Applied", "apply"]
