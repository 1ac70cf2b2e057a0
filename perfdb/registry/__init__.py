"""The records on disk, and the journal of what is under way."""

from perfdb.registry.journal import Journal, abandoned_journals
from perfdb.registry.store import Entry, Registry

__all__ = ["Entry", "Journal", "Registry", "abandoned_journals"]
