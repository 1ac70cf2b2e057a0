"""Options that may name hosts or hold secrets go into no record."""

from __future__ import annotations

from perfdb.families.scaling.servers.watching import NOT_KEPT
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.runner.assemble import record_of
from tests.runner.journals import journal_of


def test_where_an_admin_is_and_what_a_faults_command_was_are_not_kept(settings):
    asked = ScalingSpec(
        shape="open", admin="node-17:9901", fault_after=1, fault_command="ssh node-17 pkill --exact backend"
    )
    journal = journal_of(settings, family="scaling", target="http://127.0.0.1:8000", spec=asked.model_dump(mode="json"))
    record, files, _ = record_of(journal)
    assert (record.spec["admin"], record.spec["fault_command"], record.spec["fault_after"]) == (None, NOT_KEPT, 1)
    everything = record.to_bytes() + b"".join(files.values())
    assert b"node-17" not in everything
    assert b"pkill" not in everything
    assert ScalingSpec.model_validate(record.spec).fault_after == 1  # it can still be read


def test_what_was_not_asked_for_is_not_said_to_have_been(settings):
    journal = journal_of(settings, family="scaling", spec=ScalingSpec().model_dump(mode="json"))
    record, _, _ = record_of(journal)
    assert record.spec["fault_command"] is None
