"""Mask secrets and identities in text before it is kept, shown or published.

Standard library only: the supervisor, a process that must start fast, imports this room.
"""

from perfdb.redaction.identity import Identity
from perfdb.redaction.names import account_parameter, names_a_secret
from perfdb.redaction.redactor import Finding, Redactor
from perfdb.redaction.spans import ADDRESS, HOME, HOST, SECRET, USER, only_markers

__all__ = [
    "ADDRESS",
    "HOME",
    "HOST",
    "SECRET",
    "USER",
    "Finding",
    "Identity",
    "Redactor",
    "account_parameter",
    "names_a_secret",
    "only_markers",
]
