"""The only door to MLflow, which shows the records and is the truth about none of them.

A run: `MirrorSession`. All records: `sync_records`. The local server: `server`. Importing this imports no MLflow.
"""

from perfdb.tracking.client import Budget, MirrorSession, SyncReport, sync_records
from perfdb.tracking.faults import address, shown
from perfdb.tracking.mirror import MirrorResult, SyncStep
from perfdb.tracking.ready import ReadyProcess
from perfdb.tracking.server import Server, run_url
from perfdb.tracking.target import Target

__all__ = [
    "Budget",
    "MirrorResult",
    "MirrorSession",
    "ReadyProcess",
    "Server",
    "SyncReport",
    "SyncStep",
    "Target",
    "address",
    "run_url",
    "shown",
    "sync_records",
]
