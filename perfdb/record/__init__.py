"""What a run was and what it gave: frozen models and their one canonical form. No I/O."""

from perfdb.record.canonical import canonical_bytes, fingerprint, record_id_of, sha256_hex
from perfdb.record.definition import MetricDefinition
from perfdb.record.environment import Environment, Host, Load
from perfdb.record.labels import LABEL_RULE, is_label, is_run_name
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
    Sitting,
    Status,
    utc_text,
)
from perfdb.record.remarks import Annotation, Remark, Retraction, derived_uuid, new_uuid
from perfdb.record.versions import parse_record

__all__ = [
    "LABEL_RULE",
    "Annotation",
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
    "MetricDefinition",
    "Origin",
    "Record",
    "Remark",
    "Retraction",
    "SampleFile",
    "Scalar",
    "Sitting",
    "Status",
    "canonical_bytes",
    "derived_uuid",
    "fingerprint",
    "is_label",
    "is_run_name",
    "new_uuid",
    "parse_record",
    "record_id_of",
    "sha256_hex",
    "utc_text",
]
