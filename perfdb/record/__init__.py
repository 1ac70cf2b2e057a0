"""What a run was and what it gave: frozen models and their one canonical form. No I/O."""

from perfdb.record.canonical import canonical_bytes, fingerprint, record_id_of, sha256_hex
from perfdb.record.environment import Environment, Host, Load
from perfdb.record.model import (
    Artifact,
    Check,
    Code,
    ConfigRef,
    Direction,
    Finding,
    Metric,
    Origin,
    Record,
    SampleFile,
    Scalar,
    Status,
    is_label,
    is_run_name,
    utc_text,
)

__all__ = [
    "Artifact",
    "Check",
    "Code",
    "ConfigRef",
    "Direction",
    "Environment",
    "Finding",
    "Host",
    "Load",
    "Metric",
    "Origin",
    "Record",
    "SampleFile",
    "Scalar",
    "Status",
    "canonical_bytes",
    "fingerprint",
    "is_label",
    "is_run_name",
    "record_id_of",
    "sha256_hex",
    "utc_text",
]
