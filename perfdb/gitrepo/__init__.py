"""The one door to git."""

from perfdb.gitrepo.checkout import Checkout, checkout_of, commit_of, export
from perfdb.gitrepo.commands import GitFailed, push
from perfdb.gitrepo.quarantine import Quarantine
from perfdb.gitrepo.repository import Base, MovedMeanwhile, Repository
from perfdb.gitrepo.tree import Clash, add_files, files_below, folders_below, node_at
from perfdb.gitrepo.trial import trial_push

__all__ = [
    "Base",
    "Checkout",
    "Clash",
    "GitFailed",
    "MovedMeanwhile",
    "Quarantine",
    "Repository",
    "add_files",
    "checkout_of",
    "commit_of",
    "export",
    "files_below",
    "folders_below",
    "node_at",
    "push",
    "trial_push",
]
